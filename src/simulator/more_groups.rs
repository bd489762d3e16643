//! Operations of groups that the vendor's pages do not have and its own tests and clients use: counts, the public
//! list, roles, and who shields a group.
//!
//! The form of counts, roles and shields is assumed; nobody is ever online here.

use serde_json::{Value, json};

use super::{
    call::{Asked, text},
    lists,
    reply::{Failure, Outcome, Reply},
    world::{Group, World},
};

/// `GET /chatgroups/count`
pub(super) fn count(world: &mut World, _: &Asked<'_>) -> Outcome {
    Ok(Reply::data(json!({ "count": world.groups.len() })))
}

/// `GET /chatgroups/{id}/count`
pub(super) fn count_members(world: &mut World, asked: &Asked<'_>) -> Outcome {
    Ok(Reply::data(json!({ "count": world.group(asked.first)?.place.count() })))
}

/// `GET /publicchatgroups`: newest first, all of them on one page.
pub(super) fn public(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let groups = world.ages.values().rev().filter_map(|id| world.groups.get(id));
    let entry = |group: &Group| json!({ "groupid": group.place.id, "groupname": group.name, "affiliations": group.place.count() });
    let data: Vec<Value> = groups.filter(|group| group.public && !group.disabled).map(entry).collect();
    let count = json!(data.len());
    Ok(Reply::data(json!(data)).with("count", count).with("params", asked.call.params()))
}

/// `GET /chatgroups/{id}/roles`
pub(super) fn roles(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let place = &world.group(asked.first)?.place;
    let role = |user: &str| match user {
        _ if place.owner == user => "owner",
        _ if place.admins.iter().any(|admin| admin == user) => "admin",
        _ => "member",
    };
    let one = |user: &str| json!({ "user": user, "role": role(user), "online": false });
    let data: Vec<Value> = place.everyone().map(one).collect();
    Ok(Reply::data(json!(data)))
}

/// `GET /chatgroups/{id}/shield`
pub(super) fn shields(world: &mut World, asked: &Asked<'_>) -> Outcome {
    lists::show(&world.group(asked.first)?.shields)
}

/// `POST /chatgroups/{id}/shield`
pub(super) fn shield(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = user_of(asked)?;
    let group = world.managed(asked.first)?;
    if !group.shields.contains(&user) {
        group.shields.push(user);
    }
    Ok(Reply::data(json!({ "result": true })))
}

/// `DELETE /chatgroups/{id}/shield`
pub(super) fn unshield(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = user_of(asked)?;
    lists::take(&mut world.managed(asked.first)?.shields, &user);
    Ok(Reply::data(json!({ "result": true })))
}

fn user_of(asked: &Asked<'_>) -> Result<String, Failure> {
    let user = asked.call.json()?.get("username").and_then(text);
    user.map(|user| user.to_lowercase()).ok_or_else(|| Failure::invalid("username must be provided"))
}
