//! What the gateway remembers of its reads, and when that stops being true.
//!
//! The rule, in full: an entry may be served while its deadline has not passed **and** none of its tags has
//! been touched since the fetch that filled it began. Touching is therefore all that invalidation is; nothing
//! is ever searched or deleted. The store (moka) only holds, weighs and evicts: freshness never depends on it.
//! Who fetches, and from where, is the business of `gateway`.

pub mod doubt;
pub mod entry;
pub mod epoch;
pub mod flight;
pub mod key;
mod store;
mod sync;

use crate::clock::{self, Instant};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use doubt::Doubts;
pub use entry::Entry;
pub use epoch::{Epochs, Slot, Stamp};
pub use flight::{Flights, Full};
pub use key::{Key, Secret};

/// Sizes and times.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes that kept answers may weigh together, overhead included.
    pub bytes_max: u64,
    /// Slots for tags: a power of two, eight bytes each.
    pub slots: usize,
    /// An answer that shows more tags than this is not kept: it would be asked about each of them at every hit.
    pub tags_max: usize,
    /// After an acknowledged write, answers about its tags are not kept for this long; zero turns it off.
    pub settle: Duration,
    /// After a write whose outcome is unknown: the same, for this long.
    pub doubt: Duration,
    /// No fetch lasts longer: how long an ended doubt is remembered.
    pub fetch_max: Duration,
}

/// Kept answers, touches and doubts. Fetches under way are in [`Flights`], beside it.
#[derive(Debug)]
pub struct Cache {
    /// Touches and stamps.
    pub epochs: Epochs,
    /// Tags whose state nobody can vouch for.
    pub doubts: Doubts,
    store: store::Store,
    /// Held while an answer is kept, by hash of its key.
    keeping: [Mutex<()>; KEEPING],
    /// Answers that were put in where none was, since the start; and of those, how many are seen to have gone.
    added: AtomicU64,
    evicted: AtomicU64,
    /// Times that operators said something has changed.
    pub purges: AtomicU64,
    settings: Settings,
}

const KEEPING: usize = 64;

/// Why tags are touched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// A write was answered with success.
    Write,
    /// A write was answered with a refusal: probably nothing changed.
    Declined,
    /// A write whose outcome nobody knows.
    Unknown,
    /// The vendor reported a change that did not come through here.
    Callback,
    /// An operator said so.
    Purge,
}

impl Cause {
    /// Every cause, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Write, Self::Declined, Self::Unknown, Self::Callback, Self::Purge];

    /// As metrics and logs say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
            Self::Callback => "callback",
            Self::Purge => "purge",
        }
    }
}

/// What a write touched, and until when that is in doubt if its outcome is unknown.
#[derive(Clone, Debug)]
pub struct Touched {
    slots: Vec<Slot>,
    doubted: Instant,
}

impl Touched {
    /// The places of its tags.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

/// What became of a fetched answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// It is in the store.
    Stored,
    /// Something it shows was touched while it was fetched.
    Overtaken,
    /// Something it shows is in doubt, or has not settled.
    InDoubt,
    /// What is stored already was fetched later.
    Older,
    /// It shows more things than one answer may.
    TooManyTags,
}

impl Kept {
    /// Every outcome, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Stored, Self::Overtaken, Self::InDoubt, Self::Older, Self::TooManyTags];

