//! The house after the clocks have parted: the machine slept, or somebody set the wall clock.
//!
//! tokio's clock stands still while the machine sleeps. What was kept before is then older than it seems, and so is
//! the token. A tick notices within a second; nothing on the path of a request asks the wall clock for that.

use super::House;
use crate::clock::{Drift, Wall};
use std::sync::Arc;
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);

impl House {
    /// Watches for as long as the gateway runs.
    pub async fn watch_clock(self: Arc<Self>, wall: Wall) {
        let mut drift = Drift::new(wall);
        loop {
            tokio::time::sleep(TICK).await;
            if let Some(by_ms) = drift.look() {
                tracing::warn!(
                    clock.jump_ms = by_ms,
                    "the wall clock has jumped, or the machine slept: nothing kept before is served"
                );
                self.cache.epochs.flush();
                self.tokens.clock_jumped(by_ms);
            }
        }
    }
}
