//! What operators may know of the token: numbers and states, no secrets.
//!
//! How it is shown is left to metrics and to the status page.

use super::budget::Standing;
use super::{State, TokenKeeper};
use crate::clock;
use std::collections::BTreeMap;
use std::time::Duration;

/// Numbers for telemetry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Grants that gave a token.
    pub granted: u64,
    /// Grants that the vendor refused.
    pub refused: u64,
    /// Grants that failed otherwise.
    pub failed: u64,
    /// Grants asked for beyond the budget.
    pub beyond: u64,
    /// Times a token was refused on a call and renewed for it.
    pub renewed_after_refusal: u64,
}

/// How many grants were asked for, by reason ([`REASONS`]) and by what came of them ([`OUTCOMES`]).
pub type Grants = BTreeMap<(&'static str, &'static str), u64>;

/// Why a grant is asked for: none was there yet, early enough, the old one had ended, it was refused on a call, the
/// secret was replaced.
pub const REASONS: [&str; 5] = ["start", "renewal", "expired", "refused", "secret"];
/// What comes of a grant.
pub const OUTCOMES: [&str; 4] = ["granted", "refused", "failed", "unreached"];

/// Whether the past outlives a restart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remembered {
    /// There is no state directory.
    Off,
    /// In the state directory.
    Well,
    /// The state directory is in trouble.
    Trouble(String),
}

/// The state of the token.
#[derive(Clone, Debug)]
pub struct Report {
    /// There is one that may be sent.
    pub usable: bool,
    /// Until it ends, if there is one and its end is known.
    pub left: Option<Duration>,
    /// Since the last grant, and what came of it: `granted`, `found` (in the state directory), `refused`, `failed`,
    /// `unreached`.
    pub last: Option<(Duration, &'static str)>,
    /// Grants that an hour may have.
    pub grants_per_hour: usize,
    /// Grants of the last hour.
    pub grants_last_hour: usize,
    /// Grants that are left now.
    pub grants_left: usize,
    /// Until the next grant may be asked for; zero when it may.
    pub next_in: Duration,
    /// Whether the past outlives a restart.
    pub remembered: Remembered,
}

impl TokenKeeper {
    /// Numbers for telemetry.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// How many grants were asked for, why, and what came of them.
    #[must_use]
    pub fn grants(&self) -> Grants {
        self.lock().grants.clone()
    }

    /// Why a grant that begins now is asked for.
    pub(super) fn why(&self, state: &State) -> &'static str {
        match (self.current().is_some(), self.current.load().is_some()) {
            (true, _) => "renewal",
            (false, true) => "expired",
            (false, false) => state.gone,
        }
    }

    /// The state of the token.
    #[must_use]
    pub fn report(&self) -> Report {
        let (token, now, line_ms) = (self.current(), clock::now(), self.moment().line_ms);
        let state = self.lock();
        let next_in = self.blocked(&state).map_or(Duration::ZERO, |(until, _)| until - now);
        let grants_left = match state.budget.standing(line_ms) {
            Standing::Within(left) => left,
            Standing::Beyond(_) => 0,
        };
        let trouble = self.memory.as_ref().map(|memory| memory.trouble());
        Report {
            usable: token.is_some(),
            left: token.and_then(|token| token.until).map(|until| until.saturating_duration_since(now)),
            last: state.last.map(|(at, outcome)| (now - at, outcome)),
            grants_per_hour: self.settings.grants_per_hour,
            grants_last_hour: state.budget.last_hour(line_ms),
            grants_left,
            next_in,
            remembered: match trouble {
                None => Remembered::Off,
                Some(None) => Remembered::Well,
                Some(Some(what)) => Remembered::Trouble(what),
            },
        }
    }
}
