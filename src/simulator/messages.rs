//! Messages: taken, numbered, and delivered to nobody.
//!
//! The most targets of one call are the vendor's; of its limits by the minute and the day nothing is applied here.

use serde_json::{Map, Value, json};

use super::{
    call::{Asked, text},
    reply::{Failure, Outcome, Reply},
    world::World,
};

/// `POST /messages/users`: every recipient gets a message id, known or not.
pub(super) fn to_users(world: &mut World, asked: &Asked<'_>) -> Outcome {
    send(world, asked, 600)
}

/// `POST /messages/chatgroups`
pub(super) fn to_groups(world: &mut World, asked: &Asked<'_>) -> Outcome {
    send(world, asked, 3)
}

/// `POST /messages/chatrooms`
pub(super) fn to_rooms(world: &mut World, asked: &Asked<'_>) -> Outcome {
    send(world, asked, 10)
}

/// `POST /messages/broadcast`, `/messages/users/broadcast`, `/messages/chatrooms/broadcast`
pub(super) fn broadcast(world: &mut World, asked: &Asked<'_>) -> Outcome {
    asked.call.json()?;
    Ok(Reply::data(json!({ "id": world.next().to_string() })))
}

/// `GET /chatmessages/{time}`
pub(super) fn history(_: &mut World, asked: &Asked<'_>) -> Outcome {
    Ok(Reply::data(json!([{ "url": format!("http://files.invalid/{}.gz", asked.first) }])))
}

fn send(world: &mut World, asked: &Asked<'_>, most: usize) -> Outcome {
    let body = asked.call.json()?;
    let Some(Value::Array(to)) = body.get("to").filter(|to| to.as_array().is_some_and(|to| !to.is_empty()))
    else {
        return Err(Failure::invalid("to must be provided"));
    };
    if to.len() > most {
        return Err(Failure::illegal(format!("to size is more than max limit : {most}")));
    }
    let targets = to.iter().filter_map(text).map(|target| target.to_lowercase());
    let mut number = || Value::from((1_029_000_000_000 + world.next()).to_string());
    let data: Map<String, Value> = targets.map(|target| (target, number())).collect();
    Ok(Reply::data(Value::Object(data)).with("path", json!(asked.call.path)))
}
