//! Threads of groups and their members.
//!
//! This service words its errors as `group_error`, and an unreadable body as `param_illegal`. A thread of a
//! disabled group cannot be changed.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    call::{Asked, text},
    listing::{cursor, read_cursor},
    reply::{Failure, Outcome, Reply},
    world::{Thread, World},
};

const NAME_CHARS: usize = 64;
const USERS_PER_CALL: usize = 10;

/// `GET /thread`: ids only.
pub(super) fn list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (page, cursor) = page(world.threads.keys().map(|id| (*id, *id)).collect(), asked)?;
    let entities: Vec<Value> = page.iter().map(|id| json!({ "id": id.to_string() })).collect();
    Ok(Reply::brief().with("entities", json!(entities)).with("properties", properties(cursor)))
}

/// `GET /threads/user/{u}` and `GET /threads/chatgroups/{id}/user/{u}`, in the order of joining.
pub(super) fn of_user(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (group, user) = (asked.first, asked.user());
    world.check_user(&user)?;
    if !group.is_empty() && !world.groups.contains_key(group) {
        return Err(no_group());
    }
    let inside = world.threads.iter().filter(|(_, thread)| group.is_empty() || thread.group == group);
    let mut joined: Vec<(u64, u64)> = inside
        .filter_map(|(id, thread)| Some((thread.members.iter().find(|(member, _)| *member == user)?.1, *id)))
        .collect();
    joined.sort_unstable();
    let (page, cursor) = page(joined, asked)?;
    let entity = |id: &u64| world.threads.get(id).map(|thread| entity(*id, thread));
    let entities: Vec<Value> = page.iter().filter_map(entity).collect();
    Ok(Reply::brief().with("entities", json!(entities)).with("properties", properties(cursor)))
}

fn entity(id: u64, thread: &Thread) -> Value {
    json!({
        "name": thread.name, "owner": thread.owner, "id": id.to_string(), "msgId": thread.message,
        "groupId": thread.group, "created": thread.created,
    })
}

/// `POST /thread`: only the body names the group.
pub(super) fn create(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let body = readable(asked)?;
    let field = |name: &str| body.get(name).and_then(text);
    let group = field("group_id").ok_or_else(no_group)?;
    let name = thread_name(&body)?;
    let owner = field("owner").unwrap_or_default().to_lowercase();
    let message = field("msg_id").ok_or_else(|| group_error(StatusCode::NOT_FOUND, "msg not exist."))?;
    check_open(world, &group)?;
    if !world.group(&group)?.place.has(&owner) {
        return Err(stranger());
    }
    let id = plant(world, &group, &name, &owner, &message);
    Ok(Reply::brief().with("data", json!({ "thread_id": id.to_string() })))
}

/// Makes a thread; its owner is its first member.
fn plant(world: &mut World, group: &str, name: &str, owner: &str, message: &str) -> u64 {
    let id = 179_800_000_000_000 + world.next();
    let joining = world.next();
    let thread = Thread {
        group: group.to_owned(),
        name: name.to_owned(),
        owner: owner.to_owned(),
        message: message.to_owned(),
        created: world.now,
        members: vec![(owner.to_owned(), joining)],
    };
    world.threads.insert(id, thread);
    id
}

/// `PUT /thread/{tid}`
pub(super) fn rename(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let name = thread_name(&readable(asked)?)?;
    changeable(world, asked.first)?.name.clone_from(&name);
    Ok(Reply::brief().with("data", json!({ "name": name })))
}

/// `DELETE /thread/{tid}`
pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome {
    changeable(world, asked.first)?;
    world.threads.remove(&number(asked.first)?);
    Ok(Reply::brief().with("data", json!({ "status": "ok" })))
}

/// `GET /thread/{tid}/users`
pub(super) fn members(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let thread = world.threads.get(&number(asked.first)?).ok_or_else(no_thread)?;
    let members =
        thread.members.iter().enumerate().map(|(index, (_, joining))| (*joining, index as u64)).collect();
    let (page, cursor) = page(members, asked)?;
    let name = |index: &u64| usize::try_from(*index).ok().and_then(|index| thread.members.get(index));
    let users: Vec<&String> = page.iter().filter_map(name).map(|(user, _)| user).collect();
    Ok(Reply::brief().with("data", json!({ "affiliations": users })).with("properties", properties(cursor)))
}

