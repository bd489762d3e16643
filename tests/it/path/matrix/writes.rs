//! For every write of the catalogue, in all its spellings: what is done in the matrix.
//!
//! Where the stand-in has no such operation, the write's effect is made behind the gateway's back and the vendor
//! answers 200: what counts is whether the gateway believes that something changed.

use super::scene::{A, C, FILE, NAMED, NEW, NEW_ROOM, ROOM, Scene, THREAD, USERS};
use crate::path::oracle::Ask;
use crate::support::world::World;
use http::Method;
use http::method::Method as M;
use serde_json::{Value, json};

/// What a write does that the stand-in cannot do.
pub(in crate::path) type Effect = fn(&World);

pub(in crate::path) struct Write {
    /// The name of its row.
    pub(in crate::path) row: &'static str,
    pub(in crate::path) ask: Ask,
    pub(in crate::path) effect: Option<(Effect, Value)>,
    /// The write before it, written in another way.
    pub(in crate::path) respelt: bool,
}

/// Every write of every kind, in every way callers write names and lists.
pub(in crate::path) fn writes(scene: &Scene) -> Vec<Write> {
    let mut all = Vec::new();
    for (row, method, path, body) in known().into_iter().chain(of_threads(scene)).chain(of_rooms()) {
        let ask = Ask::new(method, path, body);
        let spelt = spellings(&ask).into_iter().enumerate();
        all.extend(spelt.map(|(at, ask)| Write { row, ask, effect: None, respelt: at > 0 }));
    }
    all.extend(elsewhere());
    all
}

