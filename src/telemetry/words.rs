//! Counters of words: for closed sets that are spelled where they belong, and have no numbers.
//!
//! A word takes the first free place when it is first counted, so nothing waits and nobody keeps a second list.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// More words than any of the sets has; a test counts the largest.
pub const PLACES: usize = 64;

/// One worker's counters of such a set.
#[derive(Debug)]
pub(super) struct Words([(OnceLock<&'static str>, AtomicU64); PLACES]);

impl Default for Words {
    fn default() -> Self {
        Self(std::array::from_fn(|_| (OnceLock::new(), AtomicU64::new(0))))
    }
}

impl Words {
    pub(super) fn count(&self, word: &'static str) {
        for (name, count) in &self.0 {
            if *name.get_or_init(|| word) == word {
                count.fetch_add(1, Relaxed);
                return;
            }
        }
    }

    /// What was counted, and how often.
    pub(super) fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().map_while(|(name, count)| Some((*name.get()?, count.load(Relaxed))))
    }
}
