//! Every background task, in one place: named, counted, waited for at the end.
//!
//! Nothing else in the crate calls `tokio::spawn`. A task runs on the runtime of whoever spawned it; the
//! tracker only counts it, from any thread.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::Poll;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle on the tasks of one gateway. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// What must come to its end: requests, fetches, writes.
    work: TaskTracker,
    /// What would go on for ever: loops, idle connections.
    loops: TaskTracker,
    stop: Signal,
}

/// Something that happens once. Clones are one signal.
#[derive(Clone, Debug, Default)]
pub struct Signal {
    given: Arc<AtomicBool>,
    token: CancellationToken,
}

impl Signal {
    /// Lets it happen.
    pub fn give(&self) {
        self.given.store(true, Release);
        self.token.cancel();
    }

    /// Whether it has happened.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.given.load(Acquire)
    }

    /// Resolves when it happens. Costs next to nothing beside what is polled often, see [`seldom`].
    pub async fn given(&self) {
        seldom(self.token.cancelled(), || self.is_given()).await;
    }
}

/// A rare event beside something that is polled often: it is polled once, so that it wakes the task, and from then on
/// only if `is_near`. Must be polled by one task alone, and what makes `is_near` true must come before the event.
pub async fn seldom<F: Future>(event: F, is_near: impl Fn() -> bool) -> F::Output {
    tokio::pin!(event);
    let mut is_known = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_known, true) && !is_near() {
            return Poll::Pending;
        }
        event.as_mut().poll(cx)
    })
    .await
}

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `future` to its end, whatever becomes of the caller.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn spawn<F>(&self, _name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(self.work.track_future(future));
    }

    /// Runs `future` until it ends or the gateway stops. For what would never end by itself.
    #[allow(clippy::disallowed_methods, reason = "the other place that spawns")]
    pub fn spawn_until_stop<F>(&self, _name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        tokio::spawn(self.loops.track_future(async move {
            tokio::select! {
                () = stop.given() => {}
                () = future => {}
            }
        }));
    }

    /// Runs `work` where it may block; `None` when it broke.
    pub fn blocking<T, F>(&self, work: F) -> impl Future<Output = Option<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (token, work) = (self.work.token(), tokio::task::spawn_blocking(work));
        async move {
            let done = work.await.ok();
            drop(token);
            done
        }
    }

    /// How many tasks are running that come to an end by themselves, and how many that would go on for ever.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.work.len(), self.loops.len())
    }

    /// Resolves when no work is under way. Loops go on: work may still need them.
    pub async fn settled(&self) {
        self.work.close();
        self.work.wait().await;
    }

    /// Waits for the work, then ends the loops.
    pub async fn finish(&self) {
        self.settled().await;
        self.stop.give();
        self.loops.close();
        self.loops.wait().await;
    }
}
