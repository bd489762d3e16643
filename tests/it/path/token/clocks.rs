//! Clocks that part: a machine that slept, a wall clock that was set.

use super::state::{Life, no_grants};
use super::{group, renew, secs};
use crate::support::world::World;
use easemob_gateway::clock::{Drift, Wall};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::sleep;

const HOUR_MS: i64 = 3_600_000;

/// A gateway that watches the clocks, as the running program does.
fn watched(life: &Life) -> World {
    let world = life.process();
    let watching = Arc::clone(&world.parts.house).watch_clock(life.wall.clone());
    world.tasks.spawn_until_stop("clock watch", watching);
    world
}

#[tokio::test(start_paused = true)]
async fn only_a_jump_is_a_jump() {
    let shown = Arc::new(AtomicU64::new(1_000_000));
    let wall = {
        let shown = Arc::clone(&shown);
        Wall::of(move || shown.load(Ordering::Relaxed))
    };
    let mut drift = Drift::new(wall);
    // What passes on tokio's clock, what the wall clock shows then, and by how much that is a jump.
    let steps = [
        (1_000, 1_001_000, None),
        (1_000, 1_006_999, None),
        (60_000, 1_062_000, None),
        (1_000, 1_068_001, Some(5_001)),
        (1_000, 1_069_001, None),
        (1_000, 61_069_001, Some(59_999_000)),
        (0, 0, Some(-61_069_001)),
        (1_000, u64::MAX, Some(i64::MAX - 1_000)),
    ];
    for (passes_ms, shows, jump) in steps {
        sleep(std::time::Duration::from_millis(passes_ms)).await;
        shown.store(shows, Ordering::Relaxed);
        assert_eq!(drift.look(), jump, "{passes_ms} {shows}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_jump_nothing_kept_before_is_served() {
    for by_ms in [6_000, HOUR_MS, -6_000, -HOUR_MS] {
        let life = Life::with(|config| config.endpoints.clear(), |_| {});
        let world = watched(&life);
        assert_eq!(world.get(&group()).await.status, 200);
        sleep(secs(2)).await;
        assert!(world.get(&group()).await.is_hit());
        life.shift_ms.store(by_ms, Ordering::Relaxed);
        sleep(secs(1)).await;
        world.settle().await;
        assert!(!world.get(&group()).await.is_hit(), "{by_ms}");
        assert_eq!(life.grants(), 1, "the token lives longer: {by_ms}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_while_the_machine_slept_is_not_sent() {
    let life = Life::with(|_| {}, |vendor| vendor.token_ttl = secs(7_200));
    let world = watched(&life);
    renew(&world);
    assert_eq!(world.get(&group()).await.status, 200);
    // Tokio's clock stands still; also within the second before the jump is noticed.
    life.shift_ms.store(2 * HOUR_MS, Ordering::Relaxed);
    life.vendor.control().revoke_tokens();
    assert_eq!(world.get(&group()).await.status, 200);
    assert_eq!(life.grants(), 2);
    let seen = life.vendor.control().counters().get("GET", "/chatgroups/{group_id}").statuses;
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [200], "the vendor never saw it");
    // Should the clock be set back, the new token stays.
    life.shift_ms.store(0, Ordering::Relaxed);
    sleep(secs(5)).await;
    assert_eq!(world.get(&group()).await.status, 200);
    assert_eq!(life.grants(), 2);
}

#[tokio::test(start_paused = true)]
async fn sleep_makes_a_token_older_so_it_is_renewed_earlier() {
    let life = Life::with(|_| {}, |vendor| vendor.token_ttl = secs(10 * 3_600));
    let world = watched(&life);
    renew(&world);
    assert_eq!(world.get(&group()).await.status, 200);
    sleep(secs(60)).await;
    life.shift_ms.store(8 * HOUR_MS, Ordering::Relaxed);
    sleep(secs(2)).await;
    world.settle().await;
    assert_eq!(life.grants(), 2, "without anybody's call");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_makes_no_token_younger() {
    let life = Life::with(|_| {}, |vendor| vendor.token_ttl = secs(3_600));
    let world = watched(&life);
    assert_eq!(world.get(&group()).await.status, 200);
    life.shift_ms.store(-100 * HOUR_MS, Ordering::Relaxed);
    sleep(secs(3_599)).await;
    assert_eq!(world.get(&group()).await.status, 200);
    let seen = life.vendor.control().counters().get("GET", "/chatgroups/{group_id}").statuses;
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [200]);
    assert_eq!(life.grants(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_changes_no_budget_also_not_for_the_next_process() {
    for by_ms in [3 * HOUR_MS, -3 * HOUR_MS] {
        let life = Life::new();
        no_grants(&life);
        let world = watched(&life);
        renew(&world);
        sleep(secs(400)).await;
        assert_eq!(life.grants(), 6);
        life.shift_ms.store(by_ms, Ordering::Relaxed);
        sleep(secs(2)).await;
        world.settle().await;
        drop(world);
        sleep(secs(120)).await;
        let report = life.process().parts.house.tokens.report();
        assert_eq!((report.grants_last_hour, report.grants_left), (6, 0), "{by_ms}");
        assert!(report.next_in < secs(500), "nor is any of them dated in the future: {:?}", report.next_in);
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_counts_from_when_the_token_was_asked_for() {
    let life = Life::with(|_| {}, |vendor| vendor.token_ttl = secs(100));
    let world = life.process();
    // The vendor counts from when it answers; how long that took to arrive nobody knows.
    life.vendor.control().latency(secs(4));
    assert_eq!(world.get(&group()).await.status, 200);
    life.vendor.control().latency(secs(0));
    let left = world.parts.house.tokens.report().left.unwrap();
    assert!(left <= secs(92), "{left:?}");
}