type Row = (&'static str, Method, String, Value);

fn known() -> Vec<Row> {
    let at = |below: &str| format!("/chatgroups/{A}{below}");
    let all = |users: &[&str]| json!({ "usernames": users });
    let mute = |users: &[&str]| json!({ "usernames": users, "mute_duration": 60_000 });
    let group = json!({"groupname": "new", "public": true, "owner": "erin", "members": ["dave", "gina"]});
    vec![
        ("group.create", M::POST, "/chatgroups".into(), group),
        ("group.disable", M::POST, at("/disable"), Value::Null),
        ("group.enable", M::POST, at("/enable"), Value::Null),
        ("group.update", M::PUT, at(""), json!({"groupname": "novels", "description": "x"})),
        ("group.update", M::PUT, at(""), json!({"newowner": "dave"})),
        ("group.update", M::PUT, format!("/chatgroups/{C}"), json!({"public": true})),
        ("group.delete", M::DELETE, at(""), Value::Null),
        ("group.announcement.set", M::POST, at("/announcement"), json!({"announcement": "new"})),
        ("group.files.upload", M::POST, at("/share_files"), Value::Null),
        ("group.files.delete", M::DELETE, at(&format!("/share_files/{FILE}")), Value::Null),
        ("group.members.add", M::POST, at("/users/erin"), Value::Null),
        ("group.members.add.batch", M::POST, at("/users"), all(&["erin", "hans"])),
        ("group.members.remove", M::DELETE, at("/users/dave"), Value::Null),
        ("group.members.remove", M::DELETE, at("/users/dave,carol"), Value::Null),
        ("group.admins.add", M::POST, at("/admin"), json!({"newadmin": "carol"})),
        ("group.admins.remove", M::DELETE, at("/admin/dave"), Value::Null),
        ("group.blocks.add", M::POST, at("/blocks/users/dave"), Value::Null),
        ("group.blocks.add.batch", M::POST, at("/blocks/users"), all(&["carol", "dave"])),
        ("group.blocks.remove", M::DELETE, at("/blocks/users/gina"), Value::Null),
        ("group.blocks.remove", M::DELETE, at("/blocks/users/gina,dave"), Value::Null),
        ("group.allowed.add", M::POST, at("/white/users/carol"), Value::Null),
        ("group.allowed.add.batch", M::POST, at("/white/users"), all(&["carol", "bob"])),
        ("group.allowed.remove", M::DELETE, at("/white/users/dave"), Value::Null),
        ("group.allowed.remove", M::DELETE, at("/white/users/carol,dave"), Value::Null),
        ("group.mutes.add", M::POST, at("/mute"), mute(&["carol", "bob"])),
        ("group.mutes.remove", M::DELETE, at("/mute/dave"), Value::Null),
        ("group.mutes.remove", M::DELETE, at("/mute/carol,dave"), Value::Null),
        ("group.ban.set", M::POST, at("/ban"), Value::Null),
        ("group.ban.clear", M::DELETE, at("/ban"), Value::Null),
        ("group.shield.set", M::POST, at("/shield"), json!({"username": "carol"})),
        ("group.shield.clear", M::DELETE, at("/shield"), json!({"username": "dave"})),
        ("attributes.set", M::PUT, attributes("/user/dave"), json!({"metaData": {"colour": "blue"}})),
        // What a user owns goes with him: alice owns group A and a room, erin owns nothing.
        ("user.delete", M::DELETE, "/users/alice".into(), Value::Null),
        ("user.delete", M::DELETE, "/users/erin".into(), Value::Null),
    ]
}

fn attributes(below: &str) -> String {
    format!("/metadata/chatgroup/{A}{below}")
}

fn of_threads(scene: &Scene) -> Vec<Row> {
    let number = |id: &str| json!(id.parse::<u64>().unwrap());
    let thread = |group: Value| json!({"group_id": group, "name": "two", "owner": "dave", "msg_id": 5});
    let users = |users: &[&str]| json!({ "usernames": users });
    let b = &scene.thread_b;
    vec![
        ("thread.create", M::POST, "/thread".into(), thread(json!(A))),
        ("thread.create", M::POST, "/thread".into(), thread(number(A))),
        ("thread.update", M::PUT, format!("/thread/{THREAD}"), json!({"name": "chapter two"})),
        ("thread.update", M::PUT, format!("/thread/{b}"), json!({"name": "longer routes"})),
        ("thread.delete", M::DELETE, format!("/thread/{THREAD}"), Value::Null),
        ("thread.members.add", M::POST, format!("/thread/{THREAD}/users"), users(&["dave"])),
        ("thread.members.remove", M::DELETE, format!("/threads/{THREAD}/users"), users(&["carol"])),
        ("thread.members.remove", M::DELETE, format!("/thread/{THREAD}/users"), users(&["bob", "carol"])),
    ]
}

fn of_rooms() -> Vec<Row> {
    let at = |below: &str| format!("/chatrooms/{ROOM}{below}");
    let all = |users: &[&str]| json!({ "usernames": users });
    let attributes = |below: &str| format!("/metadata/chatroom/{ROOM}{below}");
    let room = json!({"name": "new", "owner": "erin", "members": ["dave", "gina"]});
    let set = |key: &str| json!({"metaData": {key: "x"}});
    vec![
        ("room.create", M::POST, "/chatrooms".into(), room),
        ("room.update", M::PUT, at(""), json!({"name": "salon", "description": "x"})),
        ("room.update", M::PUT, at(""), json!({"newowner": "dave"})),
        ("room.delete", M::DELETE, at(""), Value::Null),
        ("room.announcement.set", M::POST, at("/announcement"), json!({"announcement": "new"})),
        ("room.attributes.set", M::PUT, attributes("/user/dave"), set("mood")),
        ("room.attributes.set.forced", M::PUT, attributes("/user/carol/forced"), set("mood")),
        ("room.attributes.remove", M::DELETE, attributes("/user/dave"), json!({"keys": ["mood"]})),
        (
            "room.attributes.remove.forced",
            M::DELETE,
            attributes("/user/carol/forced"),
            json!({"keys": ["mood"]}),
        ),
        ("room.superadmins.add", M::POST, "/chatrooms/super_admin".into(), json!({"superadmin": "carol"})),
        ("room.superadmins.remove", M::DELETE, "/chatrooms/super_admin/dave".into(), Value::Null),
        ("room.members.add", M::POST, at("/users/frank"), Value::Null),
        ("room.members.add.batch", M::POST, at("/users"), all(&["frank", "hans"])),
        ("room.members.remove", M::DELETE, at("/users/dave"), Value::Null),
        ("room.members.remove", M::DELETE, at("/users/dave,carol"), Value::Null),
        ("room.admins.add", M::POST, at("/admin"), json!({"newadmin": "carol"})),
        ("room.admins.remove", M::DELETE, at("/admin/dave"), Value::Null),
        ("room.blocks.add", M::POST, at("/blocks/users/dave"), Value::Null),
        ("room.blocks.add.batch", M::POST, at("/blocks/users"), all(&["carol", "dave"])),
        ("room.blocks.remove", M::DELETE, at("/blocks/users/gina"), Value::Null),
        ("room.blocks.remove", M::DELETE, at("/blocks/users/gina,dave"), Value::Null),
        ("room.allowed.add", M::POST, at("/white/users/carol"), Value::Null),
        ("room.allowed.add.batch", M::POST, at("/white/users"), all(&["carol", "bob"])),
        ("room.allowed.remove", M::DELETE, at("/white/users/dave"), Value::Null),
        ("room.allowed.remove", M::DELETE, at("/white/users/erin,dave"), Value::Null),
        ("room.mutes.add", M::POST, at("/mute"), json!({"usernames": ["bob"], "mute_duration": 60_000})),
        ("room.mutes.remove", M::DELETE, at("/mute/erin"), Value::Null),
        ("room.mutes.remove", M::DELETE, at("/mute/erin,dave"), Value::Null),
        ("room.ban.set", M::POST, at("/ban"), Value::Null),
        ("room.ban.clear", M::DELETE, at("/ban"), Value::Null),
        ("room.tags.set", M::PUT, at("/users/dave/tag"), json!({"tag": "guest"})),
        ("room.tags.set", M::PUT, at("/users/erin/tag"), json!({"tag": "guest"})),
        ("room.tags.mute", M::PUT, at("/tag/mute"), json!({"tag": "host"})),
    ]
}

/// Writes that the stand-in does not know, and creations with ids that only body or answer name.
fn elsewhere() -> Vec<Write> {
    let write = |row, method, path: &str, body, effect, answer| Write {
        row,
        ask: Ask::new(method, path, body),
        effect: Some((effect, answer)),
        respelt: false,
    };
    let none = Value::Null;
    let at = |below: &str| format!("/chatgroups/{A}{below}");
    let thread = |rest: &str| format!("/thread/{THREAD}{rest}");
    let group = json!({"groupname": "n", "public": true, "owner": "erin", "members": ["dave"]});
    let named = json!({"groupname": "n", "public": true, "owner": "erin", "groupid": 9002});
    vec![
        write("group.create", M::POST, "/chatgroups", group, new_group, json!({"data": {"groupid": NEW}})),
        write("group.create", M::POST, "/chatgroups", named, named_group, json!({})),
        write(
            "group.admins.remove.bare",
            M::DELETE,
            &at("/admin"),
            json!({"oldadmin": "dave"}),
            unadmin,
            json!({}),
        ),
        write(
            "group.mutes.remove.role",
            M::DELETE,
            &at("/mute?role=member"),
            none.clone(),
            unmute,
            json!({}),
        ),
        write("group.quit", M::DELETE, &at("/quit"), none.clone(), leave, json!({})),
        write("group.join.apply", M::POST, &at("/apply"), json!({"message": "me"}), join, json!({})),
        write(
            "group.join.apply.verify",
            M::POST,
            &at("/apply_verify"),
            json!({"who": "erin"}),
            join,
            json!({}),
        ),
        write("group.join.invite", M::POST, &at("/invite"), json!({"who": ["erin"]}), join, json!({})),
        write("group.join.invite.verify", M::POST, &at("/invite_verify"), none.clone(), join, json!({})),
        write("group.other", M::DELETE, &at("/novelty"), none.clone(), leave, json!({})),
        write("group.other", M::POST, &at("/novelty"), json!({"applicant": "erin"}), join, json!({})),
        write("attributes.set.batch", M::PUT, &attributes("/users/batch"), json!({}), recolour, json!({})),
        write("attributes.other", M::PUT, &attributes("/novelty"), json!({}), recolour, json!({})),
        write("thread.other", M::POST, &thread("/name"), json!({"name": "x"}), rename_thread, json!({})),
        write(
            "thread.other",
            M::DELETE,
            &format!("/threads/{THREAD}/all"),
            none.clone(),
            end_thread,
            json!({}),
        ),
        write(
            "room.create",
            M::POST,
            "/chatrooms",
            json!({"name": "n"}),
            new_room,
            json!({"data": {"id": NEW_ROOM}}),
        ),
        write(
            "room.other",
            M::POST,
            &format!("/chatrooms/{ROOM}/novelty"),
            none.clone(),
            leave_room,
            json!({}),
        ),
        write(
            "room.attributes.other",
            M::POST,
            &format!("/metadata/chatroom/{ROOM}/novelty"),
            json!({}),
            cheer,
            json!({}),
        ),
        write(
            "user.groups.join",
            M::POST,
            "/users/Erin/joined_chatgroups",
            json!({"ids": [A]}),
            join,
            json!({}),
        ),
        write(
            "user.create",
            M::POST,
            "/users",
            json!([{"username": "zoe", "password": "1"}]),
            new_user,
            json!({}),
        ),
        write("user.delete.batch", M::DELETE, "/users?limit=2", none.clone(), two_leave, json!({})),
        write("user.deactivate", M::POST, "/users/erin/deactivate", none.clone(), nothing, json!({})),
        write("user.activate", M::POST, "/users/erin/activate", none.clone(), nothing, json!({})),
        write("user.disconnect", M::GET, "/users/erin/disconnect", none.clone(), nothing, json!({})),
        write("user.disconnect", M::POST, "/users/erin/disconnect", none.clone(), nothing, json!({})),
        write("user.self", M::PUT, "/users/erin", json!({"nickname": "E"}), nothing, json!({})),
        write("user.other", M::PUT, "/users/erin/password", json!({"newpassword": "2"}), nothing, json!({})),
    ]
}

fn behind(world: &World, method: Method, path: &str, body: Value) {
    let (status, said) = world.vendor.behind(method, path, body);
    assert!(status.is_success(), "{path}: {said}");
}

fn nothing(_: &World) {}
fn new_group(world: &World) {
    world.vendor.add_group(NEW, "erin", &["dave"]);
}
fn named_group(world: &World) {
    world.vendor.add_group(NAMED, "erin", &[]);
}
fn new_room(world: &World) {
    world.vendor.add_room(NEW_ROOM, "erin", &[]);
}
fn new_user(world: &World) {
    world.vendor.add_user("zoe");
}
fn two_leave(world: &World) {
    behind(world, M::DELETE, "/users/erin", Value::Null);
    behind(world, M::DELETE, "/users/alice", Value::Null);
}
fn unadmin(world: &World) {
    behind(world, M::DELETE, &format!("/chatgroups/{A}/admin/dave"), Value::Null);
}
fn unmute(world: &World) {
    behind(world, M::DELETE, &format!("/chatgroups/{A}/mute/dave"), Value::Null);
}
fn leave_room(world: &World) {
    behind(world, M::DELETE, &format!("/chatrooms/{ROOM}/users/carol"), Value::Null);
}
fn cheer(world: &World) {
    let body = json!({"metaData": {"mood": "glad"}});
    behind(world, M::PUT, &format!("/metadata/chatroom/{ROOM}/user/dave"), body);
}
fn leave(world: &World) {
    behind(world, M::DELETE, &format!("/chatgroups/{A}/users/carol"), Value::Null);
}
fn join(world: &World) {
    behind(world, M::POST, &format!("/chatgroups/{A}/users/erin"), Value::Null);
}
fn recolour(world: &World) {
    let body = json!({"metaData": {"colour": "green"}});
    behind(world, M::PUT, &attributes("/user/dave"), body);
}
fn rename_thread(world: &World) {
    behind(world, M::PUT, &format!("/thread/{THREAD}"), json!({"name": "x"}));
}
fn end_thread(world: &World) {
    behind(world, M::DELETE, &format!("/thread/{THREAD}"), Value::Null);
}

/// The same write as other callers write it: lists with `%2C` or a space, users in capitals or escaped.
fn spellings(ask: &Ask) -> Vec<Ask> {
    let mut paths = vec![ask.path.clone()];
    if ask.path.contains(',') {
        paths.push(ask.path.replace(',', "%2C"));
        paths.push(ask.path.replace(',', ",%20"));
    }
    let last = ask.path.rsplit('/').next().unwrap_or_default();
    if last.split(',').any(|user| USERS.contains(&user)) {
        let head = &ask.path[..ask.path.len() - last.len()];
        paths.push(format!("{head}{}", last.to_uppercase()));
        paths.push(format!("{head}%{:02x}{}", last.as_bytes()[0], &last[1..]));
    }
    let mut all: Vec<Ask> = paths.into_iter().map(|path| Ask { path, ..ask.clone() }).collect();
    if let Some(body) = &ask.body {
        let mut text = body.to_string();
        USERS.iter().for_each(|user| {
            text = text.replace(&format!("\"{user}\""), &format!("\"{}\"", user.to_uppercase()))
        });
        let body: Value = serde_json::from_str(&text).unwrap();
        if Some(&body) != ask.body.as_ref() {
            all.push(Ask { body: Some(body), ..ask.clone() });
        }
    }
    all
}

/// Whether a request names this thing, in its path or its body.
pub(in crate::path) fn names(ask: &Ask, id: &str) -> bool {
    let body = ask.body.as_ref().map(Value::to_string).unwrap_or_default();
    ask.path.contains(id) || body.contains(id)
}
