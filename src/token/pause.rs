//! Pauses after a grant that failed: ever longer, with jitter.
//!
//! A clear no from the vendor is asked again rarely: wrong credentials do not get better by repetition, and
//! repetition looks like an attack. Everything else may pass. It begins soon, but grows fourfold, since six attempts
//! are all that an hour has: they should outlast an outage of some minutes.

use super::ask::Failure;
use super::{NoToken, Settings};
use crate::clock::Instant;
use std::time::Duration;

/// How often it has failed, and until when nothing is asked.
#[derive(Debug, Default)]
pub(super) struct Pause {
    failures: u32,
    until: Option<(Instant, NoToken)>,
}

impl Pause {
    /// Until when, and why; `None` when a grant may be asked for.
    pub(super) fn at(&self, now: Instant) -> Option<(Instant, NoToken)> {
        let (until, why) = self.until.as_ref()?;
        let left = until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some((*until, why.clone().again_in(left)))
    }

    /// A grant went well, or nothing that failed so far counts any more.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// A grant failed.
    pub(super) fn after(
        &mut self,
        failure: &Failure,
        now: Instant,
        settings: &Settings,
        dice: &mut fastrand::Rng,
    ) {
        let (min, max, growth) = match failure {
            Failure::Refused(_) => (settings.refused_retry_min, settings.refused_retry_max, 2_u32),
            Failure::Failed(_) | Failure::Unreached(_) => (settings.retry_min, settings.retry_max, 4),
        };
        let grown = min.saturating_mul(growth.saturating_pow(self.failures.min(20))).min(max);
        let pause = grown.mul_f64(0.8 + 0.4 * dice.f64()).min(max);
        self.failures = self.failures.saturating_add(1);
        tracing::error!(token.retry_in_s = pause.as_secs_f64(), "no token: {}", failure.what());
        let why = match failure {
            Failure::Refused(what) => NoToken::Refused(what.clone(), pause),
            Failure::Failed(what) | Failure::Unreached(what) => NoToken::Failed(what.clone(), pause),
        };
        self.until = Some((now + pause, why));
    }
}

impl NoToken {
    fn again_in(self, left: Duration) -> Self {
        match self {
            Self::Refused(what, _) => Self::Refused(what, left),
            Self::Failed(what, _) => Self::Failed(what, left),
            Self::Spent(_) => Self::Spent(left),
            Self::TimedOut => Self::TimedOut,
        }
    }
}
