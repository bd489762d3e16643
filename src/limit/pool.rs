//! One thing the vendor counts: the permits given of late, what is known of its troubles, and who waits.
//!
//! The arithmetic is `quota`'s, the queue's order `patience`'s; a pool is only ever touched under its lock.
//!
//! **After a refusal by the vendor** the pool pauses, and its size is halved (never below 1). A further refusal
//! during the pause is late news of the same trouble: it can lengthen the pause, and halves nothing. One that
//! comes soon after (within the length of the pause, or one window if that is longer) doubles our own pause.
//! From the pause's end the size grows back by 1/20 of the configured one with each whole window. Windows above a
//! minute pause and keep their size. A call of more units than are left of a smaller size waits for an empty window.
//!
//! Long windows slide, where the vendor's day ends at midnight UTC: stricter, and so never too much.

use super::patience::Queue;
use super::quota::Quota;
use super::{PoolSettings, Settings, SpentKind};
use crate::units::Rate;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Windows longer than this are not paced: nobody waits for them, and evenness would only cost latency.
const PACED_MAX: Duration = Duration::from_secs(5);
/// A pool with a longer window is paused after a refusal and not made smaller: its size would take hours to
/// return, and a refusal of a call that spends from several is about the short ones.
const SHRINKING_MAX: Duration = Duration::from_secs(60);
/// However long the window, jitter on the way is not longer than this.
const MARGIN_MAX: Duration = Duration::from_secs(2);
/// Longer than any process runs, and short enough to be added to any moment.
const WINDOW_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// However long the vendor asks us to be silent, after this we ask again.
const VENDOR_PAUSE_MAX: Duration = Duration::from_secs(3600);
/// The part of the configured size that comes back with each window.
const RECOVERY_WINDOWS: u64 = 20;
/// Moments kept without growing the ring, for pools of this size or below.
const RESERVED_MAX: usize = 1024;

/// A vendor limit at work.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) name: Arc<str>,
    pub(super) rate: Rate,
    /// The most units that one call may spend.
    pub(super) per_call: u32,
    pub(super) queue: Queue,
    pub(super) counts: Counts,
    window_ns: u64,
    /// By the size that holds now.
    quota: Quota,
    /// The moments of the last permits, as many as the configured size.
    recent: VecDeque<u64>,
    /// When the quota allows the next permit.
    opens: u64,
    /// 0 if there never was trouble.
    paused_until: u64,
    /// Our own last pause, whatever the vendor said.
    pause_ns: u64,
    /// The size at the end of the last pause.
    reduced: u32,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) admitted: u64,
    pub(super) refused: [u64; SpentKind::ALL.len()],
    pub(super) cancelled: u64,
    /// By the vendor.
    pub(super) limited: u64,
}

// === impl Pool ===

impl Pool {
    pub(super) fn new(pool: PoolSettings, settings: &Settings) -> Self {
        let window_ns = window_ns(pool.rate, settings);
        let size = pool.rate.count().max(1);
        Self {
            name: pool.name.into(),
            rate: pool.rate,
            per_call: pool.per_call.min(size),
            queue: Queue::new(settings.ready_max),
            counts: Counts::default(),
            window_ns,
            quota: Quota::new(size, window_ns, pool.rate.per() <= PACED_MAX),
            recent: VecDeque::with_capacity(RESERVED_MAX.min(size as usize)),
            opens: 0,
            paused_until: 0,
            pause_ns: 0,
            reduced: size,
        }
    }

    /// Another size from now on. Trouble stays: a pool that has shrunk grows from where it stands.
    pub(super) fn change(&mut self, rate: Rate, per_call: u32, now: u64, settings: &Settings) {
        self.refresh(now);
        let size = rate.count().max(1);
        let shrunk = self.size() < self.rate.count() as usize;
        self.per_call = per_call.min(size);
        if rate == self.rate {
            return;
        }
        let held = if shrunk { self.size().min(size as usize) as u32 } else { size };
        self.rate = rate;
        self.window_ns = window_ns(rate, settings);
        self.reduced = held;
        while self.recent.len() > size as usize {
            self.recent.pop_front();
        }
        self.quota = Quota::new(held, self.window_ns, rate.per() <= PACED_MAX);
        self.opens = self.quota.opens(&self.recent, 0);
    }

