//! Wait a little or refuse: the queue of a pool, and a place in the queues of a row.
//!
//! When a permit may be given is for `pool` to say; this file decides to whom.
//!
//! **Order.** Joining takes a ticket while all pools of the row are locked, so any two places stand in the same
//! order wherever they meet. A place *asks* from the first poll of `admit`. It may go when it is the first that
//! asks in each of its queues and each of its pools has a permit; then it takes all of them, or none. The
//! smallest ticket that asks is first everywhere, so somebody can always go, and nobody is overtaken by one who
//! came later and asked no earlier, also not a call of many units by those of few. The price: who is first in A and waits for B keeps A waiting too, for as
//! long as its patience lasts and no longer.
//!
//! **Who does not ask yet** (is still getting a connection ready) keeps its place and holds nobody up.
//!
//! **Waking.** Only the first that asks sleeps until its pools open; others that ask sleep until their patience
//! ends, and those who are not near until their own moment would have come.
//! Whoever leaves a queue, by whatever way, rings the new first and the one that became near. A bell keeps its
//! ring until it is heard, and is heard across threads; so nothing is lost between looking and sleeping.

use super::row::Row;
use super::{Limits, Permit, Spent};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// A place in the queues of a row's pools. Dropped, it leaves them, spends nothing and wakes who is behind.
///
/// Whoever holds one and has begun to `admit` must go on polling it, or drop it: others wait behind.
#[must_use = "a place that is dropped is given up"]
#[derive(Debug)]
pub struct Place {
    limits: Arc<Limits>,
    row: Row,
    ticket: u64,
    /// When patience ends, on the limits' own scale.
    deadline: u64,
    near: bool,
    joined: bool,
    /// Made when there is something to wait for.
    bell: Option<Arc<Notify>>,
}

/// The bells to ring once the locks are let go; allocates only if there is one.
pub(super) type Bells = Vec<Arc<Notify>>;

/// One pool's queue, in the order of tickets.
#[derive(Debug)]
pub(super) struct Queue {
    ready_max: usize,
    entries: VecDeque<Entry>,
    /// Of all entries.
    units: usize,
}

#[derive(Debug)]
struct Entry {
    ticket: u64,
    units: u32,
    asking: bool,
    bell: Option<Arc<Notify>>,
}

/// What a look at the queues told.
enum Turn<T> {
    Come(T),
    /// Look again when the bell rings, or at this moment.
    Wait(u64),
    Never(Spent),
}

// === impl Place ===

impl Place {
    pub(super) fn new(limits: Arc<Limits>, row: Row, ticket: u64, deadline: u64, near: bool) -> Self {
        Self { limits, row, ticket, deadline, near, joined: true, bell: None }
    }

    /// Resolves when it is time to get a connection ready: a permit could be had at once, or fewer than
    /// `ready_max` are ahead in each queue.
    ///
    /// # Errors
    ///
    /// Patience has ended, or is sure to end before any pool of the row opens. The place is given up.
    pub async fn near(&mut self) -> Result<(), Spent> {
        while !self.near {
            match self.look_near() {
                Turn::Come(()) => self.near = true,
                Turn::Wait(until) => self.sleep(until).await,
                Turn::Never(spent) => return Err(spent),
            }
        }
        Ok(())
    }

    /// Resolves with the permit, stamped in the poll that returns it.
    ///
    /// # Errors
    ///
    /// Patience has ended, or is sure to end before all pools of the row open (one was paused meanwhile).
    /// Nothing is spent.
    pub async fn admit(mut self) -> Result<Permit, Spent> {
        loop {
            match self.ask() {
                Turn::Come(permit) => return Ok(permit),
                Turn::Wait(until) => self.sleep(until).await,
                Turn::Never(spent) => return Err(spent),
            }
        }
    }

    fn look_near(&mut self) -> Turn<()> {
        let (mut held, now) = self.limits.hold(self.row);
        if !self.joined || now >= self.deadline || held.opens(now) > self.deadline {
            self.joined = false;
            return Turn::Never(held.refuse(self.ticket, now));
        }
        // When the last of the pools lets it near: at once, or when there is room for all ahead and for it.
        let near_at = held.near_at(self.ticket, now);
        if near_at <= now {
            return Turn::Come(());
        }
        let bell = self.bell.get_or_insert_default();
        held.pools().for_each(|pool| pool.queue.hang(self.ticket, bell));
        Turn::Wait(near_at.min(self.deadline))
    }

