//! Answers past their time, served on purpose: how long, when, of what, and never across a touch.

use super::oracle::{Ask, assert_true};
use crate::support::world::{Reply, World, request};
use easemob_gateway::catalogue::Effect;
use easemob_gateway::config::{Config, EndpointOverride};
use easemob_gateway::easemob::endpoints;
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_GROUPS, SAMPLE_ROOM};
use futures_util::poll;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

const A: &str = SAMPLE_GROUPS[0];
const OLD: &str = "next meeting on Thursday";

fn notice() -> Ask {
    Ask::get(format!("/chatgroups/{A}/announcement"))
}

fn announce(text: &str) -> Ask {
    Ask::new(Method::POST, notice().path, json!({ "announcement": text }))
}

fn refreshing(config: &mut Config) {
    config.cache.stale_refresh = Duration::from_secs(10);
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// A world that has kept the notice, which a device has changed since, for so long.
async fn kept(change: impl FnOnce(&mut Config), seconds: u64) -> World {
    let world = World::with(change, |_| {});
    notice().through(&world).await;
    assert_eq!(announce("new").behind(&world).0, 200);
    pass(seconds).await;
    world
}

async fn with(world: &World, control: &str) -> Reply {
    let mut request = notice().request();
    request.headers_mut().insert("cache-control", HeaderValue::from_str(control).unwrap());
    world.send(request).await
}

fn fails(world: &World, fault: Fault) {
    world.vendor.next(Matcher::path("/").method(Method::GET).times(2), fault);
}

#[tokio::test(start_paused = true)]
async fn when_the_vendor_fails_the_last_answer_is_served_and_says_how_old_it_is() {
    let faults = [
        Fault::status(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::status(StatusCode::SERVICE_UNAVAILABLE),
        Fault::status(StatusCode::REQUEST_TIMEOUT),
        Fault::ResetBefore,
    ];
    for fault in faults {
        let world = kept(|_| {}, 42).await;
        fails(&world, fault.clone());
        let reply = notice().through(&world).await;
        assert_eq!((reply.status, &reply.data()["announcement"]), (StatusCode::OK, &json!(OLD)), "{fault:?}");
        let status = "easemob-gateway; fwd=stale; ttl=-12; detail=vendor-failed";
        assert_eq!((reply.header("cache-status"), reply.header("age")), (status, "42"));
        world.vendor.clear_faults();
        assert_true(&world, &notice(), &notice().through(&world).await);
        assert_eq!(
            world.metric(
                r#"gateway_requests_total{cache="stale",endpoint="group.announcement.read",status="2xx"}"#
            ),
            1.0
        );
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_vendor_is_silent_the_last_answer_is_served() {
    let world = kept(|_| {}, 31).await;
    let hold = world.vendor.hold(Matcher::path("/chatgroups").times(1), HoldAt::Arrival);
    let reply = notice().through(&world).await;
    assert_eq!((reply.status, reply.header("age")), (StatusCode::OK, "41"), "after the usual time");
    drop(hold);
}

#[tokio::test(start_paused = true)]
async fn when_the_limit_is_spent_the_last_answer_is_served() {
    let slow = |config: &mut Config| {
        let rate = Some("1/min".parse().unwrap());
        let own = EndpointOverride { rate, fresh: None, stale: None };
        config.endpoints.insert("group.announcement.read".into(), own);
    };
    let world = kept(slow, 31).await;
    let reply = notice().through(&world).await;
    assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=stale; ttl=-1; detail=budget-spent");
    assert_eq!((reply.status, reply.refusal(), world.calls()), (StatusCode::OK, "", 1));
    let world = kept(|_| {}, 31).await;
    world.vendor.next(Matcher::path("/chatgroups"), Fault::status(StatusCode::TOO_MANY_REQUESTS));
    assert!(notice().through(&world).await.header("cache-status").ends_with("budget-spent"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_failure_is_passed_on() {
    for status in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST] {
        let world = kept(|_| {}, 31).await;
        fails(&world, Fault::status(status));
        assert_eq!(notice().through(&world).await.status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn the_window_has_an_end_and_can_be_shut() {
    let cases = [
        (300, None, 30 + 299, 200),
        (300, None, 30 + 300, 500),
        (0, None, 30, 500),
        (600, Some(60), 30 + 59, 200),
        (600, Some(60), 30 + 60, 500),
        (0, Some(60), 30 + 59, 200),
        (600, Some(0), 30, 500),
    ];
    for (all, own, seconds, status) in cases {
        let set = |config: &mut Config| {
            config.cache.stale = Duration::from_secs(all);
            let stale = own.map(Duration::from_secs);
            let own = EndpointOverride { rate: None, fresh: None, stale };
            config.endpoints.insert("group.announcement.read".into(), own);
        };
        let world = kept(set, seconds).await;
        fails(&world, Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(notice().through(&world).await.status.as_u16(), status, "{all} {own:?} {seconds}");
    }
}

/// Every list of who may do what, by its row.
fn strict() -> Vec<(&'static str, Ask)> {
    let get = |row, below: &str| (row, Ask::get(format!("/chatgroups/{A}{below}")));
    vec![
        get("group.mutes.list", "/mute"),
        get("group.blocks.list", "/blocks/users"),
        get("group.admins.list", "/admin"),
        get("group.allowed.list", "/white/users"),
        ("room.mutes.list", Ask::get(format!("/chatrooms/{SAMPLE_ROOM}/mute"))),
    ]
}

#[tokio::test(start_paused = true)]
async fn who_may_do_what_is_never_served_past_its_time() {
    let set = |config: &mut Config| {
        refreshing(config);
        for (row, _) in strict() {
            let stale = Some(Duration::from_secs(600));
            config.endpoints.insert(row.into(), EndpointOverride { rate: None, fresh: None, stale });
        }
    };
    for (row, read) in strict() {
        let world = World::with(set, |_| {});
        assert_eq!(read.through(&world).await.status, 200);
        assert!(read.through(&world).await.is_hit(), "{row}");
        pass(30).await;
        fails(&world, Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(read.through(&world).await.status, StatusCode::INTERNAL_SERVER_ERROR, "{row}");
        world.vendor.clear_faults();
        let mut wants = read.request();
        wants.headers_mut().insert("cache-control", HeaderValue::from_static("max-stale"));
        assert_eq!(world.send(wants).await.header("age"), "", "{row}");
    }
}

#[test]
fn every_row_about_who_may_do_what_is_strict() {
    let words = ["mutes", "blocks", "admins", "allowed", "superadmins", "super_admins"];
    for row in endpoints() {
        let Effect::Read(read) = &row.effect else { continue };
        let named = row.name.split('.').any(|part| words.contains(&part));
        assert!(read.strict || !named, "{}", row.name);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_served_across_a_touch_however_the_vendor_fails() {
    for touched_first in [true, false] {
        let world = kept(refreshing, 31).await;
        let write = announce("written");
        if touched_first {
            assert_eq!(write.through(&world).await.status, 200);
            fails(&world, Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
            assert_eq!(notice().through(&world).await.status, StatusCode::INTERNAL_SERVER_ERROR);
            continue;
        }
        // The read is on its way when the write is answered, and then fails.
        fails(&world, Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
        let hold =
            world.vendor.hold(Matcher::path("/chatgroups").method(Method::GET).times(1), HoldAt::Answer);
        let read = notice();
        let mut early = Box::pin(with(&world, "max-stale=0"));
        assert!(poll!(&mut early).is_pending());
        hold.arrived(1).await;
        assert_eq!(write.through(&world).await.status, 200);
        let mut late = Box::pin(read.through(&world));
        assert!(poll!(&mut late).is_pending());
        hold.release();
        assert_eq!(early.await.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_ne!(late.await.data()["announcement"], OLD);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_outcome_ends_it_too() {
    let world = kept(refreshing, 31).await;
    world.vendor.next(Matcher::path("/chatgroups").method(Method::POST), Fault::ResetBefore);
    assert_eq!(announce("lost").through(&world).await.status, StatusCode::BAD_GATEWAY);
    fails(&world, Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(notice().through(&world).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    world.vendor.clear_faults();
    assert_true(&world, &notice(), &notice().through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_fetched_anew_everybody_gets_the_last_one_and_one_call_is_made() {
    let world = kept(refreshing, 35).await;
    let hold = world.vendor.hold(Matcher::path("/chatgroups").times(1), HoldAt::Answer);
    for _ in 0..5 {
        let reply = notice().through(&world).await;
        assert_eq!(reply.header("cache-status"), "easemob-gateway; hit; ttl=-5; detail=stale");
        assert_eq!((reply.header("age"), &reply.data()["announcement"]), ("35", &json!(OLD)));
    }
    hold.arrived(1).await;
    hold.release();
    world.settle().await;
    let hit = notice().through(&world).await;
    assert!(hit.is_hit());
    assert_true(&world, &notice(), &hit);
    assert_eq!(world.calls(), 2);
    // Past the window he waits.
    announce("newer").behind(&world);
    pass(40).await;
    assert_true(&world, &notice(), &notice().through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_write_while_it_is_fetched_anew_is_seen_at_once() {
    let world = kept(refreshing, 31).await;
    let hold = world.vendor.hold(Matcher::path("/chatgroups").method(Method::GET).times(1), HoldAt::Answer);
    assert!(notice().through(&world).await.header("cache-status").ends_with("stale"));
    hold.arrived(1).await;
    assert_eq!(announce("written").through(&world).await.status, 200);
    assert_true(&world, &notice(), &notice().through(&world).await);
    pass(2).await;
    hold.release();
    world.settle().await;
    assert_true(&world, &notice(), &notice().through(&world).await);
    assert_true(&world, &notice(), &notice().through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn fetching_anew_behind_an_answer_waits_for_nothing() {
    let slow = |config: &mut Config| {
        refreshing(config);
        let rate = Some("1/min".parse().unwrap());
        let own = EndpointOverride { rate, fresh: None, stale: None };
        config.endpoints.insert("group.announcement.read".into(), own);
        config.limits.patience = Duration::from_secs(60);
    };
    let world = kept(slow, 31).await;
    for _ in 0..3 {
        assert!(notice().through(&world).await.header("cache-status").ends_with("stale"));
        world.settle().await;
    }
    pass(60).await;
    world.settle().await;
    assert_eq!(world.calls(), 1, "no call waits for its turn");
}

#[tokio::test(start_paused = true)]
async fn who_says_how_fresh_he_wants_it_gets_no_stale_one() {
    for control in [
        "no-cache",
        "max-age=600",
        "max-age=40",
        "min-fresh=0",
        "max-stale=0",
        "max-age=600, max-stale=4",
        "no-store",
    ] {
        let world = kept(refreshing, 35).await;
        assert_true(&world, &notice(), &with(&world, control).await);
        let world = kept(refreshing, 35).await;
        fails(&world, Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(with(&world, control).await.status, StatusCode::INTERNAL_SERVER_ERROR, "{control}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_it_stale_gets_it_at_once() {
    for control in ["max-stale", "max-stale=5", "max-age=40, max-stale=60"] {
        let world = kept(|_| {}, 35).await;
        let reply = with(&world, control).await;
        assert_eq!(reply.data()["announcement"], OLD, "{control}");
        world.settle().await;
        assert_true(&world, &notice(), &notice().through(&world).await);
        assert_eq!(world.calls(), 2, "it was fetched anew behind him");
    }
    for (control, seconds) in [("max-stale=4", 35), ("max-age=34, max-stale", 35), ("max-stale", 330)] {
        let world = kept(|_| {}, seconds).await;
        assert_true(&world, &notice(), &with(&world, control).await);
    }
    let world = kept(|_| {}, 35).await;
    assert_eq!(with(&world, "only-if-cached, max-stale").await.data()["announcement"], OLD);
    assert_eq!(with(&world, "only-if-cached").await.refusal(), "not_kept");
    world.settle().await;
    assert_eq!(world.calls(), 1, "nobody was asked");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_served_past_its_time() {
    let world = World::with(refreshing, |_| {});
    let read = Ask::get("/chatgroups/4711");
    read.through(&world).await;
    pass(2).await;
    world.vendor.add_group("4711", "erin", &[]);
    assert_eq!(read.through(&world).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_not_put_together_from_what_is_past_its_time() {
    let both = Ask::get(format!("/chatgroups/{A},{}", SAMPLE_GROUPS[1]));
    for (change, fault) in [
        (refreshing as fn(&mut Config), Fault::status(StatusCode::SERVICE_UNAVAILABLE)),
        (|_| {}, Fault::status(StatusCode::SERVICE_UNAVAILABLE)),
        (|_| {}, Fault::ResetBefore),
    ] {
        let world = World::with(change, |_| {});
        both.through(&world).await;
        assert!(both.through(&world).await.is_hit());
        pass(31).await;
        fails(&world, fault);
        let reply = both.through(&world).await;
        assert!(reply.status.is_server_error(), "{} {}", reply.status, reply.header("cache-status"));
        world.vendor.clear_faults();
        assert_true(&world, &both, &both.through(&world).await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_by_body_and_the_head_of_an_answer_may_be_stale() {
    let targets = Ask::new(
        Method::POST,
        format!("/metadata/chatgroup/{A}/get"),
        json!({"targets": ["bob"], "properties": []}),
    );
    let world = World::with(refreshing, |_| {});
    targets.through(&world).await;
    notice().through(&world).await;
    pass(35).await;
    let stale = targets.through(&world).await;
    assert_eq!(stale.header("cache-status"), "easemob-gateway; hit; ttl=-5; detail=stale");
    let head = world.send(request(Method::HEAD, &notice().path, None)).await;
    assert_eq!((head.header("age"), head.body.len()), ("35", 0));
    world.settle().await;
    assert!(targets.through(&world).await.is_hit());
    assert!(notice().through(&world).await.is_hit());
    assert_eq!(targets.through(&world).await.json()["error"], Value::Null);
}
