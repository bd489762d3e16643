//! `Exchange`: what happened to one request, from its head to its answer's last byte.
//!
//! Stages write into it, telemetry reads it, and nothing is decided by it. It belongs to one request and is
//! never shared; what a flight or a write does after its caller has gone is counted elsewhere.

use crate::catalogue::EndpointId;
use crate::clock::Instant;
use crate::easemob::dialect::Verdict;
use http::Method;
use std::time::Duration;

/// The ledger of one request.
#[derive(Debug)]
pub struct Exchange {
    /// When its head had been read.
    pub opened: Instant,
    /// Its method.
    pub method: Method,
    /// The path below the app, when a line will be written about it.
    pub path: Option<Box<str>>,
    /// The row of the catalogue, once known.
    pub endpoint: Option<EndpointId>,
    /// Who asked: the caller's number, once known.
    pub caller: Option<u16>,
    /// What the cache had to do with it.
    pub cache: CacheOutcome,
    /// How old the answer from memory was.
    pub age: Option<Duration>,
    /// Calls to the vendor made for this request.
    pub calls: u8,
    /// Why we said no, if we did.
    pub refusal: Option<&'static str>,
    /// The status that was answered; zero when the caller left first.
    pub status: u16,
}

/// What the cache had to do with an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CacheOutcome {
    /// It did not come so far.
    None,
    /// Answered from memory.
    Hit,
    /// Answered from memory past its time.
    Stale,
    /// Fetched.
    Miss,
    /// Answered by a fetch that another request had begun.
    Joined,
    /// A read that may not be kept or shared.
    Bypass,
    /// A write.
    Write,
    /// Passed through.
    Relay,
}

impl CacheOutcome {
    /// Every outcome, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Hit,
        Self::Stale,
        Self::Miss,
        Self::Joined,
        Self::Bypass,
        Self::Write,
        Self::Relay,
    ];

    /// As metrics and logs say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
            Self::Joined => "joined",
            Self::Bypass => "bypass",
            Self::Write => "write",
            Self::Relay => "relay",
        }
    }
}

/// How a call to the vendor ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallOutcome {
    /// It was answered.
    Judged(Verdict),
    /// There was no connection.
    Unreachable,
    /// The connection had been closed before anything was sent.
    NotSent,
    /// The connection broke.
    Broken,
    /// No answer in time.
    TimedOut,
}

impl CallOutcome {
    /// How many there are.
    pub const COUNT: usize = Verdict::ALL.len() + 4;

    /// Every outcome, in the order of [`CallOutcome::place`].
    pub fn all() -> impl Iterator<Item = Self> {
        let rest = [Self::Unreachable, Self::NotSent, Self::Broken, Self::TimedOut];
        Verdict::ALL.into_iter().map(Self::Judged).chain(rest)
    }

    /// Its number.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Judged(verdict) => verdict as usize,
            Self::Unreachable => Verdict::ALL.len(),
            Self::NotSent => Verdict::ALL.len() + 1,
            Self::Broken => Verdict::ALL.len() + 2,
            Self::TimedOut => Verdict::ALL.len() + 3,
        }
    }

    /// As metrics and logs say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Judged(verdict) => verdict.as_str(),
            Self::Unreachable => "unreachable",
            Self::NotSent => "not_sent",
            Self::Broken => "broken",
            Self::TimedOut => "timed_out",
        }
    }
}

impl Exchange {
    /// A request whose head has just been read.
    #[must_use]
    pub fn new(opened: Instant, method: Method) -> Self {
        Self {
            opened,
            method,
            path: None,
            endpoint: None,
            caller: None,
            cache: CacheOutcome::None,
            age: None,
            calls: 0,
            refusal: None,
            status: 0,
        }
    }
}
