//! Threads of groups.
//!
//! Only the creation names the group, and in its body; a rename or an end names the thread alone. So lists
//! carry a tag for each thread in them, and coarse ones for threads that come and go: `threads` (the app's
//! list), `users/threads` (any user's list), `threads/members` (any thread's members).

use super::DEFAULT;
use crate::catalogue::{
    Endpoint,
    Verb::{Any, Delete, Get, Post, Put},
};

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::read("thread.list", Get, "/thread", &["threads", "thread:{answer:/entities/*/id}/info"])
        .query(&["limit", "cursor", "sort"])
        .is(&["list the app's threads"]),
    Endpoint::read(
        "thread.list.joined",
        Get,
        "/threads/user/{user}",
        &[
            "user:{user}",
            "user:{user}/threads",
            "users/threads",
            "users",
            "thread:{answer:/entities/*/id}/info",
        ],
    )
    .query(&["limit", "cursor", "sort"])
    .is(&["list the threads of a user"]),
    Endpoint::read(
        "thread.list.joined.group",
        Get,
        "/threads/chatgroups/{group}/user/{user}",
        &[
            "group:{group}",
            "user:{user}",
            "user:{user}/threads",
            "users/threads",
            "users",
            "thread:{answer:/entities/*/id}/info",
        ],
    )
    .query(&["limit", "cursor", "sort"])
    .is(&["list the threads of a user in a group"]),
    Endpoint::write(
        "thread.create",
        Post,
        "/thread",
        &[
            "threads",
            "absent",
            "user:{body:/owner}/threads",
            "group:{body:/group_id}/threads",
            "thread:{answer:/data/thread_id}",
        ],
    )
    .otherwise(&["users/threads"])
    .is(&["create a thread"]),
    Endpoint::write("thread.update", Put, "/thread/{thread}", &["thread:{thread}/info"])
        .is(&["rename a thread"]),
    Endpoint::write(
        "thread.delete",
        Delete,
        "/thread/{thread}",
        &["thread:{thread}", "thread:{thread}/info", "threads", "users/threads"],
    )
    .is(&["delete a thread"]),
    Endpoint::read(
        "thread.members.list",
        Get,
        "/thread/{thread}/users",
        &["thread:{thread}", "thread:{thread}/members", "threads/members", "users"],
    )
    .query(&["limit", "cursor"])
    .is(&["list the members of a thread"]),
    Endpoint::write(
        "thread.members.add",
        Post,
        "/thread/{thread}/users",
        &["thread:{thread}/members", "user:{body:/usernames/*}/threads"],
    )
    .otherwise(&["users/threads"])
    .is(&["add members to a thread"]),
    // A DELETE with a body. The vendor's heading says `threads`, its sample `thread`.
    Endpoint::write(
        "thread.members.remove",
        Delete,
        "/threads/{thread}/users",
        &["thread:{thread}/members", "user:{body:/usernames/*}/threads"],
    )
    .also(&[(Delete, "/thread/{thread}/users")])
    .otherwise(&["users/threads"])
    .is(&["remove members from a thread"]),
    Endpoint::write(
        "thread.other",
        Any,
        "/thread/{thread}/{*rest}",
        &[
            "thread:{thread}",
            "thread:{thread}/info",
            "thread:{thread}/members",
            "threads",
            "users/threads",
            "threads/members",
        ],
    )
    .also(&[(Any, "/threads/{thread}/{*rest}")])
    .spends(DEFAULT),
];