    /// As metrics say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Overtaken => "overtaken",
            Self::InDoubt => "in_doubt",
            Self::Older => "older",
            Self::TooManyTags => "too_many_tags",
        }
    }
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(settings: Settings, secret: &Secret) -> Self {
        Self {
            epochs: Epochs::new(settings.slots, secret),
            doubts: Doubts::new(settings.fetch_max),
            store: store::new(settings.bytes_max, secret),
            keeping: std::array::from_fn(|_| Mutex::default()),
            added: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            purges: AtomicU64::new(0),
            settings,
        }
    }

    /// What is kept under this key and may be served now.
    #[must_use]
    pub fn look_up(&self, key: &Key, now: Instant) -> Option<Arc<Entry>> {
        self.find(key).filter(|entry| entry.deadline > now)
    }

    /// What is kept under this key and was touched by nobody, also past its time.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.store.get(&key.hash())?;
        let good = entry.key() == key.bytes() && self.current(&entry);
        good.then_some(entry)
    }

    /// Whether nothing that the entry shows was touched since it was fetched.
    #[must_use]
    pub fn current(&self, entry: &Entry) -> bool {
        self.epochs.current(entry.stamp, entry.slots())
    }

    /// Keeps an answer that was fetched from `began` on, if nothing speaks against it.
    pub fn keep(&self, key: &Key, entry: Arc<Entry>, began: Instant) -> Kept {
        if entry.slots().len() > self.settings.tags_max {
            return Kept::TooManyTags;
        }
        if !self.epochs.current(entry.stamp, entry.slots()) {
            return Kept::Overtaken;
        }
        if self.doubts.about(entry.slots(), began) {
            return Kept::InDoubt;
        }
        // Two fetches of one read may land at once; the later one must stay.
        let stripe = &self.keeping[key.hash() as usize % KEEPING];
        let _alone = stripe.lock().unwrap_or_else(PoisonError::into_inner);
        // Between two touches stamps are alike; what a device changed shows in the later fetch only.
        let order = |entry: &Entry| (entry.stamp, entry.fetched);
        // Asked first whether there is one: a `get` of nothing counts as a reader's, and what is asked for often stays.
        let there = self.store.contains_key(&key.hash()).then(|| self.store.get(&key.hash())).flatten();
        if there.as_ref().is_some_and(|there| order(there) > order(&entry)) {
            return Kept::Older;
        }
        self.store.insert(key.hash(), entry);
        if there.is_none() {
            self.added.fetch_add(1, Relaxed);
        }
        Kept::Stored
    }

    /// Says that these tags have changed. From here on nothing fetched before is served.
    pub fn touch(&self, tags: &[String], cause: Cause) -> Touched {
        let now = clock::now();
        let touched = Touched { slots: self.slots(tags), doubted: now + self.settings.doubt };
        // The doubt is there before the touch is seen: a fetch that begins after the touch must find it.
        match cause {
            // A change that is heard of was acknowledged to somebody else: the vendor's copies may lag as much.
            Cause::Write | Cause::Callback | Cause::Purge => {
                self.doubts.open(&touched.slots, now + self.settings.settle)
            }
            Cause::Unknown => self.doubts.open_unanswered(&touched.slots, touched.doubted),
            Cause::Declined => {}
        }
        self.epochs.touch(&touched.slots);
        touched
    }

    /// Says that everything has changed, and settles.
    pub fn touch_all(&self) {
        self.doubts.open_all(clock::now() + self.settings.settle);
        self.epochs.flush();
    }

    /// The late answer to a write of unknown outcome has come: what it touched is touched again, and settles.
    pub fn resolve(&self, touched: &Touched) {
        self.doubts.close(&touched.slots, touched.doubted, clock::now() + self.settings.settle);
        self.epochs.touch(&touched.slots);
    }

    /// The late answer says no more than none: what it touched is touched again, and in doubt from now on.
    pub fn doubt_anew(&self, touched: &Touched) {
        self.doubts.open_unanswered(&touched.slots, clock::now() + self.settings.doubt);
        self.epochs.touch(&touched.slots);
    }

    /// The slots of these tags, and of the tag that every answer carries.
    #[must_use]
    pub fn slots(&self, tags: &[String]) -> Vec<Slot> {
        let mut slots: Vec<Slot> = tags.iter().map(|tag| self.epochs.slot(tag)).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Answers that were put out, or not let in, for want of room, since the start. Approximate, and never less than
    /// it was.
    ///
    /// Nothing is ever deleted, so they are those that were added and are not there. A listener in the store would
    /// tell as much, and take a lock for each answer that is kept.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        let added = self.added.load(Relaxed);
        let gone = added.saturating_sub(self.size().0);
        self.evicted.fetch_max(gone, Relaxed).max(gone)
    }

    /// Answers kept, and the bytes they weigh. Approximate.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        self.store.run_pending_tasks();
        (self.store.entry_count(), self.store.weighted_size())
    }
}
