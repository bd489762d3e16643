//! What a pool does when the vendor says it was too much.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_paused_pool_refuses_who_cannot_wait_and_keeps_who_can() {
    let limits = limits(&[Rate::per_second(100), Rate::per_second(100)]);
    limits.limited(&[A], Some(secs(3)));
    let start = Instant::now();
    assert_eq!(limits.state(A).paused_until, Some(start + secs(3)));
    let spent = limits.queue([B, A], secs(2)).unwrap_err();
    assert_eq!(spent, Spent { pool: A, kind: SpentKind::Paused, retry_after: secs(3) });
    assert_eq!(spent.kind.as_str(), "paused");
    assert!(call(&limits, &[B], secs(0)).await.is_ok(), "the other pool is not concerned");
    assert_eq!(call(&limits, &[A], secs(3)).await, Ok(start + secs(3)));
    assert_eq!((limits.state(A).paused_until, limits.state(A).refused), (None, [0, 0, 1, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_pause_tells_the_waiting_at_once_if_they_cannot_outlast_it() {
    let limits = limits(&[Rate::per_second(2)]);
    herd(&limits, &[A], secs(9), 2).await;
    let start = Instant::now();
    let pause = async {
        sleep(ms(100)).await;
        limits.limited(&[A], Some(secs(5)));
    };
    let (hasty, patient, ()) =
        tokio::join!(call(&limits, &[A], secs(2)), call(&limits, &[A], secs(9)), pause);
    assert_eq!(hasty.unwrap_err().kind, SpentKind::Paused);
    assert_eq!(patient.unwrap(), start + ms(5100));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_near_hears_of_a_pause_too() {
    let limits = limits(&[Rate::per_second(10)]);
    herd(&limits, &[A], secs(9), 10).await;
    let start = Instant::now();
    let pause = async {
        limits.limited(&[A], Some(secs(60)));
        Instant::now()
    };
    let (outcomes, _) = tokio::join!(herd(&limits, &[A], secs(5), 20), pause);
    assert!(outcomes.iter().all(|outcome| outcome.unwrap_err().kind == SpentKind::Paused));
    assert_eq!((Instant::now(), limits.state(A).waiting), (start, 0));
}

#[tokio::test(start_paused = true)]
async fn our_own_pause_doubles_while_it_goes_on_and_begins_anew_after_peace() {
    let limits = limits(&[Rate::per_second(100)]);
    for expected in [1, 2, 4, 8, 16, 30, 30] {
        limits.limited(&[A], None);
        assert_eq!(limits.state(A).paused_until, Some(Instant::now() + secs(expected)));
        limits.limited(&[A], None);
        assert_eq!(limits.state(A).paused_until, Some(Instant::now() + secs(expected)), "late news");
        sleep(secs(expected)).await;
    }
    sleep(secs(31)).await;
    limits.limited(&[A], Some(Duration::ZERO));
    assert_eq!(limits.state(A).paused_until, Some(Instant::now() + secs(1)), "zero is no answer");
    limits.limited(&[A], Some(secs(7)));
    assert_eq!(limits.state(A).paused_until, Some(Instant::now() + secs(7)), "late news may be worse");
    limits.limited(&[A], Some(Duration::MAX));
    assert_eq!(limits.state(A).paused_until, Some(Instant::now() + secs(3600)), "and has an end");
}

#[tokio::test(start_paused = true)]
async fn the_size_is_halved_once_a_pause_and_grows_back_by_a_twentieth_each_window() {
    let limits = limits(&[Rate::per_second(100), Rate::per_second(1)]);
    for expected in [50, 25] {
        (0..10).for_each(|_| limits.limited(&[A, B], Some(secs(1))));
        assert_eq!((limits.state(A).size, limits.state(B).size), (expected, 1));
        sleep(secs(1)).await;
    }
    let start = Instant::now();
    let permits = press(&limits, &[A], 64, secs(40)).await;
    let window = ms(1030);
    for n in 0..20_u32 {
        let until = start + window * (n + 1);
        let inside = permits.iter().filter(|at| **at >= until - window && **at < until).count();
        let size = (25 + 5 * n as usize).min(100);
        assert!(inside <= size, "window {n}: {inside} of {size}");
        assert!(inside * 100 >= size * 85, "window {n}: {inside} of {size}");
    }
    assert_eq!((limits.state(A).size, most_within(&permits, ms(1030))), (100, 100));
}
