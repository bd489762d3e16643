//! The small world of the matrix: three groups, a room, two threads, and something in every list.
//!
//! Group A is the one that writes are about; B and C, the second thread and the second room stand by, so that a
//! write that reaches too far is seen.

use crate::path::oracle::Ask;
use crate::support::world::World;
use easemob_gateway::config::Config;
use easemob_gateway::simulator::{SAMPLE_FILE, SAMPLE_GROUPS, SAMPLE_ROOM, SAMPLE_THREAD};
use http::Method;
use serde_json::{Value, json};

pub(in crate::path) const A: &str = SAMPLE_GROUPS[0];
pub(in crate::path) const B: &str = SAMPLE_GROUPS[1];
pub(in crate::path) const C: &str = SAMPLE_GROUPS[2];
pub(in crate::path) const ROOM: &str = SAMPLE_ROOM;
/// In group A, of bob and carol.
pub(in crate::path) const THREAD: &str = SAMPLE_THREAD;
pub(in crate::path) const FILE: &str = SAMPLE_FILE;
pub(in crate::path) const OTHER_ROOM: &str = "662585489220";
/// Groups and a room that do not exist until a write makes them.
pub(in crate::path) const NEW: &str = "9001";
pub(in crate::path) const NAMED: &str = "9002";
pub(in crate::path) const NEW_ROOM: &str = "9003";

/// The users whose names are written in other letters by some callers.
pub(in crate::path) const USERS: [&str; 9] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "gina", "hans", "zoe"];

pub(in crate::path) struct Scene {
    pub(in crate::path) world: World,
    /// In group B, of alice and erin.
    pub(in crate::path) thread_b: String,
}

impl Scene {
    pub(in crate::path) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(in crate::path) fn with(change: fn(&mut Config)) -> Self {
        let world = World::with(change, |_| {});
        world.vendor.add_room(OTHER_ROOM, "bob", &["dave", "erin"]);
        for (method, path, body) in before() {
            let (status, said) = world.vendor.behind(method, &path, body);
            assert!(status.is_success(), "{path}: {said}");
        }
        let thread = json!({"group_id": B, "name": "routes", "owner": "alice", "msg_id": 7});
        let (_, said) = world.vendor.behind(Method::POST, "/thread", thread);
        let thread_b = said["data"]["thread_id"].as_str().unwrap().to_owned();
        let join =
            Ask::new(Method::POST, format!("/thread/{thread_b}/users"), json!({"usernames": ["erin"]}));
        assert_eq!(join.behind(&world).0, 200);
        Self { world, thread_b }
    }
}

fn before() -> Vec<(Method, String, Value)> {
    let post = |path: String, body: Value| (Method::POST, path, body);
    let mut all = Vec::new();
    // A member with every role that leaving may end.
    for (group, user) in [(A, "dave"), (B, "erin")] {
        all.extend([
            post(format!("/chatgroups/{group}/users/gina"), Value::Null),
            post(format!("/chatgroups/{group}/blocks/users/gina"), Value::Null),
            post(format!("/chatgroups/{group}/admin"), json!({"newadmin": user})),
            post(format!("/chatgroups/{group}/white/users"), json!({"usernames": [user]})),
            post(format!("/chatgroups/{group}/mute"), json!({"usernames": [user], "mute_duration": -1})),
            post(format!("/chatgroups/{group}/announcement"), json!({"announcement": "hear"})),
        ]);
        let attributes = json!({"metaData": {"colour": "red"}});
        all.push((Method::PUT, format!("/metadata/chatgroup/{group}/user/{user}"), attributes));
    }
    all.push(post(format!("/chatgroups/{A}/shield"), json!({"username": "dave"})));
    all.extend(of_rooms());
    // A user who does not exist, so that his lists are "not found".
    all.push((Method::DELETE, "/users/zoe".to_owned(), Value::Null));
    all
}

/// The same of both rooms: dave has every role that leaving may end, and gina is blocked.
fn of_rooms() -> Vec<(Method, String, Value)> {
    let post = |path: String, body: Value| (Method::POST, path, body);
    let mut all = Vec::new();
    for room in [ROOM, OTHER_ROOM] {
        let at = |below: &str| format!("/chatrooms/{room}{below}");
        let attributes = json!({"metaData": {"mood": "calm", "theme": "sea"}});
        all.extend([
            post(at("/users/gina"), Value::Null),
            post(at("/blocks/users/gina"), Value::Null),
            post(at("/admin"), json!({"newadmin": "dave"})),
            post(at("/white/users"), json!({"usernames": ["dave", "erin"]})),
            post(at("/mute"), json!({"usernames": ["dave"], "mute_duration": 600_000})),
            post(at("/mute"), json!({"usernames": ["erin"], "mute_duration": -1})),
            post(at("/announcement"), json!({"announcement": "hear"})),
            (Method::PUT, at("/users/dave/tag"), json!({"tag": "host"})),
            (Method::PUT, format!("/metadata/chatroom/{room}/user/dave"), attributes),
        ]);
    }
    all.push(post("/chatrooms/super_admin".to_owned(), json!({"superadmin": "dave"})));
    all
}
