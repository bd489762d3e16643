//! Chat rooms: what they are, their announcement, attributes, tags, and the super admins of all of them.
//!
//! Tags are as of groups: `room:{id}` by what ends the whole room, beside it what an answer shows. `rooms` is the
//! app's list, `users/rooms` any user's. Who is in a room is in `occupants`.

use super::{BRIEFLY, DEFAULT};
use crate::catalogue::{
    Endpoint,
    Verb::{Any, Delete, Get, Post, Put},
};
use crate::units::Rate;

/// What whatever is done to a room may change: all of it, and whose lists it is in.
const WHOLE: &[&str] = &["room:{room}", "room:{room}/info", "room:{room}/members", "rooms", "users/rooms"];

pub(super) const ROWS: &[Endpoint] = &[
    // Pages by cursor. Each element shows name, owner and number of members.
    Endpoint::read(
        "room.list",
        Get,
        "/chatrooms",
        &[
            "rooms",
            "users",
            "room:{answer:/data/*/id|/entities/*/id}/info",
            "room:{answer:/data/*/id|/entities/*/id}/members",
        ],
    )
    .query(&["limit", "cursor"])
    .fresh(BRIEFLY)
    .limit(Rate::per_second(50)),
    Endpoint::read(
        "room.list.joined",
        Get,
        "/users/{user}/joined_chatrooms",
        &[
            "user:{user}",
            "user:{user}/rooms",
            "users/rooms",
            "users",
            "room:{answer:/data/*/id|/entities/*/id}/info",
            "room:{answer:/data/*/id|/entities/*/id}/members",
        ],
    )
    .query(&["pagenum", "pagesize"])
    .fresh(BRIEFLY)
    .limit(Rate::per_second(50)),
    Endpoint::write(
        "room.create",
        Post,
        "/chatrooms",
        &[
            "rooms",
            "absent",
            "user:{body:/owner}/rooms",
            "user:{body?:/members/*}/rooms",
            "room:{answer:/data/id}",
        ],
    )
    .otherwise(&["users/rooms"])
    .limit(Rate::per_second(50)),
    // Several ids are possible; shows the members too. An older service answers with a list of one, which is kept;
    // an object, which one edition prints, is passed on.
    Endpoint::read(
        "room.read",
        Get,
        "/chatrooms/{rooms,}",
        &["room:{rooms}", "room:{rooms}/info", "room:{rooms}/members", "room:{rooms}/admins", "users"],
    )
    .flaws("/data/*/error")
    .fresh(BRIEFLY),
    // One method and path, two meanings by body: modify, or transfer to `newowner`.
    Endpoint::write(
        "room.update",
        Put,
        "/chatrooms/{room}",
        &["room:{room}/info", "room:{room}/members", "room:{room}/admins", "user:{body?:/newowner}/rooms"],
    )
    .otherwise(&["users/rooms"]),
    Endpoint::write("room.delete", Delete, "/chatrooms/{room}", WHOLE),
    Endpoint::read(
        "room.announcement.read",
        Get,
        "/chatrooms/{room}/announcement",
        &["room:{room}", "room:{room}/announcement", "users"],
    ),
    Endpoint::write(
        "room.announcement.set",
        Post,
        "/chatrooms/{room}/announcement",
        &["room:{room}/announcement"],
    ),
    // A read: the body says which.
    Endpoint::read(
        "room.attributes.read",
        Post,
        "/metadata/chatroom/{room}",
        &["room:{room}", "room:{room}/attributes", "users"],
    )
    .by_body()
    .fresh(BRIEFLY),
    // `forced` sets also what another has set; to readers it is one change.
    Endpoint::write(
        "room.attributes.set",
        Put,
        "/metadata/chatroom/{room}/user/{user}",
        &["room:{room}/attributes"],
    ),
    Endpoint::write(
        "room.attributes.set.forced",
        Put,
        "/metadata/chatroom/{room}/user/{user}/forced",
        &["room:{room}/attributes"],
    ),
    // DELETEs with a body.
    Endpoint::write(
        "room.attributes.remove",
        Delete,
        "/metadata/chatroom/{room}/user/{user}",
        &["room:{room}/attributes"],
    ),
    Endpoint::write(
        "room.attributes.remove.forced",
        Delete,
        "/metadata/chatroom/{room}/user/{user}/forced",
        &["room:{room}/attributes"],
    ),
    Endpoint::write(
        "room.attributes.other",
        Any,
        "/metadata/chatroom/{room}/{*rest}",
        &["room:{room}/attributes"],
    )
    .spends(DEFAULT),
    // A word where an id would be.
    Endpoint::read("room.superadmins.list", Get, "/chatrooms/super_admin", &["rooms/superadmins", "users"])
        .query(&["pagenum", "pagesize"])
        .strict(),
    Endpoint::write("room.superadmins.add", Post, "/chatrooms/super_admin", &["rooms/superadmins"]),
    Endpoint::write(
        "room.superadmins.remove",
        Delete,
        "/chatrooms/super_admin/{user}",
        &["rooms/superadmins"],
    ),
    // Whatever else is done to a room: any change asks all of it anew.
    Endpoint::write("room.other", Any, "/chatrooms/{room}/{*rest}", WHOLE).spends(DEFAULT),
];
