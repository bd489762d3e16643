//! What the vendor reports of changes that did not come through here: whom to believe, and what to touch.
//!
//! A report is believed if it is of this app, signed with one of the secrets, of this time and new. It then touches
//! and does nothing else: the signature does not cover what a report says, so whoever has seen one could change it.
//! It costs him one report and us one miss. Reports are best effort, may repeat and echo our own writes late; the
//! deadline is what bounds staleness.
//!
//! A touch by a report settles as after a write of our own: the vendor reports it when it is done, and its own
//! copies may lag behind that just as long. What is being fetched meanwhile is overtaken.
//!
//! An old report touches nothing: what was kept before its change has passed its deadline since, and what is served
//! past that its limit, if `age_max` is above both; and an old one is more likely somebody's recording.

use crate::cache::{Cache, Cause, Secret};
use crate::clock::Wall;
use crate::easemob::callback::{Report, Seal, may_report};
use crate::telemetry::cells::{Heard, HeardCounts};
use aws_lc_rs::constant_time;
use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Whom to believe.
#[derive(Debug)]
pub struct Settings {
    /// The vendor's name of the app: `org#app`.
    pub app_key: String,
    /// Each as the vendor's console made it for a rule. Without any, nobody is believed.
    pub secrets: Vec<SecretString>,
    /// The most that a report's time may differ from ours.
    pub age_max: Duration,
}

/// Listens to the vendor's reports.
#[derive(Debug)]
pub struct Hear {
    settings: Settings,
    prefix: String,
    cache: Arc<Cache>,
    secret: Secret,
    wall: Wall,
    seen: Mutex<Seen>,
    /// What became of reports.
    pub counts: Arc<HeardCounts>,
}

/// Call ids that are remembered, by hash, about 1 MiB; at least half as many. Forgetting one too early costs a miss.
const SEEN_MAX: usize = 32_768;

/// The last call ids, in two halves; the older is forgotten as a whole.
#[derive(Debug, Default)]
struct Seen {
    newer: HashSet<u128>,
    older: HashSet<u128>,
}

impl Hear {
    /// Listens for this cache. `prefix` is cut off the front of names, `secret` keys hashes.
    #[must_use]
    pub fn new(settings: Settings, prefix: &str, cache: Arc<Cache>, secret: Secret, wall: Wall) -> Self {
        let counts = Arc::default();
        Self { settings, prefix: prefix.to_owned(), cache, secret, wall, seen: Mutex::default(), counts }
    }

    /// Judges one body, and touches what it reports. When it returns, nothing from before is served.
    pub fn hear(&self, body: &[u8]) -> Heard {
        let heard = self.judge(body, self.wall.unix_ms());
        self.counts.count(heard);
        heard
    }

    fn judge(&self, body: &[u8], now_ms: u64) -> Heard {
        if !may_report(body) {
            return Heard::Ignored;
        }
        let Ok(report) = Report::read(body) else {
            return Heard::Garbage;
        };
        if !report.is_change() {
            return Heard::Ignored;
        }
        if !report.is_of(&self.settings.app_key) {
            return Heard::Foreign;
        }
        let Some(seal) = report.seal() else {
            return Heard::Unsigned;
        };
        if !self.is_ours(&seal) {
            return Heard::Forged;
        }
        if u128::from(now_ms.abs_diff(seal.timestamp)) > self.settings.age_max.as_millis() {
            return Heard::Old;
        }
        let tags = report.tags(&self.prefix);
        let id = self.secret.hash(seal.call_id.as_bytes());
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).is_new(id) {
            return Heard::Repeated;
        }
        if tags.is_empty() {
            return Heard::Ignored;
        }
        self.cache.touch(&tags, Cause::Callback);
        Heard::Touched
    }

    /// Whether one of the secrets made this signature: the MD5 of call id, secret and time.
    fn is_ours(&self, seal: &Seal<'_>) -> bool {
        let time = seal.timestamp.to_string();
        self.settings.secrets.iter().any(|secret| {
            let digest = Md5::new()
                .chain_update(seal.call_id)
                .chain_update(secret.expose_secret())
                .chain_update(&time)
                .finalize();
            let digits = digest.iter().fold(String::with_capacity(32), |mut digits, byte| {
                let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
                digits.extend([digit(byte >> 4), digit(byte & 15)]);
                digits
            });
            constant_time::verify_slices_are_equal(digits.as_bytes(), seal.security.as_bytes()).is_ok()
        })
    }
}

impl Seen {
    /// Whether it was not there, and remembers it.
    fn is_new(&mut self, id: u128) -> bool {
        if self.older.contains(&id) || !self.newer.insert(id) {
            return false;
        }
        if self.newer.len() >= SEEN_MAX / 2 {
            self.older = std::mem::take(&mut self.newer);
        }
        true
    }
}
