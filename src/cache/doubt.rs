//! Tags whose state nobody can vouch for yet.
//!
//! After a write with an unknown outcome the vendor may still apply it, at any moment; after an acknowledged one
//! its own copies may lag for a moment. Until such a doubt has ended, answers about its tags are shared among
//! those who wait for them and kept by nobody: an answer is kept only if its fetch began after every doubt about
//! its tags had ended. Read on the miss path only.

use super::epoch::{Slot, Slots};
use crate::clock::{self, Instant};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Doubts, by slot.
#[derive(Debug)]
pub struct Doubts {
    open: Mutex<Open>,
    linger: Duration,
}

#[derive(Debug, Default)]
struct Open {
    by_slot: HashMap<Slot, Ends>,
    /// A doubt about everything: when it was said, or there are too many to tell apart.
    all: Option<Instant>,
    sweep_at: usize,
}

/// When the doubts about one slot end.
#[derive(Debug, Default)]
struct Ends {
    /// The last of those that only time ends.
    last: Option<Instant>,
    /// Those that an answer may end, one for each write: the answer to one says nothing of another.
    unanswered: Vec<Instant>,
}

/// More doubts than this are one about everything.
const DOUBTS_MAX: usize = 1 << 16;

impl Doubts {
    /// `linger`: how long an ended doubt is remembered, since a fetch that began within it may still land.
    #[must_use]
    pub fn new(linger: Duration) -> Self {
        Self { open: Mutex::new(Open { sweep_at: 64, ..Open::default() }), linger }
    }

    /// Doubts these until then.
    pub fn open(&self, slots: &[Slot], until: Instant) {
        if until > clock::now() {
            self.each(slots, |ends| ends.last = ends.last.max(Some(until)));
        }
    }

    /// Doubts everything until then.
    pub fn open_all(&self, until: Instant) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.max(Some(until));
    }

    /// Doubts these until then, or until [`Self::close`] is told that the same doubt has ended.
    pub fn open_unanswered(&self, slots: &[Slot], until: Instant) {
        let now = clock::now();
        self.each(slots, |ends| {
            // What nobody ended while it lasted, nobody will.
            let over = ends.unanswered.extract_if(.., |end| *end <= now).max();
            ends.last = ends.last.max(over);
            ends.unanswered.push(until);
        });
    }

    /// The answer to a write whose doubt was to last until `opened` has come: it ends at `until`.
    pub fn close(&self, slots: &[Slot], opened: Instant, until: Instant) {
        self.each(slots, |ends| {
            if let Some(at) = ends.unanswered.iter().position(|end| *end == opened) {
                ends.unanswered.swap_remove(at);
            }
            ends.last = ends.last.max(Some(until));
        });
    }

    /// Whether a fetch that began then falls into a doubt about any of these.
    #[must_use]
    pub fn about(&self, mut slots: impl Slots, began: Instant) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all.is_some_and(|until| until > began) {
            return true;
        }
        let after = |ends: &Ends| ends.latest().is_some_and(|until| until > began);
        !open.by_slot.is_empty() && slots.any(|slot| open.by_slot.get(&slot).is_some_and(after))
    }

    /// How many slots are in doubt now.
    #[must_use]
    pub fn count(&self) -> usize {
        let now = clock::now();
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.by_slot.values().filter(|ends| ends.latest().is_some_and(|until| until > now)).count()
    }

    fn each(&self, slots: &[Slot], change: impl Fn(&mut Ends)) {
        let now = clock::now();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in slots {
            change(open.by_slot.entry(*slot).or_default());
        }
        if open.by_slot.len() > open.sweep_at {
            let linger = self.linger;
            open.by_slot.retain(|_, ends| ends.latest().is_some_and(|until| until + linger > now));
            open.sweep_at = (2 * open.by_slot.len()).max(64);
        }
        if open.by_slot.len() > DOUBTS_MAX {
            let last = open.by_slot.values().filter_map(Ends::latest).max();
            open.all = open.all.max(last);
            open.by_slot.clear();
        }
    }
}

impl Ends {
    fn latest(&self) -> Option<Instant> {
        self.unanswered.iter().copied().max().max(self.last)
    }
}
