//! What the gateway merely relays: looking a user up, deleting one, sending a message to users.
//!
//! Everything else outside groups, threads and rooms is answered as a path that does not exist.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    call::Asked,
    reply::{Failure, Outcome, Reply},
    world::World,
};

const RECIPIENTS: usize = 600;

/// `GET /users/{u}`
pub(super) fn get(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let entity = world.user_entity(&asked.user()).map_err(|_| missing())?;
    Ok(Reply::brief().with("entities", json!([entity])).with("count", json!(1)).with("path", json!("/users")))
}

/// `DELETE /users/{u}`
pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let user = asked.user();
    let entity = world.user_entity(&user).map_err(|_| missing())?;
    world.delete_user(&user);
    Ok(Reply::brief().with("entities", json!([entity])).with("path", json!("/users")))
}

/// `POST /messages/users`: every recipient gets a message id, known or not.
pub(super) fn send(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let recipients = asked.body_users("to")?;
    if recipients.len() > RECIPIENTS {
        return Err(Failure::illegal(format!("to size is more than max limit : {RECIPIENTS}")));
    }
    let mut data = Map::new();
    for user in recipients {
        data.insert(user, Value::from((1_029_000_000_000 + world.next()).to_string()));
    }
    Ok(Reply::data(Value::Object(data)).with("path", json!("/messages/users")))
}

fn missing() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "service_resource_not_found", "Service resource not found")
}
