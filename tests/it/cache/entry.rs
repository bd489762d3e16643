//! A kept answer is one block: what goes in comes out, and it is served under its own name only.

use super::{cache, entry, key, tags};
use easemob_gateway::cache::{Entry, Stamp};
use easemob_gateway::clock;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(
        slots in proptest::collection::vec(any::<u32>(), 0..40),
        name in "[a-z]{0,300}",
        body in proptest::collection::vec(any::<u8>(), 0..2_000),
        status in prop_oneof![Just(200), Just(404)],
    ) {
        let (key, now) = (key(&name), clock::now());
        let entry = Entry::new(&key, &slots, (status, &body), Stamp(5), (now, now)).unwrap();
        prop_assert_eq!(entry.slots().collect::<Vec<_>>(), slots);
        prop_assert_eq!(entry.key(), key.bytes());
        prop_assert_eq!(&entry.body()[..], &body[..]);
        prop_assert_eq!((entry.status, entry.stamp), (status, Stamp(5)));
        let block = 4 * entry.slots().count() + key.bytes().len() + body.len();
        prop_assert!(entry.weight() as usize > block, "what the store adds is weighed too");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_compared_and_not_only_its_hash() {
    let cache = cache();
    let (mine, other) = (key("mine"), key("other"));
    let slots = cache.slots(&tags(&["a"]));
    // As if both had one hash: under the key of one lies an entry with the name of the other.
    cache.keep(&mine, entry(&other, &slots, "{}", cache.epochs.now()), clock::now());
    assert!(cache.look_up(&mine, clock::now()).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_never_weighs_more_than_it_may() {
    let cache = cache();
    let body = "x".repeat(10_000);
    for number in 0..1_000 {
        let key = key(&number.to_string());
        let slots = cache.slots(&tags(&["a"]));
        cache.keep(&key, entry(&key, &slots, &body, cache.epochs.now()), clock::now());
    }
    let (entries, bytes) = cache.size();
    assert!(bytes <= 1 << 20, "{bytes}");
    assert!(entries >= 10, "{entries}");
}
