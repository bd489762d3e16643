//! The one clock: tokio's for every measure of time, the system's only for dates that people read.
//!
//! Everything that waits, expires or is counted by time uses [`Instant`] from here, so that a test can pause
//! it. [`unix_ms`] is the wall clock; it is for bodies, logs and ages of files, never for deciding how long
//! something lives.

pub use tokio::time::Instant;

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
