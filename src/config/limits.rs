//! `[limits]`, `[endpoints."…"]` and `[pools."…"]`: how the vendor's limits are spent.
//!
//! The limits themselves stand in the catalogue; here a number of one endpoint or pool can be changed, but
//! none can be made.

use std::time::Duration;

use super::value::Rule;
use super::{Section, Settings};
use crate::units::Rate;

/// How the vendor's limits are spent.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// A call waits if its turn is predicted within this, else it is refused at once. 0 to 1 min,
    /// default 1 s.
    pub patience: Duration,
    /// Calls that wait, in each pool. 0 to 1,000,000, default 1,024.
    pub waiting_max: usize,
    /// So much wider than the vendor's is our window, for jitter on the way. 0 to 1, default 0.03.
    pub window_margin: f64,
    /// Calls of a pool that have a connection and wait only for their moment. 1 to 4,096, default 8.
    pub ready_max: usize,
    /// How long a pool rests after the vendor's 429 without `Retry-After`; it doubles. 10 ms to
    /// 5 min, default 1 s.
    pub pause_default: Duration,
    /// The longest such rest. 10 ms to 1 h, default 30 s.
    pub pause_max: Duration,
}

/// Numbers of one endpoint; what is not set is as the catalogue has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndpointOverride {
    /// What the vendor allows this app; the same as the rate of the pool of this name.
    pub rate: Option<Rate>,
    /// How long an answer is good when nothing is heard; 0 = never kept. 0 to 1 d.
    pub fresh: Option<Duration>,
    /// How long it may be served past that, in place of `cache.stale`; 0 = not at all. 0 to 1 d.
    pub stale: Option<Duration>,
}

/// Numbers of one pool; what is not set is as the catalogue has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolOverride {
    /// What the vendor allows this app: calls, or recipients where those are counted.
    pub rate: Option<Rate>,
    /// The most recipients of one call. 1 to 1,000,000.
    pub per_call: Option<u32>,
}

// === impl Limits ===

impl Section for Limits {
    fn start() -> Self {
        Self {
            patience: Duration::from_secs(1),
            waiting_max: 1_024,
            window_margin: 0.03,
            ready_max: 8,
            pause_default: Duration::from_secs(1),
            pause_max: Duration::from_secs(30),
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { patience, waiting_max, window_margin, ready_max, pause_default, pause_max } = self;
        let (short, minute) = (Duration::from_millis(10), Duration::from_secs(60));
        each.setting("patience", patience, Rule::within(Duration::ZERO, minute));
        each.setting("waiting_max", waiting_max, Rule::within(0, 1_000_000));
        each.setting("window_margin", window_margin, Rule::within(0.0, 1.0));
        each.setting("ready_max", ready_max, Rule::within(1, 4_096));
        each.setting("pause_default", pause_default, Rule::within(short, minute * 5));
        each.setting("pause_max", pause_max, Rule::within(short, minute * 60));
    }
}

// === impl EndpointOverride ===

impl Section for EndpointOverride {
    fn start() -> Self {
        Self { rate: None, fresh: None, stale: None }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { rate, fresh, stale } = self;
        each.setting("rate", rate, Rule::any());
        each.setting("fresh", fresh, Rule::is(r#""0s" to "1d""#, |fresh| is_day(*fresh)));
        each.setting("stale", stale, Rule::is(r#""0s" to "1d""#, |stale| is_day(*stale)));
    }
}

// === impl PoolOverride ===

impl Section for PoolOverride {
    fn start() -> Self {
        Self { rate: None, per_call: None }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { rate, per_call } = self;
        each.setting("rate", rate, Rule::any());
        let fits = |most: &Option<u32>| most.is_none_or(|most| (1..=1_000_000).contains(&most));
        each.setting("per_call", per_call, Rule::is("1 to 1000000", fits));
    }
}

fn is_day(time: Option<Duration>) -> bool {
    time.is_none_or(|time| time <= Duration::from_secs(86_400))
}
