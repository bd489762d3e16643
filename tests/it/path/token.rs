//! The token keeper: asked for rarely, renewed early, never sent when it has ended, never told to anybody.
//!
//! How often it was asked for is read from the vendor's own list of token requests.

mod clocks;
mod reasons;
mod refused;
mod rotation;
mod secret;
mod state;

use super::refusals::assert_refused;
use crate::support::tap::Sent;
use crate::support::world::World;
use bytes::Bytes;
use easemob_gateway::config::{Config, EndpointOverride, ExpiresInUnit};
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_GROUPS};
use futures_util::future::join_all;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Reads that always ask the vendor.
pub(super) fn uncached(config: &mut Config) {
    let never = EndpointOverride { rate: None, fresh: Some(Duration::ZERO), stale: None };
    config.endpoints.insert("group.read".to_owned(), never);
}

fn group() -> String {
    format!("/chatgroups/{}", SAMPLE_GROUPS[0])
}

fn any_grant() -> Matcher {
    Matcher::exactly("/token")
}

/// Keeps the token fresh in the background, as the running program does.
fn renew(world: &World) {
    world.tasks.spawn_until_stop("token renewals", Arc::clone(&world.parts.house.tokens).renewals());
}

/// The seconds between one token request and the next.
fn gaps(world: &World) -> Vec<f64> {
    let times = world.vendor.counters().token_requests;
    times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1000.0).collect()
}

