//! What `src/cache/sync.rs` names, as loom knows it.
//!
//! Two of the names loom has not: they are made here of what it has, and promise no more than the real ones do. A
//! cell that is set once publishes what was written before; a bell rings for whoever listened when it was rung.

use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
pub(super) use loom::sync::{Mutex, MutexGuard};

#[derive(Debug)]
pub(super) struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    is_set: AtomicBool,
}

impl<T> OnceLock<T> {
    pub(super) fn new() -> Self {
        Self { value: std::sync::OnceLock::new(), is_set: AtomicBool::new(false) }
    }

    pub(super) fn set(&self, value: T) -> Result<(), T> {
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.is_set.load(Ordering::Acquire).then(|| self.value.get()).flatten()
    }
}

#[derive(Debug)]
pub(super) struct Notify {
    /// How often it rang for all.
    rung: AtomicU64,
    bell: Mutex<Bell>,
}

#[derive(Debug, Default)]
struct Bell {
    /// It rang for one, and nobody has heard it.
    kept: bool,
    listeners: Vec<Waker>,
}

pub(super) struct Notified<'a> {
    notify: &'a Notify,
    since: u64,
}

impl Notify {
    pub(super) fn new() -> Self {
        Self { rung: AtomicU64::new(0), bell: Mutex::new(Bell::default()) }
    }

    pub(super) fn notified(&self) -> Notified<'_> {
        Notified { notify: self, since: self.rung.load(Ordering::SeqCst) }
    }

    pub(super) fn notify_waiters(&self) {
        self.ring(|_| {
            self.rung.fetch_add(1, Ordering::SeqCst);
        });
    }

    pub(super) fn notify_one(&self) {
        // Whoever listens looks; the first takes it.
        self.ring(|bell| bell.kept = true);
    }

    fn ring(&self, how: impl FnOnce(&mut Bell)) {
        let mut bell = self.bell();
        how(&mut bell);
        let listeners = std::mem::take(&mut bell.listeners);
        drop(bell);
        listeners.into_iter().for_each(Waker::wake);
    }

    fn bell(&self) -> MutexGuard<'_, Bell> {
        self.bell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut bell = self.notify.bell();
        if self.notify.rung.load(Ordering::SeqCst) > self.since || std::mem::take(&mut bell.kept) {
            return Poll::Ready(());
        }
        bell.listeners.push(cx.waker().clone());
        Poll::Pending
    }
}
