//! Limits that count what a call names, and limits by the minute, the half hour and the day: as the vendor sees them.

use super::callers::{key_of, with_callers};
use super::refusals::assert_refused;
use crate::support::world::{Reply, World, request};
use easemob_gateway::config::PoolOverride;
use easemob_gateway::simulator::{Fault, Matcher};
use easemob_gateway::units::Rate;
use futures_util::future::join_all;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const TO_USERS: &str = "/messages/users";
const TO_GROUPS: &str = "/messages/chatgroups";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A message to so many.
fn message(recipients: usize) -> Value {
    let to: Vec<String> = (0..recipients).map(|n| format!("u{n}")).collect();
    json!({"from": "alice", "to": to, "type": "txt", "body": {"msg": "hi"}})
}

/// With a token in hand, so that calls are counted alone.
async fn warm() -> World {
    let world = World::new();
    assert_eq!(world.get("/chatgroups/1/announcement").await.status, 404);
    world.vendor.reset_counters();
    world
}

fn inside(world: &World, pool: &str) -> f64 {
    world.metric(&format!("gateway_pool_inside_calls{{pool=\"{pool}\"}}"))
}

#[track_caller]
fn assert_spent(reply: &Reply, pool: &str, least: u64, most: u64) {
    assert_refused(reply, 429, "reach_limit", "budget_spent");
    assert!(reply.header("ratelimit").starts_with(&format!("\"{pool}\";")), "{}", reply.header("ratelimit"));
    let after: u64 = reply.header("retry-after").parse().unwrap();
    assert!((least..=most).contains(&after), "{after}");
}

