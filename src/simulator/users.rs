//! What the gateway merely relays: looking a user up, deleting one.
//!
//! Everything else outside groups, threads and rooms is answered as a path that does not exist.

use http::StatusCode;
use serde_json::json;

use super::{
    call::Asked,
    reply::{Failure, Outcome, Reply},
    world::World,
};

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

fn missing() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "service_resource_not_found", "Service resource not found")
}