    fn ask(&mut self) -> Turn<Permit> {
        let (mut held, now) = self.limits.hold(self.row);
        let opens = held.opens(now);
        let mut first = true;
        for pool in held.pools() {
            first &= pool.queue.ask(self.ticket);
        }
        if self.joined && first && opens <= now {
            self.joined = false;
            held.take(self.ticket, now);
            return Turn::Come(Permit { at: self.limits.moment(now) });
        }
        if !self.joined || now >= self.deadline || opens > self.deadline {
            self.joined = false;
            return Turn::Never(held.refuse(self.ticket, now));
        }
        let bell = self.bell.get_or_insert_default();
        held.pools().for_each(|pool| pool.queue.hang(self.ticket, bell));
        Turn::Wait(if first { opens } else { self.deadline })
    }

    /// Until the bell rings, or `until`; either way the queues are looked at again.
    async fn sleep(&self, until: u64) {
        if let Some(bell) = &self.bell {
            let _ = timeout_at(self.limits.moment(until), bell.notified()).await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.joined {
            self.limits.hold(self.row).0.cancel(self.ticket);
        }
    }
}

// === impl Queue ===

impl Queue {
    pub(super) fn new(ready_max: usize) -> Self {
        Self { ready_max: ready_max.max(1), entries: VecDeque::new(), units: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many units all of them wait for.
    pub(super) fn units(&self) -> usize {
        self.units
    }

    /// How many units the first `count` wait for.
    pub(super) fn units_of_first(&self, count: usize) -> usize {
        // Nearly always one each.
        if self.units == self.entries.len() {
            return count;
        }
        self.entries.range(..count).map(|entry| entry.units as usize).sum()
    }

    /// Joins at the end; tickets only rise.
    pub(super) fn join(&mut self, ticket: u64, units: u32) {
        self.units += units as usize;
        self.entries.push_back(Entry { ticket, units, asking: false, bell: None });
    }

    /// How many at the head get a connection ready.
    pub(super) fn ready_max(&self) -> usize {
        self.ready_max
    }

    /// How many are ahead of this ticket; `None` if it is not here.
    pub(super) fn ahead_of(&self, ticket: u64) -> Option<usize> {
        self.entries.binary_search_by_key(&ticket, |entry| entry.ticket).ok()
    }

    /// Asks for a permit from now on. True if nobody ahead asks.
    fn ask(&mut self, ticket: u64) -> bool {
        let Some(ahead) = self.ahead_of(ticket) else {
            return false;
        };
        self.entries[ahead].asking = true;
        self.entries.range(..ahead).all(|entry| !entry.asking)
    }

    /// Leaves the bell by which this ticket can be woken.
    fn hang(&mut self, ticket: u64, bell: &Arc<Notify>) {
        if let Some(ahead) = self.ahead_of(ticket) {
            self.entries[ahead].bell.get_or_insert_with(|| bell.clone());
        }
    }

    /// Leaves, and collects the bells of those for whom this changes something.
    pub(super) fn leave(&mut self, ticket: u64, bells: &mut Bells) {
        let Some(ahead) = self.ahead_of(ticket) else {
            return;
        };
        let left = self.entries.remove(ahead);
        self.units -= left.as_ref().map_or(0, |entry| entry.units as usize);
        if left.is_some_and(|entry| entry.asking) {
            let first = self.entries.iter().position(|entry| entry.asking).filter(|first| *first >= ahead);
            bells.extend(first.and_then(|first| self.entries[first].bell.clone()));
        }
        if ahead < self.ready_max {
            let near = self.entries.get(self.ready_max - 1).filter(|entry| !entry.asking);
            bells.extend(near.and_then(|entry| entry.bell.clone()));
        }
    }

    /// Everybody's bell, in their order.
    pub(super) fn everybody(&self, bells: &mut Bells) {
        bells.extend(self.entries.iter().filter_map(|entry| entry.bell.clone()));
    }
}
