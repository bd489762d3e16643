//! Chat rooms themselves: the list, details, creation, change, transfer, deletion, announcement.
//!
//! Who is in them is in `occupants`, mutes are in `mutes`, attributes in `room_attributes`. Replies have the form of
//! those of groups where the documentation shows no other. Nobody is ever offline here: members do not drop out.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::{
    call::{Asked, text},
    listing::{app_key, cursor, distinct, read_cursor},
    reply::{Failure, Outcome, Reply},
    world::{Place, World},
};

const DETAILS_PER_CALL: usize = 100;
const LONG_CHARS: usize = 512;

/// A chat room.
#[derive(Default)]
pub(super) struct Room {
    pub(super) place: Place,
    pub(super) age: u64,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) max_users: u64,
    pub(super) created: i64,
    pub(super) announcement: String,
    /// Each with the user who set it.
    pub(super) attributes: BTreeMap<String, (String, String)>,
    pub(super) tags: HashMap<String, String>,
}

impl World {
    pub(super) fn room(&mut self, id: &str) -> Result<&mut Room, Failure> {
        self.rooms.get_mut(id).ok_or_else(|| Failure::no_group(id))
    }

    pub(super) fn add_room(&mut self, id: &str, owner: &str, members: &[&str]) -> &mut Room {
        let mut place = Place { id: id.to_owned(), owner: owner.to_lowercase(), ..Place::default() };
        place.members = members.iter().map(|member| member.to_lowercase()).collect();
        self.add_user(owner);
        members.iter().for_each(|member| self.add_user(member));
        let (age, created) = (self.next(), self.now);
        let room = Room { place, age, created, max_users: 10_000, ..Room::default() };
        self.rooms.insert(id.to_owned(), room);
        self.rooms.entry(id.to_owned()).or_default()
    }

    /// Takes a deleted user out of all rooms; those he owned end.
    pub(super) fn leave_rooms(&mut self, user: &str) {
        self.rooms.retain(|_, room| room.place.owner != user);
        self.rooms.values_mut().for_each(|room| room.place.members.retain(|member| member != user));
        self.super_admins.retain(|admin| admin != user);
    }

    /// Newest first.
    fn rooms_by_age(&self) -> Vec<&Room> {
        let mut rooms: Vec<&Room> = self.rooms.values().collect();
        rooms.sort_unstable_by_key(|room| std::cmp::Reverse(room.age));
        rooms
    }
}

/// `GET /chatrooms`: pages by cursor.
pub(super) fn list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let limit = asked.call.number("limit", 10, 1..=100);
    let before = match asked.call.query("cursor") {
        Some(cursor) => read_cursor(cursor).ok_or_else(|| Failure::illegal("invalid cursor"))?,
        None => u64::MAX,
    };
    let app_key = app_key(asked);
    let rooms = world.rooms_by_age();
    let mut older = rooms.iter().filter(|room| room.age < before);
    let page: Vec<_> = older.by_ref().take(limit).collect();
    let next = older.next().and(page.last()).map(|room| json!(cursor(room.age)));
    let entry = |room: &&&Room| {
        json!({
            "id": room.place.id,
            "name": room.name,
            "owner": format!("{app_key}_{}", room.place.owner),
            "affiliations_count": room.place.count(),
        })
    };
    let data: Vec<Value> = page.iter().map(entry).collect();
    let count = json!(data.len());
    let reply = Reply::data(json!(data)).with("params", asked.call.params()).with("count", count);
    Ok(reply.with_some("cursor", next))
}

/// `GET /users/{u}/joined_chatrooms`: pages from 1.
pub(super) fn joined(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let size = asked.call.number("pagesize", 10, 1..=100);
    let page = asked.call.number("pagenum", 1, 1..=usize::MAX) - 1;
    let user = asked.user();
    world.check_user(&user)?;
    let rooms = world.rooms_by_age();
    let inside = rooms.iter().filter(|room| room.place.has(&user));
    let page = inside.skip(page.saturating_mul(size)).take(size);
    let data: Vec<Value> = page.map(|room| json!({ "id": room.place.id, "name": room.name })).collect();
    let count = json!(data.len());
    Ok(Reply::data(json!(data)).with("count", count).with("params", asked.call.params()))
}

