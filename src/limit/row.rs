//! The pools that one call spends from, locked together: all or none.
//!
//! What surprises: locks are taken by ascending number, and that is all there is against deadlock.

use super::patience::Bells;
use super::pool::Pool;
use super::{PoolId, Spent, SpentKind};
use std::sync::MutexGuard;
use std::time::Duration;

/// The most pools that one call may spend from.
pub const ROW_POOLS_MAX: usize = 4;

/// Different pools, by ascending number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pools: [Option<PoolId>; ROW_POOLS_MAX],
}

/// A row's pools under their locks, by ascending number.
pub(super) struct Held<'a> {
    pools: [Option<(PoolId, MutexGuard<'a, Pool>)>; ROW_POOLS_MAX],
}

// === impl Row ===

impl Row {
    /// # Panics
    ///
    /// More than [`ROW_POOLS_MAX`] different pools.
    pub(super) fn new(pools: &[PoolId]) -> Self {
        let mut row = [None; ROW_POOLS_MAX];
        let mut count = 0;
        for pool in pools {
            if row.contains(&Some(*pool)) {
                continue;
            }
            assert!(count < ROW_POOLS_MAX, "a call spends from at most {ROW_POOLS_MAX} pools");
            row[count] = Some(*pool);
            count += 1;
        }
        row[..count].sort_unstable();
        Self { pools: row }
    }

    /// Locks them, in the order of their numbers.
    pub(super) fn hold<'a>(&self, lock: impl Fn(PoolId) -> MutexGuard<'a, Pool>) -> Held<'a> {
        Held { pools: self.pools.map(|pool| pool.map(|id| (id, lock(id)))) }
    }
}

// === impl Held ===

impl Held<'_> {
    pub(super) fn pools(&mut self) -> impl Iterator<Item = &mut Pool> {
        self.pools.iter_mut().flatten().map(|(_, pool)| &mut **pool)
    }

    /// When all pools allow one more call, were nobody waiting; `now` or later.
    pub(super) fn opens(&mut self, now: u64) -> u64 {
        self.pools().map(|pool| pool.predict(0, now)).max().unwrap_or(now)
    }

    /// The pool that keeps a newcomer waiting longest, and until when; `None` if there are no pools.
    pub(super) fn slowest(&self, now: u64) -> Option<(PoolId, u64)> {
        let waits = self.pools.iter().flatten().map(|(id, pool)| (*id, pool.predict(pool.queue.len(), now)));
        waits.max_by_key(|(_, until)| *until)
    }

    /// The first pool whose queue has no room.
    pub(super) fn full(&self, waiting_max: usize) -> Option<PoolId> {
        self.pools.iter().flatten().find(|(_, pool)| pool.queue.len() >= waiting_max).map(|(id, _)| *id)
    }

    /// Spends one permit of each pool, and leaves the queues.
    pub(super) fn take(mut self, ticket: u64, now: u64) {
        self.pools().for_each(|pool| pool.take(now));
        self.leave(ticket);
    }

    /// Leaves the queues of its own accord.
    pub(super) fn cancel(mut self, ticket: u64) {
        self.pools().for_each(|pool| pool.counts.cancelled += 1);
        self.leave(ticket);
    }

    /// Leaves the queues because patience does not suffice.
    pub(super) fn refuse(mut self, ticket: u64, now: u64) -> Spent {
        let spent = self.spent(None, now);
        self.leave(ticket);
        spent
    }

    /// Counts and words a refusal: by the pool whose queue is full, else by the slowest.
    pub(super) fn spent(&mut self, full: Option<PoolId>, now: u64) -> Spent {
        let slowest = self.slowest(now).map_or(PoolId(0), |(id, _)| id);
        let refusing = full.unwrap_or(slowest);
        let pool = self.pools.iter_mut().flatten().find(|(id, _)| *id == refusing);
        let (kind, until) = pool.map_or((SpentKind::Patience, now), |(_, pool)| {
            let kind = match full {
                Some(_) => SpentKind::QueueFull,
                None if pool.is_paused(now) => SpentKind::Paused,
                None => SpentKind::Patience,
            };
            pool.counts.refused[kind as usize] += 1;
            (kind, pool.predict(pool.queue.len(), now))
        });
        let retry_after = Duration::from_nanos(until - now).max(Duration::from_millis(1));
        Spent { pool: refusing, kind, retry_after }
    }

    /// Leaves the queues and unlocks them, then wakes.
    fn leave(mut self, ticket: u64) {
        let mut bells = Bells::new();
        self.pools().for_each(|pool| pool.queue.leave(ticket, &mut bells));
        drop(self);
        bells.iter().for_each(|bell| bell.notify_one());
    }
}