/// `POST /thread/{tid}/users`: all of them or none. The reply calls the path by another name.
pub(super) fn join(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let users = users(asked)?;
    let group = changeable(world, asked.first)?.group.clone();
    let place = &world.group(&group)?.place;
    if !users.iter().all(|user| place.has(user)) {
        return Err(stranger());
    }
    for user in users {
        let joining = world.next();
        let thread = changeable(world, asked.first)?;
        if !thread.members.iter().any(|(member, _)| *member == user) {
            thread.members.push((user, joining));
        }
    }
    let uri = format!("{}/thread/{}/joined_thread", asked.call.base, asked.first);
    Ok(Reply::brief().with("data", json!({ "status": "ok" })).with("uri", json!(uri)))
}

/// `DELETE /threads/{tid}/users`, also as `/thread/{tid}/users`: the results are in `entities`.
pub(super) fn kick(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let users = users(asked)?;
    let members = &mut changeable(world, asked.first)?.members;
    let kick = |user: &String| {
        let before = members.len();
        members.retain(|(member, _)| member != user);
        json!({ "result": members.len() < before, "user": user })
    };
    let entities: Vec<Value> = users.iter().map(kick).collect();
    Ok(Reply::brief().with("entities", json!(entities)))
}

/// A page of pairs that are in ascending order: newest first unless asked otherwise, with a cursor if more follow.
fn page(mut items: Vec<(u64, u64)>, asked: &Asked<'_>) -> Result<(Vec<u64>, Option<String>), Failure> {
    let limit = asked.call.number("limit", 50, 1..=50);
    let ascending = asked.call.query("sort") == Some("asc");
    if !ascending {
        items.reverse();
    }
    if let Some(text) = asked.call.query("cursor") {
        let last = read_cursor(text).ok_or_else(|| Failure::illegal("invalid cursor"))?;
        items.retain(|(order, _)| if ascending { *order > last } else { *order < last });
    }
    let last = items.get(limit - 1).filter(|_| items.len() > limit);
    let cursor = last.map(|(order, _)| cursor(*order));
    Ok((items.into_iter().take(limit).map(|(_, id)| id).collect(), cursor))
}

fn properties(cursor: Option<String>) -> Value {
    cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }))
}

/// A thread for a write.
fn changeable<'a>(world: &'a mut World, id: &str) -> Result<&'a mut Thread, Failure> {
    let number = number(id)?;
    let group = world.threads.get(&number).ok_or_else(no_thread)?.group.clone();
    check_open(world, &group)?;
    world.threads.get_mut(&number).ok_or_else(no_thread)
}

fn check_open(world: &mut World, group: &str) -> Result<(), Failure> {
    if !world.groups.contains_key(group) {
        return Err(no_group());
    }
    world.managed(group).map(|_| ())
}

fn readable(asked: &Asked<'_>) -> Result<Map<String, Value>, Failure> {
    let illegal = |why: Failure| Failure::new(StatusCode::BAD_REQUEST, "param_illegal", why.reason());
    asked.call.json().map_err(illegal)
}

fn users(asked: &Asked<'_>) -> Result<Vec<String>, Failure> {
    readable(asked)?;
    let users = asked.body_users("usernames")?;
    if users.len() > USERS_PER_CALL {
        return Err(Failure::invalid(format!("userNames size is more than max limit : {USERS_PER_CALL}")));
    }
    Ok(users)
}

fn thread_name(body: &Map<String, Value>) -> Result<String, Failure> {
    let name = body.get("name").and_then(text).unwrap_or_default();
    match name.chars().count() {
        0 => Err(Failure::new(StatusCode::BAD_REQUEST, "param_illegal", "name must be provided")),
        1..=NAME_CHARS => Ok(name),
        _ => Err(group_error(StatusCode::BAD_REQUEST, "thread name limit reached.")),
    }
}

fn number(id: &str) -> Result<u64, Failure> {
    id.parse().map_err(|_| no_thread())
}

fn group_error(status: StatusCode, text: &str) -> Failure {
    Failure::new(status, "group_error", text)
}

fn no_group() -> Failure {
    group_error(StatusCode::NOT_FOUND, "group not found.")
}

fn no_thread() -> Failure {
    group_error(StatusCode::NOT_FOUND, "thread not found.")
}

fn stranger() -> Failure {
    group_error(StatusCode::FORBIDDEN, "user not in group.")
}
