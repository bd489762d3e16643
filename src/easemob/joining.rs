//! How users come into groups and leave them of their own accord, and what they do to a group for themselves.
//!
//! Known from recordings of the vendor's own tests. Whom they concern is said in bodies of undocumented form, or not
//! at all (the token's user): so they touch everybody's lists.

use crate::catalogue::{
    Endpoint,
    Verb::{Delete, Get, Post},
};

/// Somebody may have come in.
const ENTERED: &[&str] = &["group:{group}/members", "group:{group}/attributes", "users/groups"];
/// Somebody has left, with his roles and his threads.
const LEFT: &[&str] = &[
    "group:{group}/members",
    "group:{group}/admins",
    "group:{group}/mutes",
    "group:{group}/allowed",
    "group:{group}/attributes",
    "users/groups",
    "users/threads",
    "threads/members",
];

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::write("group.join.apply", Post, "/chatgroups/{group}/apply", ENTERED),
    Endpoint::write("group.join.apply.verify", Post, "/chatgroups/{group}/apply_verify", ENTERED),
    Endpoint::write("group.join.invite", Post, "/chatgroups/{group}/invite", ENTERED),
    Endpoint::write("group.join.invite.verify", Post, "/chatgroups/{group}/invite_verify", ENTERED),
    Endpoint::write("group.quit", Delete, "/chatgroups/{group}/quit", LEFT),
    Endpoint::read(
        "group.members.count",
        Get,
        "/chatgroups/{group}/count",
        &["group:{group}", "group:{group}/members", "users"],
    ),
    // Shows who is online, and who has read: never kept.
    Endpoint::relay("group.members.roles", Get, "/chatgroups/{group}/roles"),
    Endpoint::relay("group.acks.list", Get, "/chatgroups/{group}/acks/{message}"),
    // Who does not want to hear of the group.
    Endpoint::read(
        "group.shield.list",
        Get,
        "/chatgroups/{group}/shield",
        &["group:{group}", "group:{group}/shield", "users"],
    ),
    Endpoint::write("group.shield.set", Post, "/chatgroups/{group}/shield", &["group:{group}/shield"]),
    Endpoint::write("group.shield.clear", Delete, "/chatgroups/{group}/shield", &["group:{group}/shield"]),
];
