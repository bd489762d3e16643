//! Calls of several units: all of them at one moment, from every pool, or none; and windows of minutes and days.

use super::*;

fn charge(pool: PoolId, units: u32) -> Charge {
    Charge { pool, units }
}

/// One call of these weights, from the queue to its permit.
async fn weighed<const N: usize>(
    limits: &Arc<Limits>,
    charges: [Charge; N],
    patience: Duration,
) -> Result<Instant, Spent> {
    let mut place = limits.queue(charges, patience)?;
    place.near().await?;
    Ok(place.admit().await?.at())
}

#[tokio::test(start_paused = true)]
async fn a_call_spends_what_it_weighs() {
    let limits = limits(&[Rate::per_minute(100)]);
    let start = Instant::now();
    for units in [60, 39, 1] {
        assert_eq!(weighed(&limits, [charge(A, units)], secs(0)).await, Ok(start));
    }
    assert_eq!((limits.state(A).inside, limits.state(A).admitted), (100, 3));
    let spent = weighed(&limits, [charge(A, 1)], secs(1)).await.unwrap_err();
    assert_eq!(spent.kind, SpentKind::Patience);
    sleep(ms(61_800)).await;
    assert_eq!(weighed(&limits, [charge(A, 100)], secs(0)).await, Ok(start + ms(61_800)));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_until_the_window_holds_all_of_it() {
    let limits = limits(&[Rate::per_minute(100)]);
    let start = Instant::now();
    weighed(&limits, [charge(A, 50)], secs(0)).await.unwrap();
    sleep(secs(10)).await;
    weighed(&limits, [charge(A, 30)], secs(0)).await.unwrap();
    let at = |seconds_ms| start + ms(seconds_ms);
    let near = |got: Result<Instant, Spent>, wanted: Instant| {
        let got = got.unwrap();
        assert!(got >= wanted && got <= wanted + ms(1), "{:?} for {:?}", got - start, wanted - start);
    };
    // 20 are left at once, 70 when the first call has left the window, 100 when the second has.
    let (small, middle, large) = (charge(A, 20), charge(A, 50), charge(A, 100));
    near(weighed(&limits, [small], secs(0)).await, at(10_000));
    near(weighed(&limits, [middle], secs(99)).await, at(61_800));
    near(weighed(&limits, [large], secs(99)).await, at(61_800 + 61_800));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_too_heavy_is_refused_at_once_and_nothing_is_spent() {
    let limits = limits(&[Rate::per_second(100), Rate::per_second(20)]);
    let spent = weighed(&limits, [charge(A, 1), charge(B, 21)], secs(1_000)).await.unwrap_err();
    assert_eq!(spent, Spent { pool: B, kind: SpentKind::TooHeavy, retry_after: secs(0) });
    assert_eq!(limits.state(B).refused, [0, 0, 0, 1]);
    assert_eq!((limits.state(A).inside, limits.state(B).inside), (0, 0));
    assert!(weighed(&limits, [charge(A, 1), charge(B, 20)], secs(0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_one_call_may_have_is_less_than_the_pool() {
    let rate = Rate::per_minute(6_000);
    let pool = |per_call| PoolSettings { name: "pool".into(), rate, per_call };
    let limits = Limits::new(vec![pool(600), pool(7_000)], settings());
    assert_eq!(limits.state(A).per_call, 600);
    assert_eq!(limits.state(B).per_call, 6_000, "never more than there is");
    assert!(limits.queue([charge(A, 601)], secs(9)).is_err());
    let start = Instant::now();
    for _ in 0..10 {
        assert_eq!(weighed(&limits, [charge(A, 600)], secs(0)).await, Ok(start));
    }
    assert!(weighed(&limits, [charge(A, 1)], secs(1)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn all_pools_or_none_whatever_a_call_weighs_in_each() {
    let limits = limits(&[Rate::per_second(2), Rate::per_minute(100)]);
    let heavy = [charge(B, 40), charge(A, 1)];
    let outcomes = join_all((0..6).map(|_| weighed(&limits, heavy, secs(5)))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2, "{outcomes:?}");
    assert!(outcomes.iter().flatten().count() == 2 && outcomes[5].unwrap_err().pool == B);
    sleep(secs(3)).await;
    assert_eq!((limits.state(A).inside, limits.state(B).inside), (0, 80));
    // Twenty are left there, and none of them was lost to those who were refused.
    assert!(weighed(&limits, [charge(A, 1), charge(B, 20)], secs(0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_heavy_call_is_not_overtaken_by_light_ones() {
    let limits = limits(&[Rate::per_minute(10)]);
    let start = Instant::now();
    weighed(&limits, [charge(A, 5)], secs(0)).await.unwrap();
    let heavy = weighed(&limits, [charge(A, 8)], secs(99));
    let light = async {
        sleep(ms(1)).await;
        join_all((0..2).map(|_| weighed(&limits, [charge(A, 1)], secs(99)))).await
    };
    let (heavy, light) = tokio::join!(heavy, light);
    assert!(heavy.unwrap() >= start + ms(61_800));
    assert!(light.iter().all(|light| light.unwrap() >= heavy.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_behind_heavy_calls_is_refused_at_once() {
    let limits = limits(&[Rate::per_minute(10)]);
    weighed(&limits, [charge(A, 10)], secs(0)).await.unwrap();
    let start = Instant::now();
    let heavy = weighed(&limits, [charge(A, 8)], secs(99));
    let others = async {
        sleep(ms(1)).await;
        let refused = weighed(&limits, [charge(A, 5)], secs(99)).await.unwrap_err();
        assert_eq!((Instant::now(), refused.kind), (start + ms(1), SpentKind::Patience));
        assert!(refused.retry_after > secs(123), "a window behind the heavy one: {:?}", refused.retry_after);
        weighed(&limits, [charge(A, 2)], secs(99)).await.unwrap()
    };
    let (heavy, light) = tokio::join!(heavy, others);
    assert!(heavy.unwrap() <= light && light < start + secs(62), "beside the eight there is room for two");
}

#[tokio::test(start_paused = true)]
async fn weights_are_paced_like_as_many_calls() {
    // Ten units at once after idle, and the rest evenly: three each time, four times a second and more.
    let limits = limits(&[Rate::per_second(20)]);
    let start = Instant::now();
    let calls = join_all((0..60).map(|_| weighed(&limits, [charge(A, 3)], secs(60)))).await;
    let permits: Vec<Instant> = calls.into_iter().map(Result::unwrap).collect();
    assert_eq!(permits.iter().filter(|at| **at == start).count(), 3, "nine of ten");
    assert!(most_within(&permits, ms(1030)) <= 6, "eighteen of twenty");
    // Six in each window, eight windows.
    let steady = permits[54] - permits[6];
    assert!(steady <= ms(8 * 1030 + 16), "{steady:?}");
    assert!(longest_gap(&permits) <= ms(3 * 103), "{:?}", longest_gap(&permits));
}

#[tokio::test(start_paused = true)]
async fn one_in_half_an_hour_and_three_a_day() {
    let limits = limits(&[Rate::one_in_minutes(30), Rate::per_day(3)]);
    let start = Instant::now();
    let mut went = Vec::new();
    for minute in 0..26 * 60 {
        sleep_until(start + secs(60 * minute)).await;
        if call(&limits, &[A, B], secs(1)).await.is_ok() {
            went.push(minute);
        }
    }
    // Jitter on the way is seconds at most, however long the window: the 31st minute, not later.
    assert_eq!(went, [0, 31, 62, 24 * 60 + 1, 24 * 60 + 32, 24 * 60 + 63]);
    let spent = call(&limits, &[A, B], secs(1)).await.unwrap_err();
    assert!(spent.retry_after > secs(60), "{:?}", spent.retry_after);
}

#[tokio::test(start_paused = true)]
async fn a_long_window_is_paused_by_a_refusal_and_keeps_its_size() {
    let limits = limits(&[Rate::per_second(100), Rate::per_minute(10), Rate::per_day(50)]);
    let all = [PoolId(0), PoolId(1), PoolId(2)];
    limits.limited(&all, None);
    let sizes = all.map(|pool| (limits.state(pool).size, limits.state(pool).paused_until.is_some()));
    assert_eq!(sizes, [(50, true), (5, true), (50, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_heavier_than_a_pool_that_shrank_waits_for_an_empty_window() {
    let limits = limits(&[Rate::per_minute(20)]);
    weighed(&limits, [charge(A, 4)], secs(0)).await.unwrap();
    limits.limited(&[A], Some(secs(2)));
    let start = Instant::now();
    let got = weighed(&limits, [charge(A, 20)], secs(99)).await.unwrap();
    assert!(got - start >= ms(61_800) && got - start <= ms(61_802), "{:?}", got - start);
}
