//! What a group knows of each member: attributes, read singly or by a POST that only reads.
//!
//! The vendor tells nobody when a device changes them, so the deadline is all that bounds their age.

use super::DEFAULT;
use crate::catalogue::{
    Endpoint,
    Verb::{Any, Get, Post, Put},
};

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::write(
        "attributes.set",
        Put,
        "/metadata/chatgroup/{group}/user/{user}",
        &["group:{group}/attributes/{user}"],
    )
    .is(&["set a member's attributes"]),
    Endpoint::read(
        "attributes.read",
        Get,
        "/metadata/chatgroup/{group}/user/{user}",
        &["group:{group}", "group:{group}/attributes", "group:{group}/attributes/{user}", "users"],
    )
    .is(&["read a member's attributes"]),
    // A read: the body says of whom, and which.
    Endpoint::read(
        "attributes.read.batch",
        Post,
        "/metadata/chatgroup/{group}/get",
        &["group:{group}", "group:{group}/attributes", "group:{group}/attributes/{body:/targets/*}", "users"],
    )
    .by_body()
    .is(&["read the attributes of members"]),
    // The same, as the vendor's browser client asks it.
    Endpoint::read(
        "attributes.read.sdk",
        Post,
        "/sdk/metadata/chatgroup/{group}/get",
        &["group:{group}", "group:{group}/attributes", "group:{group}/attributes/{body:/targets/*}", "users"],
    )
    .by_body(),
    // Of whom, only the body says.
    Endpoint::write(
        "attributes.set.batch",
        Put,
        "/metadata/chatgroup/{group}/users/batch",
        &["group:{group}/attributes"],
    ),
    Endpoint::write(
        "attributes.other",
        Any,
        "/metadata/chatgroup/{group}/{*rest}",
        &["group:{group}/attributes"],
    )
    .spends(DEFAULT),
];
