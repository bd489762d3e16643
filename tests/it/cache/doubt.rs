//! Doubts: while nobody can say which state is true, nothing about it is kept.

use super::{DOUBT, SETTLE, cache, entry, key, tags};
use easemob_gateway::cache::{Cause, Doubts, Kept};
use easemob_gateway::clock;
use std::time::Duration;
use tokio::time::advance;

const LINGER: Duration = Duration::from_secs(100);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_doubt_holds_for_its_slots_until_its_time() {
    let (doubts, now) = (Doubts::new(LINGER), clock::now());
    doubts.open_unanswered(&[1, 2], now + SECOND);
    let about = |slots: &[u32], began| doubts.about(slots.iter().copied(), began);
    assert!(about(&[1], now) && about(&[3, 2], now));
    assert!(!about(&[3], now) && !about(&[], now));
    assert!(!about(&[1], now + SECOND), "a fetch that begins at its end is beyond it");
    assert_eq!(doubts.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_began_inside_is_in_doubt_also_when_it_lands_later() {
    let (doubts, began) = (Doubts::new(LINGER), clock::now());
    doubts.open_unanswered(&[1], began + SECOND);
    advance(50 * SECOND).await;
    assert!(doubts.about([1].into_iter(), began));
    assert!(!doubts.about([1].into_iter(), clock::now()));
    assert_eq!(doubts.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_doubt_does_not_end_a_longer_one() {
    let (doubts, now) = (Doubts::new(LINGER), clock::now());
    doubts.open_unanswered(&[1], now + 60 * SECOND);
    doubts.open_unanswered(&[1], now + SECOND);
    assert!(doubts.about([1].into_iter(), now + 59 * SECOND));
    doubts.open(&[2], now + 60 * SECOND);
    doubts.open(&[2], now + SECOND);
    assert!(doubts.about([2].into_iter(), now + 59 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_closed_doubt_ends_when_it_is_told() {
    let (doubts, now) = (Doubts::new(LINGER), clock::now());
    doubts.open_unanswered(&[1, 2], now + 60 * SECOND);
    doubts.close(&[1], now + 60 * SECOND, now + SECOND);
    assert!(doubts.about([1].into_iter(), now));
    assert!(!doubts.about([1].into_iter(), now + SECOND));
    assert!(doubts.about([2].into_iter(), now + SECOND));
}

#[tokio::test(start_paused = true)]
async fn closing_one_doubt_leaves_another_about_the_same_open() {
    // Two writes to one group timed out; the late answer of one says nothing about the other.
    let (doubts, now) = (Doubts::new(LINGER), clock::now());
    doubts.open_unanswered(&[1], now + 60 * SECOND);
    doubts.open_unanswered(&[1], now + 60 * SECOND);
    doubts.close(&[1], now + 60 * SECOND, now + SECOND);
    assert!(doubts.about([1].into_iter(), now + 30 * SECOND));
    doubts.close(&[1], now + 60 * SECOND, now + 2 * SECOND);
    assert!(!doubts.about([1].into_iter(), now + 30 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_answered_ends_no_doubt_about_one_that_is_not() {
    let (doubts, now) = (Doubts::new(LINGER), clock::now());
    doubts.open_unanswered(&[1], now + 60 * SECOND);
    doubts.open(&[1], now + SECOND);
    assert!(doubts.about([1].into_iter(), now + 30 * SECOND));
    doubts.close(&[1], now + 60 * SECOND, now + 2 * SECOND);
    assert!(!doubts.about([1].into_iter(), now + 30 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn more_doubts_than_can_be_told_apart_are_one_about_everything() {
    let (doubts, now) = (Doubts::new(LINGER), clock::now());
    for slot in 0..=(1 << 16) {
        doubts.open_unanswered(&[slot], now + 60 * SECOND);
    }
    assert!(doubts.about([u32::MAX].into_iter(), now), "also about what nobody named");
    assert!(doubts.about([7].into_iter(), now + 59 * SECOND));
    assert!(!doubts.about([7].into_iter(), now + 60 * SECOND));
    // What comes after it is told apart again.
    doubts.open_unanswered(&[1], now + 90 * SECOND);
    assert!(doubts.about([1].into_iter(), now + 80 * SECOND));
    assert!(!doubts.about([2].into_iter(), now + 80 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn doubts_that_can_concern_no_fetch_any_more_are_forgotten() {
    let (doubts, began) = (Doubts::new(LINGER), clock::now());
    let mut most = 0;
    for slot in 0..5_000 {
        doubts.open_unanswered(&[slot], clock::now() + SECOND);
        advance(SECOND).await;
        most = most.max(doubts.count());
    }
    assert!(most <= 2, "{most}");
    let about = |slot: u32| doubts.about([slot].into_iter(), began);
    assert!(!about(10), "it ended long ago, and nothing that began before that can still land");
    assert!(about(4_999 - 90), "what ended lately is still needed");
}

#[tokio::test(start_paused = true)]
async fn after_a_write_nothing_is_kept_until_it_has_settled() {
    for (cause, ends) in [(Cause::Write, SETTLE), (Cause::Unknown, DOUBT), (Cause::Declined, Duration::ZERO)]
    {
        let (cache, key) = (cache(), key("a"));
        let touched = cache.touch(&tags(&["group:7"]), cause);
        let keep = || cache.keep(&key, entry(&key, touched.slots(), "{}", cache.epochs.now()), clock::now());
        if !ends.is_zero() {
            assert_eq!(keep(), Kept::InDoubt, "{cause:?}");
            advance(ends - Duration::from_millis(1)).await;
            assert_eq!(keep(), Kept::InDoubt, "{cause:?}");
            advance(Duration::from_millis(1)).await;
        }
        assert_eq!(keep(), Kept::Stored, "{cause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_late_answer_of_a_write_touches_again_and_settles() {
    let (cache, key) = (cache(), key("a"));
    let touched = cache.touch(&tags(&["group:7"]), Cause::Unknown);
    let (stamp, began) = (cache.epochs.now(), clock::now());
    advance(10 * SECOND).await;
    cache.resolve(&touched);
    assert_eq!(cache.keep(&key, entry(&key, touched.slots(), "before", stamp), began), Kept::Overtaken);
    let keep = || cache.keep(&key, entry(&key, touched.slots(), "after", cache.epochs.now()), clock::now());
    assert_eq!(keep(), Kept::InDoubt);
    advance(SETTLE).await;
    assert_eq!(keep(), Kept::Stored);
}
