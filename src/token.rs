//! A good app token, with at most one grant under way.
//!
//! The vendor bans accounts that ask for tokens too often. So one keeper asks for all, early and rarely: a token
//! is renewed at about two thirds of its life while the old one stays in use; callers who find none wait together
//! for one grant; a failure is remembered and not repeated before its time. Every token has a serial number, so
//! that a hundred calls refused with the same token cause one renewal.
//!
//! How many grants an hour may be asked for, and how that outlives a restart, is not decided here yet: the place
//! for it is [`TokenKeeper::begin`], the only way to a grant.

pub mod ask;

use crate::clock::{self, Instant};
use crate::tasks::Tasks;
use arc_swap::ArcSwapOption;
use ask::{Asker, Failure};
use futures_util::FutureExt;
use http::HeaderValue;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Times.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a call waits for a token.
    pub patience: Duration,
    /// A token is renewed at the latest after this.
    pub renew_after_max: Duration,
    /// After the vendor could not be asked, the first pause; it doubles.
    pub retry_min: Duration,
    /// The longest such pause.
    pub retry_max: Duration,
    /// After the vendor refused the credentials, the first pause; it doubles.
    pub refused_retry_min: Duration,
    /// The longest such pause.
    pub refused_retry_max: Duration,
}

/// An app token.
#[derive(Debug)]
pub struct Token {
    /// `Bearer …`, marked sensitive.
    pub header: HeaderValue,
    /// Which token this is; grows.
    pub serial: u64,
    /// From then on it is not sent; `None` when the vendor named no end.
    pub until: Option<Instant>,
    /// The app's UUID, as the vendor named it with this token.
    pub application: Option<String>,
    granted: Instant,
    /// Milliseconds after `granted` of the last call that it was good for, plus one.
    proven: AtomicU64,
}

/// Why there is no token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoToken {
    /// The vendor refuses the credentials; nothing is asked before the pause has passed.
    Refused(String, Duration),
    /// The vendor could not be asked.
    Failed(String, Duration),
    /// None in time.
    TimedOut,
}

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

/// Numbers for telemetry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Grants that gave a token.
    pub granted: u64,
    /// Grants that the vendor refused.
    pub refused: u64,
    /// Grants that failed otherwise.
    pub failed: u64,
    /// Times a token was refused on a call and renewed for it.
    pub renewed_after_refusal: u64,
}

/// Keeps the token.
pub struct TokenKeeper {
    current: ArcSwapOption<Token>,
    state: Mutex<State>,
    done: watch::Sender<u64>,
    asker: Asker,
    settings: Settings,
    tasks: Tasks,
}

struct State {
    asking: bool,
    serial: u64,
    failures: u32,
    pause: Option<(Instant, NoToken)>,
    refused_at: Option<Instant>,
    /// The next renewal for a refusal is so long after that.
    refusals_apart: Duration,
    renew_at: Option<Instant>,
    counts: Counts,
    dice: fastrand::Rng,
}

/// Renewals caused by refused tokens are at least this far apart; twice as far each time that it did not help.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(60);
/// And never further: three an hour.
const BETWEEN_REFUSALS_MAX: Duration = Duration::from_secs(20 * 60);
/// A renewal for a refusal has helped if there is none for this long.
const HELPED: Duration = Duration::from_secs(3600);
/// A token that lives shorter than this is a failure: most often `expires_in` is read in the wrong unit. It is
/// used while it lasts, and the next is asked for as after any other failure.
const SHORTEST: Duration = Duration::from_secs(60);
/// A token this close to its end is not sent: it could die on the way.
const MARGIN: Duration = Duration::from_secs(2);

