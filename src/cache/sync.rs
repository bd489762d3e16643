//! What slots, `now` and flights are shared with: all of it comes through here, and from here only.
//!
//! `tests/loom` puts its own in this place, to try every order in which threads may see each other's writes.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
pub(super) use std::sync::{Mutex, MutexGuard, OnceLock};
pub(super) use tokio::sync::Notify;
