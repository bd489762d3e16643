//! Quantities as people write them: `"100/s"`, `"64MiB"`, `"30s"`. Parsed once, typed ever after.
//!
//! A duration is std's own `Duration`; here are only its reading and its printing. Which values a
//! setting allows is not decided here but by whoever owns the setting.
//!
//! What may surprise: numbers are whole (`"1500ms"`, not `"1.5s"`), units are case-sensitive
//! (`MB` is 10⁶ bytes, `MiB` is 2²⁰), and everything printed here reads back as the same value.

mod address;

pub use address::{ADDRESS, Address};

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// A text that is not the quantity it should be: what was read, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{read:?} is not {what}; expected {expected}")]
pub struct Unreadable {
    /// The text as it was given.
    pub read: String,
    /// What it should have been: `a duration`.
    pub what: &'static str,
    /// How such a thing is written, with an example.
    pub expected: &'static str,
}

/// So many in so long: `"100/s"`, `"20/min"`, `"50/day"`. A rate of zero cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU32,
    per: Duration,
}

/// A number of bytes: `"64MiB"`, `"10MB"`, `"512B"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// How a rate is written.
pub const RATE: &str = r#"a whole number above 0, "/", and s, min, h, day or a duration, as in "100/s""#;
/// How a size is written.
pub const BYTE_SIZE: &str = r#"a whole number and B, KB, MB, GB, KiB, MiB or GiB, as in "64MiB""#;
/// How a duration is written.
pub const DURATION: &str = r#"a whole number and ms, s, m, h or d, as in "30s""#;

/// Reads `"250ms"`, `"30s"`, `"5m"`, `"1h"`, `"7d"`.
///
/// # Errors
/// When the text is anything else, or too long for milliseconds in 64 bits.
pub fn parse_duration(text: &str) -> Result<Duration, Unreadable> {
    scaled(text, DURATION_UNITS)
        .map(Duration::from_millis)
        .ok_or_else(|| unreadable(text, "a duration", DURATION))
}

/// Prints a duration in the largest unit that divides it; below a millisecond is cut off.
#[must_use]
pub fn print_duration(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    in_largest_unit(millis, DURATION_UNITS)
}

// === impl Rate ===

impl Rate {
    /// So many per second. For constants: a zero fails to compile there.
    ///
    /// # Panics
    /// When the count is zero.
    #[must_use]
    pub const fn per_second(count: u32) -> Self {
        Self::fixed(count, SECOND)
    }

    /// So many per minute. For constants: a zero fails to compile there.
    ///
    /// # Panics
    /// When the count is zero.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self::fixed(count, MINUTE)
    }

    /// So many per day. For constants: a zero fails to compile there.
    ///
    /// # Panics
    /// When the count is zero.
    #[must_use]
    pub const fn per_day(count: u32) -> Self {
        Self::fixed(count, DAY)
    }

    /// One in so many minutes. For constants: a zero fails to compile there.
    ///
    /// # Panics
    /// When the minutes are zero.
    #[must_use]
    pub const fn one_in_minutes(minutes: u32) -> Self {
        Self::fixed(1, minutes as u64 * MINUTE)
    }

    /// So many in any span of whole milliseconds; `None` when the count or the span is zero, or
    /// the span is finer than that.
    #[must_use]
    pub const fn new(count: u32, per: Duration) -> Option<Self> {
        let whole_millis = per.subsec_nanos().is_multiple_of(1_000_000);
        match NonZeroU32::new(count) {
            Some(count) if !per.is_zero() && whole_millis => Some(Self { count, per }),
            _ => None,
        }
    }

    /// How many; never zero.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// In how long; never zero.
    #[must_use]
    pub const fn per(self) -> Duration {
        self.per
    }

    const fn fixed(count: u32, per_millis: u64) -> Self {
        match Self::new(count, Duration::from_millis(per_millis)) {
            Some(rate) => rate,
            None => panic!("a rate of zero"),
        }
    }
}

impl FromStr for Rate {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let read = || {
            let (count, per) = text.split_once('/')?;
            let per = match RATE_UNITS.iter().find(|(name, _)| *name == per) {
                Some((_, millis)) => Duration::from_millis(*millis),
                None => parse_duration(per).ok()?,
            };
            Self::new(u32::try_from(whole(count)?).ok()?, per)
        };
        read().ok_or_else(|| unreadable(text, "a rate", RATE))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.per.as_millis();
        match RATE_UNITS.iter().find(|(_, unit)| u128::from(*unit) == millis) {
            Some((name, _)) => write!(out, "{}/{name}", self.count),
            None => write!(out, "{}/{}", self.count, print_duration(self.per)),
        }
    }
}

// === impl ByteSize ===

impl ByteSize {
    /// So many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many times 1,024 bytes; stops at the largest number there is.
    #[must_use]
    pub const fn kib(count: u64) -> Self {
        Self(count.saturating_mul(KIB))
    }

    /// So many times 1,048,576 bytes; stops at the largest number there is.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(MIB))
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        scaled(text, BYTE_UNITS).map(Self).ok_or_else(|| unreadable(text, "a size", BYTE_SIZE))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => out.write_str("0B"),
            bytes => out.write_str(&in_largest_unit(bytes, BYTE_UNITS)),
        }
    }
}

// === what they share ===

/// Names and factors, the largest first and 1 last.
type Units = &'static [(&'static str, u64)];

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

const DURATION_UNITS: Units = &[("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)];
const RATE_UNITS: Units = &[("s", SECOND), ("min", MINUTE), ("h", HOUR), ("day", DAY)];
const BYTE_UNITS: Units = &[
    ("GiB", GIB),
    ("GB", 1_000_000_000),
    ("MiB", MIB),
    ("MB", 1_000_000),
    ("KiB", KIB),
    ("KB", 1_000),
    ("B", 1),
];

/// A whole number and one of the units, multiplied; `None` also when that is too large.
fn scaled(text: &str, units: Units) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    whole(number)?.checked_mul(*factor)
}

/// Digits and nothing else: std's own parser would take a leading `+`.
fn whole(digits: &str) -> Option<u64> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn in_largest_unit(amount: u64, units: Units) -> String {
    let fitting = units.iter().find(|(_, factor)| amount.is_multiple_of(*factor));
    let (name, factor) = fitting.copied().unwrap_or(("", 1));
    format!("{}{name}", amount / factor)
}

fn unreadable(read: &str, what: &'static str, expected: &'static str) -> Unreadable {
    Unreadable { read: read.to_owned(), what, expected }
}
