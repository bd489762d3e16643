//! The vendor's pools and the callers' quotas, on paused time: who goes when, who is refused, who is woken.
//!
//! What must hold for any arrivals is in `model`; here are the cases that people ask about.

#![allow(clippy::unwrap_used, reason = "helpers of tests may")]

mod model;
mod queue;
mod trouble;
mod weights;

use easemob_gateway::limit::{
    Charge, Fairness, Limits, Permit, Place, PoolId, PoolSettings, Quotas, Settings, Spent, SpentKind,
};
use easemob_gateway::units::Rate;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

const A: PoolId = PoolId(0);
const B: PoolId = PoolId(1);

fn settings() -> Settings {
    Settings {
        window_margin: 0.03,
        waiting_max: 1024,
        ready_max: 8,
        pause_default: secs(1),
        pause_max: secs(30),
    }
}

fn limits(rates: &[Rate]) -> Arc<Limits> {
    let pool = |(n, rate): (usize, &Rate)| PoolSettings {
        name: format!("pool_{n}"),
        rate: *rate,
        per_call: rate.count(),
    };
    Limits::new(rates.iter().enumerate().map(pool).collect(), settings())
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One call from the queue to its permit.
async fn call(limits: &Arc<Limits>, pools: &[PoolId], patience: Duration) -> Result<Instant, Spent> {
    let mut place = limits.queue(pools, patience)?;
    place.near().await?;
    Ok(place.admit().await?.at())
}

/// `count` calls at once; when each got its permit.
async fn herd(
    limits: &Arc<Limits>,
    pools: &[PoolId],
    patience: Duration,
    count: usize,
) -> Vec<Result<Instant, Spent>> {
    join_all((0..count).map(|_| call(limits, pools, patience))).await
}

/// For so long there are always `width` who wait; every permit, in order.
async fn press(limits: &Arc<Limits>, pools: &[PoolId], width: usize, duration: Duration) -> Vec<Instant> {
    let end = Instant::now() + duration;
    let worker = async || {
        let mut permits = Vec::new();
        while Instant::now() < end {
            permits.push(call(limits, pools, secs(100)).await.unwrap());
        }
        permits
    };
    let mut permits = join_all((0..width).map(|_| worker())).await.concat();
    permits.sort();
    permits
}

fn longest_gap(permits: &[Instant]) -> Duration {
    permits.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// The most permits in any window of this length.
fn most_within(permits: &[Instant], window: Duration) -> usize {
    let until = |from: usize| permits.partition_point(|at| *at < permits[from] + window);
    (0..permits.len()).map(|from| until(from) - from).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn half_goes_at_once_after_idle_and_the_rest_is_spread() {
    let limits = limits(&[Rate::per_second(100)]);
    for _ in 0..2 {
        let start = Instant::now();
        let permits: Vec<_> =
            herd(&limits, &[A], secs(9), 100).await.into_iter().map(Result::unwrap).collect();
        assert!(permits.iter().all(|at| *at < start + secs(1) + ms(30)), "a hundred go in one window");
        assert_eq!(permits.iter().filter(|at| **at == start).count(), 50);
        assert!(longest_gap(&permits) <= ms(22), "{:?}", longest_gap(&permits));
        assert!(permits.is_sorted(), "in the order of their coming");
        sleep(secs(2)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn steady_use_reaches_96_percent_without_holes_and_never_more_than_the_limit() {
    for count in [20, 100, 150, 1000] {
        let limits = limits(&[Rate::per_second(count)]);
        sleep(Duration::from_micros(300)).await;
        let permits = press(&limits, &[A], 64, secs(20)).await;
        let (count, steady) =
            (count as usize, permits.iter().filter(|at| **at >= permits[0] + secs(5)).count());
        assert!(steady * 100 >= 96 * count * 15, "{count}/s: {steady} in 15 s");
        assert_eq!(most_within(&permits, ms(1030)), count);
        assert!(longest_gap(&permits) <= secs(3) / count as u32, "{count}/s: {:?}", longest_gap(&permits));
    }
}

#[tokio::test(start_paused = true)]
async fn an_uneven_history_leaves_no_hole() {
    let limits = limits(&[Rate::per_second(100)]);
    // One permit leaves the window half a window before the next do: room that must not be spent at once.
    call(&limits, &[A], secs(0)).await.unwrap();
    sleep(ms(500)).await;
    herd(&limits, &[A], secs(0), 49).await;
    sleep(ms(520)).await;
    let permits = press(&limits, &[A], 64, secs(5)).await;
    assert!(longest_gap(&permits) <= ms(30), "{:?}", longest_gap(&permits));
    assert_eq!(most_within(&permits, ms(1030)), 100);
}

#[tokio::test(start_paused = true)]
async fn tenfold_overload_is_refused_at_once_and_the_rest_goes_within_its_patience() {
    let limits = limits(&[Rate::per_second(100)]);
    let start = Instant::now();
    let arrivals = (0..10_000).map(|n| start + ms(n));
    let calls = join_all(arrivals.map(async |at| {
        sleep_until(at).await;
        (at, call(&limits, &[A], secs(1)).await, Instant::now())
    }))
    .await;
    let mut admitted = Vec::new();
    for (came, outcome, done) in calls {
        match outcome {
            Ok(at) => {
                assert!(at - came <= ms(1020), "{:?}", at - came);
                admitted.push(at);
            }
            Err(spent) => {
                assert_eq!((done, spent.kind), (came, SpentKind::Patience));
                assert!(
                    spent.retry_after > secs(1) && spent.retry_after < ms(1100),
                    "{:?}",
                    spent.retry_after
                );
            }
        }
    }
    assert!(admitted.len() >= 960 + 96, "ten seconds and the queue at the end: {}", admitted.len());
    assert_eq!(most_within(&admitted, ms(1030)), 100);
    let state = limits.state(A);
    assert_eq!((state.admitted, state.refused[0]), (admitted.len() as u64, 10_000 - admitted.len() as u64));
}

#[tokio::test(start_paused = true)]
async fn a_long_window_is_guarded_and_not_paced() {
    let limits = limits(&[Rate::per_minute(60)]);
    let start = Instant::now();
    let permits = herd(&limits, &[A], secs(62), 61).await;
    assert!(permits[..60].iter().all(|permit| *permit == Ok(start)));
    let last = permits[60].unwrap() - start;
    assert!(last >= Duration::from_millis(61_800) && last <= Duration::from_millis(61_801), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn several_pools_all_or_none() {
    // The narrower of the two decides, whichever it is at the time; named twice, it is spent once.
    let limits = limits(&[Rate::per_second(100), Rate::per_minute(150)]);
    let start = Instant::now();
    let outcomes = herd(&limits, &[B, A, B], secs(5), 200).await;
    let admitted: Vec<_> = outcomes.iter().flatten().copied().collect();
    assert_eq!(admitted.len(), 150, "what the minute holds");
    assert_eq!(most_within(&admitted, ms(1030)), 100, "what the second holds");
    assert!(admitted.iter().all(|at| *at < start + secs(2)));
    let spent = outcomes[199].unwrap_err();
    assert_eq!((spent.pool, spent.kind), (B, SpentKind::Patience));
    assert!(spent.retry_after > secs(61) && spent.retry_after < secs(62));
    sleep(secs(2)).await;
    assert_eq!((limits.state(A).inside, limits.state(B).inside), (0, 150), "the refused spent nothing");
    assert!(call(&limits, &[A], secs(0)).await.is_ok(), "the other pool goes on");
}

#[tokio::test(start_paused = true)]
async fn rows_that_overlap_in_a_ring_all_get_through() {
    let limits = limits(&[Rate::per_second(20), Rate::per_second(30), Rate::per_second(40)]);
    let rows = [[PoolId(0), PoolId(1)], [PoolId(1), PoolId(2)], [PoolId(2), PoolId(0)]];
    let calls = (0..300).map(|n| call(&limits, &rows[n % 3], secs(60)));
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    assert!((0..3).all(|pool| limits.state(PoolId(pool)).admitted == 200));
}

#[test]
fn a_caller_has_its_quota_and_others_have_theirs() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let all = |rate| Quotas { all: Some(("all".into(), rate)), ..Quotas::default() };
        let (ten, one) = (all(Rate::per_second(10)), all(Rate::per_minute(1)));
        let fairness = Fairness::new(vec![ten, Quotas::default(), one]);
        let ask = |caller| fairness.check(caller, None).map_err(|spent| spent.again);
        assert!((0..10).all(|_| ask(0).is_ok()));
        assert_eq!(ask(0), Err(ms(100)));
        assert!((0..1000).all(|_| ask(1).is_ok() && ask(7).is_ok()));
        assert_eq!((ask(2), ask(2)), (Ok(()), Err(secs(60))));
        sleep(ms(99)).await;
        assert_eq!(ask(0), Err(ms(1)));
        sleep(ms(1)).await;
        assert_eq!((ask(0), ask(0)), (Ok(()), Err(ms(100))));
    });
}

#[test]
fn a_rate_finer_than_the_clock_is_no_rate_without_end() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let rate = Rate::new(1_000_001, ms(1)).unwrap();
        let fairness = Fairness::new(vec![Quotas { all: Some(("all".into(), rate)), ..Quotas::default() }]);
        assert!((0..1_000_001).all(|_| fairness.check(0, None).is_ok()));
        assert!(fairness.check(0, None).is_err());
    });
}

#[test]
fn the_words_are_fixed_and_everything_crosses_threads() {
    assert_eq!(SpentKind::ALL.map(SpentKind::as_str), ["patience", "queue_full", "paused", "too_heavy"]);
    fn crosses<T: Send>(_: Option<T>) {}
    crosses(None::<(Arc<Limits>, Place, Permit, Fairness)>);
    crosses(None::<Place>.map(|mut place| async move { place.near().await }));
    crosses(None::<Place>.map(Place::admit));
}
