//! One grant, from the connection to its outcome: booked before it leaves.
//!
//! The order is a promise. The connection comes first, since what has not left has cost nothing; then the grant is
//! counted and written down; only when that is on the disk does the question leave. What the folder holds may be of
//! another process beside this one: its times count here, and its token is as good as one of our own.

use super::ask::Failure;
use super::budget::{Now, Standing};
use super::state::Stored;
use super::{MARGIN_MS, TokenKeeper};
use crate::clock::{self, millis};
use std::sync::Arc;
use std::time::Duration;

/// What came of asking.
pub(super) enum Outcome {
    /// The vendor gave a token; it was asked for so long ago.
    Granted(Stored, Duration),
    /// One was written down.
    Found(Stored, Duration),
    /// The budget is spent, as the folder shows.
    NotYet,
    Failure(Failure),
}

enum Booked {
    Go,
    Found(Stored, Duration),
    NotYet,
}

/// A disk that does not answer must not keep the gateway without a token.
const DISK_TIMEOUT: Duration = Duration::from_secs(5);
/// A token is dated by another process's clock, or by this one before it was corrected a little.
const FUTURE_MS_MAX: u64 = 60_000;

impl TokenKeeper {
    /// Takes over what is written down, at the start.
    pub(super) fn remember(&self) {
        let Some(memory) = &self.memory else { return };
        memory.book(|times, token| {
            let now = self.moment();
            let mut state = self.lock();
            let differs = state.budget.learn(times, now);
            if let Some(token) = token {
                match usable(&token, now.wall_ms) {
                    Ok(age) => {
                        state.last = Some((clock::now(), "found"));
                        self.take(&mut state, &token, age, "found");
                    }
                    Err(why) => tracing::warn!("the token in the state directory is not used: {why}"),
                }
            }
            ((), differs.then(|| state.budget.names()))
        });
    }

    pub(super) async fn grant(self: &Arc<Self>) -> Outcome {
        let lane = match self.asker.connect().await {
            Ok(lane) => lane,
            Err(failure) => return Outcome::Failure(failure),
        };
        match self.book().await {
            Booked::Go => {}
            Booked::Found(token, age) => return Outcome::Found(token, age),
            Booked::NotYet => return Outcome::NotYet,
        }
        let (asked, issued_ms) = (clock::now(), self.wall.unix_ms());
        match self.asker.ask(lane).await {
            Ok(granted) => {
                let lives_ms = granted.lives.map(|lives| millis(lives).unsigned_abs());
                let (access_token, application) = (granted.access_token, granted.application);
                let token = Stored { access_token, issued_ms, lives_ms, application };
                Outcome::Granted(token, clock::now() - asked)
            }
            Err(failure) => Outcome::Failure(failure),
        }
    }

    async fn book(self: &Arc<Self>) -> Booked {
        let Some(memory) = self.memory.clone() else { return self.decide(&[], None).0 };
        let (keeper, files) = (Arc::clone(self), Arc::clone(&memory));
        let work = self.tasks.blocking(move || files.book(|times, token| keeper.decide(times, token)));
        match tokio::time::timeout(DISK_TIMEOUT, work).await {
            Ok(Some(booked)) => booked,
            _ => {
                memory.tell(vec![format!("it did not answer within {DISK_TIMEOUT:?}")]);
                self.decide(&[], None).0
            }
        }
    }

    /// The wall clock was set: what is written down would seem older to the next process, or of the future.
    pub(super) fn redate(self: &Arc<Self>, by_ms: i64) {
        let Some(memory) = self.memory.clone() else { return };
        let keeper = Arc::clone(self);
        let work = self.tasks.blocking(move || {
            memory.book(|times, _| {
                let now = keeper.moment();
                let before =
                    Now { wall_ms: now.wall_ms.saturating_add_signed(by_ms.saturating_neg()), ..now };
                let mut state = keeper.lock();
                state.budget.learn(times, before);
                state.budget.redate(by_ms);
                ((), Some(state.budget.names()))
            })
        });
        self.tasks.spawn("grants dated anew", async move { work.await.unwrap_or_default() });
    }

    /// Whether to ask, and what to write down before.
    fn decide(&self, times: &[u64], token: Option<Stored>) -> (Booked, Option<Vec<u64>>) {
        let now = self.moment();
        let mut state = self.lock();
        let differs = state.budget.learn(times, now);
        if let Some(token) = token.filter(|token| token.issued_ms > state.issued_ms)
            && let Ok(age) = usable(&token, now.wall_ms)
        {
            return (Booked::Found(token, age), differs.then(|| state.budget.names()));
        }
        match state.budget.standing(now.line_ms) {
            Standing::Beyond(at_ms) if at_ms > now.line_ms => {
                return (Booked::NotYet, differs.then(|| state.budget.names()));
            }
            Standing::Beyond(_) => state.counts.beyond += 1,
            Standing::Within(_) => {}
        }
        state.budget.record(now);
        if matches!(state.budget.standing(now.line_ms), Standing::Beyond(_)) {
            tracing::error!(
                "the budget of token requests is spent: from here on they are ever further apart"
            );
        }
        (Booked::Go, Some(state.budget.names()))
    }
}

/// How old a token is that was written down, or why it is of no use.
fn usable(token: &Stored, wall_ms: u64) -> Result<Duration, &'static str> {
    if token.issued_ms > wall_ms.saturating_add(FUTURE_MS_MAX) {
        return Err("it is dated in the future");
    }
    let age_ms = wall_ms.saturating_sub(token.issued_ms);
    if token.lives_ms.is_some_and(|lives| lives <= age_ms.saturating_add(MARGIN_MS)) {
        return Err("it has ended");
    }
    Ok(Duration::from_millis(age_ms))
}
