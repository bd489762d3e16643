//! Touches and stamps: nothing that was fetched before a touch is served after it.

use super::{cache, entry, key, secret, tags};
use easemob_gateway::cache::{Cause, Epochs, Kept};
use easemob_gateway::clock;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_kept_answer_is_served_until_its_deadline_and_no_longer() {
    let (cache, key) = (cache(), key("a"));
    let slots = cache.slots(&tags(&["group:7"]));
    let entry = entry(&key, &slots, "{}", cache.epochs.now());
    assert_eq!(cache.keep(&key, entry.clone(), clock::now()), Kept::Stored);
    let before = entry.deadline - Duration::from_millis(1);
    assert!(cache.look_up(&key, before).is_some());
    assert!(cache.look_up(&key, entry.deadline).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_touch_of_any_tag_ends_it_and_a_touch_of_another_does_not() {
    for (touched, stays) in [("group:7", false), ("users", false), ("group:8", true)] {
        let (cache, key) = (cache(), key("a"));
        let slots = cache.slots(&tags(&["group:7", "users"]));
        cache.keep(&key, entry(&key, &slots, "{}", cache.epochs.now()), clock::now());
        cache.touch(&tags(&[touched]), Cause::Write);
        assert_eq!(cache.look_up(&key, clock::now()).is_some(), stays, "{touched}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_cause_of_a_touch_ends_it() {
    for cause in Cause::ALL {
        let (cache, key) = (cache(), key("a"));
        let slots = cache.slots(&tags(&["group:7"]));
        cache.keep(&key, entry(&key, &slots, "{}", cache.epochs.now()), clock::now());
        cache.touch(&tags(&["group:7"]), cause);
        assert!(cache.look_up(&key, clock::now()).is_none(), "{cause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_overtaken_is_never_kept() {
    let (cache, key) = (cache(), key("a"));
    let slots = cache.slots(&tags(&["group:7"]));
    let (stamp, began) = (cache.epochs.now(), clock::now());
    cache.touch(&tags(&["group:7"]), Cause::Declined);
    assert_eq!(cache.keep(&key, entry(&key, &slots, "old", stamp), began), Kept::Overtaken);
    assert!(cache.look_up(&key, clock::now()).is_none());
}

#[tokio::test(start_paused = true)]
async fn tags_may_be_learned_from_the_answer() {
    // Touched before anybody knew that the answer would show it.
    let cache = cache();
    let stamp = cache.epochs.now();
    cache.touch(&tags(&["group:9/info"]), Cause::Write);
    let slots = cache.slots(&tags(&["user:ann/groups", "group:9/info"]));
    assert!(!cache.epochs.current(stamp, slots.iter().copied()));
    let after = cache.epochs.now();
    assert!(cache.epochs.current(after, slots.iter().copied()));
}

#[tokio::test(start_paused = true)]
async fn a_later_answer_is_never_replaced_by_an_earlier_one() {
    let (cache, key) = (cache(), key("a"));
    let slots = cache.slots(&tags(&["group:7"]));
    let early = cache.epochs.now();
    // Another tag: both answers are current, and one is later.
    cache.touch(&tags(&["group:8"]), Cause::Declined);
    let late = cache.epochs.now();
    assert!(late > early);
    assert_eq!(cache.keep(&key, entry(&key, &slots, "late", late), clock::now()), Kept::Stored);
    assert_eq!(cache.keep(&key, entry(&key, &slots, "early", early), clock::now()), Kept::Older);
    assert_eq!(cache.look_up(&key, clock::now()).unwrap().body(), "late");
    // One of the same age may: it is no worse.
    assert_eq!(cache.keep(&key, entry(&key, &slots, "again", late), clock::now()), Kept::Stored);
    assert_eq!(cache.look_up(&key, clock::now()).unwrap().body(), "again");
}

#[tokio::test(start_paused = true)]
async fn a_flush_ends_everything_that_was_fetched_before_it() {
    let cache = cache();
    for name in ["a", "b"] {
        let slots = cache.slots(&tags(&[name]));
        cache.keep(&key(name), entry(&key(name), &slots, "{}", cache.epochs.now()), clock::now());
    }
    // One without a tag at all, too.
    cache.keep(&key("c"), entry(&key("c"), &[], "{}", cache.epochs.now()), clock::now());
    let before = cache.epochs.now();
    cache.epochs.flush();
    for name in ["a", "b", "c"] {
        assert!(cache.look_up(&key(name), clock::now()).is_none(), "{name}");
    }
    assert_eq!(cache.keep(&key("c"), entry(&key("c"), &[], "{}", before), clock::now()), Kept::Overtaken);
    let slots = cache.slots(&tags(&["a"]));
    cache.keep(&key("a"), entry(&key("a"), &slots, "{}", cache.epochs.now()), clock::now());
    assert!(cache.look_up(&key("a"), clock::now()).is_some());
}

#[test]
fn numbers_only_grow_and_touching_nothing_costs_none() {
    let epochs = Epochs::new(16, &secret());
    let mut last = epochs.now();
    for step in 0..10 {
        if step % 3 == 0 {
            epochs.flush()
        } else {
            epochs.touch(&[step])
        }
        assert!(epochs.now() > last);
        last = epochs.now();
    }
    epochs.touch(&[]);
    assert_eq!(epochs.now(), last);
}

#[test]
fn slots_stay_inside_whatever_their_number() {
    for asked in [0, 1, 3, 1_000] {
        let epochs = Epochs::new(asked, &secret());
        for tag in 0..200 {
            let slot = epochs.slot(&format!("group:{tag}"));
            assert!((slot as usize) < asked.max(1).next_power_of_two());
            epochs.touch(&[slot]);
        }
        // A slot of another array, as an entry of before a restart could have it, is no panic.
        epochs.touch(&[u32::MAX]);
    }
}

#[test]
fn one_slot_for_all_costs_misses_and_never_a_stale_answer() {
    let epochs = Epochs::new(1, &secret());
    let stamp = epochs.now();
    epochs.touch(&[epochs.slot("group:8")]);
    assert!(!epochs.current(stamp, std::iter::once(epochs.slot("group:7"))));
}

#[test]
fn touches_from_many_threads_are_all_seen() {
    let epochs = Epochs::new(1 << 10, &secret());
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let epochs = &epochs;
            scope.spawn(move || {
                for _ in 0..1_000 {
                    let stamp = epochs.now();
                    epochs.touch(&[thread]);
                    // Whoever touched sees his own touch at once.
                    assert!(!epochs.current(stamp, std::iter::once(thread)));
                    assert!(epochs.current(epochs.now(), std::iter::once(thread)));
                }
            });
        }
    });
    assert_eq!(epochs.now().0, 4_000);
}
