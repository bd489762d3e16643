//! What each operation that the vendor reports does, made behind the gateway's back.

use crate::path::matrix::scene::{A, FILE, NEW, NEW_ROOM, ROOM};
use crate::support::report::{event, legacy};
use crate::support::world::World;
use http::Method;
use http::method::Method as M;
use serde_json::{Value, json};

/// A request to the stand-in itself.
pub(super) type Step = (Method, String, Value);

/// One change, and how it is told of.
pub(super) struct Change {
    /// `GROUP` or `CHATROOM`.
    of: &'static str,
    /// In the newer format, if it has an event there: operation and payload.
    newer: Option<(&'static str, Value)>,
    /// In the older one: its names, separated by a space.
    older: &'static str,
    /// What must have been done before.
    pub(super) before: Vec<Step>,
    /// What is done; nothing where something new comes into being.
    steps: Vec<Step>,
}

impl Change {
    fn new(of: &'static str, operation: &'static str, payload: Value, older: &'static str) -> Self {
        Self { of, newer: Some((operation, payload)), older, before: Vec::new(), steps: Vec::new() }
    }

    fn does(mut self, method: Method, below: &str, body: Value) -> Self {
        self.steps.push((method, self.at(below), body));
        self
    }

    fn after(mut self, method: Method, below: &str, body: Value) -> Self {
        self.before.push((method, self.at(below), body));
        self
    }

    /// Told in the older format alone.
    fn only_older(mut self) -> Self {
        self.newer = None;
        self
    }

    fn at(&self, below: &str) -> String {
        let (kind, id, base) = self.subject();
        match below.strip_prefix("/metadata") {
            Some(rest) => format!("/metadata/{}/{id}{rest}", kind.trim_end_matches('s')),
            None => base + below,
        }
    }

    fn subject(&self) -> (&'static str, &'static str, String) {
        let (kind, id) = if self.of == "GROUP" { ("chatgroups", A) } else { ("chatrooms", ROOM) };
        (kind, id, format!("/{kind}/{id}"))
    }

    /// Does it.
    pub(super) fn happens(&self, world: &World) {
        match (self.of, &self.steps[..]) {
            ("GROUP", []) => world.vendor.add_group(NEW, "erin", &["dave"]),
            (_, []) => world.vendor.add_room(NEW_ROOM, "erin", &["dave"]),
            (_, steps) => steps.iter().for_each(|step| take(world, step)),
        }
    }

    /// How the newer format writes its operation and sub-type, and the older its names.
    pub(super) fn names(&self) -> Vec<String> {
        let kind = |payload: &Value| payload["type"].as_str().unwrap_or_default().to_owned();
        let newer = self.newer.iter().map(|(operation, payload)| format!("{operation} {}", kind(payload)));
        newer.chain(self.older.split_whitespace().map(str::to_owned)).collect()
    }

