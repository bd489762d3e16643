//! The call budget, as the vendor's own clock sees it: never over, never idle while somebody waits, never spent
//! on what memory or another reader's fetch can answer.

mod trouble;

use super::refusals::assert_refused;
use super::token::uncached;
use crate::support::world::{Reply, World, request};
use easemob_gateway::config::EndpointOverride;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use easemob_gateway::units::Rate;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn group() -> String {
    format!("/chatgroups/{}", SAMPLE_GROUPS[0])
}

const GROUP_SHAPE: &str = "/chatgroups/{group_id}";

/// So many callers each 10 ms for so long, none of whom waits for another; all answers.
async fn storm(world: &World, each: usize, lasts: Duration, path: impl Fn(usize) -> String) -> Vec<Reply> {
    let ticks = lasts.as_millis() as usize / 10;
    let path = &path;
    let callers = (0..ticks * each).map(|n| async move {
        sleep(Duration::from_millis(10) * (n / each) as u32).await;
        world.get(&path(n)).await
    });
    join_all(callers).await
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status.as_u16() == status).count()
}

/// With a token in hand, and time for the first call to leave every window.
async fn warm(world: &World) {
    assert_eq!(world.get("/chatgroups/1/announcement").await.status, 404);
    sleep(secs(3)).await;
    world.vendor.reset_counters();
}

#[tokio::test(start_paused = true)]
async fn the_vendor_never_sees_more_than_its_limit_in_any_second() {
    // Reads that are never shared, a pool of a hundred and one of fifty, from idle and under ten times as much.
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    let joined = |n| format!("/chatgroups/user/user{n}");
    let both =
        async { tokio::join!(storm(&world, 10, secs(5), |_| group()), storm(&world, 5, secs(5), joined)) };
    let began = Instant::now();
    let (hundred, fifty) = both.await;
    assert!(began.elapsed() < secs(7));
    for (replies, shape, limit) in [(hundred, GROUP_SHAPE, 100), (fifty, "/chatgroups/user/{username}", 50)] {
        let seen = world.vendor.counters().get("GET", shape);
        assert!(seen.busiest_second <= limit, "{shape}: {} in one second", seen.busiest_second);
        assert_eq!(seen.statuses.keys().collect::<Vec<_>>(), [&200], "the vendor never had to refuse");
        let good = count(&replies, 200);
        assert_eq!(good as u64, seen.total);
        assert_eq!(good + count(&replies, 429), replies.len());
        // Whoever came in five seconds may have waited one more.
        assert!(good * 100 >= limit * 5 * 96, "{shape}: {good} of {}", limit * 5);
        let refused = replies.iter().find(|reply| reply.status == StatusCode::TOO_MANY_REQUESTS).unwrap();
        assert_refused(refused, 429, "reach_limit", "budget_spent");
    }
    // Idle again, and all at once.
    sleep(secs(5)).await;
    world.vendor.reset_counters();
    let replies = storm(&world, 1_000, Duration::from_millis(10), |_| group()).await;
    assert!(count(&replies, 200) >= 96);
    assert!(world.vendor.counters().get("GET", GROUP_SHAPE).busiest_second <= 100);
    assert_eq!(world.grants(), 0, "counted since the reset");
}

#[tokio::test(start_paused = true)]
async fn steady_use_reaches_96_percent_of_the_limit() {
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    let replies = storm(&world, 2, secs(20), |_| group()).await;
    let good = count(&replies, 200);
    assert!(good >= 96 * 20, "{good} in 20 s");
    assert!(world.vendor.counters().get("GET", GROUP_SHAPE).busiest_second <= 100);
}

#[tokio::test(start_paused = true)]
async fn hits_and_joined_flights_spend_nothing() {
    let world = World::new();
    warm(&world).await;
    let path = group();
    let replies = join_all((0..500).map(|_| world.get(&path))).await;
    assert_eq!(count(&replies, 200), 500);
    for _ in 0..500 {
        assert!(world.get(&path).await.is_hit());
    }
    assert_eq!(world.metric("gateway_pool_admitted_total{pool=\"group.read\"}"), 1.0);
    // 49 more go at once after idle: nothing but that one call was spent.
    let began = Instant::now();
    let others: Vec<String> = (0..49).map(|n| format!("/chatgroups/{n}")).collect();
    join_all(others.iter().map(|path| world.get(path))).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_longer_than_he_may_is_refused_at_once_and_nothing_is_sent() {
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    let path = group();
    // Fifty go at once, and what waits after them fills more than the second that anybody may wait.
    let crowd = join_all((0..150).map(|_| world.get(&path)));
    let late = async {
        let (calls, began) = (world.calls(), Instant::now());
        assert!(calls <= 50);
        let reply = world.get(&path).await;
        assert_refused(&reply, 429, "reach_limit", "budget_spent");
        assert_eq!((world.calls(), began.elapsed()), (calls, Duration::ZERO), "at once, and nothing sent");
        let after: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=2).contains(&after), "{after}");
    };
    let (replies, ()) = tokio::join!(crowd, late);
    assert!(count(&replies, 200) >= 96, "who was let in was served");
}