#[tokio::test(start_paused = true)]
async fn a_message_spends_as_many_units_as_it_names_recipients() {
    let world = warm().await;
    let replies = join_all((0..10).map(|_| world.post(TO_USERS, message(600)))).await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK));
    assert_eq!(replies[0].data().as_object().unwrap().len(), 600);
    assert_spent(&world.post(TO_USERS, message(1)).await, "message.users.recipients", 61, 63);
    assert_eq!(world.calls(), 10);
    assert_eq!((inside(&world, "message.users"), inside(&world, "message.users.recipients")), (10.0, 6000.0));
    sleep(secs(62)).await;
    assert_eq!(world.post(TO_USERS, message(600)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_beside_recipients() {
    let world = warm().await;
    let replies = join_all((0..400).map(|_| world.post(TO_USERS, message(1)))).await;
    let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.status != StatusCode::OK).collect();
    assert!(refused.len() > 200, "{}", refused.len());
    assert!(refused.iter().all(|reply| reply.header("ratelimit").starts_with("\"message.users\";")));
    assert!(world.vendor.counters().get("POST", TO_USERS).busiest_second <= 100);
}

#[tokio::test(start_paused = true)]
async fn no_second_holds_more_groups_than_may_be_written_to() {
    let world = &warm().await;
    let callers = (0..500).map(async |n| {
        sleep(Duration::from_millis(10 * n)).await;
        world.post(TO_GROUPS, message(3)).await
    });
    let replies = join_all(callers).await;
    let sent = replies.iter().filter(|reply| reply.status == StatusCode::OK).count();
    // Six calls of three are eighteen of twenty.
    assert!((28..=37).contains(&sent), "{sent}: six a second");
    let counted = world.vendor.counters().get("POST", TO_GROUPS);
    assert_eq!((counted.total as usize, counted.busiest_second), (sent, 6), "the vendor never had to refuse");
    let refused = replies.iter().find(|reply| reply.status != StatusCode::OK).unwrap();
    assert_spent(refused, "message.groups.recipients", 1, 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_weighed_is_refused_and_costs_nothing() {
    let world = warm().await;
    let reply = world.post(TO_USERS, message(601)).await;
    assert_refused(&reply, 400, "illegal_argument", "too_heavy");
    assert!(String::from_utf8_lossy(&reply.body).contains("600"), "{reply:?}");
    assert_refused(&world.post(TO_GROUPS, message(4)).await, 400, "illegal_argument", "too_heavy");
    for to in [json!({"a": 1}), json!([["a"]]), json!(["a", null]), json!([{}]), json!(true)] {
        let reply = world.post(TO_USERS, json!({ "to": to })).await;
        assert_refused(&reply, 400, "illegal_argument", "uncountable");
    }
    assert_refused(&world.call(Method::POST, TO_USERS, None).await, 400, "json_parse", "malformed_body");
    let mut encoded = request(Method::POST, TO_USERS, Some(message(1)));
    encoded.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_refused(&world.send(encoded).await, 415, "unsupported_media_type", "body_encoded");
    let long = json!({"to": ["a"], "body": "x".repeat(2 << 20)});
    assert_refused(&world.post(TO_USERS, long).await, 413, "request_too_large", "body_too_large");
    assert_eq!((world.calls(), inside(&world, "message.users.recipients")), (0, 0.0));
    assert_eq!(
        world.metric("gateway_pool_refused_total{pool=\"message.users.recipients\",reason=\"too_heavy\"}"),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn recipients_are_counted_however_they_are_written() {
    let world = warm().await;
    let mut spent = 0.0;
    for (body, weight) in [
        (r#"{"to":["a","b"]}"#, 2.0),
        (r#"{"to":["a","a"]}"#, 2.0),
        (r#"{"to":[1,2,3]}"#, 3.0),
        (r#"{"to":"a,b"}"#, 2.0),
        (r#"{"to":["a"],"\u0074o":["b","c"]}"#, 3.0),
        // The vendor says what is wrong with these.
        (r#"{"to":[]}"#, 1.0),
        (r#"{"to":null}"#, 1.0),
        (r#"{"target":["a","b"]}"#, 1.0),
    ] {
        let mut sent = request(Method::POST, TO_USERS, None);
        *sent.body_mut() = easemob_gateway::body::Body::Kept(body.into());
        assert_eq!(world.send(sent).await.refusal(), "", "{body}");
        spent += weight;
        assert_eq!(inside(&world, "message.users.recipients"), spent, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_goes_once_in_half_an_hour_and_three_times_a_day() {
    let world = warm().await;
    let everybody = json!({"from": "alice", "type": "txt", "body": {"msg": "hi"}});
    let mut went = 0;
    for half_hour in 0..50 {
        let before = world.calls();
        let reply = world.post("/messages/broadcast", everybody.clone()).await;
        went += world.calls() - before;
        match half_hour {
            0 | 2 | 4 | 48 => assert_eq!(reply.status, 200, "{half_hour}"),
            // Half an hour and jitter on the way.
            1 | 3 => assert_spent(&reply, "message.broadcast", 1, 2),
            _ => assert_spent(&reply, "message.broadcast.day", 1, 86_402),
        }
        sleep(secs(if half_hour == 47 { 1_860 } else { 1_800 })).await;
    }
    assert_eq!(went, 4);
    assert_eq!(world.post("/messages/users/broadcast", everybody.clone()).await.status, 200);
    let reply = world.post("/messages/users/broadcast", everybody).await;
    assert_spent(&reply, "message.users.broadcast", 61, 62);
}

#[tokio::test(start_paused = true)]
async fn ten_files_of_past_messages_a_minute() {
    let world = warm().await;
    for hour in 0..10 {
        assert_eq!(world.get(&format!("/chatmessages/20260101{hour:02}")).await.status, 200);
    }
    assert_spent(&world.get("/chatmessages/2026010110").await, "message.history", 61, 62);
    assert!(!world.get("/chatmessages/2026010100").await.is_hit(), "and none of them is kept");
}

#[tokio::test(start_paused = true)]
async fn each_limit_is_a_setting_by_its_name() {
    let world = World::with(
        |config| {
            let pools = [
                ("message.users.recipients", Some(Rate::per_minute(12)), Some(5)),
                ("users", Some(Rate::per_minute(3)), None),
            ];
            for (name, rate, per_call) in pools {
                config.pools.insert(name.to_owned(), PoolOverride { rate, per_call });
            }
        },
        |_| {},
    );
    assert_refused(&world.post(TO_USERS, message(6)).await, 400, "illegal_argument", "too_heavy");
    for _ in 0..2 {
        assert_eq!(world.post(TO_USERS, message(5)).await.status, 200);
    }
    assert_spent(&world.post(TO_USERS, message(5)).await, "message.users.recipients", 61, 62);
    assert_eq!(world.post(TO_USERS, message(2)).await.status, 200, "two are left");
    // Different operations of one bucket.
    world.get("/users/alice").await;
    world.call(Method::DELETE, "/users/frank", None).await;
    world.post("/users/batch/status", json!({"usernames": ["bob"]})).await;
    assert_spent(&world.get("/users").await, "users", 61, 62);
}

#[tokio::test(start_paused = true)]
async fn a_get_that_changes_something_is_never_sent_twice() {
    for (path, calls) in [("/users/alice", 2), ("/users/alice/disconnect", 1)] {
        let world = warm().await;
        world.vendor.next(Matcher::any(), Fault::status(StatusCode::SERVICE_UNAVAILABLE));
        let reply = world.get(path).await;
        assert_eq!((reply.refusal(), world.calls()), ("", calls), "{path}: {reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rules_for_callbacks_are_for_those_who_are_named_and_never_kept() {
    let callers = "[[callers]]\nname = \"all\"\n[[callers]]\nname = \"ops\"\nallow = [\"callback.rules\"]\n";
    let (world, tap) = World::tapped(
        1,
        |sent, response| {
            if sent.target.ends_with("/callbacks") {
                *response.status_mut() = StatusCode::OK;
                *response.body_mut() = r#"{"data":[{"secret":"s"}]}"#.into();
            }
        },
        |config| with_callers(config, callers),
        |_| {},
    );
    let ask = async |who: &str| {
        let mut asked = request(Method::GET, "/callbacks", None);
        let bearer = format!("Bearer {}", key_of(who)).parse().unwrap();
        asked.headers_mut().insert("authorization", bearer);
        world.send(asked).await
    };
    assert_refused(&ask("all").await, 403, "forbidden_op", "forbidden");
    assert_eq!(tap.calls().len(), 0);
    for calls in 1..=2 {
        let reply = ask("ops").await;
        assert_eq!((reply.status.as_u16(), reply.is_hit(), tap.calls().len()), (200, false, calls));
    }
}
