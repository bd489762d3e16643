//! `Seat`: the right to wait for something. There are only so many.
//!
//! Who finds none is refused at once; how many there are is for others.

use super::Going;
use super::refusal::Refusal;
use crate::body::Body;
use futures_util::FutureExt;
use http::Response;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The right to wait, given back when dropped.
pub(super) struct Seat<'a>(&'a AtomicUsize);

impl<'a> Seat<'a> {
    pub(super) fn take(seats: &'a AtomicUsize, max: usize) -> Option<Self> {
        let seat = Self(seats);
        let taken = seats.fetch_add(1, Ordering::Relaxed);
        (taken < max).then_some(seat)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whatever waits takes a seat, and a panic in it ends nothing else.
pub(super) async fn seated(seat: Option<Seat<'_>>, going: Going<'_>) -> Result<Response<Body>, Refusal> {
    let _seat = seat.ok_or(Refusal::Full)?;
    AssertUnwindSafe(going).catch_unwind().await.unwrap_or(Err(Refusal::Broken))
}
