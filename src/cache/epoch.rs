//! Has anything changed since? Touches, and the stamps they are compared with.
//!
//! Tags hash into a fixed array of slots; a slot holds the number of its last touch. A fetch notes the number of
//! the last touch of all before it leaves: its stamp. An answer is current while no slot of its tags holds a
//! number above its stamp. The tags may be learned from the answer itself, since a slot tells of any touch since
//! the fetch began. Two tags in one slot cost a miss, never a stale answer.
//!
//! Order: a touch writes its slots first and publishes its number last. A fetch that reads the old number while
//! a touch is half done therefore gets a stamp below what the slots hold, and is dead on arrival.

use super::key::Secret;
use super::sync::{AtomicU64, Mutex, Ordering::Acquire, Ordering::Release};
use std::sync::PoisonError;

/// The number of the last touch when a fetch began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Stamp(pub u64);

/// The place of a tag.
pub type Slot = u32;

/// The slots.
#[derive(Debug)]
pub struct Epochs {
    slots: Box<[AtomicU64]>,
    /// The last touch of everything at once.
    flushed: AtomicU64,
    now: AtomicU64,
    touching: Mutex<()>,
    secret: Secret,
}

impl Epochs {
    /// `slots` is rounded up to a power of two.
    #[must_use]
    pub fn new(slots: usize, secret: &Secret) -> Self {
        let slots = slots.clamp(1, 1 << 30).next_power_of_two();
        Self {
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            flushed: AtomicU64::new(0),
            now: AtomicU64::new(0),
            touching: Mutex::new(()),
            secret: secret.clone(),
        }
    }

    /// The place of a tag.
    #[must_use]
    pub fn slot(&self, tag: &str) -> Slot {
        let place = self.secret.hash(tag.as_bytes()) as u32;
        place & (self.slots.len() - 1) as u32
    }

    /// The number of the last touch. To be read before a fetch leaves.
    #[must_use]
    pub fn now(&self) -> Stamp {
        Stamp(self.now.load(Acquire))
    }

    /// Says that these have changed. When it returns, nothing fetched before is current.
    pub fn touch(&self, slots: &[Slot]) {
        if slots.is_empty() {
            return;
        }
        let _alone = self.touching.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.now.load(Acquire) + 1;
        for slot in slots {
            self.place(*slot).store(number, Release);
        }
        self.now.store(number, Release);
    }

    /// Says that everything has changed.
    pub fn flush(&self) {
        let _alone = self.touching.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.now.load(Acquire) + 1;
        self.flushed.store(number, Release);
        self.now.store(number, Release);
    }

    /// Whether none of these was touched after the stamp was taken.
    #[must_use]
    pub fn current(&self, stamp: Stamp, mut slots: impl Slots) -> bool {
        self.flushed.load(Acquire) <= stamp.0 && slots.all(|slot| self.place(slot).load(Acquire) <= stamp.0)
    }

    fn place(&self, slot: Slot) -> &AtomicU64 {
        // A power of two, so the mask keeps any number inside.
        &self.slots[slot as usize & (self.slots.len() - 1)]
    }
}

/// Something that lists slots.
pub trait Slots: Iterator<Item = Slot> {}

impl<I: Iterator<Item = Slot>> Slots for I {}