/// `GET /chatrooms/{id1,id2,…}`
pub(super) fn details(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let ids = distinct(asked.first);
    if ids.len() > DETAILS_PER_CALL {
        return Err(Failure::invalid(format!("roomIds size is more than max limit : {DETAILS_PER_CALL}")));
    }
    let data = match ids.as_slice() {
        [id] => vec![detail(world.room(id)?)],
        ids => {
            let missing = |id: &str| json!({ "id": id, "error": "room id doesn't exist" });
            let one = |id: &&str| world.rooms.get(*id).map(detail).unwrap_or_else(|| missing(id));
            ids.iter().map(one).collect()
        }
    };
    let count = json!(data.len());
    Ok(Reply::data(json!(data)).with("count", count))
}

fn detail(room: &Room) -> Value {
    let place = &room.place;
    json!({
        "id": place.id,
        "name": room.name,
        "description": room.description,
        "maxusers": room.max_users,
        "owner": place.owner,
        "created": room.created,
        "mute": place.mute_all,
        "affiliations_count": place.count(),
        "affiliations": place.affiliations(0, usize::MAX),
    })
}

/// `POST /chatrooms`
pub(super) fn create(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let body = asked.call.json()?;
    let word = |field: &str| {
        body.get(field).and_then(text).ok_or_else(|| Failure::invalid(format!("{field} must be provided")))
    };
    let (name, owner) = (word("name")?, word("owner")?.to_lowercase());
    world.check_user(&owner)?;
    let listed = body.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let members: Vec<String> = listed.iter().filter_map(text).map(|member| member.to_lowercase()).collect();
    members.iter().try_for_each(|member| world.check_user(member))?;
    let id = (662_600_000_000 + world.next() * 1_048_577).to_string();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let room = world.add_room(&id, &owner, &members);
    room.name = name;
    room.description = body.get("description").and_then(text).unwrap_or_default();
    room.max_users = body.get("maxusers").and_then(Value::as_u64).unwrap_or(room.max_users);
    Ok(Reply::data(json!({ "id": id })))
}

/// `PUT /chatrooms/{id}`: changes fields, or hands the room over if the body names a new owner.
pub(super) fn change(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let body = asked.call.json()?;
    let room = world.room(asked.first)?;
    if let Some(new) = body.get("newowner").and_then(text) {
        return hand_over(&mut room.place, &new.to_lowercase());
    }
    let known = |field: &str| matches!(field, "name" | "description" | "maxusers");
    let unknown: Vec<&str> = body.keys().map(String::as_str).filter(|field| !known(field)).collect();
    if !unknown.is_empty() {
        return Err(Failure::invalid(format!("some of [{}] are not valid fields", unknown.join(", "))));
    }
    if let Some(most) = body.get("maxusers").and_then(Value::as_u64) {
        if room.place.count() as u64 > most {
            let text = format!("current user count is larger than the maxUsers {most}");
            return Err(Failure::forbidden(text));
        }
        room.max_users = most;
    }
    let changed = |field: &str| body.get(field).and_then(text);
    room.name = changed("name").unwrap_or_else(|| room.name.clone());
    room.description = changed("description").unwrap_or_else(|| room.description.clone());
    let fields = body.keys().map(|field| (field.clone(), json!(true))).collect();
    Ok(Reply::data(Value::Object(fields)))
}

fn hand_over(place: &mut Place, new: &str) -> Outcome {
    if place.owner == new {
        return Err(Failure::forbidden("new owner and old owner are the same"));
    }
    if !place.has(new) {
        return Err(Failure::not_inside(new, &place.id));
    }
    place.members.retain(|member| member != new);
    place.admins.retain(|admin| admin != new);
    let old = std::mem::replace(&mut place.owner, new.to_owned());
    place.members.push(old);
    Ok(Reply::data(json!({ "newowner": true })))
}

/// `DELETE /chatrooms/{id}`
pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome {
    world.rooms.remove(asked.first).ok_or_else(|| Failure::no_group(asked.first))?;
    Ok(Reply::data(json!({ "success": true, "id": asked.first })))
}

/// `GET /chatrooms/{id}/announcement`
pub(super) fn announcement(world: &mut World, asked: &Asked<'_>) -> Outcome {
    Ok(Reply::data(json!({ "announcement": world.room(asked.first)?.announcement })))
}

/// `POST /chatrooms/{id}/announcement`
pub(super) fn announce(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let announcement = asked.call.json()?.get("announcement").and_then(text);
    let announcement = announcement.ok_or_else(|| Failure::invalid("announcement must be provided"))?;
    if announcement.chars().count() > LONG_CHARS {
        return Err(Failure::exceeded(format!("announcement is longer than {LONG_CHARS} characters")));
    }
    world.room(asked.first)?.announcement = announcement;
    Ok(Reply::data(json!({ "id": asked.first, "result": true })))
}
