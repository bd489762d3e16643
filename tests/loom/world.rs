//! A vendor with one number, a gateway with two slots, and room for one answer.

use crate::cache::epoch::{Epochs, Slot, Stamp};
use crate::cache::key::Secret;
use loom::model::Builder;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::thread;
use std::sync::Arc;

/// What every answer shows: the one tag is known from the request, the other from the answer.
pub(crate) const SHOWN: [Slot; 2] = [0, 1];
pub(crate) const KNOWN: [Slot; 1] = [0];

/// What the vendor says before the write, and after.
pub(crate) const OLD: u64 = 0;
pub(crate) const NEW: u64 = 1;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) epochs: Epochs,
    vendor: AtomicU64,
    store: Mutex<Option<(Stamp, u64)>>,
    answered: AtomicBool,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            epochs: Epochs::new(2, &Secret),
            vendor: AtomicU64::new(OLD),
            store: Mutex::new(None),
            answered: AtomicBool::new(false),
        })
    }

    /// A write: the vendor changes, the gateway touches, the caller is answered.
    pub(crate) fn write(&self, touch: impl FnOnce(&Epochs)) {
        self.vendor.store(NEW, Ordering::Relaxed);
        touch(&self.epochs);
        self.answered.store(true, Ordering::Release);
    }

    /// Whether whoever asks now comes after the write's answer.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// What the vendor says.
    pub(crate) fn ask(&self) -> u64 {
        self.vendor.load(Ordering::Relaxed)
    }

    /// A read that shares nothing: stamp, fetch, keep.
    pub(crate) fn fetch(&self) {
        let stamp = self.epochs.now();
        let said = self.ask();
        self.keep(stamp, said);
    }

    /// As `Cache::keep`: if nothing has overtaken it, and nothing later is there.
    pub(crate) fn keep(&self, stamp: Stamp, said: u64) {
        if self.epochs.current(stamp, SHOWN.into_iter()) {
            let mut store = self.store.lock().unwrap();
            if store.is_none_or(|(there, _)| there <= stamp) {
                *store = Some((stamp, said));
            }
        }
    }

    /// As `Cache::find`.
    pub(crate) fn find(&self) -> Option<u64> {
        let (stamp, said) = (*self.store.lock().unwrap())?;
        self.epochs.current(stamp, SHOWN.into_iter()).then_some(said)
    }
}

/// Tries every order of these threads.
pub(crate) fn every_order(run: impl Fn() + Sync + Send + 'static) {
    Builder::new().check(run);
}

/// The same where there are too many: every order in which a thread is stopped against its will at most three times.
pub(crate) fn most_orders(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(run);
}

pub(crate) fn start<T: 'static>(
    world: &Arc<World>,
    run: impl FnOnce(&World) -> T + 'static,
) -> thread::JoinHandle<T> {
    let world = Arc::clone(world);
    thread::spawn(move || run(&world))
}
