//! The vendor's own refusals, and callers who leave while they wait.

use super::{count, group, secs, warm};
use crate::path::refusals::assert_refused;
use crate::path::token::uncached;
use crate::support::world::{World, request};
use easemob_gateway::clock::unix_ms;
use easemob_gateway::config::PoolOverride;
use easemob_gateway::simulator::{Fault, Matcher, SAMPLE_GROUPS};
use easemob_gateway::units::Rate;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn reach_limit() -> Fault {
    Fault::status(StatusCode::TOO_MANY_REQUESTS)
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_the_vendor_saw_first_is_passed_on_and_rests_its_pool_only() {
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    world.vendor.next(Matcher::exactly(group()), reach_limit().retry_after(3));
    let reply = world.get(&group()).await;
    assert_eq!((reply.status.as_u16(), reply.refusal()), (429, ""), "the vendor's own");
    assert_eq!(reply.header("retry-after"), "3");
    assert_eq!(reply.json()["error"], "reach_limit");
    assert_eq!(reply.json()["error_description"], "This request has reached api limit");
    assert_eq!(world.calls(), 1, "it is not repeated");
    for _ in 0..3 {
        let reply = world.get(&group()).await;
        assert_refused(&reply, 429, "reach_limit", "budget_spent");
        assert!(["2", "3"].contains(&reply.header("retry-after")), "{:?}", reply.headers);
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(world.calls(), 1, "the others learn it without asking");
    assert_eq!(world.get("/chatgroups/user/alice").await.status, 200, "another pool goes on");
    // Within patience of the pause's end they wait for it.
    sleep(Duration::from_millis(800)).await;
    let began = Instant::now();
    assert_eq!(world.get(&group()).await.status, 200);
    assert_eq!(began.elapsed(), Duration::from_millis(700));
}

#[tokio::test(start_paused = true)]
async fn without_retry_after_a_pool_rests_for_a_second_then_for_longer() {
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    let mut rests = Vec::new();
    for _ in 0..7 {
        world.vendor.next(Matcher::exactly(group()), reach_limit());
        while world.get(&group()).await.refusal() == "budget_spent" {
            sleep(Duration::from_millis(20)).await;
        }
        let began = Instant::now();
        loop {
            let calls = world.calls();
            let mut impatient = request(Method::GET, &group(), None);
            impatient.headers_mut().insert("x-request-timeout-ms", "0".parse().unwrap());
            world.vendor.next(Matcher::exactly(group()), reach_limit());
            let reply = world.send(impatient).await;
            if world.calls() > calls {
                assert_eq!(reply.refusal(), "");
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        world.vendor.clear_faults();
        rests.push(began.elapsed().as_millis());
        if rests.len() == 1 {
            assert!((990..=1_060).contains(&rests[0]), "{rests:?}");
        }
    }
    assert!(rests.is_sorted() && *rests.last().unwrap() <= 30_100, "doubles up to 30 s: {rests:?}");
    assert!(*rests.last().unwrap() >= 29_000, "{rests:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_used_up_is_passed_on_never_repeated_and_rests_nothing() {
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    let says = "You have exceeded the limit of the community edition. Please upgrade to higher edition.";
    let body = json!({"error": "resource_limited", "error_description": says}).to_string();
    let fault = Fault::body(StatusCode::TOO_MANY_REQUESTS, body);
    world.vendor.next(Matcher::exactly(group()), fault);
    let reply = world.get(&group()).await;
    assert_eq!((reply.status.as_u16(), reply.refusal()), (429, ""));
    assert_eq!(reply.json()["error"], "resource_limited");
    assert_eq!(world.calls(), 1);
    let replies = join_all((0..49).map(|_| async { world.get(&group()).await })).await;
    assert_eq!(count(&replies, 200), 49, "nothing rests");
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_he_waits_spends_nothing() {
    let world = World::new();
    warm(&world).await;
    // Half of the pool goes at once; the rest are left waiting in the queue when their callers hang up.
    let mute = || {
        let body = json!({"usernames": ["bob"], "mute_duration": 1_000});
        request(Method::POST, &format!("{}/mute", group()), Some(body))
    };
    let crowd = join_all((0..80).map(|_| world.send(mute())));
    let left = tokio::time::timeout(Duration::from_millis(5), crowd).await;
    assert!(left.is_err(), "some were still waiting");
    sleep(secs(10)).await;
    let seen = world.vendor.counters().get("POST", "/chatgroups/{group_id}/mute").total;
    assert_eq!(seen, 50);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_everybody_has_left_spends_nothing() {
    let world = World::new();
    warm(&world).await;
    let paths: Vec<String> = (0..80).map(|n| format!("/chatgroups/{n}")).collect();
    let crowd = join_all(paths.iter().flat_map(|path| [world.get(path), world.get(path)]));
    let left = tokio::time::timeout(Duration::from_millis(5), crowd).await;
    assert!(left.is_err(), "some were still waiting");
    sleep(secs(10)).await;
    assert_eq!(world.vendor.counters().get("GET", "/chatgroups/{group_id}").total, 50);
    assert_eq!(world.get(&paths[79]).await.status, 404, "whoever comes later begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_goes_on_for_those_who_stay() {
    let world = World::new();
    warm(&world).await;
    let others: Vec<String> = (0..60).map(|n| format!("/chatgroups/{n}")).collect();
    let crowd = join_all(others.iter().map(|path| world.get(path)));
    let path = format!("/chatgroups/{}", SAMPLE_GROUPS[1]);
    let pair = async {
        let leader = tokio::time::timeout(Duration::from_millis(5), world.get(&path));
        let (left, stays) = tokio::join!(leader, world.get(&path));
        assert!(left.is_err(), "the one who began it has hung up");
        stays
    };
    let (_, stays) = tokio::join!(crowd, pair);
    assert_eq!(stays.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_which_budget_is_spent_and_when_there_is_one_again() {
    let world = World::new();
    warm(&world).await;
    world.vendor.next(Matcher::exactly(group()), reach_limit().retry_after(7));
    assert_eq!(world.get(&group()).await.header("ratelimit"), "", "the vendor says no such thing");
    let reply = world.get(&group()).await;
    assert_eq!(reply.header("ratelimit-policy"), "\"group.read\";q=100;w=1");
    assert_eq!(reply.header("ratelimit"), "\"group.read\";r=0;t=7");
    assert_eq!(reply.header("retry-after"), "7");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_may_say_in_any_way_how_long_to_wait() {
    let date = |secs: i64| {
        let at = Duration::from_millis(unix_ms()).as_secs().saturating_add_signed(secs);
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + self::secs(at))
    };
    // What it says, and how long the pool rests at least and at most.
    let cases = [
        ("5".to_owned(), 5, 5),
        (" 5 ".to_owned(), 5, 5),
        (date(5), 4, 5),
        (date(1_000_000), 3_600, 3_600),
        ("999999999999999999999999".to_owned(), 3_600, 3_600),
        ("18446744073709551615".to_owned(), 3_600, 3_600),
        // What cannot be meant is as if it had said nothing.
        ("0".to_owned(), 1, 1),
        ("-5".to_owned(), 1, 1),
        ("1.5".to_owned(), 1, 1),
        ("soon".to_owned(), 1, 1),
        (date(-60), 1, 1),
    ];
    for (says, least, most) in cases {
        let world = World::with(uncached, |_| {});
        warm(&world).await;
        let fault = reach_limit().header(http::header::RETRY_AFTER, says.parse().unwrap());
        world.vendor.next(Matcher::exactly(group()), fault);
        let reply = world.get(&group()).await;
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, &*says), "{says}");
        let mut impatient = request(Method::GET, &group(), None);
        impatient.headers_mut().insert("x-request-timeout-ms", "0".parse().unwrap());
        let refused = world.send(impatient).await;
        assert_refused(&refused, 429, "reach_limit", "budget_spent");
        let after: u64 = refused.header("retry-after").parse().unwrap();
        assert!((least..=most).contains(&after), "{says}: {after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_repeated_spends_the_limit_again() {
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    let admitted = "gateway_pool_admitted_total{pool=\"group.read\"}";
    world.vendor.next(Matcher::exactly(group()), Fault::status(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(world.get(&group()).await.status, 200);
    assert_eq!((world.calls(), world.metric(admitted)), (2, 2.0));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_may_not_be_repeated_gets_what_the_vendor_said_first() {
    let world = World::with(
        |config| {
            uncached(config);
            let once = PoolOverride { rate: Some(Rate::per_minute(1)), per_call: None };
            config.pools.insert("group.read".to_owned(), once);
        },
        |_| {},
    );
    warm(&world).await;
    world.vendor.next(Matcher::exactly(group()), Fault::status(StatusCode::BAD_GATEWAY));
    let reply = world.get(&group()).await;
    assert_eq!((reply.status.as_u16(), reply.refusal()), (502, ""), "it was sent, so nobody says it was not");
    assert_eq!(world.calls(), 1);
}
