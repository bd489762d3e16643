//! A good app token, with at most one grant under way.
//!
//! The vendor bans accounts that ask for tokens too often. So one keeper asks for all, early and rarely: a token
//! is renewed at about two thirds of its life while the old one stays in use; callers who find none wait together
//! for one grant; a failure is remembered and not repeated before its time. Every token has a serial number, so
//! that a hundred calls refused with the same token cause one renewal.
//!
//! [`TokenKeeper::begin`] is the only way to a grant. How many an hour may have is arithmetic in [`budget`]; it is
//! written down before a grant leaves ([`state`]), so that it outlives a restart.

pub mod ask;
mod book;
pub mod budget;
pub mod files;
mod life;
mod pause;
mod refusals;
mod report;
pub mod seal;
pub mod state;

use crate::clock::{self, Instant, Wall, millis};
use crate::tasks::Tasks;
use arc_swap::ArcSwapOption;
use ask::{Asker, Failure};
use book::Outcome;
use budget::{Budget, Standing};
use futures_util::FutureExt;
use http::HeaderValue;
use pause::Pause;
use refusals::Refusals;
pub use refusals::Refused;
pub use report::{Counts, Grants, OUTCOMES, REASONS, Remembered, Report};
use secrecy::SecretString;
use state::{StateDir, Stored};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Times, and the budget.
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
    /// Grants in any hour; beyond that they slow down.
    pub grants_per_hour: usize,
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
    /// The same end by the wall clock, in milliseconds since 1970: tokio's stands still while the machine sleeps.
    ends_ms: Option<u64>,
    granted: Instant,
    /// Milliseconds after `granted` of the last call that it was good for, plus one.
    proven: AtomicU64,
}

impl Token {
    /// The token itself, without the word before it.
    #[must_use]
    pub fn bare(&self) -> &[u8] {
        self.header.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default()
    }
}

/// Why there is no token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoToken {
    /// The vendor refuses the credentials; nothing is asked before the pause has passed.
    Refused(String, Duration),
    /// The vendor could not be asked.
    Failed(String, Duration),
    /// The budget of grants is spent; the next one may be asked for after this.
    Spent(Duration),
    /// None in time.
    TimedOut,
}

/// Keeps the token.
pub struct TokenKeeper {
    current: ArcSwapOption<Token>,
    state: Mutex<State>,
    done: watch::Sender<u64>,
    asker: Asker,
    settings: Settings,
    tasks: Tasks,
    wall: Wall,
    began: Instant,
    memory: Option<Arc<StateDir>>,
}

/// What is known of a grant when it begins.
struct Asked {
    secrets: u64,
    why: &'static str,
}

struct State {
    asking: bool,
    serial: u64,
    pause: Pause,
    refusals: Refusals,
    budget: Budget,
    renew_at: Option<Instant>,
    /// When the last token that was taken was asked for.
    issued_ms: u64,
    /// How often the secret was replaced.
    secrets: u64,
    counts: Counts,
    grants: Grants,
    /// Why there is no token, while there is none.
    gone: &'static str,
    last: Option<(Instant, &'static str)>,
    dice: fastrand::Rng,
}

/// A token this close to its end is not sent: it could die on the way.
const MARGIN: Duration = Duration::from_millis(MARGIN_MS);
const MARGIN_MS: u64 = 2_000;
impl TokenKeeper {
    /// With what `memory` holds; nothing is asked until somebody needs a token or [`Self::renewals`] runs. Reads
    /// files: to be called where that may block.
    #[must_use]
    pub fn new(
        asker: Asker,
        settings: Settings,
        tasks: Tasks,
        dice: fastrand::Rng,
        wall: Wall,
        memory: Option<Arc<StateDir>>,
    ) -> Arc<Self> {
        let state = State {
            asking: false,
            serial: 0,
            pause: Pause::default(),
            refusals: Refusals::new(settings.grants_per_hour),
            budget: Budget::new(settings.grants_per_hour),
            renew_at: None,
            issued_ms: 0,
            secrets: 0,
            counts: Counts::default(),
            grants: Grants::new(),
            gone: "start",
            last: None,
            dice,
        };
        let keeper = Arc::new(Self {
            current: ArcSwapOption::empty(),
            state: Mutex::new(state),
            done: watch::Sender::new(0),
            asker,
            settings,
            tasks,
            wall,
            began: clock::now(),
            memory,
        });
        keeper.remember();
        keeper
    }

