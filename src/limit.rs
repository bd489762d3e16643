//! May this be done now: permits from the vendor's pools, and a quota for each caller.
//!
//! A call joins the queues of its pools ([`Limits::queue`]), is told when to get a connection ready
//! ([`Place::near`]), and then takes its units of each pool at once ([`Place::admit`]): all, or none. Most calls
//! are one unit; one that names many recipients may be as many. A permit is a
//! *moment*: it is stamped last, so what is spent here is what leaves now. Which pools a call spends from, and
//! what a refusal looks like on the wire, is for others; so is telling the pools that the vendor refused
//! ([`Limits::limited`]), since only they understand its answers.
//!
//! What would surprise you: a place is in the queue even when nobody waits, so that there is only one way to a
//! permit; it costs no allocation then. Moments inside are nanoseconds since the limits were made.

mod fairness;
mod patience;
mod pool;
mod quota;
mod row;

pub use fairness::{Fairness, QuotaSpent, Quotas};
pub use patience::Place;
pub use row::ROW_POOLS_MAX;

use crate::clock::Instant;
use crate::units::Rate;
use patience::Bells;
use pool::{Pool, nanos};
use row::{Held, Row};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Timers are late by a millisecond each window, so whoever was let in may wait this part of its patience longer:
/// better than to refuse it at the end of a wait for which it was let in.
const GRACE: u32 = 50;

/// One vendor limit, as configured.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// For people and metrics.
    pub name: String,
    /// The most calls in any window of `rate.per()`, or the most of what is counted in them.
    pub rate: Rate,
    /// The most that one call may spend; never more than `rate.count()`.
    pub per_call: u32,
}

/// What all pools have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By which part a window is widened against jitter on the way: 0.03 for 3 %.
    pub window_margin: f64,
    /// The most calls that wait in one pool's queue.
    pub waiting_max: usize,
    /// How many at the head of a queue get a connection ready; at least 1.
    pub ready_max: usize,
    /// The first pause after the vendor refused without saying for how long.
    pub pause_default: Duration,
    /// The longest of our own pauses.
    pub pause_max: Duration,
}

/// A pool by its place in the list given to [`Limits::new`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PoolId(pub u16);

/// What a call spends of one pool: one permit, or as many as it names recipients.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Charge {
    /// Of which.
    pub pool: PoolId,
    /// How much, all at once.
    pub units: u32,
}

/// The vendor's pools, shared by all workers.
#[derive(Debug)]
pub struct Limits {
    born: Instant,
    settings: Settings,
    /// Only drawn while the pools of a row are locked, so each queue sees them rise.
    tickets: AtomicU64,
    pools: Box<[Mutex<Pool>]>,
}

/// The right to one call now: whoever sends takes it by value.
#[must_use = "a permit that is not used is spent all the same"]
#[derive(Debug)]
pub struct Permit {
    at: Instant,
}

/// No permit: nothing was spent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spent {
    /// The pool that refuses, of several the one that would last longest.
    pub pool: PoolId,
    /// Why.
    pub kind: SpentKind,
    /// When one who came now, and was patient, would get a permit; at least 1 ms. Zero if never.
    pub retry_after: Duration,
}

/// Why there is no permit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SpentKind {
    /// It would take, or took, longer than the call may wait.
    Patience,
    /// Too many wait already.
    QueueFull,
    /// As `Patience`, because the vendor refused lately.
    Paused,
    /// No single call may have so much of the pool: it would wait for ever.
    TooHeavy,
}

/// A pool as it is now: for status, metrics and headers.
#[derive(Clone, Debug)]
pub struct PoolState {
    /// As configured.
    pub name: Arc<str>,
    /// As configured.
    pub rate: Rate,
    /// The most that one call may spend.
    pub per_call: u32,
    /// Permits a window may hold now: below `rate.count()` after the vendor refused.
    pub size: usize,
    /// Permits the window that ends now holds.
    pub inside: usize,
    /// Places in the queue, also of those who can go at once.
    pub waiting: usize,
    /// No permit before this moment, because the vendor refused; `None` if that is past.
    pub paused_until: Option<Instant>,
    /// How long one who joined now would wait; exact within one window if nobody leaves, else a lower bound.
    pub wait: Duration,
    /// Permits given since the start.
    pub admitted: u64,
    /// Refusals since the start, in the order of [`SpentKind::ALL`]; each is counted in the pool it names.
    pub refused: [u64; SpentKind::ALL.len()],
    /// Places dropped before a permit or a refusal, since the start.
    pub cancelled: u64,
    /// Times that the vendor refused a call for it, since the start.
    pub limited: u64,
}

// === impl Limits ===

impl Limits {
    /// All pools, idle; `pools[n]` is `PoolId(n)`.
    #[must_use]
    pub fn new(pools: Vec<PoolSettings>, settings: Settings) -> Arc<Self> {
        let pools = pools.into_iter().map(|pool| Mutex::new(Pool::new(pool, &settings))).collect();
        Arc::new(Self { born: Instant::now(), settings, tickets: AtomicU64::new(0), pools })
    }

