//! Which 401s may cost a grant.
//!
//! A 401 of the authentication kind may be the token's fault or something else that the vendor words alike. So
//! renewals for 401s are rare, leave half of the budget for what is certain, and an endpoint that refuses the new
//! token too has shown that tokens are not what it wants.

use super::{Token, TokenKeeper};
use crate::catalogue::EndpointId;
use crate::clock::{self, Instant};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Renewals for 401s are at least this far apart.
const APART: Duration = Duration::from_secs(60);
/// The share of the budget is counted over this.
const HOUR: Duration = Duration::from_secs(3_600);
/// So long an endpoint that has refused a new token is not believed.
const QUIET: Duration = Duration::from_secs(600);

/// What may be done after the vendor refused a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refused {
    /// Another token is there or will be asked for: send the call once more.
    Again,
    /// It was good for another call meanwhile: the refusal is about something else.
    NotTheToken,
    /// It was renewed for a refusal just now: asking yet again would look like abuse.
    TooSoon,
}

#[derive(Debug)]
pub(super) struct Refusals {
    per_hour: usize,
    /// The last ones.
    renewals: Vec<Instant>,
    /// Endpoints that have refused a new token, and when.
    quiet: HashMap<EndpointId, Instant>,
}

impl Refusals {
    /// Half of the budget, and at least one.
    pub(super) fn new(budget_per_hour: usize) -> Self {
        Self { per_hour: (budget_per_hour / 2).max(1), renewals: Vec::new(), quiet: HashMap::new() }
    }

    /// Whether a 401 may cause a renewal now; if so, it is taken as one.
    pub(super) fn renew(&mut self, now: Instant) -> bool {
        self.renewals.retain(|at| now.duration_since(*at) < HOUR);
        let soon = self.renewals.last().is_some_and(|last| now.duration_since(*last) < APART);
        if soon || self.renewals.len() >= self.per_hour {
            return false;
        }
        self.renewals.push(now);
        true
    }

    /// Whether this endpoint has refused a new token, too, a short while ago.
    pub(super) fn is_quiet(&self, endpoint: EndpointId, now: Instant) -> bool {
        self.quiet.get(&endpoint).is_some_and(|since| now.duration_since(*since) < QUIET)
    }

    /// The call was repeated with a new token, and refused again.
    pub(super) fn again(&mut self, endpoint: EndpointId, now: Instant) {
        self.quiet.insert(endpoint, now);
    }
}

impl TokenKeeper {
    /// The vendor refused the token on a call of this endpoint that left at `left`.
    pub fn refuse(&self, token: &Token, left: Instant, endpoint: EndpointId) -> Refused {
        let mut state = self.lock();
        if token.serial != state.serial || self.current.load().is_none() {
            return Refused::Again;
        }
        // It was good for another call after this one had left: the refusal is not about the token.
        let left_ms = left.saturating_duration_since(token.granted).as_millis() as u64;
        if token.proven.load(Ordering::Relaxed) > left_ms + 1 {
            return Refused::NotTheToken;
        }
        let now = clock::now();
        if state.refusals.is_quiet(endpoint, now) {
            return Refused::TooSoon;
        }
        // While no other can be had, the token stays: it may be good for others.
        if !state.asking {
            if self.blocked(&state).is_some() || !state.refusals.renew(now) {
                return Refused::TooSoon;
            }
            state.counts.renewed_after_refusal += 1;
            tracing::warn!(
                token.serial = token.serial,
                "the vendor refused the token on a call: it is renewed"
            );
        }
        self.current.store(None);
        state.gone = "refused";
        Refused::Again
    }

    /// The call was sent once more with another token, and refused again: tokens are not what its endpoint wants.
    pub fn refused_again(&self, endpoint: EndpointId) {
        self.lock().refusals.again(endpoint, clock::now());
    }

    /// The token was good for a call.
    pub fn proved(&self, token: &Token) {
        let ms = clock::now().saturating_duration_since(token.granted).as_millis() as u64;
        token.proven.fetch_max(ms + 1, Ordering::Relaxed);
    }
}
