//! A size, a window, and the arithmetic of waiting.
//!
//! Pure numbers: moments are nanoseconds since some zero, in the order in which permits were given; a call of
//! several units is as many permits of one moment. Who waits, and what is paused, is for `pool` and `patience`.
//!
//! **The rule.** Let `p[0] … p[N-1]` be the last N permits, oldest first, W the window and G the *gap*. The
//! next permit opens at
//!
//! ```text
//! max over i of  p[i] + W - i·G
//! ```
//!
//! `i = 0` is the *guard*: no window ever holds more than N. The others are the *pace*: the room that is left
//! must last, one permit each G, until the i-th of these permits leaves the window. With
//! `G = W / (N - burst + 1)` exactly `burst` permits go at once after idle. Three things follow, whatever the
//! history and however late a permit was taken:
//!
//! - *No hole.* The next permit opens at most G after the last one: at `p ≥ max(p[i] + W - i·G)` every term of
//!   the next maximum has moved on by one i, so it is at most `p + G`. G is below 2 W / N.
//! - *No loss.* As G ≥ W / N, the steepest cycle of the maximum is the guard's: N permits each W.
//! - *No drift.* The newest `burst - 1` permits bind nothing, so a timer that fires late delays one permit and
//!   not those right after it.
//!
//! What would surprise you: pacing by "time left over room left" looks simpler, but after an uneven history it
//! spends the room just before a hole of half a window.

use std::collections::VecDeque;

/// How many permits in which window, and how evenly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    size: usize,
    burst: usize,
    window_ns: u64,
    gap_ns: u64,
}

impl Quota {
    /// `size` ≥ 1 permits in any `window_ns`. If `paced`, only half of them at once; else the guard alone.
    pub(super) fn new(size: u32, window_ns: u64, paced: bool) -> Self {
        let size = size.max(1);
        let burst = if paced { (size / 2).max(1) } else { size };
        let gap_ns = window_ns / u64::from(size - burst + 1);
        Self { size: size as usize, burst: burst as usize, window_ns, gap_ns }
    }

    /// How many permits a window may hold.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// When the next permit opens by `recent` alone, were `ahead` < `size` others given before it; 0 if nothing
    /// holds it back.
    ///
    /// Costs as many steps as `size - burst`, so it is asked when a permit was given, not when one is wanted.
    pub(super) fn opens(&self, recent: &VecDeque<u64>, ahead: usize) -> u64 {
        let known = recent.len() + ahead;
        let first = self.size.saturating_sub(known);
        let binding = (first..=self.size - self.burst)
            .zip(recent.range((known + first - self.size).min(recent.len())..));
        binding.map(|(i, at)| at + self.window_ns - i as u64 * self.gap_ns).max().unwrap_or(0)
    }

    /// When `units` ≥ 1 permits open at once, behind `others` who take theirs as soon as they may, the first of
    /// them not before `start`. More units than a window holds are as many as it holds.
    ///
    /// Exact within one window if each takes one (the burst of those ahead is the only thing that adds to what
    /// `recent` binds); beyond, and behind others who take several, a lower bound: the pattern of the first
    /// window again.
    pub(super) fn predict(&self, recent: &VecDeque<u64>, others: usize, units: usize, start: u64) -> u64 {
        let ahead = others + units.clamp(1, self.size) - 1;
        let (windows, ahead) = (ahead / self.size, ahead % self.size);
        // Units of one call go together: they hold each other back by the guard alone.
        let paced = match others == 0 || ahead < self.burst {
            true => start,
            false => start + self.window_ns - (self.size - ahead) as u64 * self.gap_ns,
        };
        self.opens(recent, ahead).max(paced) + windows as u64 * self.window_ns
    }

    /// How many of `recent` still count at `now`.
    pub(super) fn inside(&self, recent: &VecDeque<u64>, now: u64) -> usize {
        recent.len() - recent.partition_point(|at| at + self.window_ns <= now)
    }
}
