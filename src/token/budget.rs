//! How many grants may be asked for: arithmetic over the times of those that were.
//!
//! The vendor bans accounts that ask for tokens too often, and says no number. So there is a budget for any hour,
//! and beyond it a pace that slows down. Files and clocks are left to others: a moment here is a number of
//! milliseconds on a line that begins with the process, and may be negative.
//!
//! What may surprise: within a process the line counts, whatever the wall clock does. A wall time is only what a
//! grant is called in the file, so that what is read there can be told from what is known already.

/// So long a grant counts.
pub const HOUR_MS: i64 = 3_600_000;
/// Beyond the budget, grants are at least so far apart; the last one stays.
pub const APART_MS: [i64; 4] = [600_000, 1_200_000, 2_400_000, 3_600_000];
/// After so long without a grant the budget is whole again: twice the slowest pace.
pub const CALM_MS: i64 = 2 * HOUR_MS;
/// So long a grant is remembered.
const REMEMBERED_MS: i64 = 24 * HOUR_MS;

/// The same moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// On the line of this process.
    pub line_ms: i64,
    /// Since 1970.
    pub wall_ms: u64,
}

/// What may be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// So many grants are left, now.
    Within(usize),
    /// None: the next one at this moment at the earliest, which may have come.
    Beyond(i64),
}

/// The grants of the last day, and how many an hour may have.
#[derive(Clone, Debug)]
pub struct Budget {
    per_hour: usize,
    /// By time.
    grants: Vec<Grant>,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    at_ms: i64,
    /// Its wall time in the file. No two have the same.
    name: u64,
}

impl Budget {
    /// Nothing was asked for yet.
    #[must_use]
    pub fn new(per_hour: usize) -> Self {
        Self { per_hour: per_hour.max(1), grants: Vec::new() }
    }

    /// A grant is about to be asked for. It counts, whatever becomes of it.
    pub fn record(&mut self, now: Now) {
        let name = self.free_name(now.wall_ms);
        self.grants.push(Grant { at_ms: now.line_ms, name });
        self.grants.sort_by_key(|grant| grant.at_ms);
        self.grants.retain(|grant| now.line_ms - grant.at_ms < REMEMBERED_MS);
    }

    /// Takes over what a file says of earlier processes, or of others beside this one. What it dates in the future
    /// counts as now. True when that made the file differ from what is known here.
    pub fn learn(&mut self, names: &[u64], now: Now) -> bool {
        let mut differs = false;
        for name in names {
            if self.grants.iter().any(|grant| grant.name == *name) {
                continue;
            }
            let future = *name > now.wall_ms;
            let age = i64::try_from(now.wall_ms.saturating_sub(*name)).unwrap_or(i64::MAX);
            if age < REMEMBERED_MS {
                let name = if future { self.free_name(now.wall_ms) } else { *name };
                self.grants.push(Grant { at_ms: now.line_ms - age, name });
            }
            differs |= future;
        }
        self.grants.sort_by_key(|grant| grant.at_ms);
        differs
    }

    /// The wall clock was set by so much: what is dated by it is dated anew.
    pub fn redate(&mut self, by_ms: i64) {
        for grant in &mut self.grants {
            grant.name = grant.name.saturating_add_signed(by_ms);
        }
    }

    /// What may be asked for now.
    #[must_use]
    pub fn standing(&self, now_ms: i64) -> Standing {
        let (mut beyond, mut previous) = (0, None);
        for (n, grant) in self.grants.iter().enumerate() {
            if previous.is_some_and(|previous| grant.at_ms - previous >= CALM_MS) {
                beyond = 0;
            }
            let full = inside(&self.grants[..n], grant.at_ms) >= self.per_hour;
            beyond += usize::from(full || beyond > 0);
            previous = Some(grant.at_ms);
        }
        let Some(last) = previous.filter(|last| now_ms - last < CALM_MS) else {
            return Standing::Within(self.per_hour);
        };
        let left = self.per_hour.saturating_sub(inside(&self.grants, now_ms));
        if beyond == 0 && left > 0 {
            Standing::Within(left)
        } else {
            Standing::Beyond(last + APART_MS[beyond.min(APART_MS.len() - 1)])
        }
    }

    /// Grants of the last hour.
    #[must_use]
    pub fn last_hour(&self, now_ms: i64) -> usize {
        inside(&self.grants, now_ms)
    }

    /// What a file should say.
    #[must_use]
    pub fn names(&self) -> Vec<u64> {
        self.grants.iter().map(|grant| grant.name).collect()
    }

    fn free_name(&self, wall_ms: u64) -> u64 {
        let mut name = wall_ms;
        while self.grants.iter().any(|grant| grant.name == name) {
            name = name.wrapping_add(1);
        }
        name
    }
}

/// How many of these lie in the hour before a moment.
fn inside(grants: &[Grant], at_ms: i64) -> usize {
    grants.iter().rev().take_while(|grant| at_ms - grant.at_ms < HOUR_MS).count()
}
