//! Who is in a chat room, and in what role: members, admins, block list, allow list, mutes, tags.
//!
//! Members come and go from their devices every moment, so what shows them is believed briefly. Whether roles, mutes
//! and attributes end with a membership is not documented: they are touched.

use super::BRIEFLY;
use crate::catalogue::{
    Endpoint,
    Verb::{Delete, Get, Post, Put},
};

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::read(
        "room.members.list",
        Get,
        "/chatrooms/{room}/users",
        &["room:{room}", "room:{room}/members", "room:{room}/admins", "users"],
    )
    .query(&["pagenum", "pagesize", "limit", "cursor"])
    .fresh(BRIEFLY),
    // Whoever enters may bring back what was hidden of him.
    Endpoint::write(
        "room.members.add",
        Post,
        "/chatrooms/{room}/users/{user}",
        &["room:{room}/members", "room:{room}/attributes", "room:{room}/tags", "user:{user}/rooms"],
    ),
    Endpoint::write(
        "room.members.add.batch",
        Post,
        "/chatrooms/{room}/users",
        &[
            "room:{room}/members",
            "room:{room}/attributes",
            "room:{room}/tags",
            "user:{body:/usernames/*}/rooms",
        ],
    )
    .otherwise(&["users/rooms"]),
    // Single and batch removal share method and path.
    Endpoint::write(
        "room.members.remove",
        Delete,
        "/chatrooms/{room}/users/{users,}",
        &[
            "room:{room}/members",
            "room:{room}/admins",
            "room:{room}/mutes",
            "room:{room}/allowed",
            "room:{room}/attributes",
            "room:{room}/tags",
            "user:{users}/rooms",
        ],
    ),
    Endpoint::read(
        "room.admins.list",
        Get,
        "/chatrooms/{room}/admin",
        &["room:{room}", "room:{room}/admins", "users"],
    )
    .strict(),
    Endpoint::write("room.admins.add", Post, "/chatrooms/{room}/admin", &["room:{room}/admins"]),
    Endpoint::write("room.admins.remove", Delete, "/chatrooms/{room}/admin/{user}", &["room:{room}/admins"]),
    Endpoint::read(
        "room.blocks.list",
        Get,
        "/chatrooms/{room}/blocks/users",
        &["room:{room}", "room:{room}/blocks", "users"],
    )
    .strict(),
    // Blocking removes the member.
    Endpoint::write(
        "room.blocks.add.batch",
        Post,
        "/chatrooms/{room}/blocks/users",
        &[
            "room:{room}/blocks",
            "room:{room}/members",
            "room:{room}/admins",
            "room:{room}/mutes",
            "room:{room}/allowed",
            "room:{room}/attributes",
            "room:{room}/tags",
            "user:{body:/usernames/*}/rooms",
        ],
    )
    .otherwise(&["users/rooms"]),
    Endpoint::write(
        "room.blocks.add",
        Post,
        "/chatrooms/{room}/blocks/users/{user}",
        &[
            "room:{room}/blocks",
            "room:{room}/members",
            "room:{room}/admins",
            "room:{room}/mutes",
            "room:{room}/allowed",
            "room:{room}/attributes",
            "room:{room}/tags",
            "user:{user}/rooms",
        ],
    ),
    Endpoint::write(
        "room.blocks.remove",
        Delete,
        "/chatrooms/{room}/blocks/users/{users,}",
        &["room:{room}/blocks"],
    ),
    Endpoint::read(
        "room.allowed.list",
        Get,
        "/chatrooms/{room}/white/users",
        &["room:{room}", "room:{room}/allowed", "users"],
    )
    .strict(),
    Endpoint::write(
        "room.allowed.add.batch",
        Post,
        "/chatrooms/{room}/white/users",
        &["room:{room}/allowed"],
    ),
    Endpoint::write(
        "room.allowed.add",
        Post,
        "/chatrooms/{room}/white/users/{user}",
        &["room:{room}/allowed"],
    ),
    Endpoint::write(
        "room.allowed.remove",
        Delete,
        "/chatrooms/{room}/white/users/{users,}",
        &["room:{room}/allowed"],
    ),
    Endpoint::read(
        "room.mutes.list",
        Get,
        "/chatrooms/{room}/mute",
        &["room:{room}", "room:{room}/mutes", "users"],
    )
    .ends("/data/*/expire", "/timestamp")
    .is(&["list the muted members of a room"])
    .strict(),
    Endpoint::write("room.mutes.add", Post, "/chatrooms/{room}/mute", &["room:{room}/mutes"])
        .is(&["mute members of a room"]),
    Endpoint::write("room.mutes.remove", Delete, "/chatrooms/{room}/mute/{users,}", &["room:{room}/mutes"])
        .is(&["unmute members of a room"]),
    // The list of mutes stays as it is; the flag belongs to the room's details.
    Endpoint::write("room.ban.set", Post, "/chatrooms/{room}/ban", &["room:{room}/info"])
        .is(&["mute all members of a room"]),
    Endpoint::write("room.ban.clear", Delete, "/chatrooms/{room}/ban", &["room:{room}/info"])
        .is(&["unmute all members of a room"]),
    // By tag: who that is, and whether the list of mutes shows it, is not documented.
    Endpoint::write(
        "room.tags.mute",
        Put,
        "/chatrooms/{room}/tag/mute",
        &["room:{room}/mutes", "room:{room}/tags", "room:{room}/info"],
    ),
    Endpoint::read(
        "room.tags.read",
        Get,
        "/chatrooms/{room}/users/{user}/tag",
        &["room:{room}", "room:{room}/tags", "room:{room}/tags/{user}", "users"],
    ),
    Endpoint::write(
        "room.tags.set",
        Put,
        "/chatrooms/{room}/users/{user}/tag",
        &["room:{room}/tags/{user}", "room:{room}/mutes"],
    ),
];
