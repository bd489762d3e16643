//! The life of a token: when it begins, is renewed and ends, also when the clocks part.
//!
//! What may surprise: a life is counted from the moment before the token was asked for, by both clocks, and ends by
//! whichever says so first.

use super::ask::{self, Failure};
use super::budget::HOUR_MS;
use super::state::Stored;
use super::{State, Token, TokenKeeper};
use crate::clock::{self, Instant};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A token that lives shorter than this is a failure: most often `expires_in` is read in the wrong unit. It is
/// used while it lasts, and the next is asked for as after any other failure.
const SHORTEST: Duration = Duration::from_secs(60);
/// A token is renewed after this part of its life, less up to a sixth.
const RENEW_AFTER: f64 = 0.72;

impl TokenKeeper {
    /// The wall clock has moved beyond tokio's: after a suspended hour the token is an hour older than it seems.
    /// When the clock was set back, it is not younger than it seems.
    pub fn clock_jumped(self: &Arc<Self>, by_ms: i64) {
        self.redate(by_ms);
        let Ok(by) = u64::try_from(by_ms).map(Duration::from_millis) else { return };
        let now = clock::now();
        let earlier = |at: Instant| at.checked_sub(by).unwrap_or(now);
        let mut state = self.lock();
        state.renew_at = state.renew_at.map(earlier);
        if let Some(token) = self.current.load_full() {
            self.current.store(Some(Arc::new(Token {
                header: token.header.clone(),
                serial: token.serial,
                until: token.until.map(earlier),
                application: token.application.clone(),
                ends_ms: token.ends_ms,
                granted: token.granted,
                proven: AtomicU64::new(token.proven.load(Ordering::Relaxed)),
            })));
        }
        drop(state);
        self.done.send_modify(|count| *count += 1);
    }

    /// From here on this token is in use; it was asked for so long ago.
    pub(super) fn take(&self, state: &mut State, token: &Stored, age: Duration, how: &str) {
        let Some(header) = ask::bearer(&token.access_token) else { return };
        let now = clock::now();
        let lives = token.lives_ms.map(Duration::from_millis);
        state.serial += 1;
        state.issued_ms = token.issued_ms;
        let latest = self.settings.renew_after_max;
        let latest = lives.map_or(latest, |lives| lives.mul_f64(RENEW_AFTER).min(latest));
        // Chance comes last, so that what was started together is not renewed together.
        let renew_in = latest.mul_f64(1.0 - state.dice.f64() / 6.0).saturating_sub(age);
        state.renew_at = Some(now + renew_in);
        self.current.store(Some(Arc::new(Token {
            header,
            serial: state.serial,
            until: lives.map(|lives| now + lives.saturating_sub(age)),
            application: token.application.clone(),
            ends_ms: token.lives_ms.map(|lives| token.issued_ms.saturating_add(lives)),
            granted: now,
            proven: AtomicU64::new(0),
        })));
        tracing::info!(token.serial = state.serial, token.renew_in_s = renew_in.as_secs(), "token {how}");
    }

    /// Asking again as soon as a short life ends would never end.
    pub(super) fn judge_life(&self, state: &mut State, token: &Stored, now: Instant) {
        let lives = token.lives_ms.map(Duration::from_millis);
        match lives {
            Some(lives) if lives < SHORTEST => {
                let what = format!("the vendor's token lives for {lives:?} only");
                state.fail(&Failure::Failed(what), now, &self.settings);
            }
            _ => state.pause.end(),
        }
        let hour = Duration::from_millis(HOUR_MS.unsigned_abs());
        let per_hour = u32::try_from(self.settings.grants_per_hour).unwrap_or(u32::MAX);
        if lives.is_some_and(|lives| lives.mul_f64(RENEW_AFTER * 5.0 / 6.0).saturating_mul(per_hour) < hour) {
            tracing::warn!(
                "the vendor's tokens live for {lives:?} only: token.grants_per_hour = {per_hour} may not do"
            );
        }
    }
}
