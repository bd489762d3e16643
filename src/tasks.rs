//! Every background task, in one place: named, counted, waited for at the end.
//!
//! Nothing else in the crate calls `tokio::spawn`. A task runs on the runtime of whoever spawned it; the
//! tracker only counts it, from any thread.

use std::future::Future;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle on the tasks of one gateway. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// What must come to its end: requests, fetches, writes.
    work: TaskTracker,
    /// What would go on for ever: loops, idle connections.
    loops: TaskTracker,
    stop: CancellationToken,
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
                () = stop.cancelled() => {}
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
        self.stop.cancel();
        self.loops.close();
        self.loops.wait().await;
    }
}
