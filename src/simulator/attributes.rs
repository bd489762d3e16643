//! Attributes of group members. This service answers with `timestamp`, `data` and `duration` alone.
//!
//! Whether somebody is a member is asked; whether his attributes survive his leaving is not documented: they do.

use serde_json::{Map, Value, json};

use super::{
    call::{Asked, text},
    reply::{Failure, Outcome, Reply},
    world::World,
};

const TARGETS: usize = 10;
const KEY_BYTES: usize = 16;
const VALUE_BYTES: usize = 512;
const MEMBER_BYTES: usize = 4_096;

/// `PUT /metadata/chatgroup/{id}/user/{u}`: an empty value takes its key away.
pub(super) fn set(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = asked.user();
    let body = asked.call.json()?;
    let Some(Value::Object(given)) = body.get("metaData") else {
        return Err(Failure::illegal("metaData must be provided"));
    };
    let group = world.managed(asked.first)?;
    if !group.place.has(&user) {
        return Err(Failure::not_inside(&user, asked.first));
    }
    let mut attributes = group.attributes.get(&user).cloned().unwrap_or_default();
    for (key, value) in given {
        let value = text(value).ok_or_else(|| Failure::illegal(format!("value of {key} is not a string")))?;
        if key.len() > KEY_BYTES || value.len() > VALUE_BYTES {
            return Err(Failure::exceeded(format!("metadata {key} is too long")));
        }
        if value.is_empty() {
            attributes.remove(key);
        } else {
            attributes.insert(key.clone(), json!(value));
        }
    }
    let bytes: usize =
        attributes.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    if bytes > MEMBER_BYTES {
        return Err(Failure::exceeded("metadata of the member is too long"));
    }
    group.attributes.insert(user, attributes);
    Ok(Reply::metadata(json!(given)))
}

/// `GET /metadata/chatgroup/{id}/user/{u}`
pub(super) fn get(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = asked.user();
    let group = world.group(asked.first)?;
    if !group.place.has(&user) {
        return Err(Failure::not_inside(&user, asked.first));
    }
    Ok(Reply::metadata(json!(group.attributes.get(&user).cloned().unwrap_or_default())))
}

/// `POST /metadata/chatgroup/{id}/get`: a read; no properties means all of them.
pub(super) fn get_batch(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let targets = asked.body_users("targets")?;
    if targets.len() > TARGETS {
        return Err(Failure::illegal(format!("targets size is more than max limit : {TARGETS}")));
    }
    let body = asked.call.json()?;
    let properties = body.get("properties").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let properties: Vec<String> = properties.iter().filter_map(text).collect();
    let group = world.group(asked.first)?;
    let mut data = Map::new();
    for user in targets.into_iter().filter(|user| group.place.has(user)) {
        let all = group.attributes.get(&user).cloned().unwrap_or_default();
        let wanted = |key: &String| properties.is_empty() || properties.contains(key);
        let chosen: Map<String, Value> = all.into_iter().filter(|(key, _)| wanted(key)).collect();
        data.insert(user, Value::Object(chosen));
    }
    Ok(Reply::metadata(Value::Object(data)))
}
