//! What HTTP lets a caller say about memory: conditions, `Cache-Control`, and `HEAD`.
//!
//! The vendor changes behind the gateway's back here, so that what was asked anew differs from what was kept.

use super::oracle::{Ask, assert_true};
use crate::support::world::{Reply, World, request};
use easemob_gateway::config::EndpointOverride;
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_FILE, SAMPLE_GROUPS};
use futures_util::poll;
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use std::time::Duration;

mod head;
mod tags;

const A: &str = SAMPLE_GROUPS[0];

fn notice() -> Ask {
    Ask::get(format!("/chatgroups/{A}/announcement"))
}

/// Somebody else changes it, of whom the gateway hears nothing.
fn change(world: &World, text: &str) {
    assert_eq!(Ask::new(Method::POST, notice().path, json!({ "announcement": text })).behind(world).0, 200);
}

async fn ask(world: &World, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Reply {
    let mut request = request(method, path, None);
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
    }
    world.send(request).await
}

async fn get(world: &World, headers: &[(&'static str, &str)]) -> Reply {
    ask(world, Method::GET, &notice().path, headers).await
}

async fn with_control(world: &World, control: &str) -> Reply {
    get(world, &[("cache-control", control)]).await
}

#[tokio::test(start_paused = true)]
async fn who_wants_it_new_gets_it_new_and_it_is_kept() {
    let ways = [
        ("cache-control", "no-cache"),
        ("cache-control", "max-age=0"),
        ("cache-control", "NO-CACHE"),
        ("cache-control", "foo=\"a, no-store\", max-age = 0"),
        ("cache-control", "max-age=soon"),
        ("cache-control", "max-age=60, max-age=0"),
        ("pragma", "no-cache"),
        ("pragma", "x, No-Cache"),
    ];
    for way in ways {
        let world = World::new();
        get(&world, &[]).await;
        change(&world, "new");
        let reply = get(&world, &[way]).await;
        assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=request; stored", "{way:?}");
        assert_true(&world, &notice(), &reply);
        let hit = get(&world, &[]).await;
        assert!(hit.is_hit(), "{way:?}");
        assert_true(&world, &notice(), &hit);
    }
}

#[tokio::test(start_paused = true)]
async fn who_wants_it_new_joins_no_fetch_that_began_before_him() {
    let world = World::new();
    let hold = world.vendor.hold(Matcher::path("/chatgroups").times(1), HoldAt::Answer);
    let mut early = Box::pin(get(&world, &[]));
    assert!(poll!(&mut early).is_pending());
    hold.arrived(1).await;
    change(&world, "new");
    let late = with_control(&world, "no-cache").await;
    assert_true(&world, &notice(), &late);
    hold.release();
    assert_ne!(early.await.body, late.body);
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_who_want_it_new_at_once_share_one_call() {
    let world = World::new();
    get(&world, &[]).await;
    change(&world, "new");
    let replies = futures_util::future::join_all((0..50).map(|_| with_control(&world, "max-age=0"))).await;
    replies.iter().for_each(|reply| assert_true(&world, &notice(), reply));
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_store_is_neither_answered_from_memory_nor_kept() {
    let world = World::new();
    for calls in 1..=2 {
        let reply = with_control(&world, "no-store").await;
        assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=bypass");
        assert_eq!(world.calls(), calls);
    }
    assert!(!get(&world, &[]).await.is_hit());
    change(&world, "new");
    assert_true(&world, &notice(), &with_control(&world, "no-store").await);
    assert!(get(&world, &[]).await.is_hit(), "what others keep stays");
}

#[tokio::test(start_paused = true)]
async fn only_if_cached_asks_nobody() {
    let world = World::new();
    let refused = with_control(&world, "only-if-cached").await;
    assert_eq!((refused.status, refused.refusal()), (StatusCode::GATEWAY_TIMEOUT, "not_kept"));
    for path in ["/elsewhere", "/chatrooms"] {
        let headers = [("cache-control", "only-if-cached")];
        assert_eq!(ask(&world, Method::GET, path, &headers).await.refusal(), "not_kept", "{path}");
    }
    let targets = Ask::new(
        Method::POST,
        format!("/metadata/chatgroup/{A}/get"),
        json!({"targets": ["bob"], "properties": []}),
    );
    let only = |mut request: http::Request<easemob_gateway::body::Body>| {
        request.headers_mut().insert("cache-control", HeaderValue::from_static("only-if-cached"));
        request
    };
    assert_eq!(world.send(only(targets.request())).await.refusal(), "not_kept");
    assert_eq!(world.calls(), 0);
    get(&world, &[]).await;
    targets.through(&world).await;
    assert!(with_control(&world, "only-if-cached").await.is_hit());
    assert!(world.send(only(targets.request())).await.is_hit());
    assert_eq!(with_control(&world, "only-if-cached, no-cache").await.refusal(), "not_kept");
    assert_eq!(with_control(&world, "only-if-cached, no-store").await.refusal(), "not_kept");
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(with_control(&world, "only-if-cached").await.refusal(), "not_kept");
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn bounds_on_age_and_on_what_is_left_are_kept_to_the_second() {
    let world = World::new();
    get(&world, &[]).await;
    tokio::time::advance(Duration::from_secs(10)).await;
    for control in
        ["max-age=10", "max-age=99999999999999999999", "min-fresh=20", "max-age=\"10\", min-fresh=20"]
    {
        let reply = with_control(&world, control).await;
        assert_eq!((reply.is_hit(), reply.header("age")), (true, "10"), "{control}");
    }
    for control in ["max-age=9", "min-fresh=21", "min-fresh=x", "max-age=20, min-fresh=25"] {
        let world = World::new();
        get(&world, &[]).await;
        tokio::time::advance(Duration::from_secs(10)).await;
        let reply = with_control(&world, control).await;
        assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=request; stored", "{control}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_how_old_it_may_be_is_not_given_a_fetch_that_is_older() {
    for (control, calls) in [("max-age=3", 1), ("max-age=1", 2)] {
        let world = World::new();
        let hold = world.vendor.hold(Matcher::exactly(notice().path).times(1), HoldAt::Answer);
        let mut early = Box::pin(get(&world, &[]));
        assert!(poll!(&mut early).is_pending());
        hold.arrived(1).await;
        change(&world, "new");
        tokio::time::advance(Duration::from_secs(2)).await;
        let mut late = Box::pin(with_control(&world, control));
        assert!(poll!(&mut late).is_pending());
        world.settle().await;
        hold.release();
        assert_eq!(late.await.data()["announcement"] == "new", calls == 2, "{control}");
        assert_eq!(world.calls(), calls, "{control}");
        early.await;
    }
}

#[tokio::test(start_paused = true)]
async fn other_words_change_nothing() {
    let world = World::new();
    get(&world, &[]).await;
    let odd = [
        "",
        ",",
        "no-transform",
        "no-cachee",
        "max-agee=0",
        "private=\"no-cache\"",
        "x=\"no-cache, no-store\"",
    ];
    for control in odd {
        assert!(with_control(&world, control).await.is_hit(), "{control}");
    }
    let pragma = [("cache-control", "max-age=60"), ("pragma", "no-cache")];
    assert!(get(&world, &pragma).await.is_hit(), "`Pragma` counts only without `Cache-Control`");
}

#[tokio::test(start_paused = true)]
async fn an_answer_past_its_time_says_so() {
    let world = World::new();
    get(&world, &[]).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(get(&world, &[]).await.header("cache-status"), "easemob-gateway; fwd=stale; stored");
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_memory_has_the_media_type_of_the_fetched_one() {
    for kind in ["application/json", "application/json;charset=UTF-8", "application/json; charset=utf-8"] {
        let world = World::new();
        let typed = Fault::body(StatusCode::OK, r#"{"data":{}}"#)
            .header(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        world.vendor.next(Matcher::path("/chatgroups"), typed);
        let (miss, hit) = (get(&world, &[]).await, get(&world, &[]).await);
        assert!(hit.is_hit());
        assert_eq!((miss.header("content-type"), hit.header("content-type")), (kind, kind));
    }
}
