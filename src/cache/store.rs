//! The store: moka, and the size of the filter by which it tells what is asked for often.
//!
//! What finds no room is let in only if it was asked for more often than what it would push out. moka counts that in
//! a filter that it makes when the store is half full, for a quarter of the entries that a full one holds: too few to
//! tell the rare from the rarer, which costs four of a hundred hits. It takes the number of entries times the part
//! of the store they fill, and never changes it again. So we fill the store once, at the start, with stand-ins: few,
//! but told to be so heavy that the product is right, and gone before anything is kept.

use super::entry::Entry;
use super::epoch::Stamp;
use super::key::{AlreadyHashed, Key, Secret};
use crate::catalogue::EndpointId;
use crate::clock;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

/// Entries by the hash of their key.
pub(super) type Store = moka::sync::Cache<u128, Arc<Entry>, BuildHasherDefault<AlreadyHashed>>;

/// No answer has these for a status: stand-ins, and what they weigh.
const LIGHT: u16 = 0;
const HEAVY: u16 = 1;

/// The filter is made for as many entries as the store holds of this size, which is a small answer.
const ENTRY_BYTES: u64 = 1_024;

/// Fewer changes than moka takes in at once (64) before it looks at what the store weighs.
const HEAVY_MAX: u64 = 48;

/// More stand-ins than this would be felt at the start.
const STAND_INS_MAX: u64 = 1 << 16;

/// A way to fill the store once: so many stand-ins, of which so many are as heavy as that.
#[derive(Clone, Copy)]
struct Filling {
    stand_ins: u64,
    heavy: u64,
    weight: u32,
}

/// An empty store for entries that weigh so many bytes together.
pub(super) fn new(bytes_max: u64, secret: &Secret) -> Store {
    let filling = Filling::of(bytes_max);
    let heavy = filling.map_or(0, |filling| filling.weight);
    let store = moka::sync::Cache::builder()
        .max_capacity(bytes_max)
        .weigher(move |_: &u128, entry: &Arc<Entry>| match entry.status {
            LIGHT => 1,
            HEAVY => heavy,
            _ => entry.weight(),
        })
        .build_with_hasher(BuildHasherDefault::default());
    if let Some(filling) = filling {
        filling.once(&store, secret);
    }
    store
}

impl Filling {
    /// One that makes the filter fit. `None` for a store so small that moka's smallest filter does, and for one so
    /// large (above 3 GiB) that it would take too long: the filter is what moka makes it then.
    fn of(bytes_max: u64) -> Option<Self> {
        let entries = bytes_max / ENTRY_BYTES;
        // Stand-ins times heavy ones times their weight must be this.
        let product = u128::from(entries) * u128::from(bytes_max);
        let pairs = u64::try_from(product.div_ceil(u128::from(u32::MAX))).ok()?;
        let heavy = (pairs.isqrt() + 1).min(HEAVY_MAX);
        let stand_ins = pairs.div_ceil(heavy).max(heavy);
        let weight = u32::try_from(product / u128::from(stand_ins * heavy)).ok()?;
        (entries >= 128 && stand_ins <= STAND_INS_MAX).then_some(Self { stand_ins, heavy, weight })
    }

    fn once(self, store: &Store, secret: &Secret) {
        let (key, now) = (Key::element(secret, EndpointId(0), ""), clock::now());
        let stand_in = |status| Entry::new(&key, &[], (status, b""), Stamp(0), (now, now)).map(Arc::new);
        let (Some(light), Some(heavy)) = (stand_in(LIGHT), stand_in(HEAVY)) else {
            return;
        };
        (0..self.stand_ins).for_each(|place| store.insert(u128::from(place), Arc::clone(&light)));
        store.run_pending_tasks();
        // What is in may grow beyond the store's room; what is not would be refused.
        (0..self.heavy).for_each(|place| store.insert(u128::from(place), Arc::clone(&heavy)));
        store.run_pending_tasks();
        (0..self.stand_ins).for_each(|place| store.invalidate(&u128::from(place)));
        store.run_pending_tasks();
    }
}
