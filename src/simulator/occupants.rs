//! Who is in a chat room, and in what role: members, admins, block list, allow list, tags; and the super admins.
//!
//! Leaving drops no role, mute, tag or attribute, because nothing documents that it would. The form of tags in bodies
//! and replies is assumed.

use serde_json::{Value, json};

use super::{
    call::{Asked, text},
    lists,
    members::{BATCH, check_size, in_batch, in_path},
    reply::{Failure, Outcome, Reply},
    world::World,
};

/// `GET /chatrooms/{id}/users`: pages from 1.
pub(super) fn list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let size = asked.call.number("pagesize", 10, 1..=1_000);
    let page = asked.call.number("pagenum", 1, 1..=usize::MAX) - 1;
    let members = world.room(asked.first)?.place.affiliations(page.saturating_mul(size), size);
    let count = json!(members.len());
    Ok(Reply::data(json!(members)).with("count", count).with("params", asked.call.params()))
}

/// `POST /chatrooms/{id}/users/{u}`
pub(super) fn add(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (id, user) = (asked.first, asked.user());
    enter(world, id, &user)?;
    Ok(Reply::data(json!({ "result": true, "action": "add_member", "id": id, "user": user })))
}

/// `POST /chatrooms/{id}/users`: fails only if nobody is new.
pub(super) fn add_batch(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (id, users) = (asked.first, asked.body_users("usernames")?);
    check_size(users.len())?;
    let mut refused = None;
    let mut entered = Vec::new();
    for user in &users {
        match enter(world, id, user) {
            Ok(()) => entered.push(user),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(why) if entered.is_empty() => Err(why),
        _ => Ok(Reply::data(json!({ "newmembers": entered, "action": "add_member", "id": id }))),
    }
}

fn enter(world: &mut World, id: &str, user: &str) -> Result<(), Failure> {
    world.room(id)?;
    world.check_user(user)?;
    let room = world.room(id)?;
    if room.place.blocked.iter().any(|blocked| blocked == user) {
        return Err(Failure::forbidden(format!("user: {user} is in the block list of room: {id}")));
    }
    if room.place.has(user) {
        return Err(Failure::forbidden(format!("user: {user} already in room: {id}")));
    }
    if room.place.count() as u64 >= room.max_users {
        return Err(Failure::forbidden(format!("room: {id} has reached its maxUsers {}", room.max_users)));
    }
    room.place.members.push(user.to_owned());
    Ok(())
}

/// `DELETE /chatrooms/{id}/users/{u[,u]}`
pub(super) fn remove(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (id, users) = (asked.first, asked.users());
    if users.len() > BATCH {
        return Err(Failure::invalid(format!("kickMember: kickMembers number more than maxSize : {BATCH}")));
    }
    let place = &mut world.room(id)?.place;
    in_path(id, "remove_member", &users, |user| {
        place.check_member(user)?;
        place.members.retain(|member| member != user);
        Ok(())
    })
}

/// `GET /chatrooms/{id}/admin`
pub(super) fn admins(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::show(&world.room(asked.first)?.place.admins)
}

/// `POST /chatrooms/{id}/admin`
pub(super) fn add_admin(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::add_admin_in(&mut world.room(asked.first)?.place, asked)
}

/// `DELETE /chatrooms/{id}/admin/{u}`
pub(super) fn remove_admin(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::remove_admin_in(&mut world.room(asked.first)?.place, asked)
}

/// `GET /chatrooms/{id}/blocks/users`
pub(super) fn blocked(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::show(&world.room(asked.first)?.place.blocked)
}

/// `POST /chatrooms/{id}/blocks/users/{u}`
pub(super) fn block(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let users = asked.users();
    check_size(users.len())?;
    world.room(asked.first)?;
    in_path(asked.first, "add_blocks", &users, |user| block_one(world, asked.first, user))
}

/// `POST /chatrooms/{id}/blocks/users`
pub(super) fn block_batch(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let users = asked.body_users("usernames")?;
    check_size(users.len())?;
    world.room(asked.first)?;
    in_batch(asked.first, "add_blocks", &users, |user| block_one(world, asked.first, user))
}

fn block_one(world: &mut World, id: &str, user: &str) -> Result<(), Failure> {
    let place = &mut world.room(id)?.place;
    place.check_member(user)?;
    place.members.retain(|member| member != user);
    place.blocked.push(user.to_owned());
    Ok(())
}

/// `DELETE /chatrooms/{id}/blocks/users/{u[,u]}`
pub(super) fn unblock(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::unblock_in(&mut world.room(asked.first)?.place, asked)
}

/// `GET /chatrooms/{id}/white/users`
pub(super) fn allowed(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::show(&world.room(asked.first)?.place.allowed)
}

/// `POST /chatrooms/{id}/white/users/{u}`
pub(super) fn allow(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::allow_in(&mut world.room(asked.first)?.place, asked)
}

/// `POST /chatrooms/{id}/white/users`
pub(super) fn allow_batch(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::allow_batch_in(&mut world.room(asked.first)?.place, asked)
}

/// `DELETE /chatrooms/{id}/white/users/{u[,u]}`
pub(super) fn disallow(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::disallow_in(&mut world.room(asked.first)?.place, asked)
}

/// `GET /chatrooms/{id}/users/{u}/tag`
pub(super) fn tag(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = asked.user();
    let room = world.room(asked.first)?;
    if !room.place.has(&user) {
        return Err(Failure::not_inside(&user, asked.first));
    }
    Ok(Reply::data(json!({ "user": user, "tag": room.tags.get(&user) })))
}

/// `PUT /chatrooms/{id}/users/{u}/tag`
pub(super) fn set_tag(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (user, tag) = (asked.user(), tag_of(asked)?);
    let room = world.room(asked.first)?;
    if !room.place.has(&user) {
        return Err(Failure::not_inside(&user, asked.first));
    }
    room.tags.insert(user.clone(), tag.clone());
    Ok(Reply::data(json!({ "result": true, "user": user, "tag": tag })))
}

/// `PUT /chatrooms/{id}/tag/mute`: mutes for ever whoever has this tag now.
pub(super) fn mute_tag(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let tag = tag_of(asked)?;
    let room = world.room(asked.first)?;
    let mut muted: Vec<&String> =
        room.tags.iter().filter(|(_, own)| **own == tag).map(|(user, _)| user).collect();
    muted.sort_unstable();
    for user in &muted {
        room.place.mutes.insert((*user).clone(), -1);
    }
    Ok(Reply::data(json!({ "result": true, "users": muted })))
}

fn tag_of(asked: &Asked<'_>) -> Result<String, Failure> {
    let tag = asked.call.json()?.get("tag").and_then(text);
    tag.ok_or_else(|| Failure::invalid("tag must be provided"))
}

/// `GET /chatrooms/super_admin`: pages from 1.
pub(super) fn super_admins(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let size = asked.call.number("pagesize", 10, 1..=100);
    let page = asked.call.number("pagenum", 1, 1..=usize::MAX) - 1;
    let admins = world.super_admins.iter().skip(page.saturating_mul(size)).take(size);
    let admins: Vec<Value> = admins.map(|admin| json!(admin)).collect();
    let count = json!(admins.len());
    Ok(Reply::data(json!(admins)).with("count", count).with("params", asked.call.params()))
}

/// `POST /chatrooms/super_admin`
pub(super) fn add_super_admin(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = asked.call.json()?.get("superadmin").and_then(text);
    let user = user.ok_or_else(|| Failure::invalid("superadmin must be provided"))?.to_lowercase();
    world.check_user(&user)?;
    if !world.super_admins.contains(&user) {
        world.super_admins.push(user);
    }
    Ok(Reply::data(json!({ "result": "success" })))
}

/// `DELETE /chatrooms/super_admin/{u}`
pub(super) fn remove_super_admin(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = asked.user();
    if !lists::take(&mut world.super_admins, &user) {
        return Err(Failure::forbidden(format!("user:{user} is not a super admin")));
    }
    Ok(Reply::data(json!({ "result": "success" })))
}
