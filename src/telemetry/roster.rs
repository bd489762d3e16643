//! Callers by number: their names, and what is counted for each.
//!
//! Callers come and go with reloads while requests of theirs are under way and counters must not fall. So a name
//! keeps its number for the life of the process, also when it has gone and comes back, and no number is given twice.

use arc_swap::ArcSwap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// The names of all callers that there have been.
#[derive(Debug, Default)]
pub struct Roster {
    lists: ArcSwap<Lists>,
}

#[derive(Clone, Debug, Default)]
struct Lists {
    /// By number.
    names: Vec<Arc<str>>,
    /// The numbers of those that are configured now.
    present: Vec<u16>,
}

/// Counters by number, for numbers that become known while it counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Each twice as long as the one before, made when first needed.
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
}

const FIRST_CHUNK: usize = 64;
/// Enough for every number of 16 bits.
const CHUNKS: usize = 11;

// === impl Roster ===

impl Roster {
    /// Numbers these callers; the list says who is there now. `None` when there have been too many to number.
    #[must_use]
    pub fn enter(&self, present: &[&str]) -> Option<Vec<u16>> {
        let mut lists = Lists::clone(&self.lists.load());
        lists.present.clear();
        for name in present {
            let known = lists.names.iter().position(|there| **there == **name);
            let at = known.unwrap_or(lists.names.len());
            if known.is_none() {
                lists.names.push(Arc::from(*name));
            }
            lists.present.push(u16::try_from(at).ok()?);
        }
        let numbers = lists.present.clone();
        self.lists.store(Arc::new(lists));
        Some(numbers)
    }

    /// A caller's name.
    #[must_use]
    pub fn name(&self, number: u16) -> Option<Arc<str>> {
        self.lists.load().names.get(usize::from(number)).cloned()
    }

    /// Every name there has been, by number.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        self.lists.load().names.clone()
    }

    /// The names that are configured now.
    #[must_use]
    pub fn present(&self) -> Vec<Arc<str>> {
        let lists = self.lists.load();
        lists.present.iter().filter_map(|number| lists.names.get(usize::from(*number)).cloned()).collect()
    }
}

// === impl Tally ===

impl Tally {
    /// Counts one more.
    pub(super) fn add(&self, number: u16) {
        let (chunk, at) = place(number);
        let zeros = || (0..FIRST_CHUNK << chunk).map(|_| AtomicU64::new(0)).collect();
        self.chunks[chunk].get_or_init(zeros)[at].fetch_add(1, Relaxed);
    }

    /// The count.
    pub(super) fn get(&self, number: u16) -> u64 {
        let (chunk, at) = place(number);
        self.chunks[chunk].get().map_or(0, |cells| cells[at].load(Relaxed))
    }
}

/// In which chunk, and where in it.
fn place(number: u16) -> (usize, usize) {
    let number = usize::from(number);
    let chunk = (number / FIRST_CHUNK + 1).ilog2() as usize;
    (chunk, number - FIRST_CHUNK * ((1 << chunk) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_cell_of_its_own() {
        let tally = Tally::default();
        for number in [0, 1, 63, 64, 65, 191, 192, u16::MAX - 1, u16::MAX] {
            assert_eq!(tally.get(number), 0, "{number}");
            (0..=number % 7).for_each(|_| tally.add(number));
            assert_eq!(tally.get(number), u64::from(number % 7) + 1, "{number}");
        }
        let places: std::collections::HashSet<_> = (0..=u16::MAX).map(place).collect();
        assert_eq!(places.len(), 1 << 16);
    }

    #[test]
    fn a_name_keeps_its_number_when_it_has_gone_and_comes_back() {
        let roster = Roster::default();
        assert_eq!(roster.enter(&["a", "b"]), Some(vec![0, 1]));
        assert_eq!(roster.enter(&["c", "b"]), Some(vec![2, 1]));
        assert_eq!(roster.enter(&["a"]), Some(vec![0]));
        assert_eq!(roster.present(), ["a".into()]);
        assert_eq!(roster.names(), ["a".into(), "b".into(), "c".into()]);
    }
}
