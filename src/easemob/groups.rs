//! Groups: what they are, their announcement and their shared files. How users come into them is in `joining`.
//!
//! Every read of a group carries `group:{id}`, which only what ends or switches the whole group touches. Beside
//! it stands what the answer shows: `info` (name, owner, settings, flags), `members`, `admins`, ….
//! `users` is carried by whatever lists users or ends with a group's owner, and touched when a user is deleted.

use super::{DEFAULT, JOINED};
use crate::catalogue::{
    Endpoint,
    Verb::{Any, Delete, Get, Post, Put},
};

pub(super) const ROWS: &[Endpoint] = &[
    // Who is in the group and who owns it decides whose lists it is in; the id may be the creator's own choice.
    Endpoint::write(
        "group.create",
        Post,
        "/chatgroups",
        &[
            "groups",
            "groups/public",
            "absent",
            "user:{body:/owner}/groups",
            "user:{body?:/members/*}/groups",
            "group:{body?:/groupid}",
            "group:{answer:/data/groupid}",
        ],
    )
    .otherwise(&["users/groups"])
    .is(&["create a group"]),
    // While disabled, a group refuses management, and lists show it: everything under it is asked anew.
    Endpoint::write(
        "group.disable",
        Post,
        "/chatgroups/{group}/disable",
        &["group:{group}", "group:{group}/info", "groups/public"],
    )
    .is(&["disable a group"]),
    Endpoint::write(
        "group.enable",
        Post,
        "/chatgroups/{group}/enable",
        &["group:{group}", "group:{group}/info", "groups/public"],
    )
    .is(&["enable a group"]),
    // One method and path, two meanings by body: modify, or transfer to `newowner`. The row touches the union.
    Endpoint::write(
        "group.update",
        Put,
        "/chatgroups/{group}",
        &[
            "group:{group}/info",
            "group:{group}/members",
            "group:{group}/admins",
            "groups/public",
            "user:{body?:/newowner}/groups",
        ],
    )
    .otherwise(&["users/groups"])
    .is(&["modify a group", "transfer a group"]),
    // Newest first, pages by cursor. Each element shows name, owner and number of members.
    Endpoint::read(
        "group.list",
        Get,
        "/chatgroups",
        &["groups", "group:{answer:/data/*/groupid}/info", "group:{answer:/data/*/groupid}/members"],
    )
    .query(&["limit", "cursor"])
    .is(&["list the app's groups"]),
    // The heading of the vendor's page says `users`, its sample `user`. The list is `entities` with `groupId`, or
    // `data` with `groupid`, by age of the service.
    Endpoint::read(
        "group.list.joined",
        Get,
        "/chatgroups/user/{user}",
        &[
            "user:{user}",
            "user:{user}/groups",
            "users/groups",
            "users",
            "group:{answer:/data/*/groupid|/entities/*/groupId}/info",
            "group:{answer:/data/*/groupid|/entities/*/groupId}/members",
        ],
    )
    .also(&[(Get, "/chatgroups/users/{user}")])
    .query(&["pagenum", "pagesize"])
    .spends(JOINED)
    .is(&["list the groups of a user"]),
    Endpoint::read(
        "group.joined.read",
        Get,
        "/chatgroups/{group}/user/{user}/is_joined",
        &[
            "group:{group}",
            "group:{group}/members",
            "user:{user}",
            "user:{user}/groups",
            "users/groups",
            "users",
        ],
    )
    .also(&[(Post, "/chatgroups/{group}/user/{user}/is_joined")])
    .is(&["is a user in a group"]),
    // Up to a hundred ids. Shows the members too, and the role of who asks.
    Endpoint::read(
        "group.read",
        Get,
        "/chatgroups/{groups,}",
        &[
            "group:{groups}",
            "group:{groups}/info",
            "group:{groups}/members",
            "group:{groups}/admins",
            "users",
        ],
    )
    .query(&["joined_time"])
    // A group that is missing does not fail the others. It may be made by a write that cannot name it.
    .flaws("/data/*/error")
    .by_entity(100)
    .is(&["read the details of groups"]),
    // Its threads end with it, and it leaves every list; whose lists is not said.
    Endpoint::write(
        "group.delete",
        Delete,
        "/chatgroups/{group}",
        &[
            "group:{group}",
            "group:{group}/info",
            "group:{group}/members",
            "groups",
            "groups/public",
            "users/groups",
            "threads",
            "users/threads",
            "threads/members",
        ],
    )
    .is(&["delete a group"]),
    Endpoint::read(
        "group.announcement.read",
        Get,
        "/chatgroups/{group}/announcement",
        &["group:{group}", "group:{group}/announcement", "users"],
    )
    .is(&["read the announcement"]),
    Endpoint::write(
        "group.announcement.set",
        Post,
        "/chatgroups/{group}/announcement",
        &["group:{group}/announcement"],
    )
    .is(&["set the announcement"]),
    Endpoint::read(
        "group.files.list",
        Get,
        "/chatgroups/{group}/share_files",
        &["group:{group}", "group:{group}/files", "users"],
    )
    .query(&["pagenum", "pagesize"])
    .is(&["list the shared files"]),
    Endpoint::write("group.files.upload", Post, "/chatgroups/{group}/share_files", &["group:{group}/files"])
        .is(&["upload a shared file"]),
    // Raw bytes in the newest documentation, JSON in the older: passed through as they come.
    Endpoint::relay("group.files.download", Get, "/chatgroups/{group}/share_files/{file}")
        .is(&["download a shared file"]),
    Endpoint::write(
        "group.files.delete",
        Delete,
        "/chatgroups/{group}/share_files/{file}",
        &["group:{group}/files"],
    )
    .is(&["delete a shared file"]),
    // The number of groups stands where an id could.
    Endpoint::read("group.count", Get, "/chatgroups/count", &["groups"]),
    // Any change of a group may bring it into this list.
    Endpoint::read(
        "group.list.public",
        Get,
        "/publicchatgroups",
        &[
            "groups/public",
            "group:{answer:/data/*/groupid|/entities/*/groupId}/info",
            "group:{answer:/data/*/groupid|/entities/*/groupId}/members",
        ],
    )
    .query(&["limit", "cursor"]),
    // Whatever else is done to a group may change anything in it, and who is in it and so in its threads.
    Endpoint::write(
        "group.other",
        Any,
        "/chatgroups/{group}/{*rest}",
        &[
            "group:{group}",
            "group:{group}/info",
            "group:{group}/members",
            "groups",
            "groups/public",
            "users/groups",
            "threads",
            "users/threads",
            "threads/members",
        ],
    )
    .spends(DEFAULT),
];
