//! Writes of which nobody knows what became: given up, cut off, or left by their caller.
//!
//! From the moment the caller is told, nothing fetched before is served. Until the vendor's late answer comes, or
//! for as long as the doubt lasts, what is read is shared and not kept.

use super::oracle::{Ask, assert_true};
use crate::support::world::World;
use easemob_gateway::config::EndpointOverride;
use easemob_gateway::simulator::{Fault, Hold, HoldAt, Matcher, SAMPLE_GROUPS};
use futures_util::poll;
use http::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;

const A: &str = SAMPLE_GROUPS[0];

fn notice() -> Ask {
    Ask::get(format!("/chatgroups/{A}/announcement"))
}

fn announce(text: &str) -> Ask {
    Ask::new(Method::POST, notice().path, json!({ "announcement": text }))
}

fn writes() -> Matcher {
    Matcher::path("/chatgroups").method(Method::POST).times(1)
}

/// Two reads in a row ask the vendor twice, and both are true.
async fn assert_true_and_not_kept(world: &World, read: &Ask) {
    for _ in 0..2 {
        let calls = world.calls();
        assert_true(world, read, &read.through(world).await);
        assert_eq!(world.calls(), calls + 1, "{} was kept in doubt", read.path);
    }
}

async fn assert_true_and_kept(world: &World, read: &Ask) {
    assert_true(world, read, &read.through(world).await);
    let hit = read.through(world).await;
    assert!(hit.is_hit());
    assert_true(world, read, &hit);
}

/// A write that is held at the vendor until the gateway gives it up.
async fn given_up(world: &World, text: &str) -> Hold {
    let hold = world.vendor.hold(writes(), HoldAt::Arrival);
    let reply = announce(text).through(world).await;
    assert_eq!((reply.status, reply.refusal()), (StatusCode::GATEWAY_TIMEOUT, "timed_out"));
    hold
}