    /// Joins the queues of all these pools; a pool named alone is charged one unit. `patience` runs from here to the permit, and may be
    /// outrun by 2 %; zero is "now or never".
    ///
    /// The wait is predicted from the permits in the window, the pause and the queue. The prediction takes it
    /// that nobody ahead leaves and that the size stays; within one window it is then exact but for the
    /// timer's millisecond, and beyond that a lower bound. Waiting for another pool of somebody ahead is not
    /// foreseen.
    ///
    /// # Errors
    ///
    /// The predicted wait exceeds `patience`, a queue is full, or the call is heavier than one may be; at once,
    /// with nothing spent.
    ///
    /// # Panics
    ///
    /// There is no such pool, or there are more than [`ROW_POOLS_MAX`] different ones.
    pub fn queue(
        self: &Arc<Self>,
        charges: impl IntoIterator<Item: Into<Charge>>,
        patience: Duration,
    ) -> Result<Place, Spent> {
        let row = Row::new(charges.into_iter().map(Into::into));
        let (mut held, now) = self.hold(row);
        if let Some(pool) = held.too_heavy() {
            return Err(Spent { pool, kind: SpentKind::TooHeavy, retry_after: Duration::ZERO });
        }
        let full = held.full(self.settings.waiting_max);
        let opens = held.slowest(now).map_or(now, |(_, opens)| opens);
        if full.is_some() || opens - now > nanos(patience) {
            return Err(held.spent(full, now));
        }
        let deadline = now.saturating_add(nanos(patience.saturating_add(patience / GRACE)));
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        held.join(ticket);
        Ok(Place::new(self.clone(), row, ticket, deadline, opens <= now))
    }

    /// The vendor refused a call because of these pools: they pause for `retry_after` (else by our own rule,
    /// which doubles from `pause_default` to `pause_max`), shrink by half and grow back slowly.
    ///
    /// # Panics
    ///
    /// As [`queue`](Self::queue).
    pub fn limited(&self, pools: &[PoolId], retry_after: Option<Duration>) {
        let (mut held, now) = self.hold(Row::new(pools.iter().map(Charge::from)));
        let mut bells = Bells::new();
        for pool in held.pools() {
            pool.limited(now, retry_after, &self.settings);
            pool.queue.everybody(&mut bells);
        }
        drop(held);
        // Those whose patience cannot outlast the pause are told at once.
        bells.iter().for_each(|bell| bell.notify_one());
    }

    /// Gives each pool this size, in the order of their numbers. One whose size is as it was notices nothing; one
    /// that changes knows of the permits it has given, as many as it had to remember, and those who wait look again.
    pub fn resize(&self, sizes: &[PoolSettings]) {
        let mut bells = Bells::new();
        for (pool, size) in self.pools.iter().zip(sizes) {
            let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.now();
            let changed = pool.rate != size.rate;
            pool.change(size.rate, size.per_call, now, &self.settings);
            if changed {
                pool.queue.everybody(&mut bells);
            }
        }
        bells.iter().for_each(|bell| bell.notify_one());
    }

    /// Every pool as it is now, in the order of their numbers.
    #[must_use]
    pub fn snapshot(&self) -> Vec<PoolState> {
        self.pools.iter().map(|pool| self.look(pool)).collect()
    }

    /// One pool as it is now.
    ///
    /// # Panics
    ///
    /// There is no such pool.
    #[must_use]
    pub fn state(&self, pool: PoolId) -> PoolState {
        self.look(&self.pools[usize::from(pool.0)])
    }

    fn look(&self, pool: &Mutex<Pool>) -> PoolState {
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        pool.refresh(now);
        PoolState {
            name: pool.name.clone(),
            rate: pool.rate,
            per_call: pool.per_call,
            size: pool.size(),
            inside: pool.inside(now),
            waiting: pool.queue.len(),
            paused_until: pool.is_paused(now).then(|| self.moment(pool.paused_until())),
            wait: Duration::from_nanos(pool.newcomer(now) - now),
            admitted: pool.counts.admitted,
            refused: pool.counts.refused,
            cancelled: pool.counts.cancelled,
            limited: pool.counts.limited,
        }
    }

    /// Locks a row's pools. The clock is read under the locks, so that no pool sees it go back.
    fn hold(&self, row: Row) -> (Held<'_>, u64) {
        let lock = |id: PoolId| -> MutexGuard<'_, Pool> {
            self.pools[usize::from(id.0)].lock().unwrap_or_else(PoisonError::into_inner)
        };
        let mut held = row.hold(lock);
        let now = self.now();
        held.pools().for_each(|pool| pool.refresh(now));
        (held, now)
    }

    fn now(&self) -> u64 {
        nanos(self.born.elapsed())
    }

    fn moment(&self, at: u64) -> Instant {
        self.born + Duration::from_nanos(at)
    }
}

// === impl Charge ===

impl From<PoolId> for Charge {
    fn from(pool: PoolId) -> Self {
        Self { pool, units: 1 }
    }
}

impl From<&PoolId> for Charge {
    fn from(pool: &PoolId) -> Self {
        Self::from(*pool)
    }
}

// === impl Permit ===

impl Permit {
    /// When it was given.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }
}

// === impl SpentKind ===

impl SpentKind {
    /// All of them, as counted in [`PoolState::refused`].
    pub const ALL: [Self; 4] = [Self::Patience, Self::QueueFull, Self::Paused, Self::TooHeavy];

    /// The word for logs and metric labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patience => "patience",
            Self::QueueFull => "queue_full",
            Self::Paused => "paused",
            Self::TooHeavy => "too_heavy",
        }
    }
}
