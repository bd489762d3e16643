//! The store alone: what is kept beside touches, without a gateway around it.
//!
//! Between the look at the stamp and the keeping nothing can be held at the vendor, so these orders are made by
//! hand: a touch before, between and after.

use easemob_gateway::cache::{Cache, Cause, Entry, Kept, Key, Secret, Settings, Stamp};
use easemob_gateway::catalogue::lookup::Spans;
use easemob_gateway::catalogue::{ChangedBy, EndpointId, Read};
use easemob_gateway::clock;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn cache() -> Cache {
    let settings = Settings {
        bytes_max: 1 << 20,
        slots: 1 << 18,
        tags_max: 1_024,
        settle: Duration::ZERO,
        doubt: MINUTE,
        fetch_max: MINUTE,
    };
    Cache::new(settings, &Secret::new([7; 16]))
}

fn key() -> Key {
    let read = Read {
        tags: &[],
        fresh: MINUTE,
        query: &[],
        by_body: false,
        ends: None,
        flaws: None,
        by_entity: None,
        changed_by: ChangedBy::Devices,
        strict: false,
    };
    Key::new(&Secret::new([7; 16]), EndpointId(1), &read, ("/", &Spans::default()), None, None).unwrap()
}

fn tags(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

fn entry(cache: &Cache, stamp: Stamp, body: &str) -> Arc<Entry> {
    fetched_at(cache, clock::now(), stamp, body)
}

fn fetched_at(cache: &Cache, began: clock::Instant, stamp: Stamp, body: &str) -> Arc<Entry> {
    let slots = cache.slots(&tags("group:1/info"));
    Arc::new(Entry::new(&key(), &slots, (200, body.as_bytes()), stamp, (began, began + MINUTE)).unwrap())
}

#[tokio::test(start_paused = true)]
async fn of_two_fetches_between_two_touches_the_later_one_stays() {
    let (cache, earlier) = (cache(), clock::now());
    let later = earlier + Duration::from_secs(1);
    let stamp = cache.epochs.now();
    assert_eq!(cache.keep(&key(), fetched_at(&cache, later, stamp, "later"), later), Kept::Stored);
    assert_eq!(cache.keep(&key(), fetched_at(&cache, earlier, stamp, "earlier"), earlier), Kept::Older);
    assert_eq!(cache.look_up(&key(), clock::now()).unwrap().body(), "later");
}

#[tokio::test(start_paused = true)]
async fn what_was_touched_before_it_is_kept_is_not_kept() {
    let cache = cache();
    let fetched = entry(&cache, cache.epochs.now(), "old");
    cache.touch(&tags("group:1/info"), Cause::Write);
    assert_eq!(cache.keep(&key(), fetched, clock::now()), Kept::Overtaken);
    assert!(cache.look_up(&key(), clock::now()).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_touched_after_it_was_kept_is_not_served() {
    let cache = cache();
    assert_eq!(cache.keep(&key(), entry(&cache, cache.epochs.now(), "old"), clock::now()), Kept::Stored);
    assert_eq!(cache.look_up(&key(), clock::now()).unwrap().body(), "old");
    cache.touch(&tags("group:2/info"), Cause::Write);
    assert!(cache.look_up(&key(), clock::now()).is_some(), "another group");
    cache.touch(&tags("group:1/info"), Cause::Declined);
    assert!(cache.look_up(&key(), clock::now()).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_was_fetched_earlier_never_takes_the_place_of_what_was_fetched_later() {
    let cache = cache();
    let earlier = cache.epochs.now();
    cache.touch(&tags("group:2/info"), Cause::Write);
    let later = cache.epochs.now();
    assert_eq!(cache.keep(&key(), entry(&cache, later, "later"), clock::now()), Kept::Stored);
    assert_eq!(cache.keep(&key(), entry(&cache, earlier, "earlier"), clock::now()), Kept::Older);
    assert_eq!(cache.look_up(&key(), clock::now()).unwrap().body(), "later");
}
