//! Users: their management, attributes, presence, contacts and push settings, and the groups that they are in.
//!
//! Only what removes a user, or moves one between groups without naming them, concerns what is kept; the rest is
//! here for its limits. What shows who is online changes every moment and is never kept. Nor are attributes of
//! users: each sets his own from his device.

use super::{DEFAULT, JOINED};
use crate::catalogue::{
    Endpoint, Pool,
    Verb::{Any, Delete, Get, Post},
};
use crate::units::Rate;

/// The user management operations share one limit, with push binding, nickname and display style.
const USERS: &[&Pool] = &[&Pool::new("users", Rate::per_second(100))];
/// Deleting users in batches has a smaller one beside it.
const USERS_DELETE: &[&Pool] = &[USERS[0], &Pool::new("users.delete.batch", Rate::per_second(30))];
// Of each family below every operation has its own at the vendor; one for all of them is the safe reading.
const PRESENCE: &[&Pool] = &[&Pool::new("presence", Rate::per_second(50))];
const PROFILES: &[&Pool] = &[&Pool::new("profiles", Rate::per_second(100))];
const CONTACTS: &[&Pool] = &[&Pool::new("contacts", Rate::per_second(100))];
const BLOCKS: &[&Pool] = &[&Pool::new("contacts.blocks", Rate::per_second(50))];
const COLLECTIONS: &[&Pool] = &[&Pool::new("collections", Rate::per_second(100))];
const PUSH: &[&Pool] = &[&Pool::new("push", Rate::per_second(100))];
const PUSH_TEMPLATES: &[&Pool] = &[&Pool::new("push.templates", Rate::per_second(10))];
const MUTES: &[&Pool] = &[&Pool::new("mutes", Rate::per_second(100))];

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
            "group:{answer:/data/*/groupid|/entities/*/groupId}/info",
            "group:{answer:/data/*/groupid|/entities/*/groupId}/members",
        ],
    )
    .query(&["pagenum", "pagesize"])
    .spends(JOINED),
    // Joins many groups; which, only the body says, and its form is not documented.
    Endpoint::write(
        "user.groups.join",
        Post,
        "/users/{user}/joined_chatgroups",
        &["user:{user}/groups", "users", "groups", "groups/public"],
    )
    .spends(DEFAULT),
    Endpoint::write("user.create", Post, "/users", &["absent"]).spends(USERS),
    Endpoint::relay("user.list", Get, "/users").spends(USERS),
    // When a deleted user disappears from groups and rooms is not documented, nor what becomes of those he owns: at
    // once, and they end with their threads, is assumed.
    Endpoint::write(
        "user.delete",
        Delete,
        "/users/{user}",
        &["user:{user}", "users", "groups", "groups/public", "threads", "rooms"],
    )
    .spends(USERS),
    Endpoint::write(
        "user.delete.batch",
        Delete,
        "/users",
        &["users", "groups", "groups/public", "threads", "rooms"],
    )
    .spends(USERS_DELETE),
    Endpoint::write("user.deactivate", Post, "/users/{user}/deactivate", &["user:{user}", "users"])
        .spends(USERS),
    Endpoint::write("user.activate", Post, "/users/{user}/activate", &["user:{user}", "users"]).spends(USERS),
    // A GET that changes something: it is sent once and never repeated. Who is offline leaves his rooms.
    Endpoint::write("user.disconnect", Get, "/users/{user}/disconnect", &["user:{user}"])
        .also(&[(Post, "/users/{user}/disconnect")])
        .spends(USERS),
    // A POST that only reads.
    Endpoint::relay("user.status.batch", Post, "/users/batch/status").spends(USERS),
    // A user himself: read through; what changes him may show wherever he is asked about.
    Endpoint::write("user.self", Any, "/users/{user}", &["user:{user}"]).spends(USERS),
    Endpoint::write("user.other", Any, "/users/{user}/{*rest}", &["user:{user}"]).spends(USERS),
    // Attributes of users. `capacity` is the app's, and stands where a user would.
    Endpoint::relay("profile.other", Any, "/metadata/user/{*rest}").spends(PROFILES),
    // The POST reads, and so does the list of whom a user watches.
    Endpoint::relay("presence.self", Any, "/users/{user}/presence").spends(PRESENCE),
    Endpoint::relay("presence.other", Any, "/users/{user}/presence/{*rest}").spends(PRESENCE),
    Endpoint::relay("presence.group.count", Get, "/presence/online/{group}/type/{kind}"),
    Endpoint::relay("contact.check", Post, "/contacts/check"),
    Endpoint::relay("contact.blocks.check", Post, "/blocks/check"),
    Endpoint::relay("contact.blocks", Any, "/users/{user}/blocks/users").spends(BLOCKS),
    Endpoint::relay("contact.blocks.one", Any, "/users/{user}/blocks/users/{*rest}").spends(BLOCKS),
    Endpoint::relay("contact.other", Any, "/users/{user}/contacts/{*rest}")
        .also(&[(Any, "/user/{user}/contacts/{*rest}")])
        .spends(CONTACTS),
    Endpoint::relay("contact.list", Any, "/user/{user}/contacts")
        .also(&[(Any, "/contacts/users/{user}")])
        .spends(CONTACTS),
    Endpoint::relay("collection.list", Any, "/users/{user}/collections").spends(COLLECTIONS),
    Endpoint::relay("collection.one", Any, "/users/{user}/collections/{*rest}").spends(COLLECTIONS),
    Endpoint::relay("collection.batch", Post, "/collections").spends(COLLECTIONS),
    Endpoint::relay("push.settings", Any, "/users/{user}/notification/{*rest}").spends(PUSH),
    Endpoint::relay("push.other", Any, "/push/{*rest}").spends(PUSH),
    Endpoint::relay("push.template.create", Post, "/notification/template").spends(PUSH_TEMPLATES),
    Endpoint::relay("push.template.one", Any, "/notification/template/{name}").spends(PUSH_TEMPLATES),
    // Mutes of users in the whole app; those of groups and rooms stay as they are.
    Endpoint::relay("mute.list", Any, "/mutes").spends(MUTES),
    Endpoint::relay("mute.one", Any, "/mutes/{user}").spends(MUTES),
];
