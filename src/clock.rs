//! The clocks: tokio's for every measure of time, the system's for dates and for what outlives the process.
//!
//! Everything that waits, expires or is counted by time uses [`Instant`] from here, so that a test can pause
//! it. [`unix_ms`] is the wall clock; it is for bodies, logs and ages of files. Whoever decides by it how long
//! something lives takes a [`Wall`], which a test can set: the wall clock jumps.
//!
//! What may surprise: tokio's clock stands still while the machine is suspended. [`Drift`] notices.

pub use tokio::time::Instant;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970, as the vendor writes `timestamp`.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The system's wall clock, or a test's.
#[derive(Clone)]
pub struct Wall(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Wall {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(unix_ms))
    }

    /// One that shows what `read` says, in milliseconds since 1970.
    #[must_use]
    pub fn of(read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        (self.0)()
    }
}

impl std::fmt::Debug for Wall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wall")
    }
}

/// Notices that the two clocks have parted: the machine was suspended, or somebody set the wall clock.
#[derive(Debug)]
pub struct Drift {
    wall: Wall,
    seen: (Instant, u64),
}

/// Smaller steps are the usual corrections.
const JUMP_MS: i64 = 5_000;

impl Drift {
    /// From now on.
    #[must_use]
    pub fn new(wall: Wall) -> Self {
        let seen = (now(), wall.unix_ms());
        Self { wall, seen }
    }

    /// By how many milliseconds the wall clock has moved beyond tokio's since the last look, if that is a jump
    /// (more than 5 s); negative when it was set back.
    pub fn look(&mut self) -> Option<i64> {
        let seen = (now(), self.wall.unix_ms());
        let passed = millis(seen.0.saturating_duration_since(self.seen.0));
        let shown = i64::try_from(i128::from(seen.1) - i128::from(self.seen.1)).unwrap_or(i64::MAX);
        self.seen = seen;
        let by = shown.saturating_sub(passed);
        (by.saturating_abs() > JUMP_MS).then_some(by)
    }
}

/// Whole milliseconds.
#[must_use]
pub fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
