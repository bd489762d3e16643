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
    until: HashMap<Slot, Instant>,
    /// A doubt about everything: when there are too many to tell apart.
    all: Option<Instant>,
    sweep_at: usize,
}

/// More doubts than this are one about everything.
const DOUBTS_MAX: usize = 1 << 16;

impl Doubts {
    /// `linger`: how long an ended doubt is remembered, since a fetch that began within it may still land.
    #[must_use]
    pub fn new(linger: Duration) -> Self {
        Self { open: Mutex::new(Open { sweep_at: 64, ..Open::default() }), linger }
    }

    /// Doubts these until then, or until a doubt already open ends, whichever is later.
    pub fn open(&self, slots: &[Slot], until: Instant) {
        self.set(slots, |there| there.map_or(until, |there| there.max(until)), until);
    }

    /// Ends the doubts about these at `until`, or earlier if they had ended already.
    pub fn close(&self, slots: &[Slot], until: Instant) {
        self.set(slots, |_| until, until);
    }

    /// Whether a fetch that began then falls into a doubt about any of these.
    #[must_use]
    pub fn about(&self, mut slots: impl Slots, began: Instant) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all.is_some_and(|until| until > began) {
            return true;
        }
        !open.until.is_empty() && slots.any(|slot| open.until.get(&slot).is_some_and(|until| *until > began))
    }

    /// How many slots are in doubt now.
    #[must_use]
    pub fn count(&self) -> usize {
        let now = clock::now();
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.until.values().filter(|until| **until > now).count()
    }

    fn set(&self, slots: &[Slot], to: impl Fn(Option<Instant>) -> Instant, until: Instant) {
        let now = clock::now();
        if until <= now && self.open.lock().unwrap_or_else(PoisonError::into_inner).until.is_empty() {
            return;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in slots {
            let there = open.until.get(slot).copied();
            open.until.insert(*slot, to(there));
        }
        if open.until.len() > open.sweep_at {
            let linger = self.linger;
            open.until.retain(|_, until| *until + linger > now);
            open.sweep_at = (2 * open.until.len()).max(64);
        }
        if open.until.len() > DOUBTS_MAX {
            let last = open.until.values().copied().max();
            open.all = open.all.max(last);
            open.until.clear();
        }
    }
}
