//! Membership of groups: the list, adding, removing.
//!
//! A single call that cannot be done fails; in a batch the item fails and the call succeeds.

use serde_json::{Value, json};

use super::{
    call::Asked,
    reply::{Failure, Outcome, Reply, absent},
    world::World,
};

/// Users per batch call of members and lists.
pub(super) const BATCH: usize = 60;

/// `GET /chatgroups/{id}/users`: pages from 1.
pub(super) fn list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let size = asked.call.number("pagesize", 10, 1..=1_000);
    let page = asked.call.number("pagenum", 1, 1..=usize::MAX) - 1;
    let members = world.group(asked.first)?.place.affiliations(page.saturating_mul(size), size);
    let count = json!(members.len());
    Ok(Reply::data(json!(members)).with("count", count).with("params", asked.call.params()))
}

/// `POST /chatgroups/{id}/users/{u}`
pub(super) fn add(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (id, user) = (asked.first, asked.user());
    check_room(world, id, 1)?;
    check_candidate(world, id, &user)?;
    if !world.join(id, &user) {
        return Err(already_inside(&user, id));
    }
    Ok(Reply::data(json!({ "result": true, "groupid": id, "action": "add_member", "user": user })))
}

/// `POST /chatgroups/{id}/users`: fails only if nobody is new.
pub(super) fn add_batch(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let id = asked.first;
    let users = asked.body_users("usernames")?;
    check_size(users.len())?;
    check_room(world, id, 0)?;
    users.iter().try_for_each(|user| check_candidate(world, id, user))?;
    let place = &world.group(id)?.place;
    let new = users.iter().filter(|user| !place.has(user)).count();
    check_room(world, id, new)?;
    let joined: Vec<&String> = users.iter().filter(|user| world.join(id, user)).collect();
    if joined.is_empty() {
        return Err(already_inside(&users.join(","), id));
    }
    Ok(Reply::data(json!({ "newmembers": joined, "groupid": id, "action": "add_member" })))
}

/// `DELETE /chatgroups/{id}/users/{u[,u]}`
pub(super) fn remove(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let id = asked.first;
    let users = asked.users();
    if users.len() > BATCH {
        return Err(Failure::invalid(format!("kickMember: kickMembers number more than maxSize : {BATCH}")));
    }
    world.managed(id)?;
    in_path(id, "remove_member", &users, |user| {
        let place = &world.group(id)?.place;
        if place.owner == user {
            return Err(Failure::forbidden("forbidden operation on group owner!"));
        }
        if !place.has(user) {
            return Err(stranger(world, &users, user, id));
        }
        world.leave(id, user);
        Ok(())
    })
}

/// Does something for the users of a path: for one the call's fate is the item's, for several each has his own.
pub(super) fn in_path(
    id: &str,
    action: &str,
    users: &[String],
    mut one: impl FnMut(&str) -> Result<(), Failure>,
) -> Outcome {
    match users {
        [user] => one(user).map(|()| Reply::data(done(id, action, user))),
        _ => in_batch(id, action, users, one),
    }
}

/// Does something for the users of a batch: the call succeeds whatever becomes of the items.
pub(super) fn in_batch(
    id: &str,
    action: &str,
    users: &[String],
    mut one: impl FnMut(&str) -> Result<(), Failure>,
) -> Outcome {
    let item = |user: &String| match one(user) {
        Ok(()) => done(id, action, user),
        Err(failure) => {
            let reason = failure.reason();
            json!({ "result": false, "action": action, "reason": reason, "user": user, "groupid": id })
        }
    };
    let items: Vec<Value> = users.iter().map(item).collect();
    Ok(Reply::data(json!(items)))
}

fn done(id: &str, action: &str, user: &str) -> Value {
    json!({ "result": true, "action": action, "user": user, "groupid": id })
}

/// Refuses batches that are too large.
pub(super) fn check_size(users: usize) -> Result<(), Failure> {
    if users > BATCH {
        return Err(Failure::invalid(format!("userNames size is more than max limit : {BATCH}")));
    }
    Ok(())
}

fn check_candidate(world: &World, id: &str, user: &str) -> Result<(), Failure> {
    world.check_user(user)?;
    if world.group(id)?.place.blocked.iter().any(|blocked| blocked == user) {
        let text =
            format!("can not join this group, reason:user: {user} is in the block list of group: {id}");
        return Err(Failure::forbidden(text));
    }
    Ok(())
}

/// Whether so many more fit in.
fn check_room(world: &mut World, id: &str, new: usize) -> Result<(), Failure> {
    let group = world.managed(id)?;
    if new > 0 && (group.place.count() + new) as u64 > group.max_users {
        return Err(Failure::forbidden(format!("group: {id} has reached its maxUsers {}", group.max_users)));
    }
    Ok(())
}

fn already_inside(user: &str, id: &str) -> Failure {
    Failure::forbidden(format!("can not join this group, reason:user: {user} already in group: {id}\n"))
}

/// The vendor words this differently for one user, for one of several, and for one it never heard of.
fn stranger(world: &World, users: &[String], user: &str, id: &str) -> Failure {
    if users.len() == 1 {
        Failure::forbidden(format!("users [{user}] are not members of this group!"))
    } else if world.check_user(user).is_err() {
        Failure::forbidden(format!("user {user} doesn't exist."))
    } else {
        Failure::forbidden(absent(user, id))
    }
}
