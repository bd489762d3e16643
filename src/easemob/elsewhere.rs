//! What lies outside groups and rooms but changes what is kept of them, and the row for everything else.
//!
//! Registering users, sending messages and the like are passed on; only what removes a user, or moves one
//! between groups without naming them, is of interest here.

use super::DEFAULT;
use crate::catalogue::{
    Endpoint, Pool,
    Verb::{Any, Delete, Get, Post},
};
use crate::units::Rate;

/// The user management operations share one limit.
const USERS: &[&Pool] = &[&Pool { name: "users", rate: Rate::per_second(100) }];
/// Deleting users in batches has a smaller one beside it.
const USERS_DELETE: &[&Pool] = &[USERS[0], &Pool { name: "users.delete.batch", rate: Rate::per_second(30) }];

pub(super) const ROWS: &[Endpoint] = &[
    // The older spelling of a user's groups counts its pages from one, so it cannot share the newer one's key.
    Endpoint::read(
        "user.groups.list",
        Get,
        "/users/{user}/joined_chatgroups",
        &[
            "user:{user}",
            "user:{user}/groups",
            "users/groups",
            "users",
            "group:{answer:/data/*/groupid}/info",
            "group:{answer:/data/*/groupid}/members",
        ],
    )
    .query(&["pagenum", "pagesize"])
    .limit(Rate::per_second(50)),
    // Joins many groups; which, only the body says, and its form is not documented.
    Endpoint::write(
        "user.groups.join",
        Post,
        "/users/{user}/joined_chatgroups",
        &["user:{user}/groups", "users", "groups"],
    )
    .spends(DEFAULT),
    Endpoint::write("user.create", Post, "/users", &["absent"]).spends(USERS),
    // When a deleted user disappears from the groups is not documented: at once is assumed.
    Endpoint::write("user.delete", Delete, "/users/{user}", &["user:{user}", "users", "groups"])
        .spends(USERS),
    // Without this row reading users would be a wrong method.
    Endpoint::relay("user.list", Get, "/users").spends(USERS),
    Endpoint::write("user.delete.batch", Delete, "/users", &["users", "groups"]).spends(USERS_DELETE),
    Endpoint::write("user.deactivate", Post, "/users/{user}/deactivate", &["user:{user}", "users"])
        .spends(USERS),
    // Reading a user, and changing what is his own: his nickname, how he is notified.
    Endpoint::write("user.self", Any, "/users/{user}", &["user:{user}"]).spends(USERS),
    Endpoint::write("user.other", Any, "/users/{user}/{*rest}", &["user:{user}"]).spends(DEFAULT),
    // A user's own token: passed on for callers that have the right by name. App tokens are answered locally.
    Endpoint::relay("token.user", Post, "/token").limit(Rate::per_second(300)).by_name(),
    Endpoint::relay("other", Any, "").spends(DEFAULT),
];