async fn with_patience(world: &World, path: &str, ms: &str) -> Reply {
    let mut request = request(Method::GET, path, None);
    request.headers_mut().insert("x-request-timeout-ms", ms.parse().unwrap());
    world.send(request).await
}

#[tokio::test(start_paused = true)]
async fn a_caller_with_less_patience_is_refused_sooner_and_none_has_more() {
    let world = World::with(uncached, |_| {});
    warm(&world).await;
    let path = group();
    let first = join_all((0..80).map(|_| world.get(&path)));
    let then = async {
        let calls = world.calls();
        for ms in ["0", "1", " 100 "] {
            let began = Instant::now();
            let reply = with_patience(&world, &path, ms).await;
            assert_refused(&reply, 429, "reach_limit", "budget_spent");
            assert_eq!((began.elapsed(), world.calls()), (Duration::ZERO, calls), "{ms}");
        }
        // Of two the lesser counts, wherever it stands.
        for both in [["900", "1"], ["1", "900"], ["1", "soon"]] {
            let mut request = request(Method::GET, &path, None);
            for ms in both {
                request.headers_mut().append("x-request-timeout-ms", ms.parse().unwrap());
            }
            assert_refused(&world.send(request).await, 429, "reach_limit", "budget_spent");
        }
        // What is no number is as if nothing had been said.
        for ms in ["-1", "soon", "1e9", "", "0.5", "1, 2", "18446744073709551616"] {
            assert_eq!(with_patience(&world, &path, ms).await.status, 200, "{ms}");
        }
    };
    let (replies, ()) = tokio::join!(first, then);
    assert_eq!(count(&replies, 200), 80);
    let all = join_all((0..250).map(|_| with_patience(&world, &path, "99999999"))).await;
    assert!(count(&all, 429) > 50, "nobody has more patience than the gateway");
}

#[tokio::test(start_paused = true)]
async fn an_impatient_reader_does_not_fail_those_who_joined_him() {
    let world = World::new();
    warm(&world).await;
    let others: Vec<String> = (0..80).map(|n| format!("/chatgroups/{n}")).collect();
    let crowd = join_all(others.iter().map(|path| world.get(path)));
    let path = group();
    let readers = async {
        let followers = join_all((0..20).map(|_| world.get(&path)));
        // Polled in this order: the impatient one begins the fetch, the others join it.
        tokio::join!(with_patience(&world, &path, "1"), followers)
    };
    let (_, (impatient, followers)) = tokio::join!(crowd, readers);
    assert_refused(&impatient, 429, "reach_limit", "budget_spent");
    assert_eq!(count(&followers, 200), 20);
    let calls = world.vendor.calls();
    assert_eq!(calls.iter().filter(|call| call.target.ends_with(&path)).count(), 1, "one call for them all");
}

#[tokio::test(start_paused = true)]
async fn an_endpoints_rate_is_a_setting() {
    let world = World::with(
        |config| {
            let rate = Some(Rate::per_second(10));
            let own = EndpointOverride { rate, fresh: Some(Duration::ZERO), stale: None };
            config.endpoints.insert("group.read".to_owned(), own);
        },
        |_| {},
    );
    warm(&world).await;
    let replies = storm(&world, 1, secs(5), |_| group()).await;
    let busiest = world.vendor.counters().get("GET", GROUP_SHAPE).busiest_second;
    assert!(busiest <= 10, "{busiest}");
    assert!(count(&replies, 200) >= 48);
    let mutes = join_all((0..40).map(|_| {
        world.post("/chatgroups/66016455491585/mute", json!({"usernames": ["bob"], "mute_duration": 1_000}))
    }));
    assert_eq!(count(&mutes.await, 200), 40, "another endpoint has its own");
}
