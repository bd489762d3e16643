//! For every read of the catalogue, in all its spellings: what is asked in the matrix.

use super::scene::{A, B, C, NAMED, NEW, NEW_ROOM, OTHER_ROOM, ROOM, Scene, THREAD};
use crate::path::oracle::Ask;
use http::Method;
use serde_json::json;

/// Every read of every kind, with the name of its row.
pub(in crate::path) fn reads(scene: &Scene) -> Vec<(&'static str, Ask)> {
    let mut all = Vec::new();
    for group in [A, B] {
        all.extend(of_group(group));
    }
    for group in [C, NEW, NAMED] {
        all.extend(of_group(group).into_iter().take(4));
    }
    for user in ["alice", "bob", "Dave", "erin"] {
        all.extend(of_user(user));
    }
    for user in ["carol", "gina", "zoe"] {
        all.extend(of_user(user).into_iter().take(3));
    }
    for room in [ROOM, OTHER_ROOM] {
        all.extend(of_room(room));
    }
    all.extend(of_room(NEW_ROOM).into_iter().take(3));
    for user in ["alice", "Bob", "dave", "frank", "gina", "zoe"] {
        let path = format!("/users/{user}/joined_chatrooms");
        all.push(("room.list.joined", Ask::get(path)));
    }
    let get = |row, path: String| (row, Ask::get(path));
    all.extend([
        get("group.list", "/chatgroups".into()),
        get("group.list", "/chatgroups?limit=1".into()),
        get("group.list", "/chatgroups?limit=2&cursor=".into()),
        get("group.read", format!("/chatgroups/{A},{B}")),
        get("group.read", format!("/chatgroups/{B}%2C{C}")),
        get("group.read", format!("/chatgroups/{C},{NEW}")),
        get("group.read", format!("/chatgroups/{C},%20{A}")),
        get("group.members.list", format!("/chatgroups/{A}/users?pagenum=2&pagesize=2")),
        get("group.files.list", format!("/chatgroups/{A}/share_files?pagenum=1&pagesize=1")),
        get("thread.list", "/thread".into()),
        get("thread.list", "/thread?limit=1&sort=asc".into()),
        get("thread.members.list", format!("/thread/{THREAD}/users")),
        get("thread.members.list", format!("/thread/{}/users?limit=1", scene.thread_b)),
        get("group.count", "/chatgroups/count".into()),
        get("group.list.public", "/publicchatgroups".into()),
        get("room.list", "/chatrooms".into()),
        get("room.list", "/chatrooms?limit=1".into()),
        get("room.list.joined", "/users/dave/joined_chatrooms?pagenum=1&pagesize=1".into()),
        get("room.read", format!("/chatrooms/{ROOM},{OTHER_ROOM}")),
        get("room.read", format!("/chatrooms/{OTHER_ROOM}%2C{NEW_ROOM}")),
        get("room.members.list", format!("/chatrooms/{ROOM}/users?pagenum=2&pagesize=2")),
        get("room.superadmins.list", "/chatrooms/super_admin".into()),
        get("room.superadmins.list", "/chatrooms/super_admin?pagenum=1&pagesize=1".into()),
    ]);
    all
}

fn of_group(group: &str) -> Vec<(&'static str, Ask)> {
    let get = |row, below: &str| (row, Ask::get(format!("/chatgroups/{group}{below}")));
    let attributes = format!("/metadata/chatgroup/{group}");
    let batch = |targets: serde_json::Value| {
        let body = json!({"targets": targets, "properties": []});
        ("attributes.read.batch", Ask::new(Method::POST, format!("{attributes}/get"), body))
    };
    let joined = |user: &str| format!("/chatgroups/{group}/user/{user}/is_joined");
    vec![
        get("group.read", ""),
        get("group.announcement.read", "/announcement"),
        get("group.files.list", "/share_files"),
        get("group.members.list", "/users"),
        get("group.admins.list", "/admin"),
        get("group.blocks.list", "/blocks/users"),
        get("group.allowed.list", "/white/users"),
        get("group.mutes.list", "/mute"),
        ("group.joined.read", Ask::get(joined("dave"))),
        ("group.joined.read", Ask::get(joined("erin"))),
        ("group.joined.read", Ask::new(Method::POST, joined("gina"), serde_json::Value::Null)),
        ("attributes.read", Ask::get(format!("{attributes}/user/dave"))),
        ("attributes.read", Ask::get(format!("{attributes}/user/erin"))),
        batch(json!(["dave", "erin"])),
        batch(json!(["Gina"])),
        ("thread.list.joined.group", Ask::get(format!("/threads/chatgroups/{group}/user/carol"))),
        ("thread.list.joined.group", Ask::get(format!("/threads/chatgroups/{group}/user/erin"))),
        get("group.members.count", "/count"),
        get("group.shield.list", "/shield"),
        (
            "attributes.read.sdk",
            Ask::new(Method::POST, format!("/sdk{attributes}/get"), json!({"targets": ["dave", "gina"]})),
        ),
    ]
}

fn of_room(room: &str) -> Vec<(&'static str, Ask)> {
    let get = |row, below: &str| (row, Ask::get(format!("/chatrooms/{room}{below}")));
    let attributes = |keys: serde_json::Value| {
        let body = json!({ "keys": keys });
        ("room.attributes.read", Ask::new(Method::POST, format!("/metadata/chatroom/{room}"), body))
    };
    vec![
        get("room.read", ""),
        get("room.mutes.list", "/mute"),
        get("room.members.list", "/users"),
        get("room.announcement.read", "/announcement"),
        get("room.admins.list", "/admin"),
        get("room.blocks.list", "/blocks/users"),
        get("room.allowed.list", "/white/users"),
        get("room.tags.read", "/users/dave/tag"),
        get("room.tags.read", "/users/erin/tag"),
        get("room.tags.read", "/users/frank/tag"),
        attributes(json!([])),
        attributes(json!(["mood"])),
    ]
}

fn of_user(user: &str) -> Vec<(&'static str, Ask)> {
    let get = |row, path: String| (row, Ask::get(path));
    vec![
        get("group.list.joined", format!("/chatgroups/user/{user}")),
        get("user.groups.list", format!("/users/{user}/joined_chatgroups")),
        get("thread.list.joined", format!("/threads/user/{user}")),
        get("group.list.joined", format!("/chatgroups/users/{user}?pagenum=0&pagesize=1")),
        get("user.groups.list", format!("/users/{user}/joined_chatgroups?pagesize=1&pagenum=1")),
        get("thread.list.joined", format!("/threads/user/{user}?limit=1&sort=asc")),
    ]
}