    /// Follows the clock: to be called first, with a `now` that never goes back.
    pub(super) fn refresh(&mut self, now: u64) {
        if self.size() < self.rate.count() as usize {
            self.resize(now);
        }
    }

    /// When `units` permits can be given at once if `others` are given first; `now` or later.
    pub(super) fn predict(&self, others: usize, units: u32, now: u64) -> u64 {
        let start = self.opens.max(self.paused_until).max(now);
        if others == 0 && units <= 1 {
            return start;
        }
        self.quota.predict(&self.recent, others, units as usize, start)
    }

    /// When a newcomer of one unit would get its permit.
    pub(super) fn newcomer(&self, now: u64) -> u64 {
        self.predict(self.queue.units(), 1, now)
    }

    /// When this ticket should get a connection ready, if nobody ahead leaves: `now`, or when there is a permit
    /// for all who are ahead and for it.
    pub(super) fn near_at(&self, ticket: u64, units: u32, now: u64) -> u64 {
        match self.queue.ahead_of(ticket) {
            Some(ahead) if ahead >= self.queue.ready_max() => {
                self.predict(self.queue.units_of_first(ahead), units, now)
            }
            _ => now,
        }
    }

    /// Gives so many permits at once. Whether they may be given is asked before, under the same lock.
    pub(super) fn take(&mut self, units: u32, now: u64) {
        for _ in 0..units {
            if self.recent.len() >= self.rate.count() as usize {
                self.recent.pop_front();
            }
            self.recent.push_back(now);
        }
        self.opens = self.quota.opens(&self.recent, 0);
        self.counts.admitted += 1;
    }

    /// The vendor refused a call for this pool.
    pub(super) fn limited(&mut self, now: u64, retry_after: Option<Duration>, settings: &Settings) {
        self.counts.limited += 1;
        let known = self.is_paused(now);
        if !known {
            let soon = self.paused_until > 0
                && now < self.paused_until.saturating_add(self.pause_ns.max(self.window_ns));
            let pause = if soon { self.pause_ns.saturating_mul(2) } else { nanos(settings.pause_default) };
            self.pause_ns = pause.min(nanos(settings.pause_max));
            if self.rate.per() <= SHRINKING_MAX {
                self.reduced = (self.size() / 2).max(1) as u32;
            }
        }
        let pause_ns = match retry_after {
            Some(pause) if !pause.is_zero() => nanos(pause.min(VENDOR_PAUSE_MAX)),
            _ if known => 0,
            _ => self.pause_ns,
        };
        self.paused_until = self.paused_until.max(now.saturating_add(pause_ns));
        self.resize(now);
    }

    pub(super) fn is_paused(&self, now: u64) -> bool {
        now < self.paused_until
    }

    pub(super) fn paused_until(&self) -> u64 {
        self.paused_until
    }

    /// How many permits a window may hold now.
    pub(super) fn size(&self) -> usize {
        self.quota.size()
    }

    /// How many permits the window that ends now holds.
    pub(super) fn inside(&self, now: u64) -> usize {
        self.quota.inside(&self.recent, now)
    }

    fn resize(&mut self, now: u64) {
        let full = self.rate.count();
        let windows = now.saturating_sub(self.paused_until) / self.window_ns.max(1);
        let regained = windows.saturating_mul(u64::from(full)) / RECOVERY_WINDOWS;
        let size = u64::from(self.reduced).saturating_add(regained).min(u64::from(full)) as u32;
        if size as usize != self.size() {
            self.quota = Quota::new(size, self.window_ns, self.rate.per() <= PACED_MAX);
            self.opens = self.quota.opens(&self.recent, 0);
        }
    }
}

/// The window of a rate, widened.
fn window_ns(rate: Rate, settings: &Settings) -> u64 {
    let window = rate.per().min(WINDOW_MAX);
    nanos(window + window.mul_f64(settings.window_margin.max(0.0)).min(MARGIN_MAX))
}

/// Nanoseconds in the 64 bits that last for centuries.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