#[tokio::test(start_paused = true)]
async fn a_write_done_after_its_timeout_is_seen_when_its_answer_comes() {
    let (world, read) = (World::new(), notice());
    assert_true_and_kept(&world, &read).await;
    let hold = given_up(&world, "late").await;
    assert_true_and_not_kept(&world, &read).await;
    // Readers in doubt share one call.
    let calls = world.calls();
    let (one, two) = tokio::join!(read.through(&world), read.through(&world));
    assert_eq!((one.status, two.status, world.calls()), (StatusCode::OK, StatusCode::OK, calls + 1));
    hold.release();
    world.settle().await;
    assert_eq!(read.through(&world).await.data()["announcement"], "late");
    assert_true_and_not_kept(&world, &read).await;
    tokio::time::advance(Duration::from_millis(1_100)).await;
    assert_true_and_kept(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_began_in_doubt_and_lands_after_the_late_answer_is_not_kept() {
    let (world, read) = (World::new(), notice());
    let write = given_up(&world, "late").await;
    let reading =
        world.vendor.hold(Matcher::exactly(&read.path).method(Method::GET).times(1), HoldAt::Answer);
    let mut early = Box::pin(read.through(&world));
    assert!(poll!(&mut early).is_pending());
    reading.arrived(1).await;
    write.release();
    world.settle().await;
    // Who comes after the late answer does not join what began before it.
    assert_true(&world, &read, &read.through(&world).await);
    tokio::time::advance(Duration::from_secs(2)).await;
    reading.release();
    early.await;
    assert_true(&world, &read, &read.through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_began_in_doubt_and_lands_after_it_is_not_kept() {
    let (world, read) = (World::new(), notice());
    world.vendor.next(writes(), Fault::ResetBefore);
    announce("done after all").through(&world).await;
    tokio::time::advance(Duration::from_secs(58)).await;
    let reading =
        world.vendor.hold(Matcher::exactly(&read.path).method(Method::GET).times(1), HoldAt::Answer);
    let mut early = Box::pin(read.through(&world));
    assert!(poll!(&mut early).is_pending());
    reading.arrived(1).await;
    announce("done after all").behind(&world);
    tokio::time::advance(Duration::from_secs(3)).await;
    reading.release();
    assert_eq!(early.await.header("cache-status"), "easemob-gateway; fwd=miss; detail=in-doubt");
    assert_true_and_kept(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_read_after_the_doubt_ends_with_the_late_answer() {
    let short = |config: &mut easemob_gateway::config::Config| config.cache.doubt = Duration::from_secs(5);
    let (world, read) = (World::with(short, |_| {}), notice());
    let hold = given_up(&world, "late").await;
    tokio::time::advance(Duration::from_secs(6)).await;
    // Kept or not: what was read before the late answer is not served after it.
    assert_true(&world, &read, &read.through(&world).await);
    hold.release();
    world.settle().await;
    assert_true(&world, &read, &read.through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_that_says_nothing_ends_no_doubt() {
    let (world, read) = (World::new(), notice());
    world.vendor.next(writes(), Fault::status(StatusCode::GATEWAY_TIMEOUT));
    let hold = given_up(&world, "done even later").await;
    tokio::time::advance(Duration::from_secs(40)).await;
    hold.release();
    world.settle().await;
    // Whoever stood between gave up; the vendor may still be at it, for as long as after any failure.
    for seconds in [0, 2, 56] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        assert_true_and_not_kept(&world, &read).await;
    }
    announce("done even later").behind(&world);
    assert_true_and_not_kept(&world, &read).await;
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_true_and_kept(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn the_late_answer_of_one_write_does_not_end_the_doubt_about_another() {
    let (world, read) = (World::new(), notice());
    let first = given_up(&world, "first").await;
    let second = given_up(&world, "second").await;
    first.release();
    world.settle().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_true_and_not_kept(&world, &read).await;
    second.release();
    world.settle().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(read.through(&world).await.data()["announcement"], "second");
    assert_true_and_kept(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn two_writes_given_up_in_the_same_moment_are_two_doubts() {
    let (world, read) = (World::new(), Ask::get(format!("/chatgroups/{A}/mute")));
    let mute = Ask::new(Method::POST, &read.path, json!({"usernames": ["bob"], "mute_duration": -1}));
    let unmute = Ask::new(Method::DELETE, format!("{}/bob", read.path), serde_json::Value::Null);
    let first = world.vendor.hold(Matcher::path("/chatgroups").method(Method::POST), HoldAt::Arrival);
    let second = world.vendor.hold(Matcher::path("/chatgroups").method(Method::DELETE), HoldAt::Arrival);
    let (one, two) = tokio::join!(mute.through(&world), unmute.through(&world));
    assert_eq!((one.status, two.status), (StatusCode::GATEWAY_TIMEOUT, StatusCode::GATEWAY_TIMEOUT));
    first.release();
    world.settle().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_true_and_not_kept(&world, &read).await;
    second.release();
    world.settle().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_true_and_kept(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_connection_broke_is_in_doubt_for_its_whole_time() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::status(StatusCode::REQUEST_TIMEOUT)] {
        let (world, read) = (World::new(), notice());
        assert_true_and_kept(&world, &read).await;
        world.vendor.next(writes(), fault);
        assert!(!announce("new").through(&world).await.status.is_success());
        assert_true_and_not_kept(&world, &read).await;
        tokio::time::advance(Duration::from_secs(58)).await;
        assert_true_and_not_kept(&world, &read).await;
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_true_and_kept(&world, &read).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_a_vendor_that_did_it_all_the_same_is_seen() {
    let (world, read) = (World::new(), notice());
    assert_true_and_kept(&world, &read).await;
    world.vendor.next(writes(), Fault::status(StatusCode::FORBIDDEN).after_effect());
    assert_eq!(announce("new").through(&world).await.status, StatusCode::FORBIDDEN);
    assert_true_and_kept(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn a_later_write_does_not_shorten_a_doubt() {
    let (world, read) = (World::new(), notice());
    world.vendor.next(writes(), Fault::ResetBefore);
    announce("lost").through(&world).await;
    assert_eq!(announce("good").through(&world).await.status, 200);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_true_and_not_kept(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_before_his_write_left_takes_it_with_him() {
    let slow = |config: &mut easemob_gateway::config::Config| {
        let rate = Some("1/min".parse().unwrap());
        config
            .endpoints
            .insert("group.announcement.set".into(), EndpointOverride { rate, fresh: None, stale: None });
        config.limits.patience = Duration::from_secs(100);
    };
    let (world, read) = (World::with(slow, |_| {}), notice());
    assert_eq!(announce("one").through(&world).await.status, 200);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_true_and_kept(&world, &read).await;
    let (two, calls) = (announce("two"), world.calls());
    let mut waiting = Box::pin(two.through(&world));
    assert!(poll!(&mut waiting).is_pending());
    world.settle().await;
    drop(waiting);
    world.settle().await;
    assert!(read.through(&world).await.is_hit(), "nothing was touched");
    // What he left is free for the next: no longer than until the first permit is out of the window.
    let before = tokio::time::Instant::now();
    assert_eq!(announce("three").through(&world).await.status, 200);
    assert!(before.elapsed() < Duration::from_secs(62), "{:?}", before.elapsed());
    assert_eq!(world.calls(), calls + 1);
    assert_true(&world, &read, &read.through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_on_when_its_caller_hangs_up() {
    for at in [HoldAt::Arrival, HoldAt::Answer] {
        let (world, read, write) = (World::new(), notice(), announce("new"));
        assert_true_and_kept(&world, &read).await;
        let hold = world.vendor.hold(writes(), at);
        let mut sent = Box::pin(write.through(&world));
        assert!(poll!(&mut sent).is_pending());
        hold.arrived(1).await;
        drop(sent);
        world.settle().await;
        hold.release();
        world.settle().await;
        assert_eq!(read.through(&world).await.data()["announcement"], "new");
        assert_true_and_not_kept(&world, &read).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_its_caller_left_and_that_is_never_answered_is_in_doubt() {
    let (world, read, write) = (World::new(), notice(), announce("new"));
    assert_true_and_kept(&world, &read).await;
    let hold = world.vendor.hold(writes(), HoldAt::Answer);
    let mut sent = Box::pin(write.through(&world));
    assert!(poll!(&mut sent).is_pending());
    hold.arrived(1).await;
    drop(sent);
    tokio::time::advance(Duration::from_secs(11)).await;
    world.settle().await;
    assert_eq!(read.through(&world).await.data()["announcement"], "new");
    assert_true_and_not_kept(&world, &read).await;
}