    /// Every report that tells of it.
    pub(super) fn reports(&self) -> Vec<Value> {
        let id = match (self.of, self.steps.is_empty(), &self.newer) {
            (.., Some(("ROOM_SUPER_ADMIN", _))) => "",
            ("GROUP", true, _) => NEW,
            (_, true, _) => NEW_ROOM,
            ("GROUP", ..) => A,
            _ => ROOM,
        };
        let newer =
            self.newer.iter().map(|(operation, payload)| event(self.of, id, operation, payload.clone()));
        let older = self.older.split_whitespace().map(|name| legacy(id, self.of != "GROUP", name, "ok"));
        newer.chain(older).collect()
    }
}

/// One request past the gateway.
pub(super) fn take(world: &World, (method, path, body): &Step) {
    let (status, said) = world.vendor.behind(method.clone(), path, body.clone());
    assert!(status.is_success(), "{path}: {said}");
}

/// Every change that the vendor has an event for.
pub(super) fn changes() -> Vec<Change> {
    let mut all = of_groups();
    all.extend(of_rooms());
    for of in ["GROUP", "CHATROOM"] {
        all.extend(of_both(of));
        all.extend(roles(of));
        all.extend(comings(of));
        all.push(unknown(of));
    }
    all
}

fn of_both(of: &'static str) -> Vec<Change> {
    let change = |operation, payload, older| Change::new(of, operation, payload, older);
    let kind = |kind: &str| json!({ "type": kind });
    let said = |text: &str| json!({ "announcement": text });
    let named = if of == "GROUP" { json!({"groupname": "new"}) } else { json!({"name": "new"}) };
    vec![
        change("CREATE", json!({"role": {"erin": "owner"}, "member": ["dave"]}), "create"),
        change("DELETE", Value::Null, "destroy").does(M::DELETE, "", Value::Null),
        change("UPDATE", kind("INFO"), "update").does(M::PUT, "", named),
        change("UPDATE", kind("ANNOUNCEMENT"), "update_announcement").does(
            M::POST,
            "/announcement",
            said("new"),
        ),
        change("UPDATE", kind("ANNOUNCEMENT"), "delete_announcement").does(
            M::POST,
            "/announcement",
            said(""),
        ),
        change("UPDATE", json!({"type": "MUTE", "mute": true}), "ban_group").does(
            M::POST,
            "/ban",
            Value::Null,
        ),
        change("UPDATE", json!({"type": "MUTE", "mute": false}), "remove_ban_group")
            .after(M::POST, "/ban", Value::Null)
            .does(M::DELETE, "/ban", Value::Null),
        change("UPDATE", json!({"type": "OWNER", "owner": "alice", "new_owner": "Dave"}), "assing_owner")
            .does(M::PUT, "", json!({"newowner": "dave"})),
    ]
}

fn roles(of: &'static str) -> Vec<Change> {
    let change = |operation, payload, older| Change::new(of, operation, payload, older);
    let user = |kind: &str, user: &str| json!({"type": kind, "member": [user]});
    let admin = |kind: &str, user: &str| json!({"type": kind, "admin": [user]});
    let mute = json!({"usernames": ["carol"], "mute_duration": 600_000});
    vec![
        change("MUTE", user("ADD", "carol"), "add_mute").does(M::POST, "/mute", mute),
        change("MUTE", user("REMOVE", "dave"), "remove_mute").does(M::DELETE, "/mute/dave", Value::Null),
        change("WHITE", user("ADD", "carol"), "add_user_white_list").does(
            M::POST,
            "/white/users/carol",
            Value::Null,
        ),
        change("WHITE", user("REMOVE", "dave"), "remove_user_white_list").does(
            M::DELETE,
            "/white/users/dave",
            Value::Null,
        ),
        change("BLOCK", user("ADD", "dave"), "ban").does(M::POST, "/blocks/users/dave", Value::Null),
        change("BLOCK", user("REMOVE", "gina"), "allow").does(M::DELETE, "/blocks/users/gina", Value::Null),
        change("ADMIN", admin("ADD", "carol"), "add_admin").does(
            M::POST,
            "/admin",
            json!({"newadmin": "carol"}),
        ),
        change("ADMIN", admin("REMOVE", "dave"), "remove_admin").does(M::DELETE, "/admin/dave", Value::Null),
    ]
}

/// Who comes (erin is no member of the group, frank none of the room) and who goes.
fn comings(of: &'static str) -> Vec<Change> {
    let new = if of == "GROUP" { "erin" } else { "frank" };
    let join = |kind: &str, older| {
        let payload = json!({"type": kind, "member": [new.to_uppercase()]});
        Change::new(of, "JOIN", payload, older).does(M::POST, &format!("/users/{new}"), Value::Null)
    };
    let leave = |kind: &str, user: &str, older| {
        let payload = json!({"type": kind, "member": [user]});
        Change::new(of, "LEAVE", payload, older).does(M::DELETE, &format!("/users/{user}"), Value::Null)
    };
    let mut all = vec![
        join("DIRECT", "direct_joined presence"),
        join("APPLY", "apply apply_accept"),
        leave("QUIT", "dave", "leave absence"),
        leave("KICK", "carol", "kick"),
        leave("DELETE", "dave", ""),
        Change::new(of, "LEAVE", json!({"type": "BLOCK", "member": ["dave"]}), "").does(
            M::POST,
            "/blocks/users/dave",
            Value::Null,
        ),
    ];
    if of == "GROUP" {
        all.push(join("INVITE", "invite invite_accept invite_decline"));
    }
    all
}

fn of_groups() -> Vec<Change> {
    let change = |operation, payload, older| Change::new("GROUP", operation, payload, older);
    let file = |operation, kind: &str, older| {
        let change = change(operation, json!({ "type": kind }), older);
        change.does(M::DELETE, &format!("/share_files/{FILE}"), Value::Null)
    };
    let shield = |user: &str| json!({ "username": user });
    let colour = json!({"metaData": {"colour": "blue"}});
    vec![
        change("UPDATE", json!({"type": "DISABLE", "disable": true}), "").does(
            M::POST,
            "/disable",
            Value::Null,
        ),
        change("UPDATE", json!({"type": "DISABLE", "disable": false}), "")
            .after(M::POST, "/disable", Value::Null)
            .does(M::POST, "/enable", Value::Null),
        // The list is the same list, whether a file came or went.
        file("SHARE_FILE", "ADD", "upload_file"),
        file("SHARE_FILE", "REMOVE", "delete_file"),
        file("SHARE_FILE", "UPDATE", ""),
        file("UPDATE", "SHARE_FILE", ""),
        change("SHIELD", json!({"type": "ADD"}), "block").does(M::POST, "/shield", shield("carol")),
        change("SHIELD", json!({"type": "REMOVE"}), "unblock").does(M::DELETE, "/shield", shield("dave")),
        change("", Value::Null, "group_member_metadata_update").only_older().does(
            M::PUT,
            "/metadata/user/dave",
            colour,
        ),
    ]
}

fn of_rooms() -> Vec<Change> {
    let change = |operation, payload, older| Change::new("CHATROOM", operation, payload, older);
    let mood = json!({"metaData": {"mood": "glad"}});
    let mut all = vec![
        change("", Value::Null, "set_metadata").only_older().does(M::PUT, "/metadata/user/dave", mood),
        change("", Value::Null, "delete_metadata").only_older().does(
            M::DELETE,
            "/metadata/user/dave",
            json!({"keys": ["mood"]}),
        ),
    ];
    for (kind, method, path, body) in [
        ("ADD", M::POST, "/chatrooms/super_admin", json!({"superadmin": "carol"})),
        ("REMOVE", M::DELETE, "/chatrooms/super_admin/dave", Value::Null),
    ] {
        let mut told = change("ROOM_SUPER_ADMIN", json!({"type": kind, "admin": "carol"}), "");
        told.steps.push((method, path.to_owned(), body));
        all.push(told);
    }
    all
}

/// One that nobody has heard of changes something in every list there is.
fn unknown(of: &'static str) -> Change {
    let mut all = Change::new(of, "TELEPORT", json!({"type": "ADD"}), "something_new");
    // Dave must be there to become the owner, and the room or group itself.
    let stays = |step: &Step| !step.1.ends_with("/blocks/users/dave");
    let lists = roles(of).into_iter().chain(of_both(of).into_iter().skip(2));
    for other in lists.filter(|other| other.before.is_empty()) {
        all.steps.extend(other.steps.into_iter().filter(stays));
    }
    all.does(M::DELETE, "/users/carol", Value::Null)
}
