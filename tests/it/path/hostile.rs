//! What nobody asks for in good faith: lists without end, labels that lie, lives too short to be meant.

use super::callers::{key_of, with_callers};
use super::refusals::assert_refused;
use crate::support::world::{APP, World, request};
use bytes::Bytes;
use easemob_gateway::body::{Body, BodyError};
use easemob_gateway::config::EndpointOverride;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use easemob_gateway::units::Rate;
use futures_util::future::join_all;
use futures_util::stream::pending;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

const A: &str = SAMPLE_GROUPS[0];

#[tokio::test(start_paused = true)]
async fn lists_that_would_multiply_into_millions_of_tags_are_refused() {
    let world = World::new();
    let many = "a,".repeat(1_000);
    let attributes = format!("/metadata/chatgroup/{many}/user/{many}");
    for method in [Method::GET, Method::PUT] {
        let reply = world.call(method, &attributes, None).await;
        assert_refused(&reply, 400, "illegal_argument", "bad_target");
    }
    let targets = json!({ "targets": vec!["a"; 1_000], "properties": ["x"] });
    let reply = world.post(&format!("/metadata/chatgroup/{many}/get"), targets).await;
    assert_refused(&reply, 400, "illegal_argument", "bad_target");
    for names in [json!(vec!["a"; 100_000]), json!("a,".repeat(100_000))] {
        let blocked = json!({ "usernames": names });
        let reply = world.post(&format!("/chatgroups/{A}/blocks/users"), blocked).await;
        assert_refused(&reply, 400, "illegal_argument", "bad_target");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
    // The largest batches that are meant go through.
    let users: Vec<String> = (0..1_000).map(|n| format!("user{n}")).collect();
    let reply = world.post(&format!("/chatgroups/{A}/blocks/users"), json!({ "usernames": users })).await;
    assert_eq!(reply.refusal(), "");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_still_waits_for_its_moment_is_shared_across_writes() {
    let world = World::with(
        |config| {
            config.limits.patience = Duration::from_secs(30);
            let slow = EndpointOverride {
                rate: Some(Rate::new(1, Duration::from_secs(10)).unwrap()),
                fresh: None,
                stale: None,
            };
            config.endpoints.insert("group.announcement.read".to_owned(), slow);
        },
        |_| {},
    );
    let read = format!("/chatgroups/{A}/announcement");
    world.get(&format!("/chatgroups/{}/announcement", SAMPLE_GROUPS[1])).await;
    // The pool is empty now: whoever asks, waits; and after each wait another write is answered.
    let readers = join_all((0..3).map(|n| {
        let (world, read) = (&world, &read);
        async move {
            sleep(Duration::from_secs(n)).await;
            world.post(read, json!({ "announcement": format!("text {n}") })).await;
            world.get(read).await
        }
    }));
    let replies = readers.await;
    let (_, truth) = world.vendor.behind(Method::GET, &read, json!(null));
    for reply in replies {
        assert_eq!(reply.data(), truth["data"]);
    }
    let reads = world.vendor.calls();
    let reads = reads.iter().filter(|call| call.method == "GET" && call.target.contains(A)).count();
    assert_eq!(reads, 1, "one fetch that left after all of them had come is enough");
}

#[tokio::test(start_paused = true)]
async fn a_users_grant_goes_out_under_the_label_by_which_it_was_read() {
    let callers = "[[callers]]\nname = \"login\"\nallow = [\"token.user\"]\n";
    let (world, tap) = World::tapped(1, |_, _| {}, |config| with_callers(config, callers), |_| {});
    // As JSON a user's grant; as a form one that gives an app token.
    let body = r#"{"grant_type":"inherit","username":"alice","x":"&grant_type=agora&y="}"#;
    let request = Request::post(format!("{APP}/token"))
        .header("host", "localhost")
        .header("authorization", format!("Bearer {}", key_of("login")))
        .header("content-type", "application/x-www-form-urlencoded");
    world.send(request.body(Body::Kept(body.into())).unwrap()).await;
    let sent = tap.last();
    assert_eq!((sent.header("content-type"), &*sent.body), ("application/json", body.as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn token_requests_of_strangers_that_never_end_take_nobodys_place() {
    let callers = "[[callers]]\nname = \"orders\"\n";
    let world = World::with(
        |config| {
            with_callers(config, callers);
            config.listen.requests_max = 2;
        },
        |_| {},
    );
    let endless = || Body::stream(StreamBody::new(pending::<Result<Frame<Bytes>, BodyError>>()));
    let ask = || Request::post(format!("{APP}/token")).header("host", "localhost").body(endless()).unwrap();
    let mut strangers: Vec<_> = (0..2).map(|_| world.gateway.call(ask())).collect();
    for stranger in &mut strangers {
        assert!(futures_util::poll!(stranger).is_pending());
    }
    let mut read = request(Method::GET, &format!("/chatgroups/{A}"), None);
    read.headers_mut().insert("authorization", format!("Bearer {}", key_of("orders")).parse().unwrap());
    let reply = world.send(read).await;
    assert_eq!((reply.status.as_u16(), reply.refusal()), (200, ""));
    // Nor do they hold those of other token requests for long.
    let began = tokio::time::Instant::now();
    for stranger in strangers {
        assert_eq!(crate::support::world::read(stranger.await.unwrap()).await.refusal(), "body_cut");
    }
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_life_of_seconds_starts_no_storm_and_is_used_while_it_lasts() {
    for life in [3, 7, 30, 59] {
        let world = World::with(
            |config| {
                let never = EndpointOverride { rate: None, fresh: Some(Duration::ZERO), stale: None };
                config.endpoints.insert("group.read".to_owned(), never);
            },
            |vendor| vendor.token_ttl = Duration::from_secs(life),
        );
        let renewals = std::sync::Arc::clone(&world.parts.house.tokens).renewals();
        world.tasks.spawn_until_stop("token renewals", renewals);
        let mut good = 0;
        for _ in 0..3_600 {
            let group = request(Method::GET, &format!("/chatgroups/{A}"), None);
            good += usize::from(world.send(group).await.status == 200);
            sleep(Duration::from_secs(1)).await;
        }
        assert!(world.grants() <= 26, "{life}: {} grants in an hour", world.grants());
        assert!(good > 0, "{life}");
    }
}
