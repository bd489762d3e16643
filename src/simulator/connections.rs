//! How many connections there are, and what was odd in the heads that came over them.
//!
//! Apart from the rest of the state, since it is written by every read of a socket. Odd heads are looked for in
//! `framing`; only the last of them are remembered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use super::framing::{Ambiguity, ambiguities};

/// Connections of the listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectionCount {
    /// Open now.
    pub open: u64,
    /// Opened since the start.
    pub opened: u64,
    /// The most that were open at once.
    pub most: u64,
}

/// Heads that can be read in two ways.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ambiguities {
    /// How often each kind was seen.
    pub counts: BTreeMap<Ambiguity, u64>,
    /// The last heads that had any, oldest first.
    pub last: VecDeque<OddHead>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct OddHead {
    /// Over which connection it came.
    pub connection: u64,
    /// What is odd about it.
    pub kinds: Vec<Ambiguity>,
    /// The head, with a replacement character for every byte that is no text.
    pub head: String,
}

/// So many odd heads are remembered.
const ODD_HEADS_MAX: usize = 100;

/// All connections of one simulator.
pub(super) struct Connections {
    hears: AtomicBool,
    opened: AtomicU64,
    open: AtomicU64,
    most: AtomicU64,
    odd: Mutex<Ambiguities>,
}

impl Connections {
    pub(super) fn new(hears: bool) -> Arc<Self> {
        Arc::new(Self {
            hears: AtomicBool::new(hears),
            opened: AtomicU64::new(0),
            open: AtomicU64::new(0),
            most: AtomicU64::new(0),
            odd: Mutex::default(),
        })
    }

    /// One more, for as long as the value lives.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(open, Ordering::Relaxed);
        Open { number, all: Arc::clone(self) }
    }

    /// Whether connections opened from now on have their heads recorded.
    pub(super) fn hear(&self, hears: bool) {
        self.hears.store(hears, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> ConnectionCount {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        ConnectionCount { open: count(&self.open), opened: count(&self.opened), most: count(&self.most) }
    }

    pub(super) fn odd(&self) -> MutexGuard<'_, Ambiguities> {
        self.odd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is open.
pub(super) struct Open {
    /// Which connection this is, counted from 1.
    pub(super) number: u64,
    all: Arc<Connections>,
}

impl Open {
    pub(super) fn hears(&self) -> bool {
        self.all.hears.load(Ordering::Relaxed)
    }

    /// Looks at a head that has come.
    pub(super) fn note(&self, head: &Bytes) {
        let kinds = ambiguities(head);
        if kinds.is_empty() {
            return;
        }
        let mut odd = self.all.odd();
        for kind in &kinds {
            *odd.counts.entry(*kind).or_default() += 1;
        }
        if odd.last.len() == ODD_HEADS_MAX {
            odd.last.pop_front();
        }
        let head = String::from_utf8_lossy(head).into_owned();
        odd.last.push_back(OddHead { connection: self.number, kinds, head });
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.all.open.fetch_sub(1, Ordering::Relaxed);
    }
}