/// Answers of the token endpoint in which `expires_in` is this.
fn with_expires_in(value: Option<Value>) -> impl Fn(&Sent, &mut Response<Bytes>) + Send + Sync {
    move |sent, answer| {
        if sent.is_grant() && answer.status() == StatusCode::OK {
            let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
            let members = body.as_object_mut().unwrap();
            match &value {
                Some(value) => members.insert("expires_in".to_owned(), value.clone()),
                None => members.remove("expires_in"),
            };
            *answer.body_mut() = body.to_string().into();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_that_find_no_token_wait_for_one_grant() {
    let world = World::with(|config| config.limits.patience = secs(60), |vendor| vendor.limits = false);
    let hold = world.vendor.hold(any_grant(), HoldAt::Arrival);
    let paths: Vec<String> = (0..1_000).map(|n| format!("/chatgroups/{n}/announcement")).collect();
    let calls = join_all(paths.iter().map(|path| world.get(path)));
    let meanwhile = async {
        hold.arrived(1).await;
        sleep(secs(1)).await;
        assert_eq!((world.grants(), world.calls()), (1, 0), "nobody goes without a token");
        hold.release();
    };
    let (replies, ()) = tokio::join!(calls, meanwhile);
    assert!(replies.iter().all(|reply| reply.status == 404), "all were asked");
    assert_eq!((world.grants(), world.calls()), (1, 1_000));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_at_about_two_thirds_of_its_life_and_not_by_all_at_once() {
    let mut firsts = Vec::new();
    for seed in 0..8 {
        let (world, _) = World::tapped(seed, |_, _| {}, |_| {}, |vendor| vendor.token_ttl = HOUR);
        renew(&world);
        sleep(HOUR * 10).await;
        let gaps = gaps(&world);
        assert!(gaps.len() >= 13, "{gaps:?}");
        assert!(gaps.iter().all(|gap| (0.58 * 3600.0..=0.75 * 3600.0).contains(gap)), "{gaps:?}");
        firsts.push(gaps[0] as u64);
    }
    firsts.sort_unstable();
    firsts.dedup();
    assert!(firsts.len() > 4, "chance spreads them: {firsts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_lived_token_is_renewed_within_seven_days_and_not_by_all_at_once() {
    let mut firsts = Vec::new();
    for (seed, ttl) in [DAY * 60, DAY * 60, DAY * 3_650, Duration::ZERO].into_iter().enumerate() {
        let (world, _) = World::tapped(seed as u64, |_, _| {}, |_| {}, |vendor| vendor.token_ttl = ttl);
        renew(&world);
        sleep(DAY * 30).await;
        let gaps = gaps(&world);
        let week = DAY.as_secs_f64() * 7.0;
        assert!((4..=8).contains(&gaps.len()), "{gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= week + 1.0), "{gaps:?}");
        firsts.push(gaps[0] as u64);
    }
    firsts.dedup();
    assert_eq!(firsts.len(), 4, "a fleet that was started together must not renew together: {firsts:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_renewal_while_the_old_token_is_good() {
    let world = World::with(uncached, |vendor| vendor.token_ttl = HOUR);
    renew(&world);
    assert_eq!(world.get(&group()).await.status, 200);
    let hold = world.vendor.hold(any_grant(), HoldAt::Arrival);
    sleep(HOUR.mul_f64(0.8)).await;
    assert!(hold.count() > 0, "the renewal is under way");
    let before = tokio::time::Instant::now();
    assert_eq!(world.get(&group()).await.status, 200);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_ended_is_never_sent() {
    let world = World::with(uncached, |vendor| vendor.token_ttl = secs(100));
    renew(&world);
    assert_eq!(world.get(&group()).await.status, 200);
    // From now on the token endpoint is down.
    world.vendor.next(any_grant().times(1_000_000), Fault::ResetBefore);
    let (mut good, mut refused) = (0, 0);
    for _ in 0..400 {
        sleep(Duration::from_millis(500)).await;
        let reply = world.get(&group()).await;
        if reply.status == 200 {
            good += 1;
        } else {
            assert_refused(&reply, 503, "service_unavailable", "no_token");
            refused += 1;
        }
    }
    let seen = world.vendor.counters().get("GET", "/chatgroups/{group_id}").statuses;
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [200], "the vendor never saw it: {seen:?}");
    assert!(good >= 190, "it was used to its end: {good} good, {refused} refused");
    world.vendor.clear_faults();
    world.vendor.token_ttl(DAY);
    sleep(HOUR).await;
    assert_eq!(world.get(&group()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_down_at_start_is_asked_ever_more_rarely() {
    let world = World::new();
    world.vendor.next(any_grant().times(1_000_000), Fault::ResetBefore);
    renew(&world);
    for _ in 0..5 * 3_600 {
        let reply = world.get(&group()).await;
        assert_refused(&reply, 503, "service_unavailable", "no_token");
        let after: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=3_600).contains(&after), "{after}");
        sleep(secs(1)).await;
    }
    assert_eq!(world.calls(), 0);
    let gaps = gaps(&world);
    // First the pauses after failures, which spread the budget over some minutes; then the pace beyond it.
    let pauses = [1.0, 4.0, 16.0, 64.0, 256.0, 600.0, 1_200.0, 2_400.0, 3_600.0, 3_600.0, 3_600.0];
    assert_eq!(gaps.len(), pauses.len(), "{gaps:?}");
    for (gap, pause) in gaps.iter().zip(pauses) {
        let jitter = if pause < 600.0 { 0.2 * pause } else { 0.0 };
        assert!((pause - jitter..=pause + jitter + 1.1).contains(gap), "{gap} in {gaps:?}");
    }
    let jittered = gaps.iter().any(|gap| (gap - gap.round()).abs() > 0.01);
    assert!(jittered, "{gaps:?}");
    world.vendor.clear_faults();
    sleep(HOUR).await;
    assert_eq!(world.get(&group()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_not_tried_in_a_loop() {
    let world = World::with(|_| {}, |vendor| vendor.client_secret = "another".to_owned());
    renew(&world);
    for _ in 0..3_600 {
        let reply = world.get(&group()).await;
        assert_refused(&reply, 503, "service_unavailable", "no_token");
        sleep(secs(1)).await;
    }
    assert!((2..=8).contains(&world.grants()), "{} in an hour", world.grants());
    let gaps = gaps(&world);
    assert!(gaps.windows(2).all(|pair| pair[1] > pair[0] * 1.2), "ever more rarely: {gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_token_is_a_failure_like_any_other() {
    let says = |status: u16, body: &str| Fault::body(StatusCode::from_u16(status).unwrap(), body.to_owned());
    let long = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(100_000));
    let answers = [
        Fault::status(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::status(StatusCode::SERVICE_UNAVAILABLE),
        Fault::status(StatusCode::TOO_MANY_REQUESTS),
        says(302, ""),
        says(200, ""),
        says(200, "{}"),
        says(200, "<html>welcome</html>"),
        says(200, r#"{"access_token":""}"#),
        says(200, r#"{"access_token":"a b"}"#),
        says(200, r#"{"access_token":"a\r\nx: y"}"#),
        says(200, r#"{"access_token":7,"expires_in":60}"#),
        says(200, &long),
        Fault::ResetAfter,
    ];
    for answer in answers {
        let world = World::new();
        world.vendor.next(any_grant(), answer.clone());
        for _ in 0..3 {
            assert_refused(&world.get(&group()).await, 503, "service_unavailable", "no_token");
        }
        assert_eq!((world.grants(), world.calls()), (1, 0), "{answer:?}");
        sleep(Duration::from_millis(1_300)).await;
        assert_eq!(world.get(&group()).await.status, 200, "{answer:?}");
        assert_eq!(world.grants(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn any_life_that_the_vendor_may_name_is_understood() {
    let week = 7.0 * DAY.as_secs_f64();
    // The life, and until when the token is renewed; the vendor's own tokens live longer than all of these.
    let cases = [
        (None, week),
        (Some(json!(null)), week),
        (Some(json!(0)), week),
        (Some(json!(-1)), week),
        (Some(json!("soon")), week),
        (Some(json!(true)), week),
        (Some(json!(1e300)), week),
        (Some(json!(u64::MAX)), week),
        (Some(json!(-0.5)), week),
        (Some(json!(1_u64 << 32)), week),
        (Some(json!((1_u64 << 63) + 1)), week),
        (Some(json!("99999999999999999999")), week),
        (Some(json!([7_200])), week),
        (Some(json!(7_200)), 0.75 * 7_200.0),
        (Some(json!("7200")), 0.75 * 7_200.0),
        (Some(json!(7_200.9)), 0.75 * 7_201.0),
    ];
    for (life, until) in cases {
        let (world, _) = World::tapped(3, with_expires_in(life.clone()), uncached, |_| {});
        renew(&world);
        assert_eq!(world.get(&group()).await.status, 200, "{life:?}");
        sleep(Duration::from_secs_f64(0.5 * until)).await;
        assert_eq!(world.grants(), 1, "{life:?}");
        assert_eq!(world.get(&group()).await.status, 200, "{life:?}");
        sleep(Duration::from_secs_f64(0.51 * until)).await;
        assert_eq!(world.grants(), 2, "{life:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_too_short_to_use_starts_no_storm() {
    for life in [json!(1), json!(0.5), json!("2"), json!(0.000_001)] {
        let (world, _) = World::tapped(3, with_expires_in(Some(life.clone())), uncached, |_| {});
        renew(&world);
        for _ in 0..3_600 {
            world.get(&group()).await;
            sleep(secs(1)).await;
        }
        assert!(world.grants() <= 26, "{life}: {} grants in an hour", world.grants());
    }
}

#[tokio::test(start_paused = true)]
async fn milliseconds_are_read_where_the_deployment_writes_them() {
    let millis = |config: &mut Config| config.vendor.expires_in_unit = ExpiresInUnit::Milliseconds;
    let (world, _) = World::tapped(
        3,
        |_, _| {},
        millis,
        |vendor| {
            vendor.token_millis = true;
            vendor.token_ttl = HOUR;
        },
    );
    renew(&world);
    sleep(HOUR).await;
    assert_eq!(world.grants(), 2);
    // Sixty days are more milliseconds than 32 bits hold.
    for (life, until) in [
        (json!(60 * 86_400_000_u64), 7.0 * DAY.as_secs_f64()),
        (json!("7200000"), 0.75 * 7_200.0),
        (json!(7_200_000.5), 0.75 * 7_201.0),
        (json!(0), 7.0 * DAY.as_secs_f64()),
    ] {
        let (world, _) = World::tapped(3, with_expires_in(Some(life.clone())), millis, |_| {});
        renew(&world);
        sleep(Duration::from_secs_f64(0.5 * until)).await;
        assert_eq!(world.grants(), 1, "{life}");
        sleep(Duration::from_secs_f64(0.51 * until)).await;
        assert_eq!(world.grants(), 2, "{life}");
    }
}
