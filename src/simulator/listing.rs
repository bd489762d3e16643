//! What can be read of groups: the list of all, details, the groups of a user, the membership test.
//!
//! Pages are cut from the state as it is at that moment, as the vendor does: a change between two pages shows.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    call::Asked,
    reply::{Failure, Outcome, Reply},
    world::{Group, World},
};

const DETAILS_PER_CALL: usize = 100;
const INLINE_MEMBERS: usize = 10_000;

/// `GET /chatgroups`: newest first; the cursor is the age of the last group shown.
pub(super) fn list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let limit = asked.call.number("limit", 10, 1..=100);
    let before = match asked.call.query("cursor") {
        Some(cursor) => read_cursor(cursor).ok_or_else(|| Failure::illegal("invalid cursor"))?,
        None => u64::MAX,
    };
    let mut page: Vec<(u64, &Group)> = Vec::new();
    let mut older =
        world.ages.range(..before).rev().filter_map(|(age, id)| Some((*age, world.groups.get(id)?)));
    page.extend(older.by_ref().take(limit));
    let cursor = older.next().and(page.last()).map(|(age, _)| json!(cursor(*age)));
    let app_key = app_key(asked);
    let entry = |group: &Group| {
        json!({
            "owner": format!("{app_key}_{}", group.place.owner),
            "groupid": group.place.id,
            "affiliations": group.place.count(),
            "type": "group",
            "last_modified": group.last_modified.to_string(),
            "groupname": group.name,
        })
    };
    let data: Vec<Value> = page.iter().map(|(_, group)| entry(group)).collect();
    let count = json!(data.len());
    let reply = Reply::data(json!(data)).with("params", asked.call.params()).with("count", count);
    Ok(reply.with_some("cursor", cursor))
}

/// `GET /chatgroups/{id1,id2,…}`
pub(super) fn details(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let ids = distinct(asked.first);
    if ids.len() > DETAILS_PER_CALL {
        return Err(Failure::invalid(format!("groupIds size is more than max limit : {DETAILS_PER_CALL}")));
    }
    let data = match ids.as_slice() {
        [id] => vec![detail(world.group(id)?)],
        ids => ids.iter().filter_map(|id| element(world, id)).collect(),
    };
    let count = json!(data.len());
    Ok(Reply::data(json!(data)).with("count", count).with("properties", json!({})))
}

/// The ids of a list, each once, in its order.
pub(super) fn distinct(list: &str) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// What an answer about several groups says of one.
fn element(world: &World, id: &str) -> Option<Value> {
    let form = &world.batch;
    let Some(group) = world.groups.get(id) else {
        let missing = json!({ "id": id, "error": "group id doesn't exist" });
        return (!form.leaves_out_missing).then_some(missing);
    };
    let mut detail = detail(group);
    if let Some(fields) = detail.as_object_mut() {
        fields.retain(|name, _| !form.without.contains(name));
    }
    Some(detail)
}

fn detail(group: &Group) -> Value {
    let place = &group.place;
    let mut detail = json!({
        "id": place.id,
        "name": group.name,
        "description": group.description,
        "membersonly": group.members_only,
        "allowinvites": group.allow_invites,
        "invite_need_confirm": group.invite_need_confirm,
        "maxusers": group.max_users,
        "created": group.created,
        "custom": group.custom,
        "mute": place.mute_all,
        "affiliations_count": place.count(),
        "affiliations": place.affiliations(0, INLINE_MEMBERS),
        "disabled": group.disabled,
        "public": group.public,
        "owner": place.owner,
    });
    if !group.avatar.is_empty() {
        detail["avatar"] = json!(group.avatar);
    }
    detail
}

/// `GET /chatgroups/user/{u}`: pages from 0, last joined first.
pub(super) fn joined(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let size = asked.call.number("pagesize", 10, 1..=20);
    let page = asked.call.number("pagenum", 0, 0..=usize::MAX);
    let ids = joined_ids(world, &asked.user())?;
    let entry = |group: &Group| {
        json!({
            "id": group.place.id, "groupId": group.place.id, "name": group.name, "owner": group.place.owner,
            "description": group.description, "disabled": group.disabled, "public": group.public,
            "allowinvites": group.allow_invites, "membersonly": group.members_only,
            "maxusers": group.max_users, "created": group.created,
        })
    };
    let groups = ids.iter().rev().skip(page.saturating_mul(size)).take(size);
    let entities: Vec<Value> = groups.filter_map(|id| world.groups.get(id)).map(entry).collect();
    Ok(Reply::brief().with("entities", json!(entities)).with("total", json!(ids.len())))
}

/// `GET /users/{u}/joined_chatgroups`: the older form, pages from 1.
pub(super) fn joined_alias(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let call = asked.call;
    let paged = call.query("pagesize").or(call.query("pagenum")).is_some();
    let size = if paged { call.number("pagesize", 10, 1..=100) } else { 500 };
    let page = call.number("pagenum", 1, 1..=usize::MAX) - 1;
    let ids = joined_ids(world, &asked.user())?;
    let groups = ids.iter().rev().skip(page.saturating_mul(size)).take(size);
    let entry = |group: &Group| json!({ "groupid": group.place.id, "groupname": group.name });
    let data: Vec<Value> = groups.filter_map(|id| world.groups.get(id)).map(entry).collect();
    let count = json!(data.len());
    let reply = Reply::data(json!(data)).with("count", count).with("params", call.params());
    Ok(reply.with("properties", json!({})))
}

fn joined_ids<'a>(world: &'a World, user: &str) -> Result<&'a [String], Failure> {
    world.check_user(user)?;
    Ok(world.joined.get(user).map(Vec::as_slice).unwrap_or_default())
}

/// `GET` or `POST /chatgroups/{id}/user/{u}/is_joined`
pub(super) fn is_joined(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let inside = world.group(asked.first)?.place.has(&asked.user());
    Ok(Reply::bare(json!(inside)))
}

pub(super) fn app_key(asked: &Asked<'_>) -> String {
    let mut names = asked.call.base.rsplitn(3, '/');
    let (app, org) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    format!("{org}#{app}")
}

/// A cursor that continues after the item with this number; the number itself is the vendor's secret.
pub(super) fn cursor(age: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{age}"))
}

pub(super) fn read_cursor(cursor: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("after:")?.parse().ok()
}