    /// The token, if there is a good one.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Token>> {
        let token = self.current.load_full()?;
        let good = token.until.is_none_or(|until| clock::now() + MARGIN < until)
            && token.ends_ms.is_none_or(|ends| self.wall.unix_ms().saturating_add(MARGIN_MS) < ends);
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
            None => Err(self.blocked(&self.lock()).map_or(NoToken::TimedOut, |(_, why)| why)),
        }
    }

    /// From now on tokens are asked for with another secret. The token that the old one gave is not used any more.
    pub fn replace_secret(&self, secret: SecretString) {
        let mut state = self.lock();
        if let Some(memory) = self.memory.clone() {
            memory.reseal(&secret);
            let work = self.tasks.blocking(move || memory.forget_foreign());
            self.tasks.spawn("old token removed", async move { work.await.unwrap_or_default() });
        }
        self.asker.client_secret.store(Arc::new(secret));
        state.secrets += 1;
        // The new secret deserves a trial of its own; the budget stays.
        state.pause.end();
        self.current.store(None);
        state.gone = "secret";
        drop(state);
        tracing::info!("the client secret was replaced: a new token is asked for");
        self.done.send_modify(|count| *count += 1);
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
        let due = state.renew_at.filter(|_| self.current().is_some()).unwrap_or_else(clock::now);
        self.blocked(&state).map_or(due, |(until, _)| due.max(until))
    }

    /// Until when no grant may be asked for, and why; `None` when it may.
    fn blocked(&self, state: &State) -> Option<(Instant, NoToken)> {
        let (now, line_ms) = (clock::now(), self.moment().line_ms);
        let pause = state.pause.at(now);
        let spent = match state.budget.standing(line_ms) {
            Standing::Beyond(at_ms) if at_ms > line_ms => {
                let left = Duration::from_millis((at_ms - line_ms).unsigned_abs());
                Some((now + left, NoToken::Spent(left)))
            }
            _ => None,
        };
        pause.into_iter().chain(spent).max_by_key(|(until, _)| *until)
    }

    /// Starts a grant unless one is under way, or a token is there and this is no renewal. The only way to one.
    fn begin(self: &Arc<Self>, renewal: bool) -> Result<(), NoToken> {
        let mut state = self.lock();
        // Looked at under the lock: the grant that everyone waited for may have just come.
        if state.asking || (!renewal && self.current().is_some()) {
            return Ok(());
        }
        if let Some((_, why)) = self.blocked(&state) {
            return Err(why);
        }
        state.asking = true;
        let asked = Asked { secrets: state.secrets, why: self.why(&state) };
        drop(state);
        let keeper = Arc::clone(self);
        self.tasks.spawn("token grant", async move {
            // Also when it breaks, the next one may begin.
            let outcome = AssertUnwindSafe(keeper.grant()).catch_unwind().await;
            let broke = |_| Outcome::Failure(Failure::Failed("asking broke".to_owned()));
            let granted = keeper.finish(outcome.unwrap_or_else(broke), &asked);
            if let (Some(token), Some(memory)) = (granted, keeper.memory.clone()) {
                let _ = keeper.tasks.blocking(move || memory.save(&token)).await;
            }
        });
        Ok(())
    }

    /// Takes what came of a grant, tells those who wait, and gives back what is to be written down.
    fn finish(&self, outcome: Outcome, asked: &Asked) -> Option<Stored> {
        let now = clock::now();
        let mut granted = None;
        let mut state = self.lock();
        state.asking = false;
        // What was asked with a secret that has been replaced is worth nothing, for good or ill.
        if state.secrets == asked.secrets {
            match outcome {
                Outcome::Granted(token, age) => {
                    state.last = Some((now, "granted"));
                    state.counts.granted += 1;
                    *state.grants.entry((asked.why, "granted")).or_default() += 1;
                    self.take(&mut state, &token, age, "granted");
                    self.judge_life(&mut state, &token, now);
                    granted = Some(token);
                }
                Outcome::Found(token, age) => {
                    state.last = Some((now, "found"));
                    self.take(&mut state, &token, age, "found");
                    state.pause.end();
                }
                Outcome::NotYet => {}
                Outcome::Failure(failure) => {
                    *state.grants.entry((asked.why, failure.kind())).or_default() += 1;
                    state.fail(&failure, now, &self.settings);
                }
            }
        }
        drop(state);
        self.done.send_modify(|count| *count += 1);
        granted
    }

    /// Now, by both clocks.
    fn moment(&self) -> budget::Now {
        budget::Now { line_ms: millis(clock::now() - self.began), wall_ms: self.wall.unix_ms() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fail(&mut self, failure: &Failure, now: Instant, settings: &Settings) {
        match failure {
            Failure::Refused(_) => self.counts.refused += 1,
            Failure::Failed(_) | Failure::Unreached(_) => self.counts.failed += 1,
        }
        self.last = Some((now, failure.kind()));
        self.pause.after(failure, now, settings, &mut self.dice);
    }
}

impl std::fmt::Debug for TokenKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKeeper").field("current", &self.current()).finish_non_exhaustive()
    }
}
