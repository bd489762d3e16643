//! What a caller may: a quota of its own for each, asked before the cache and before the vendor's pools.
//!
//! Who is asking, and how a caller is numbered, is for others. A quota lets its whole count through at once
//! and refills evenly (GCRA), so here a second may see up to twice the rate; what must be exact is a pool.

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

/// The callers' quotas, made once. A caller without one costs nothing.
#[derive(Debug)]
pub struct Fairness {
    clock: Ticks,
    callers: Box<[Option<Arc<Own>>]>,
}

/// One caller's quota, and what is spent of it.
#[derive(Debug)]
struct Own {
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
    /// `quotas[n]` is caller n's; `None` lets it pass.
    #[must_use]
    pub fn new(quotas: Vec<Option<Rate>>) -> Self {
        Self { clock: Ticks { born: Instant::now() }, callers: Box::default() }.renewed(quotas)
    }

    /// The same with other quotas. Whose quota is as it was keeps what he has spent of it.
    #[must_use]
    pub fn renewed(&self, quotas: Vec<Option<Rate>>) -> Self {
        let kept = |at: usize, rate: Rate| {
            self.callers.get(at)?.as_ref().filter(|own| own.rate == rate).map(Arc::clone)
        };
        let made = |rate| {
            let limiter = RateLimiter::direct_with_clock(quota(rate)?, self.clock.clone());
            Some(Arc::new(Own { rate, limiter }))
        };
        let limiter =
            |(at, rate): (usize, Option<Rate>)| rate.and_then(|rate| kept(at, rate).or_else(|| made(rate)));
        let callers = quotas.into_iter().enumerate().map(limiter).collect();
        Self { clock: self.clock.clone(), callers }
    }

    /// Spends one request of this caller's quota.
    ///
    /// # Errors
    ///
    /// The quota is used up; with the time until there is one again. Nothing is spent.
    pub fn check(&self, caller: usize) -> Result<(), Duration> {
        match self.callers.get(caller) {
            Some(Some(own)) => {
                own.limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
            }
            _ => Ok(()),
        }
    }
}

fn quota(rate: Rate) -> Option<Quota> {
    let count = NonZeroU32::new(rate.count())?;
    Some(Quota::with_period(rate.per() / count.get())?.allow_burst(count))
}

// === impl Ticks ===

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.born.elapsed().into()
    }
}
