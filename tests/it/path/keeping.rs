//! What is kept, for how long, and what never is.
//!
//! Nothing here is written through the gateway: the vendor changes behind its back or answers oddly, so that only
//! keeping decides what a reader gets. The limits on waiting are here too, since they refuse and keep nothing.

use super::oracle::{Ask, assert_true};
use crate::support::world::{Reply, World, request};
use easemob_gateway::config::{Config, EndpointOverride};
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_GROUPS};
use easemob_gateway::units::ByteSize;
use futures_util::future::join_all;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

mod mutes;

const A: &str = SAMPLE_GROUPS[0];

fn at(below: &str) -> String {
    format!("/chatgroups/{A}{below}")
}

/// One answer of the vendor to this path; then the same question again.
async fn twice(world: &World, path: &str, answer: Fault) -> (Reply, Reply) {
    world.vendor.next(Matcher::path("/").method(Method::GET), answer);
    (world.get(path).await, world.get(path).await)
}

fn ok(body: impl Into<String>) -> Fault {
    Fault::body(StatusCode::OK, body.into())
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_until_its_deadline_and_tells_its_age() {
    let (world, read) = (World::new(), Ask::get(at("/announcement")));
    read.through(&world).await;
    let changed = Ask::new(Method::POST, &read.path, json!({"announcement": "from a device"}));
    changed.behind(&world);
    tokio::time::advance(Duration::from_millis(29_999)).await;
    let old = read.through(&world).await;
    assert!(old.is_hit());
    assert_eq!((old.header("age"), &old.data()["announcement"]), ("29", &json!("next meeting on Thursday")));
    tokio::time::advance(Duration::from_millis(1)).await;
    let new = read.through(&world).await;
    assert!(!new.is_hit());
    assert_true(&world, &read, &new);
    assert_eq!(read.through(&world).await.header("age"), "0");
}

#[tokio::test(start_paused = true)]
async fn freshness_is_a_setting_and_zero_is_never() {
    let set = |config: &mut Config| {
        for (name, seconds) in [("group.announcement.read", 0), ("group.admins.list", 5)] {
            let fresh = Some(Duration::from_secs(seconds));
            config.endpoints.insert(name.into(), EndpointOverride { rate: None, fresh, stale: None });
        }
    };
    let world = World::with(set, |_| {});
    for _ in 0..2 {
        assert_eq!(
            world.get(&at("/announcement")).await.header("cache-status"),
            "easemob-gateway; fwd=bypass"
        );
        world.get(&at("/admin")).await;
    }
    assert_eq!(world.calls(), 3);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(!world.get(&at("/admin")).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn a_query_that_its_row_does_not_know_is_neither_kept_nor_answered_from_memory() {
    let world = World::new();
    world.get(&at("/users?pagesize=2")).await;
    for path in ["/users?pagesize=2&resource=", "/users?_v=1", "/users?%70agesize=2"] {
        for _ in 0..2 {
            let reply = world.get(&at(path)).await;
            assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=bypass", "{path}");
        }
    }
    assert!(world.get(&at("/users?pagesize=2")).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn two_questions_never_have_one_name() {
    let world = World::new();
    let paths = [
        "/chatgroups?cursor=a?limit=5",
        "/chatgroups?cursor=a&limit=5",
        "/chatgroups?limit=5",
        "/chatgroups?cursor=limit=5",
        "/chatgroups",
    ];
    for (at, path) in paths.iter().enumerate() {
        let said = json!({"data": [], "count": at}).to_string();
        let (first, second) = twice(&world, path, ok(said)).await;
        assert_eq!((first.json()["count"].as_u64(), second.is_hit()), (Some(at as u64), true), "{path}");
    }
    assert!(world.get("/chatgroups?limit=5&cursor=a").await.is_hit(), "the order of names does not matter");
}

#[tokio::test(start_paused = true)]
async fn a_body_on_a_read_that_has_none_shares_nothing() {
    let world = World::new();
    let path = at("/user/bob/is_joined");
    let odd = world.post(&path, json!({"what": "is this"})).await;
    assert_eq!(odd.header("cache-status"), "easemob-gateway; fwd=bypass");
    assert!(!world.get(&path).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_what_it_should_be_is_passed_on_and_forgotten() {
    let json = r#"{"data":[],"timestamp":1}"#;
    let header = |name: HeaderName, value| ok(json).header(name, HeaderValue::from_static(value));
    let named = r#"{"data":[{"groupid":"1"},{"groupname":"no id"}]}"#;
    let cases: Vec<(&str, Fault)> = vec![
        ("/chatgroups", Fault::status(StatusCode::INTERNAL_SERVER_ERROR)),
        ("/chatgroups", Fault::status(StatusCode::FORBIDDEN)),
        ("/chatgroups", Fault::body(StatusCode::NOT_FOUND, r#"{"error":"RestGroupFeignException"}"#)),
        ("/chatgroups", Fault::body(StatusCode::NOT_FOUND, "not here")),
        ("/chatgroups", Fault::body(StatusCode::ACCEPTED, json)),
        ("/chatgroups", Fault::body(StatusCode::PARTIAL_CONTENT, json)),
        ("/chatgroups", ok("<html>")),
        ("/chatgroups", ok("")),
        ("/chatgroups", ok("[]")),
        ("/chatgroups", ok(&json[..json.len() - 1])),
        ("/chatgroups", ok(r#"{"data":[],"error":"resource_not_found"}"#)),
        ("/chatgroups", ok(r#"{"timestamp":1}"#)),
        ("/chatgroups", ok(r#"{"data":{},"timestamp":1}"#)),
        ("/chatgroups", ok(r#"{"data":null}"#)),
        ("/chatgroups", ok(named)),
        ("/chatgroups", ok(r#"{"data":[{"groupid":null}]}"#)),
        ("/chatgroups", ok(r#"{"data":[{"groupid":{}}]}"#)),
        ("/chatgroups", header(CONTENT_ENCODING, "gzip")),
        ("/chatgroups", header(CONTENT_TYPE, "text/plain")),
        ("/chatgroups/1/admin", ok(r#"{"count":0}"#)),
        ("/chatgroups/1/admin", ok(r#"{"data":null}"#)),
        ("/chatgroups/1,2", ok(r#"{"data":[{"id":"1"},{"id":"2","error":"group id doesn't exist"}]}"#)),
    ];
    for (path, fault) in cases {
        let world = World::new();
        let what = format!("{fault:?}");
        // A safe read is repeated once on some of these; what is wrong twice is passed on.
        let (first, second) = twice(&world, path, fault).await;
        assert!(!first.header("cache-status").contains("stored"), "{what}");
        assert!(!second.is_hit(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_to_keep_streams_to_one_and_the_others_ask_for_themselves() {
    let small = |config: &mut Config| config.cache.entry_bytes_max = ByteSize::kib(1);
    let world = World::with(small, |_| {});
    let long = Ask::new(Method::POST, at("/announcement"), json!({"announcement": "x".repeat(500)}));
    assert_eq!(long.behind(&world).0, 200);
    let rename = Ask::new(Method::PUT, at(""), json!({"custom": "y".repeat(1_000)}));
    assert_eq!(rename.behind(&world).0, 200);
    let read = Ask::get(at(""));
    let replies = join_all((0..4).map(|_| read.through(&world))).await;
    for reply in &replies {
        assert_true(&world, &read, reply);
        assert!(!reply.header("cache-status").contains("stored"));
    }
    assert_eq!(world.calls(), 4);
    let shorter = Ask::get(at("/announcement"));
    shorter.through(&world).await;
    assert!(shorter.through(&world).await.is_hit(), "below the limit it is kept");
}

#[tokio::test(start_paused = true)]
async fn not_found_is_kept_for_two_seconds_and_ended_by_a_creation() {
    let world = World::new();
    let read = Ask::get("/chatgroups/4711");
    assert_eq!(read.through(&world).await.status, StatusCode::NOT_FOUND);
    let again = read.through(&world).await;
    assert_eq!((again.status, again.is_hit()), (StatusCode::NOT_FOUND, true));
    world.vendor.add_group("4711", "erin", &[]);
    tokio::time::advance(Duration::from_millis(1_999)).await;
    assert!(read.through(&world).await.is_hit());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(read.through(&world).await.status, StatusCode::OK);

    let other = Ask::get("/chatgroups/4712");
    other.through(&world).await;
    world.vendor.add_group("4712", "erin", &[]);
    let group = json!({"groupname": "x", "public": true, "owner": "bob"});
    assert_eq!(world.post("/chatgroups", group).await.status, 200);
    assert_true(&world, &other, &other.through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_too_small_forgets_and_never_lies() {
    let tiny = |config: &mut Config| config.cache.bytes_max = ByteSize::kib(2);
    let world = World::with(tiny, |vendor| vendor.limits = false);
    let reads: Vec<Ask> = (0..20)
        .map(|user| Ask::get(at(&format!("/user/u{user}/is_joined"))))
        .chain([Ask::get(at("")), Ask::get(at("/users")), Ask::get(at("/announcement"))])
        .collect();
    for round in 0..5 {
        for read in &reads {
            assert_true(&world, read, &read.through(&world).await);
        }
        let user = Ask::new(Method::POST, at(&format!("/users/u{round}")), Value::Null);
        assert_eq!(user.through(&world).await.status, 200);
        for read in reads.iter().rev() {
            assert_true(&world, read, &read.through(&world).await);
        }
        tokio::time::advance(Duration::from_secs(3)).await;
        let (_, bytes) = world.parts.house.cache.size();
        assert!(bytes <= 2_048, "{bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_too_many_things_is_passed_on_and_not_kept() {
    let few = |config: &mut Config| config.cache.tags_max = 6;
    let world = World::with(few, |_| {});
    for _ in 0..2 {
        let list = world.get("/chatgroups").await;
        assert_eq!((list.status, list.header("cache-status")), (StatusCode::OK, "easemob-gateway; fwd=miss"));
        assert_eq!(list.data().as_array().unwrap().len(), 3, "two tags for all, and two for each");
    }
    assert_eq!(world.metric(r#"gateway_cache_answers_total{outcome="too_many_tags"}"#), 2.0);
    world.get("/chatgroups?limit=2").await;
    assert!(world.get("/chatgroups?limit=2").await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn too_many_fetches_or_readers_of_one_are_refused_at_once() {
    let few = |config: &mut Config| (config.cache.flights_max, config.cache.waiters_max) = (2, 3);
    let world = World::with(few, |_| {});
    let hold = world.vendor.hold(Matcher::path("/chatgroups").method(Method::GET), HoldAt::Answer);
    let send = |path: String| Box::pin(world.gateway.call(request(Method::GET, &path, None)));
    let mut waiting: Vec<_> = (0..3).map(|_| send(at(""))).chain([send(at("/admin"))]).collect();
    for outcome in &mut waiting {
        assert!(futures_util::poll!(outcome).is_pending());
    }
    hold.arrived(2).await;
    for path in [at(""), at("/mute")] {
        let refused = world.get(&path).await;
        assert_eq!((refused.status, refused.refusal()), (StatusCode::SERVICE_UNAVAILABLE, "flight_full"));
        assert_eq!(refused.header("retry-after"), "1");
    }
    // One who leaves makes room for another.
    drop(waiting.remove(0));
    let path = at("");
    let mut other = Box::pin(world.get(&path));
    assert!(futures_util::poll!(&mut other).is_pending());
    hold.release();
    assert_eq!(other.await.status, StatusCode::OK);
    for outcome in waiting {
        assert_eq!(outcome.await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(world.calls(), 2);
    assert!(world.get(&at("")).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn a_part_of_an_answer_is_neither_kept_nor_shared() {
    let world = World::new();
    let mut ranged = request(Method::GET, &at("/admin"), None);
    ranged.headers_mut().insert("range", HeaderValue::from_static("bytes=0-1"));
    assert_eq!(world.send(ranged).await.header("cache-status"), "easemob-gateway; fwd=bypass");
    assert!(!world.get(&at("/admin")).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn looking_at_what_is_only_written_here_is_relayed() {
    let world = World::new();
    for (calls, path) in
        ["/users/alice", "/users", "/users/alice/status", "/chatrooms/1/novelty"].iter().enumerate()
    {
        let reply = world.get(path).await;
        assert_eq!(
            (reply.refusal(), reply.header("cache-status")),
            ("", "easemob-gateway; fwd=bypass"),
            "{path}"
        );
        assert_eq!(world.calls(), calls + 1, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_that_ends_with_a_slash_is_the_same_operation_and_is_not_kept() {
    let world = World::new();
    let path = format!("/chatgroups/{}", SAMPLE_GROUPS[0]);
    assert_eq!(world.get(&path).await.status, 200);
    for calls in 2..4 {
        assert_eq!(world.get(&format!("{path}/")).await.status, 200);
        assert_eq!(world.calls(), calls, "fetched each time");
    }
    assert!(world.get(&path).await.is_hit());
    // A write is the same write.
    let written = world.put(&format!("{path}/"), json!({"groupname": "another"})).await;
    assert_eq!(written.status, 200);
    assert!(!world.get(&path).await.is_hit());
}
