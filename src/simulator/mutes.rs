//! Mutes of single members, with their ends, and the mute of all, for groups and rooms alike.
//!
//! An entry whose end has come is gone: nobody has to remove it. The mute of all leaves the list as it is.
//! Groups and rooms refuse strangers with different statuses.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    call::{Asked, text},
    members::BATCH,
    reply::{Failure, Outcome, Reply},
    world::{Place, World},
};

const FOR_EVER: i64 = -1;

/// `GET /chatgroups/{id}/mute`
pub(super) fn group_list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let now = world.now;
    Ok(show(&world.group(asked.first)?.place, now))
}

/// `POST /chatgroups/{id}/mute`
pub(super) fn group_mute(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let now = world.now;
    mute(&mut world.managed(asked.first)?.place, asked, now, StatusCode::FORBIDDEN)
}

/// `DELETE /chatgroups/{id}/mute/{u[,u]}`
pub(super) fn group_unmute(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let now = world.now;
    unmute(&mut world.managed(asked.first)?.place, asked, now)
}

/// `POST /chatgroups/{id}/ban`
pub(super) fn group_ban(world: &mut World, asked: &Asked<'_>) -> Outcome {
    Ok(mute_all(&mut world.managed(asked.first)?.place, true))
}

/// `DELETE /chatgroups/{id}/ban`
pub(super) fn group_unban(world: &mut World, asked: &Asked<'_>) -> Outcome {
    Ok(mute_all(&mut world.managed(asked.first)?.place, false))
}

/// `GET /chatrooms/{id}/mute`
pub(super) fn room_list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let now = world.now;
    Ok(show(room(world, asked.first)?, now))
}

/// `POST /chatrooms/{id}/mute`
pub(super) fn room_mute(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let now = world.now;
    mute(room(world, asked.first)?, asked, now, StatusCode::BAD_REQUEST)
}

/// `DELETE /chatrooms/{id}/mute/{u[,u]}`
pub(super) fn room_unmute(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let now = world.now;
    unmute(room(world, asked.first)?, asked, now)
}

/// `POST /chatrooms/{id}/ban`: the reply calls itself a `put`.
pub(super) fn room_ban(world: &mut World, asked: &Asked<'_>) -> Outcome {
    Ok(mute_all(room(world, asked.first)?, true).with("action", json!("put")))
}

/// `DELETE /chatrooms/{id}/ban`
pub(super) fn room_unban(world: &mut World, asked: &Asked<'_>) -> Outcome {
    Ok(mute_all(room(world, asked.first)?, false))
}

fn room<'a>(world: &'a mut World, id: &str) -> Result<&'a mut Place, Failure> {
    world.room(id).map(|room| &mut room.place)
}

fn show(place: &Place, now: i64) -> Reply {
    let running = place.mutes.iter().filter(|(_, expire)| runs(**expire, now));
    let data: Vec<Value> = running.map(|(user, expire)| json!({ "expire": expire, "user": user })).collect();
    Reply::data(json!(data))
}

fn mute(place: &mut Place, asked: &Asked<'_>, now: i64, stranger: StatusCode) -> Outcome {
    let users = asked.body_users("usernames")?;
    if users.len() > BATCH {
        return Err(Failure::invalid(format!("userNames size is more than max limit : {BATCH}")));
    }
    let body = asked.call.json()?;
    let duration = body.get("mute_duration").and_then(text).and_then(|number| number.parse::<i64>().ok());
    let duration = duration.ok_or_else(|| Failure::invalid("mute_duration must be provided"))?;
    let strangers: Vec<&str> = users.iter().map(String::as_str).filter(|user| !place.has(user)).collect();
    if !strangers.is_empty() {
        let text = format!("users [{}] are not members of this group!", strangers.join(", "));
        return Err(Failure::new(stranger, "forbidden_op", text));
    }
    if users.contains(&place.owner) {
        return Err(Failure::new(stranger, "forbidden_op", "forbidden operation on group owner!"));
    }
    let expire = match duration {
        ..0 => FOR_EVER,
        // No time at all: the newer documentation makes this the end of a mute.
        0 => now,
        _ => now.saturating_add(duration),
    };
    place.mutes.retain(|_, expire| runs(*expire, now));
    let mut item = |user: String| {
        let item = json!({ "result": true, "expire": expire, "user": user });
        if runs(expire, now) {
            place.mutes.insert(user, expire);
        } else {
            place.mutes.remove(&user);
        }
        item
    };
    let data: Vec<Value> = users.into_iter().map(&mut item).collect();
    Ok(Reply::data(json!(data)))
}

fn unmute(place: &mut Place, asked: &Asked<'_>, now: i64) -> Outcome {
    let users = asked.users();
    if users.len() > BATCH {
        return Err(Failure::invalid(format!("removeMute member size more than max limit : {BATCH}")));
    }
    let mut item = |user: String| match place.mutes.remove(&user) {
        Some(expire) if runs(expire, now) => json!({ "result": true, "user": user }),
        _ => json!({ "result": false, "reason": format!("user: {user} is not muted"), "user": user }),
    };
    let data: Vec<Value> = users.into_iter().map(&mut item).collect();
    Ok(Reply::data(json!(data)))
}

fn mute_all(place: &mut Place, on: bool) -> Reply {
    place.mute_all = on;
    Reply::data(json!({ "mute": on }))
}

fn runs(expire: i64, now: i64) -> bool {
    expire == FOR_EVER || now < expire
}
