//! Who is in a group, and in what role: members, admins, block list, allow list, mutes.
//!
//! Whoever leaves a group, by whatever way, leaves its threads too; which threads is not said, so every list of
//! thread members is asked anew. Whether admin, mute and allow list entries and attributes go as well is not
//! documented: they are touched.

use crate::catalogue::{
    Endpoint, Pool,
    Verb::{Delete, Get, Post},
};
use crate::units::Rate;

/// One operation, two spellings with different parameters: two rows, one limit.
const ADMINS_REMOVE: &[&Pool] = &[&Pool::new("group.admins.remove", Rate::per_second(100))];

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::read(
        "group.members.list",
        Get,
        "/chatgroups/{group}/users",
        &["group:{group}", "group:{group}/members", "group:{group}/admins", "users"],
    )
    .query(&["pagenum", "pagesize", "limit", "cursor", "joined_time", "version", "sort"])
    .is(&["list the members"]),
    // Attributes of those who are not members are left out of answers: whoever enters brings his back.
    Endpoint::write(
        "group.members.add",
        Post,
        "/chatgroups/{group}/users/{user}",
        &["group:{group}/members", "group:{group}/attributes", "user:{user}/groups"],
    )
    .is(&["add a member"]),
    // Single and batch removal share method and path; a list parameter is both.
    Endpoint::write(
        "group.members.remove",
        Delete,
        "/chatgroups/{group}/users/{users,}",
        &[
            "group:{group}/members",
            "group:{group}/admins",
            "group:{group}/mutes",
            "group:{group}/allowed",
            "group:{group}/attributes",
            "user:{users}/groups",
            "user:{users}/threads",
            "threads/members",
        ],
    )
    .is(&["remove a member", "remove members"]),
    Endpoint::write(
        "group.members.add.batch",
        Post,
        "/chatgroups/{group}/users",
        &["group:{group}/members", "group:{group}/attributes", "user:{body:/usernames/*}/groups"],
    )
    .otherwise(&["users/groups"])
    .is(&["add members"]),
    Endpoint::read(
        "group.admins.list",
        Get,
        "/chatgroups/{group}/admin",
        &["group:{group}", "group:{group}/admins", "users"],
    )
    .strict()
    .is(&["list the admins"]),
    Endpoint::write("group.admins.add", Post, "/chatgroups/{group}/admin", &["group:{group}/admins"])
        .is(&["add an admin"]),
    // The heading of the vendor's page leaves the user out, its sample does not; then a body may name him.
    Endpoint::write(
        "group.admins.remove",
        Delete,
        "/chatgroups/{group}/admin/{user}",
        &["group:{group}/admins"],
    )
    .spends(ADMINS_REMOVE)
    .is(&["remove an admin"]),
    Endpoint::write(
        "group.admins.remove.bare",
        Delete,
        "/chatgroups/{group}/admin",
        &["group:{group}/admins"],
    )
    .spends(ADMINS_REMOVE),
    Endpoint::read(
        "group.blocks.list",
        Get,
        "/chatgroups/{group}/blocks/users",
        &["group:{group}", "group:{group}/blocks", "users"],
    )
    .strict()
    .is(&["list the blocked users"]),
    // Blocking removes the member.
    Endpoint::write(
        "group.blocks.add.batch",
        Post,
        "/chatgroups/{group}/blocks/users",
        &[
            "group:{group}/blocks",
            "group:{group}/members",
            "group:{group}/admins",
            "group:{group}/mutes",
            "group:{group}/allowed",
            "group:{group}/attributes",
            "user:{body:/usernames/*}/groups",
            "user:{body:/usernames/*}/threads",
            "threads/members",
        ],
    )
    .otherwise(&["users/groups", "users/threads"])
    .is(&["block users"]),
    Endpoint::write(
        "group.blocks.add",
        Post,
        "/chatgroups/{group}/blocks/users/{user}",
        &[
            "group:{group}/blocks",
            "group:{group}/members",
            "group:{group}/admins",
            "group:{group}/mutes",
            "group:{group}/allowed",
            "group:{group}/attributes",
            "user:{user}/groups",
            "user:{user}/threads",
            "threads/members",
        ],
    )
    .is(&["block a user"]),
    Endpoint::write(
        "group.blocks.remove",
        Delete,
        "/chatgroups/{group}/blocks/users/{users,}",
        &["group:{group}/blocks"],
    )
    .is(&["unblock a user", "unblock users"]),
    Endpoint::read(
        "group.allowed.list",
        Get,
        "/chatgroups/{group}/white/users",
        &["group:{group}", "group:{group}/allowed", "users"],
    )
    .strict()
    .is(&["list the allowed users"]),
    Endpoint::write(
        "group.allowed.add.batch",
        Post,
        "/chatgroups/{group}/white/users",
        &["group:{group}/allowed"],
    )
    .is(&["allow users"]),
    Endpoint::write(
        "group.allowed.add",
        Post,
        "/chatgroups/{group}/white/users/{user}",
        &["group:{group}/allowed"],
    )
    .is(&["allow a user"]),
    Endpoint::write(
        "group.allowed.remove",
        Delete,
        "/chatgroups/{group}/white/users/{users,}",
        &["group:{group}/allowed"],
    )
    .is(&["disallow users"]),
    // Entries end by themselves; `expire` and `timestamp` are both milliseconds of the vendor's clock.
    Endpoint::read(
        "group.mutes.list",
        Get,
        "/chatgroups/{group}/mute",
        &["group:{group}", "group:{group}/mutes", "users"],
    )
    .ends("/data/*/expire", "/timestamp")
    .strict()
    .is(&["list the muted members"]),
    Endpoint::write("group.mutes.add", Post, "/chatgroups/{group}/mute", &["group:{group}/mutes"])
        .is(&["mute members"]),
    Endpoint::write(
        "group.mutes.remove",
        Delete,
        "/chatgroups/{group}/mute/{users,}",
        &["group:{group}/mutes"],
    )
    .is(&["unmute members"]),
    // By role, named in the query.
    Endpoint::write("group.mutes.remove.role", Delete, "/chatgroups/{group}/mute", &["group:{group}/mutes"]),
    // The flag is part of the details; the list of mutes stays as it is.
    Endpoint::write("group.ban.set", Post, "/chatgroups/{group}/ban", &["group:{group}/info"])
        .is(&["mute all members"]),
    Endpoint::write("group.ban.clear", Delete, "/chatgroups/{group}/ban", &["group:{group}/info"])
        .is(&["unmute all members"]),
];
