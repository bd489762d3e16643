//! What became of the configuration: when it was taken, why the last one was not, what waits for a restart.
//!
//! Reading and judging it is left to others; here it is only remembered, for metrics and the status page.

use crate::clock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The reloads of one process.
#[derive(Debug)]
pub struct Reloads {
    applied: AtomicU64,
    refused: AtomicU64,
    state: Mutex<State>,
}

/// What the status page shows.
#[derive(Clone, Debug)]
pub struct State {
    /// When the configuration in force was taken, in Unix milliseconds.
    pub taken_ms: u64,
    /// Why the file that is there now was not taken, and since when, in Unix milliseconds.
    pub refused: Option<(String, u64)>,
    /// Settings whose new value waits for a restart.
    pub restart: Vec<String>,
}

// === impl Reloads ===

impl Default for Reloads {
    /// The configuration of the start has just been taken.
    fn default() -> Self {
        let state = State { taken_ms: clock::unix_ms(), refused: None, restart: Vec::new() };
        Self { applied: AtomicU64::new(0), refused: AtomicU64::new(0), state: Mutex::new(state) }
    }
}

impl Reloads {
    /// One was taken, but for these settings.
    pub fn applied(&self, restart: Vec<String>) {
        self.applied.fetch_add(1, Relaxed);
        let state = State { taken_ms: clock::unix_ms(), refused: None, restart };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// One was not.
    pub fn refused(&self, why: String) {
        self.refused.fetch_add(1, Relaxed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Since the first of a row: that is how long what is on disk has not been what is in force.
        let since_ms = state.refused.as_ref().map_or_else(clock::unix_ms, |(_, since_ms)| *since_ms);
        state.refused = Some((why, since_ms));
    }

    /// How many were taken, and how many not.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.applied.load(Relaxed), self.refused.load(Relaxed))
    }

    /// As it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
