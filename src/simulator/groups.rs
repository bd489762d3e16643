//! Writes to groups themselves: creation, change, transfer, disabling, deletion, and the announcement.
//!
//! Who is in a group and in what role is in `members`, `lists` and `mutes`; reading is in `listing`.

use serde_json::{Map, Value, json};

use super::{
    call::{Asked, text},
    reply::{Failure, Outcome, Reply},
    world::{Group, World},
};

const NAME_CHARS: usize = 128;
const LONG_CHARS: usize = 512;
const CUSTOM_CHARS: usize = 1_024;

/// `POST /chatgroups`
pub(super) fn create(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let body = asked.call.json()?;
    if !body.contains_key("public") {
        return Err(Failure::invalid("group must contain public field!"));
    }
    if !body.contains_key("groupname") {
        return Err(Failure::invalid("groupname must be provided"));
    }
    let owner = body.get("owner").and_then(text).ok_or_else(|| Failure::invalid("owner must be provided"))?;
    world.check_user(&owner.to_lowercase())?;
    let members: Vec<String> = match body.get("members").and_then(Value::as_array) {
        Some(members) => members.iter().filter_map(text).map(|member| member.to_lowercase()).collect(),
        None => Vec::new(),
    };
    members.iter().try_for_each(|member| world.check_user(member))?;
    let mut draft = Group { max_users: 200, invite_need_confirm: true, ..Group::default() };
    for (field, value) in body.iter().filter(|(field, _)| !matches!(field.as_str(), "owner" | "members")) {
        set(&mut draft, field, value)?;
    }
    if members.len() as u64 + 1 > draft.max_users {
        return Err(too_many(draft.max_users));
    }
    let id = fresh_id(world);
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let group = world.add_group(&id, &owner, &members);
    let (place, age) = (std::mem::take(&mut group.place), group.age);
    *group = Group { place, age, created: group.created, last_modified: group.last_modified, ..draft };
    Ok(Reply::data(json!({ "groupid": id })))
}

/// `PUT /chatgroups/{id}`: changes fields, or hands the group over if the body names a new owner.
pub(super) fn change(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let body = asked.call.json()?;
    if let Some(owner) = body.get("newowner").and_then(text) {
        return hand_over(world, asked.first, &owner.to_lowercase());
    }
    let now = world.now;
    let group = world.managed(asked.first)?;
    let unknown: Vec<&str> =
        body.keys().map(String::as_str).filter(|field| !FIELDS.contains(field)).collect();
    if !unknown.is_empty() {
        return Err(Failure::invalid(format!("some of [{}] are not valid fields", unknown.join(", "))));
    }
    if let Some(most) = body.get("maxusers").and_then(Value::as_u64)
        && group.place.count() as u64 > most
    {
        return Err(too_many(most));
    }
    // All or nothing: a field that is refused must not leave the others changed.
    let mut draft = Group::default();
    body.iter().try_for_each(|(field, value)| set(&mut draft, field, value))?;
    body.iter().try_for_each(|(field, value)| set(group, field, value))?;
    group.last_modified = now;
    let changed: Map<String, Value> = body.keys().map(|field| (field.clone(), json!(true))).collect();
    Ok(Reply::data(Value::Object(changed)).with("properties", json!({})))
}

fn hand_over(world: &mut World, id: &str, new: &str) -> Outcome {
    let now = world.now;
    let group = world.managed(id)?;
    let place = &mut group.place;
    if place.owner == new {
        return Err(Failure::forbidden("new owner and old owner are the same"));
    }
    if !place.has(new) {
        return Err(Failure::not_inside(new, id));
    }
    place.members.retain(|member| member != new);
    place.admins.retain(|admin| admin != new);
    let old = std::mem::replace(&mut place.owner, new.to_owned());
    place.members.push(old);
    group.last_modified = now;
    Ok(Reply::data(json!({ "newowner": true })))
}

/// `DELETE /chatgroups/{id}`
pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome {
    if !world.delete_group(asked.first) {
        return Err(Failure::no_group(asked.first));
    }
    Ok(Reply::data(json!({ "success": true, "groupid": asked.first })))
}

/// `POST /chatgroups/{id}/disable`
pub(super) fn disable(world: &mut World, asked: &Asked<'_>) -> Outcome {
    switch(world, asked.first, true)
}

/// `POST /chatgroups/{id}/enable`
pub(super) fn enable(world: &mut World, asked: &Asked<'_>) -> Outcome {
    switch(world, asked.first, false)
}

fn switch(world: &mut World, id: &str, disabled: bool) -> Outcome {
    let group = world.groups.get_mut(id).ok_or_else(|| Failure::no_group(id))?;
    group.disabled = disabled;
    Ok(Reply::data(json!({ "disabled": disabled })).with("properties", json!({})))
}

/// `GET /chatgroups/{id}/announcement`
pub(super) fn announcement(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let announcement = &world.group(asked.first)?.announcement;
    Ok(Reply::data(json!({ "announcement": announcement })))
}

/// `POST /chatgroups/{id}/announcement`
pub(super) fn announce(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let body = asked.call.json()?;
    let announcement = body.get("announcement").and_then(text);
    let announcement = announcement.ok_or_else(|| Failure::invalid("announcement must be provided"))?;
    within("announcement", &announcement, LONG_CHARS)?;
    world.managed(asked.first)?.announcement = announcement;
    Ok(Reply::data(json!({ "id": asked.first, "result": true })))
}

const FIELDS: [&str; 12] = [
    "groupname",
    "description",
    "desc",
    "maxusers",
    "membersonly",
    "members_only",
    "approval",
    "allowinvites",
    "invite_need_confirm",
    "public",
    "custom",
    "avatar",
];

/// Sets one field of a group; names that only creation knows are refused by the caller.
fn set(group: &mut Group, field: &str, value: &Value) -> Result<(), Failure> {
    let wrong = || Failure::invalid(format!("{field} is not valid"));
    let word = || text(value).ok_or_else(wrong);
    let flag = || value.as_bool().ok_or_else(wrong);
    match field {
        "groupname" => group.name = within(field, &word()?, NAME_CHARS)?,
        "description" | "desc" => group.description = within(field, &word()?, LONG_CHARS)?,
        "custom" => group.custom = within(field, &word()?, CUSTOM_CHARS)?,
        "maxusers" => group.max_users = value.as_u64().ok_or_else(wrong)?,
        "membersonly" | "members_only" | "approval" => group.members_only = flag()?,
        "allowinvites" => group.allow_invites = flag()?,
        "invite_need_confirm" => group.invite_need_confirm = flag()?,
        "public" => group.public = flag()?,
        "avatar" => group.avatar = word()?,
        _ => {}
    }
    Ok(())
}

fn within(field: &str, value: &str, most: usize) -> Result<String, Failure> {
    if value.chars().count() > most {
        return Err(Failure::exceeded(format!("{field} is longer than {most} characters")));
    }
    Ok(value.to_owned())
}

fn too_many(most: u64) -> Failure {
    Failure::forbidden(format!("current user count is larger than the maxUsers {most}"))
}

fn fresh_id(world: &mut World) -> String {
    loop {
        let id = (66_020_000_000_000 + world.next() * 1_048_577).to_string();
        if !world.groups.contains_key(&id) {
            return id;
        }
    }
}
