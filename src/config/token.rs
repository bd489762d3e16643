//! `[token]`: how the app token is kept good.
//!
//! What may surprise: the vendor bans accounts that ask for tokens too often, so what keeps us
//! from asking cannot be set below a second.

use std::time::Duration;

use super::kinds::Folder;
use super::value::Rule;
use super::{Section, Settings};

/// How the app token is kept good.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// How long a call waits for a token that is being asked for. 0 to 5 min, default 5 s.
    pub patience: Duration,
    /// A token is renewed at two thirds of its life, and never later than this. 1 min to 7 d,
    /// default 7 d.
    pub renew_after_max: Duration,
    /// The first pause after a failure of the token endpoint; it grows fourfold. 1 s to 1 h, default 1 s.
    pub retry_min: Duration,
    /// The longest such pause. 1 s to 1 d, default 5 min.
    pub retry_max: Duration,
    /// The first pause after the token endpoint has refused us (4xx); it doubles. Wrong
    /// credentials do not get better by repetition. 1 s to 1 d, default 1 min.
    pub refused_retry_min: Duration,
    /// The longest such pause. 1 s to 7 d, default 1 h.
    pub refused_retry_max: Duration,
    /// How many tokens may be asked for in any hour; beyond that ever more rarely. 1 to 60, default 6.
    pub grants_per_hour: usize,
    /// Where the token, and what was asked for, outlive a restart. Default: nowhere.
    pub state_dir: Option<Folder>,
}

impl Section for Token {
    fn start() -> Self {
        Self {
            patience: Duration::from_secs(5),
            renew_after_max: DAY * 7,
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(300),
            refused_retry_min: Duration::from_secs(60),
            refused_retry_max: Duration::from_secs(3_600),
            grants_per_hour: 6,
            state_dir: None,
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self {
            patience,
            renew_after_max,
            retry_min,
            retry_max,
            refused_retry_min,
            refused_retry_max,
            grants_per_hour,
            state_dir,
        } = self;
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        each.setting("patience", patience, Rule::within(Duration::ZERO, minute * 5));
        each.setting("renew_after_max", renew_after_max, Rule::within(minute, DAY * 7));
        each.setting("retry_min", retry_min, Rule::within(second, minute * 60));
        each.setting("retry_max", retry_max, Rule::within(second, DAY));
        each.setting("refused_retry_min", refused_retry_min, Rule::within(second, DAY));
        each.setting("refused_retry_max", refused_retry_max, Rule::within(second, DAY * 7));
        each.setting("grants_per_hour", grants_per_hour, Rule::within(1, 60));
        each.setting("state_dir", state_dir, Rule::any());
    }
}

const DAY: Duration = Duration::from_secs(86_400);
