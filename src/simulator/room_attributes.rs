//! Attributes of chat rooms: a map that members write. A key that another has set is his, unless it is forced.
//!
//! Whether they end when their writer leaves is a choice of the writer's that is not made here: they stay.

use serde_json::{Map, Value, json};

use super::{
    call::{Asked, text},
    reply::{Failure, Outcome, Reply},
    world::World,
};

const KEYS: usize = 100;
const KEY_CHARS: usize = 128;
const VALUE_CHARS: usize = 4_096;

/// `POST /metadata/chatroom/{id}`: a read; no keys means all of them.
pub(super) fn get(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let wanted = keys(asked)?;
    let attributes = &world.room(asked.first)?.attributes;
    let shown = attributes.iter().filter(|(key, _)| wanted.is_empty() || wanted.contains(key));
    let data: Map<String, Value> = shown.map(|(key, (_, value))| (key.clone(), json!(value))).collect();
    Ok(Reply::metadata(Value::Object(data)))
}

/// `PUT /metadata/chatroom/{id}/user/{u}`
pub(super) fn set(world: &mut World, asked: &Asked<'_>) -> Outcome {
    write(world, asked, false)
}

/// `PUT /metadata/chatroom/{id}/user/{u}/forced`
pub(super) fn set_forced(world: &mut World, asked: &Asked<'_>) -> Outcome {
    write(world, asked, true)
}

/// `DELETE /metadata/chatroom/{id}/user/{u}`, with a body
pub(super) fn remove(world: &mut World, asked: &Asked<'_>) -> Outcome {
    erase(world, asked, false)
}

/// `DELETE /metadata/chatroom/{id}/user/{u}/forced`, with a body
pub(super) fn remove_forced(world: &mut World, asked: &Asked<'_>) -> Outcome {
    erase(world, asked, true)
}

fn write(world: &mut World, asked: &Asked<'_>, forced: bool) -> Outcome {
    let body = asked.call.json()?;
    let Some(Value::Object(given)) = body.get("metaData") else {
        return Err(Failure::illegal("metaData must be provided"));
    };
    let user = asked.user();
    let room = world.room(asked.first)?;
    if !room.place.has(&user) {
        return Err(Failure::not_inside(&user, asked.first));
    }
    let attributes = &mut room.attributes;
    each(given.iter().map(|(key, value)| (key.as_str(), text(value))), |key, value| {
        let value = value.ok_or("value is not a string")?;
        if key.chars().count() > KEY_CHARS || value.chars().count() > VALUE_CHARS {
            return Err("too long");
        }
        let free = attributes.get(key).is_none_or(|(owner, _)| forced || *owner == user);
        if !free {
            return Err("set by another user");
        }
        if attributes.len() >= KEYS && !attributes.contains_key(key) {
            return Err("too many attributes");
        }
        attributes.insert(key.to_owned(), (user.clone(), value));
        Ok(())
    })
}

fn erase(world: &mut World, asked: &Asked<'_>, forced: bool) -> Outcome {
    let keys = keys(asked)?;
    let user = asked.user();
    let attributes = &mut world.room(asked.first)?.attributes;
    each(keys.iter().map(|key| (key.as_str(), None)), |key, _| match attributes.get(key) {
        None => Err("no such attribute"),
        Some((owner, _)) if !forced && *owner != user => Err("set by another user"),
        Some(_) => {
            attributes.remove(key);
            Ok(())
        }
    })
}

/// Does something for each key; the call succeeds whatever becomes of them.
fn each<'a>(
    keys: impl Iterator<Item = (&'a str, Option<String>)>,
    mut one: impl FnMut(&str, Option<String>) -> Result<(), &'static str>,
) -> Outcome {
    let (mut done, mut failed) = (Vec::new(), Map::new());
    for (key, value) in keys {
        match one(key, value) {
            Ok(()) => done.push(key),
            Err(why) => drop(failed.insert(key.to_owned(), json!(why))),
        }
    }
    Ok(Reply::metadata(json!({ "status": "ok", "successKeys": done, "errorKeys": failed })))
}

fn keys(asked: &Asked<'_>) -> Result<Vec<String>, Failure> {
    let body = asked.call.json()?;
    let keys = body.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(keys.iter().filter_map(text).collect())
}
