//! The lists of a group that name users: admins, block list, allow list.
//!
//! Entering the block list ends membership; leaving it does not restore it.

use serde_json::json;

use super::{
    call::{Asked, text},
    members::{check_size, in_batch, in_path},
    reply::{Failure, Outcome, Reply},
    world::{Place, World},
};

const ADMINS: usize = 99;

/// `GET /chatgroups/{id}/admin`
pub(super) fn admins(world: &mut World, asked: &Asked<'_>) -> Outcome {
    show(&world.group(asked.first)?.place.admins)
}

/// `POST /chatgroups/{id}/admin`
pub(super) fn add_admin(world: &mut World, asked: &Asked<'_>) -> Outcome {
    add_admin_in(&mut world.managed(asked.first)?.place, asked)
}

pub(super) fn add_admin_in(place: &mut Place, asked: &Asked<'_>) -> Outcome {
    let body = asked.call.json()?;
    let user =
        body.get("newadmin").and_then(text).ok_or_else(|| Failure::invalid("newadmin must be provided"))?;
    let user = user.to_lowercase();
    place.check_member(&user)?;
    if place.admins.contains(&user) {
        return Err(Failure::forbidden(format!("user:{user} is already admin of group:{}", asked.first)));
    }
    if place.admins.len() >= ADMINS {
        return Err(Failure::exceeded(format!("admins are more than max limit : {ADMINS}")));
    }
    place.admins.push(user.clone());
    Ok(Reply::data(json!({ "result": "success", "newadmin": user })).with("properties", json!({})))
}

/// `DELETE /chatgroups/{id}/admin/{u}`
pub(super) fn remove_admin(world: &mut World, asked: &Asked<'_>) -> Outcome {
    remove_admin_in(&mut world.managed(asked.first)?.place, asked)
}

pub(super) fn remove_admin_in(place: &mut Place, asked: &Asked<'_>) -> Outcome {
    let user = asked.user();
    if !take(&mut place.admins, &user) {
        return Err(Failure::forbidden(format!("user:{user} is not admin of group:{}", asked.first)));
    }
    Ok(Reply::data(json!({ "result": "success", "oldadmin": user })))
}

/// `GET /chatgroups/{id}/blocks/users`
pub(super) fn blocked(world: &mut World, asked: &Asked<'_>) -> Outcome {
    show(&world.group(asked.first)?.place.blocked)
}

/// `POST /chatgroups/{id}/blocks/users/{u}`
pub(super) fn block(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let users = asked.users();
    check_size(users.len())?;
    world.managed(asked.first)?;
    in_path(asked.first, "add_blocks", &users, |user| block_one(world, asked.first, user))
}

/// `POST /chatgroups/{id}/blocks/users`
pub(super) fn block_batch(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let users = asked.body_users("usernames")?;
    check_size(users.len())?;
    world.managed(asked.first)?;
    in_batch(asked.first, "add_blocks", &users, |user| block_one(world, asked.first, user))
}

fn block_one(world: &mut World, id: &str, user: &str) -> Result<(), Failure> {
    let place = &mut world.managed(id)?.place;
    place.check_member(user)?;
    place.blocked.push(user.to_owned());
    world.leave(id, user);
    Ok(())
}

/// `DELETE /chatgroups/{id}/blocks/users/{u[,u]}`
pub(super) fn unblock(world: &mut World, asked: &Asked<'_>) -> Outcome {
    unblock_in(&mut world.managed(asked.first)?.place, asked)
}

pub(super) fn unblock_in(place: &mut Place, asked: &Asked<'_>) -> Outcome {
    let (id, users) = (asked.first, asked.users());
    check_size(users.len())?;
    in_path(id, "remove_blocks", &users, |user| {
        if take(&mut place.blocked, user) {
            return Ok(());
        }
        Err(Failure::forbidden(format!("user: {user} is not in the block list of group: {id}")))
    })
}

/// `GET /chatgroups/{id}/white/users`
pub(super) fn allowed(world: &mut World, asked: &Asked<'_>) -> Outcome {
    show(&world.group(asked.first)?.place.allowed)
}

/// `POST /chatgroups/{id}/white/users/{u}`
pub(super) fn allow(world: &mut World, asked: &Asked<'_>) -> Outcome {
    allow_in(&mut world.managed(asked.first)?.place, asked)
}

pub(super) fn allow_in(place: &mut Place, asked: &Asked<'_>) -> Outcome {
    let users = asked.users();
    check_size(users.len())?;
    in_path(asked.first, "add_user_whitelist", &users, |user| allow_one(place, user))
}

/// `POST /chatgroups/{id}/white/users`
pub(super) fn allow_batch(world: &mut World, asked: &Asked<'_>) -> Outcome {
    allow_batch_in(&mut world.managed(asked.first)?.place, asked)
}

pub(super) fn allow_batch_in(place: &mut Place, asked: &Asked<'_>) -> Outcome {
    let users = asked.body_users("usernames")?;
    check_size(users.len())?;
    in_batch(asked.first, "add_user_whitelist", &users, |user| allow_one(place, user))
}

fn allow_one(place: &mut Place, user: &str) -> Result<(), Failure> {
    place.check_member(user)?;
    if !place.allowed.iter().any(|allowed| allowed == user) {
        place.allowed.push(user.to_owned());
    }
    Ok(())
}

/// `DELETE /chatgroups/{id}/white/users/{u[,u]}`
pub(super) fn disallow(world: &mut World, asked: &Asked<'_>) -> Outcome {
    disallow_in(&mut world.managed(asked.first)?.place, asked)
}

pub(super) fn disallow_in(place: &mut Place, asked: &Asked<'_>) -> Outcome {
    let (id, users) = (asked.first, asked.users());
    check_size(users.len())?;
    in_path(id, "remove_user_whitelist", &users, |user| {
        if take(&mut place.allowed, user) {
            return Ok(());
        }
        Err(Failure::forbidden(format!("user: {user} is not in the white list of group: {id}")))
    })
}

pub(super) fn show(users: &[String]) -> Outcome {
    Ok(Reply::data(json!(users)).with("count", json!(users.len())))
}

pub(super) fn take(users: &mut Vec<String>, user: &str) -> bool {
    let before = users.len();
    users.retain(|entry| entry != user);
    users.len() < before
}