impl TokenKeeper {
    /// No token yet; nothing is asked until somebody needs one or [`Self::renewals`] runs.
    #[must_use]
    pub fn new(asker: Asker, settings: Settings, tasks: Tasks, dice: fastrand::Rng) -> Arc<Self> {
        let state = State {
            asking: false,
            serial: 0,
            failures: 0,
            pause: None,
            refused_at: None,
            refusals_apart: BETWEEN_REFUSALS,
            renew_at: None,
            counts: Counts::default(),
            dice,
        };
        Arc::new(Self {
            current: ArcSwapOption::empty(),
            state: Mutex::new(state),
            done: watch::Sender::new(0),
            asker,
            settings,
            tasks,
        })
    }

    /// The token, if there is a good one.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Token>> {
        let token = self.current.load_full()?;
        let good = token.until.is_none_or(|until| clock::now() + MARGIN < until);
        good.then_some(token)
    }

    /// A good token: the current one, or the one that everyone without waits for.
    ///
    /// # Errors
    /// [`NoToken`] when there is none in time, or the last attempt failed too recently.
    pub async fn get(self: &Arc<Self>) -> Result<Arc<Token>, NoToken> {
        if let Some(token) = self.current() {
            return Ok(token);
        }
        let mut done = self.done.subscribe();
        self.begin(false)?;
        let landed = async {
            while self.current().is_none() && self.lock().asking {
                // The sender lives as long as the keeper.
                let _ = done.changed().await;
            }
        };
        let waited = tokio::time::timeout(self.settings.patience, landed).await;
        match self.current() {
            Some(token) => Ok(token),
            None if waited.is_err() => Err(NoToken::TimedOut),
            None => Err(self.lock().paused(clock::now()).unwrap_or(NoToken::TimedOut)),
        }
    }

    /// The vendor refused the token of this serial on a call that left at `left`.
    pub fn refuse(&self, token: &Token, left: Instant) -> Refused {
        let mut state = self.lock();
        if token.serial != state.serial {
            return Refused::Again;
        }
        // It was good for another call after this one had left: the refusal is not about the token.
        let left_ms = left.saturating_duration_since(token.granted).as_millis() as u64;
        if token.proven.load(Ordering::Relaxed) > left_ms + 1 {
            return Refused::NotTheToken;
        }
        let now = clock::now();
        if self.current.load().is_some() {
            let since = state.refused_at.map(|at| now.duration_since(at));
            if since.is_some_and(|since| since < state.refusals_apart) {
                return Refused::TooSoon;
            }
            // So soon again: the last renewal has not helped, and the next will hardly.
            state.refusals_apart = match since {
                Some(since) if since < HELPED => (state.refusals_apart * 2).min(BETWEEN_REFUSALS_MAX),
                _ => BETWEEN_REFUSALS,
            };
            state.refused_at = Some(now);
            state.counts.renewed_after_refusal += 1;
            tracing::warn!(
                token.serial = token.serial,
                "the vendor refused the token on a call: it is renewed"
            );
            self.current.store(None);
        }
        Refused::Again
    }

    /// The token was good for a call.
    pub fn proved(&self, token: &Token) {
        let ms = clock::now().saturating_duration_since(token.granted).as_millis() as u64;
        token.proven.store(ms + 1, Ordering::Relaxed);
    }

    /// Numbers for telemetry.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Asks for the first token, and renews it early for as long as the gateway runs.
    pub async fn renewals(self: Arc<Self>) {
        let mut done = self.done.subscribe();
        loop {
            tokio::select! {
                biased;
                // Somebody else's grant moves the time.
                _ = done.changed() => {}
                () = tokio::time::sleep_until(self.due()) => {
                    if self.begin(true).is_ok() {
                        let _ = done.changed().await;
                    }
                }
            }
        }
    }

    /// When the next grant should begin.
    fn due(&self) -> Instant {
        let state = self.lock();
        match (&state.pause, self.current(), state.renew_at) {
            (Some((until, _)), Some(_), Some(at)) => at.max(*until),
            (Some((until, _)), _, _) => *until,
            (None, Some(_), Some(at)) => at,
            (None, _, _) => clock::now(),
        }
    }

    /// Starts a grant unless one is under way, or a token is there and this is no renewal. The only way to one.
    fn begin(self: &Arc<Self>, renewal: bool) -> Result<(), NoToken> {
        let mut state = self.lock();
        // Looked at under the lock: the grant that everyone waited for may have just come.
        if state.asking || (!renewal && self.current().is_some()) {
            return Ok(());
        }
        if let Some(pause) = state.paused(clock::now()) {
            return Err(pause);
        }
        state.asking = true;
        drop(state);
        let keeper = Arc::clone(self);
        self.tasks.spawn("token grant", async move {
            // Also when it breaks, the next one may begin.
            let asking = AssertUnwindSafe(keeper.asker.ask()).catch_unwind().await;
            keeper.finish(asking.unwrap_or_else(|_| Err(Failure::Failed("asking broke".to_owned()))));
        });
        Ok(())
    }

    fn finish(&self, granted: Result<ask::Grant, Failure>) {
        let now = clock::now();
        let mut state = self.lock();
        state.asking = false;
        match granted {
            Ok(grant) => {
                // Asking again as soon as it ends would never end.
                let short = grant.lives.filter(|lives| *lives < SHORTEST);
                self.take(&mut state, grant, now);
                if let Some(lives) = short {
                    let what = format!("the vendor's token lives for {lives:?} only");
                    state.fail(Failure::Failed(what), now, &self.settings);
                } else {
                    state.failures = 0;
                    state.pause = None;
                }
            }
            Err(failure) => state.fail(failure, now, &self.settings),
        }
        drop(state);
        self.done.send_modify(|count| *count += 1);
    }

    /// From here on this token is in use.
    fn take(&self, state: &mut State, grant: ask::Grant, now: Instant) {
        state.serial += 1;
        state.counts.granted += 1;
        let latest = self.settings.renew_after_max;
        let latest = grant.lives.map_or(latest, |lives| lives.mul_f64(0.72).min(latest));
        // Chance comes last, so that what was started together is not renewed together.
        let renew_in = latest.mul_f64(1.0 - state.dice.f64() / 6.0);
        state.renew_at = Some(now + renew_in);
        self.current.store(Some(Arc::new(Token {
            header: grant.header,
            serial: state.serial,
            until: grant.lives.map(|lives| now + lives),
            application: grant.application,
            granted: now,
            proven: AtomicU64::new(0),
        })));
        tracing::info!(token.serial = state.serial, token.renew_in_s = renew_in.as_secs(), "token granted");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn paused(&self, now: Instant) -> Option<NoToken> {
        let (until, why) = self.pause.as_ref()?;
        let left = until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(match why {
            NoToken::Refused(what, _) => NoToken::Refused(what.clone(), left),
            NoToken::Failed(what, _) => NoToken::Failed(what.clone(), left),
            NoToken::TimedOut => NoToken::TimedOut,
        })
    }

    fn fail(&mut self, failure: Failure, now: Instant, settings: &Settings) {
        let (min, max, what, refused) = match failure {
            Failure::Refused(what) => (settings.refused_retry_min, settings.refused_retry_max, what, true),
            Failure::Failed(what) => (settings.retry_min, settings.retry_max, what, false),
        };
        let doubled = min.saturating_mul(1 << self.failures.min(20)).min(max);
        let pause = doubled.mul_f64(0.8 + 0.4 * self.dice.f64()).min(max);
        self.failures = self.failures.saturating_add(1);
        tracing::error!(token.retry_in_s = pause.as_secs_f64(), "no token: {what}");
        let why = if refused {
            self.counts.refused += 1;
            NoToken::Refused(what, pause)
        } else {
            self.counts.failed += 1;
            NoToken::Failed(what, pause)
        };
        self.pause = Some((now + pause, why));
    }
}

impl std::fmt::Debug for TokenKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKeeper").field("current", &self.current()).finish_non_exhaustive()
    }
}
