//! What a caller may: quotas of its own, asked before the cache and before the vendor's pools.
//!
//! Who is asking, and how a caller is numbered, is for others. A quota lets its whole count through at once
//! and refills evenly (GCRA), so here a second may see up to twice the rate; what must be exact is a pool. A request
//! spends of the quota of its endpoint first: what that refuses spends nothing of the one for all.

use crate::clock::Instant;
use crate::units::Rate;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// One caller's quotas; nothing set lets it pass.
#[derive(Clone, Debug, Default)]
pub struct Quotas {
    /// Of each of its requests.
    pub all: Option<(Arc<str>, Rate)>,
    /// Of some, with their names.
    pub some: Vec<(Arc<str>, Rate)>,
    /// By endpoint: which of those it spends from, if any.
    pub of_endpoint: Vec<Option<usize>>,
}

/// The callers' quotas, made once. A caller without one costs nothing.
#[derive(Debug)]
pub struct Fairness {
    clock: Ticks,
    callers: Box<[Own]>,
}

/// A quota that is used up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QuotaSpent {
    /// Its name.
    pub name: Arc<str>,
    /// How much there is of it.
    pub rate: Rate,
    /// How long until there is some again.
    pub again: Duration,
}

/// One caller's quotas, and what is spent of them.
#[derive(Debug, Default)]
struct Own {
    all: Option<Arc<Spending>>,
    some: Box<[Arc<Spending>]>,
    of_endpoint: Box<[Option<usize>]>,
}

#[derive(Debug)]
struct Spending {
    name: Arc<str>,
    rate: Rate,
    limiter: Limiter,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>;

/// The one clock, as governor wants it: time since the start.
#[derive(Clone, Debug)]
struct Ticks {
    born: Instant,
}

// === impl Fairness ===

impl Fairness {
    /// `quotas[n]` are caller n's.
    #[must_use]
    pub fn new(quotas: Vec<Quotas>) -> Self {
        Self { clock: Ticks { born: Instant::now() }, callers: Box::default() }.renewed(quotas)
    }

    /// The same with other quotas. One that is as it was keeps what has been spent of it.
    #[must_use]
    pub fn renewed(&self, quotas: Vec<Quotas>) -> Self {
        let nobody = Own::default();
        let callers = quotas.into_iter().enumerate().map(|(at, quotas)| {
            let before = self.callers.get(at).unwrap_or(&nobody);
            let spending = |(name, rate): (Arc<str>, Rate)| {
                before.kept(&name, rate).unwrap_or_else(|| self.begin(name, rate))
            };
            Own {
                all: quotas.all.map(spending),
                some: quotas.some.into_iter().map(spending).collect(),
                of_endpoint: quotas.of_endpoint.into(),
            }
        });
        Self { clock: self.clock.clone(), callers: callers.collect() }
    }

    /// Spends one request of this caller's quotas: to this endpoint, or to none of the vendor's.
    ///
    /// # Errors
    ///
    /// One of them is used up.
    pub fn check(&self, caller: u16, endpoint: Option<usize>) -> Result<(), QuotaSpent> {
        let Some(own) = self.callers.get(usize::from(caller)) else { return Ok(()) };
        let of_endpoint = endpoint.and_then(|endpoint| own.some.get((*own.of_endpoint.get(endpoint)?)?));
        of_endpoint.into_iter().chain(&own.all).try_for_each(|spending| spending.one(&self.clock))
    }

    fn begin(&self, name: Arc<str>, rate: Rate) -> Arc<Spending> {
        let limiter = RateLimiter::direct_with_clock(quota(rate), self.clock.clone());
        Arc::new(Spending { name, rate, limiter })
    }
}

// === impl Own ===

impl Own {
    fn kept(&self, name: &str, rate: Rate) -> Option<Arc<Spending>> {
        let same = |spending: &&Arc<Spending>| *spending.name == *name && spending.rate == rate;
        self.all.iter().chain(&self.some).find(same).map(Arc::clone)
    }
}

// === impl Spending ===

impl Spending {
    fn one(&self, clock: &Ticks) -> Result<(), QuotaSpent> {
        self.limiter.check().map_err(|not_until| QuotaSpent {
            name: Arc::clone(&self.name),
            rate: self.rate,
            again: not_until.wait_time_from(clock.now()),
        })
    }
}

fn quota(rate: Rate) -> Quota {
    let count = NonZeroU32::new(rate.count()).unwrap_or(NonZeroU32::MIN);
    // Finer than the clock is as fine as the clock.
    let each = (rate.per() / count.get()).max(Duration::from_nanos(1));
    let one = Quota::per_second(NonZeroU32::MIN);
    Quota::with_period(each).unwrap_or(one).allow_burst(count)
}

// === impl Ticks ===

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.born.elapsed().into()
    }
}
