//! What a caller says about memory: `Cache-Control` and `Pragma` (RFC 9111, 5.2.1 and 5.4), `If-None-Match` (RFC
//! 9110, 13.1.2).
//!
//! Only reading: what follows from it is decided where reads are answered. A number that cannot be read counts as
//! the one that asks for more, so that a slip costs a call and never freshness.

use http::HeaderMap;
use http::header::{CACHE_CONTROL, IF_NONE_MATCH, PRAGMA};
use std::time::Duration;

/// What a caller wants of an answer from memory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Directives {
    /// Nothing of this is to be kept or shared.
    pub(super) no_store: bool,
    /// Memory will not do, nor what is on its way already.
    pub(super) no_cache: bool,
    /// Nothing but memory will do.
    pub(super) only_if_cached: bool,
    /// An answer may be so old.
    pub(super) max_age: Option<Duration>,
    /// It must be good for at least so long.
    min_fresh: Option<Duration>,
    /// It may be past its time for so long.
    max_stale: Option<Duration>,
}

/// The largest number of seconds that counts (RFC 9111, 1.2.2).
const SECONDS_MAX: u64 = 1 << 31;

impl Directives {
    /// What these headers say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut said = Self::default();
        let mut controls = headers.get_all(CACHE_CONTROL).iter().peekable();
        if controls.peek().is_none() {
            let pragmas = headers.get_all(PRAGMA).iter().filter_map(|value| value.to_str().ok());
            said.no_cache = pragmas.flat_map(members).any(|word| word.eq_ignore_ascii_case("no-cache"));
            return said;
        }
        for member in controls.filter_map(|value| value.to_str().ok()).flat_map(members) {
            let (name, number) = match member.split_once('=') {
                Some((name, number)) => (name.trim_end(), Some(number.trim_start().trim_matches('"'))),
                None => (member, None),
            };
            said.hear(name, number);
        }
        said.no_cache |= said.max_age == Some(Duration::ZERO);
        said
    }

    fn hear(&mut self, name: &str, number: Option<&str>) {
        let is = |word: &str| name.eq_ignore_ascii_case(word);
        let seconds = number.map(seconds);
        if is("no-store") {
            self.no_store = true;
        } else if is("no-cache") {
            self.no_cache = true;
        } else if is("only-if-cached") {
            self.only_if_cached = true;
        } else if is("max-age") {
            let age = seconds.flatten().unwrap_or_default();
            self.max_age = Some(self.max_age.map_or(age, |other| other.min(age)));
        } else if is("min-fresh") {
            let fresh = seconds.flatten().unwrap_or(Duration::from_secs(SECONDS_MAX));
            self.min_fresh = self.min_fresh.max(Some(fresh));
        } else if is("max-stale") {
            // Without a number: however stale.
            let stale = seconds.map_or(Duration::from_secs(SECONDS_MAX), Option::unwrap_or_default);
            self.max_stale = Some(self.max_stale.map_or(stale, |other| other.min(stale)));
        }
    }

    /// Whether an answer will do that is so old and has been past its time for so long: who says how old it may be,
    /// or how good, wants none such, unless he says how stale.
    pub(super) fn accept_stale(&self, age: Duration, over: Duration) -> bool {
        let silent = self.max_age.is_none() && self.min_fresh.is_none();
        self.accept_fresh(age, Duration::ZERO) && self.max_stale.map_or(silent, |max| over <= max)
    }

    /// Whether he says that he takes it as it is.
    pub(super) fn wants_stale(&self) -> bool {
        self.max_stale.is_some()
    }

    /// Whether an answer will do that is so old and good for so long yet.
    pub(super) fn accept_fresh(&self, age: Duration, left: Duration) -> bool {
        !self.no_cache
            && self.max_age.is_none_or(|max| age <= max)
            && self.min_fresh.is_none_or(|min| left >= min)
    }
}

/// Whether the caller has the answer with this entity tag already. Compared weakly, as the header wants.
pub(super) fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(members).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// The members of a list; a comma inside of quotes is none of its commas.
fn members(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = list.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn seconds(number: &str) -> Option<Duration> {
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are more than anything can last.
    digits.then(|| Duration::from_secs(number.parse().unwrap_or(SECONDS_MAX).min(SECONDS_MAX)))
}
