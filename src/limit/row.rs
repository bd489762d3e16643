//! The pools that one call spends from, locked together: all or none.
//!
//! What surprises: locks are taken by ascending number, and that is all there is against deadlock.

use super::patience::Bells;
use super::pool::Pool;
use super::{Charge, PoolId, Spent, SpentKind};
use std::sync::MutexGuard;
use std::time::Duration;

/// The most pools that one call may spend from.
pub const ROW_POOLS_MAX: usize = 4;

/// Different pools, by ascending number, and what is spent of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    charges: [Option<Charge>; ROW_POOLS_MAX],
}

/// A row's pools under their locks, by ascending number.
pub(super) struct Held<'a> {
    pools: [Option<(Charge, MutexGuard<'a, Pool>)>; ROW_POOLS_MAX],
}

// === impl Row ===

impl Row {
    /// # Panics
    ///
    /// More than [`ROW_POOLS_MAX`] different pools.
    pub(super) fn new(charges: impl Iterator<Item = Charge>) -> Self {
        let mut row: [Option<Charge>; ROW_POOLS_MAX] = [None; ROW_POOLS_MAX];
        let mut count = 0;
        for charge in charges {
            if let Some(known) = row.iter_mut().flatten().find(|known| known.pool == charge.pool) {
                known.units = known.units.max(charge.units);
                continue;
            }
            assert!(count < ROW_POOLS_MAX, "a call spends from at most {ROW_POOLS_MAX} pools");
            row[count] = Some(charge);
            count += 1;
        }
        row[..count].sort_unstable_by_key(|charge| charge.map(|charge| charge.pool));
        Self { charges: row }
    }

    /// Locks them, in the order of their numbers.
    pub(super) fn hold<'a>(&self, lock: impl Fn(PoolId) -> MutexGuard<'a, Pool>) -> Held<'a> {
        Held { pools: self.charges.map(|charge| charge.map(|charge| (charge, lock(charge.pool)))) }
    }
}

// === impl Held ===

impl Held<'_> {
    pub(super) fn pools(&mut self) -> impl Iterator<Item = &mut Pool> {
        self.pools.iter_mut().flatten().map(|(_, pool)| &mut **pool)
    }

    /// When all pools allow this call, were nobody waiting; `now` or later.
    pub(super) fn opens(&self, now: u64) -> u64 {
        let opens = |(charge, pool): &(Charge, MutexGuard<'_, Pool>)| pool.predict(0, charge.units, now);
        self.pools.iter().flatten().map(opens).max().unwrap_or(now)
    }

    /// When the last of the pools lets this ticket near.
    pub(super) fn near_at(&self, ticket: u64, now: u64) -> u64 {
        let near = |(charge, pool): &(Charge, MutexGuard<'_, Pool>)| pool.near_at(ticket, charge.units, now);
        self.pools.iter().flatten().map(near).max().unwrap_or(now)
    }

    /// The pool that keeps this call waiting longest, and until when; `None` if there are no pools.
    pub(super) fn slowest(&self, now: u64) -> Option<(PoolId, u64)> {
        let waits = self
            .pools
            .iter()
            .flatten()
            .map(|(charge, pool)| (charge.pool, pool.predict(pool.queue.units(), charge.units, now)));
        waits.max_by_key(|(_, until)| *until)
    }

    /// The first pool whose queue has no room.
    pub(super) fn full(&self, waiting_max: usize) -> Option<PoolId> {
        let full = |(_, pool): &&(Charge, MutexGuard<'_, Pool>)| pool.queue.len() >= waiting_max;
        self.pools.iter().flatten().find(full).map(|(charge, _)| charge.pool)
    }

    /// The first pool of which no single call may have so much.
    pub(super) fn too_heavy(&mut self) -> Option<PoolId> {
        let heavy = |(charge, pool): &&mut (Charge, MutexGuard<'_, Pool>)| charge.units > pool.per_call;
        let (charge, pool) = self.pools.iter_mut().flatten().find(heavy)?;
        pool.counts.refused[SpentKind::TooHeavy as usize] += 1;
        Some(charge.pool)
    }

    /// Joins every queue.
    pub(super) fn join(&mut self, ticket: u64) {
        for (charge, pool) in self.pools.iter_mut().flatten() {
            pool.queue.join(ticket, charge.units);
        }
    }

    /// Spends its units of each pool, and leaves the queues.
    pub(super) fn take(mut self, ticket: u64, now: u64) {
        for (charge, pool) in self.pools.iter_mut().flatten() {
            pool.take(charge.units, now);
        }
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
        let pool = self.pools.iter_mut().flatten().find(|(charge, _)| charge.pool == refusing);
        let (kind, until) = pool.map_or((SpentKind::Patience, now), |(charge, pool)| {
            let kind = match full {
                Some(_) => SpentKind::QueueFull,
                None if pool.is_paused(now) => SpentKind::Paused,
                None => SpentKind::Patience,
            };
            pool.counts.refused[kind as usize] += 1;
            (kind, pool.predict(pool.queue.units(), charge.units, now))
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
