//! Chat rooms: who is muted in them.
//!
//! Of a room only its mutes are kept; whatever else is done to a room asks them anew.

use super::DEFAULT;
use crate::catalogue::{
    Endpoint,
    Verb::{Any, Delete, Get, Post},
};
use crate::units::Rate;

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::read(
        "room.mutes.list",
        Get,
        "/chatrooms/{room}/mute",
        &["room:{room}", "room:{room}/mutes", "users"],
    )
    .ends("/data/*/expire", "/timestamp")
    .strict()
    .is(&["list the muted members of a room"]),
    Endpoint::write("room.mutes.add", Post, "/chatrooms/{room}/mute", &["room:{room}/mutes"])
        .is(&["mute members of a room"]),
    Endpoint::write("room.mutes.remove", Delete, "/chatrooms/{room}/mute/{users,}", &["room:{room}/mutes"])
        .is(&["unmute members of a room"]),
    // The list of mutes stays as it is; the flag belongs to the room's details.
    Endpoint::write("room.ban.set", Post, "/chatrooms/{room}/ban", &["room:{room}/info"])
        .is(&["mute all members of a room"]),
    Endpoint::write("room.ban.clear", Delete, "/chatrooms/{room}/ban", &["room:{room}/info"])
        .is(&["unmute all members of a room"]),
    // The list is not kept; it is here since a path that is known has all its methods.
    Endpoint::relay("room.list", Get, "/chatrooms").limit(Rate::per_second(50)),
    Endpoint::write("room.create", Post, "/chatrooms", &["absent"]).limit(Rate::per_second(50)),
    // A room itself, and whatever else is done to one: read through, and any change asks its mutes anew.
    Endpoint::write("room.self", Any, "/chatrooms/{room}", &["room:{room}", "room:{room}/info"])
        .spends(DEFAULT),
    Endpoint::write("room.other", Any, "/chatrooms/{room}/{*rest}", &["room:{room}", "room:{room}/info"])
        .spends(DEFAULT),
];
