//! What one worker counts: cells of its own, so that counting crosses no core.
//!
//! A scrape adds them up (`metrics`). Everything is a plain counter; nothing is ever read to decide.

use super::Office;
use super::histogram::{AGES_US, Histograms, TIMES_US};
use super::roster::Tally;
use super::words::Words;
use crate::cache::{Cause, Kept};
use crate::catalogue::EndpointId;
use crate::clock;
use crate::exchange::{CacheOutcome, CallOutcome, Exchange};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// One worker's numbers.
#[derive(Debug)]
pub struct Cells {
    /// By row (and one for none), cache outcome and class of status.
    pub(super) requests: Box<[AtomicU64]>,
    pub(super) callers: Tally,
    /// By row, and how the call ended.
    pub(super) vendor_calls: Box<[AtomicU64]>,
    pub(super) refusals: Words,
    pub(super) vendor_refusals: Words,
    pub(super) touches: [AtomicU64; Cause::ALL.len()],
    pub(super) kept: [AtomicU64; Kept::ALL.len()],
    pub(super) flights: [AtomicU64; FlightEvent::ALL.len()],
    pub(super) connections: [AtomicU64; ConnectionEvent::ALL.len()],
    pub(super) repeats: [AtomicU64; Repeat::ALL.len()],
    /// The families of rows by name, the first for what has no row; and that of each row.
    pub(super) families: Vec<&'static str>,
    pub(super) family_of: Box<[usize]>,
    /// By family and cache outcome.
    pub(super) durations: Histograms,
    /// By family.
    pub(super) ages: Histograms,
    pub(super) vendor_durations: Histograms,
}

/// A closed set of words that are counted: as metrics say them.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name {
            $($(#[$what])* $variant,)*
        }

        impl $name {
            /// Every one, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As metrics say it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

words! {
    /// What becomes of fetches that several readers may share.
    FlightEvent {
        /// A fetch began.
        Began = "began",
        /// A reader joined one.
        Joined = "joined",
        /// A reader who had joined could not be given what it brought: it was touched after it had begun.
        Late = "late",
        /// No seat: too many fetches, or too many readers of one.
        Full = "full",
        /// Given up before it left, since everybody who waited had gone.
        Deserted = "deserted",
    }
}
words! {
    /// What becomes of callers' connections.
    ConnectionEvent {
        /// Taken in.
        Opened = "opened",
        /// Ended by either side, for any reason.
        Closed = "closed",
        /// Cut off: its head was not whole in time.
        LateHead = "late_head",
        /// Cut off: nothing came for too long.
        Idle = "idle",
        /// Cut off: the other end took nothing for too long.
        Unread = "unread",
        /// Ended with a bare 400, 414 or 431, or without a word: its head could not be parsed.
        BadHead = "bad_head",
        /// Ended over HTTP/2: frames that cannot be read, or too many of a kind.
        BadFrames = "bad_frames",
        /// Cut off over HTTP/2: too many frames that carry no request.
        Flood = "flood",
        /// Not the connection, but one request of HTTP/2 ended: nothing of its answer was taken for too long.
        Stalled = "stalled",
        /// Ended: what came was no TLS, or one side did not accept the other's.
        BadHandshake = "bad_handshake",
    }
}
words! {
    /// Why a call was sent to the vendor once more.
    Repeat {
        /// With a renewed token.
        Token = "token",
        /// A safe read, whose connection broke.
        Broken = "broken",
        /// A safe read that was answered with 502, 503 or 504.
        Failed = "failed",
        /// Nothing had been sent: the connection had been closed.
        NotSent = "not_sent",
    }
}

words! {
    /// What becomes of the vendor's reports of changes.
    Heard {
        /// What it reports was touched.
        Touched = "touched",
        /// A message, or an operation that changed nothing.
        Ignored = "ignored",
        /// Another app's.
        Foreign = "foreign",
        /// Without a signature.
        Unsigned = "unsigned",
        /// With a signature that none of the secrets made.
        Forged = "forged",
        /// Its time is too far from ours.
        Old = "old",
        /// Heard before.
        Repeated = "repeated",
        /// No JSON.
        Garbage = "garbage",
        /// Longer than a report may be.
        TooLarge = "too_large",
        /// Not whole, or not in time.
        Cut = "cut",
    }
}

/// How many reports became what. There is one listener for them, so these are not a worker's.
#[derive(Debug, Default)]
pub struct HeardCounts([AtomicU64; Heard::ALL.len()]);

impl HeardCounts {
    /// One became this.
    pub fn count(&self, heard: Heard) {
        self.0[heard as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn all(&self) -> &[AtomicU64] {
        &self.0
    }
}

/// 2xx, 3xx, 4xx, 5xx, and 0 for a caller who left before there was a status.
pub(super) const CLASSES: [&str; 5] = ["gone", "2xx", "3xx", "4xx", "5xx"];

impl Cells {
    pub(super) fn new(office: &Office) -> Self {
        let rows = office.catalogue.rows().len();
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        let mut families = vec!["none"];
        let family_of = office.catalogue.rows().map(|(_, row)| {
            let family = row.endpoint.family();
            families.iter().position(|other| *other == family).unwrap_or_else(|| {
                families.push(family);
                families.len() - 1
            })
        });
        let family_of = family_of.collect();
        Self {
            requests: zeros((rows + 1) * CacheOutcome::ALL.len() * CLASSES.len()),
            callers: Tally::default(),
            vendor_calls: zeros(rows * CallOutcome::COUNT),
            refusals: Words::default(),
            vendor_refusals: Words::default(),
            touches: Default::default(),
            kept: Default::default(),
            flights: Default::default(),
            connections: Default::default(),
            repeats: Default::default(),
            durations: Histograms::new(TIMES_US, families.len() * CacheOutcome::ALL.len()),
            ages: Histograms::new(AGES_US, families.len()),
            vendor_durations: Histograms::new(TIMES_US, families.len()),
            families,
            family_of,
        }
    }

    fn family(&self, endpoint: Option<EndpointId>) -> usize {
        endpoint.map_or(0, |id| self.family_of[usize::from(id.0)])
    }

    pub(super) fn request(&self, exchange: &Exchange) {
        let row = exchange.endpoint.map_or(0, |id| usize::from(id.0) + 1);
        let class = match exchange.status {
            200..=299 => 1,
            300..=399 => 2,
            400..=499 => 3,
            500.. => 4,
            _ => 0,
        };
        let at = (row * CacheOutcome::ALL.len() + exchange.cache as usize) * CLASSES.len() + class;
        self.requests[at].fetch_add(1, Relaxed);
        let family = self.family(exchange.endpoint);
        let took = clock::now().saturating_duration_since(exchange.opened);
        self.durations.observe(family * CacheOutcome::ALL.len() + exchange.cache as usize, took);
        if let Some(age) = exchange.age {
            self.ages.observe(family, age);
        }
        if let Some(caller) = exchange.caller {
            self.callers.add(caller);
        }
        if let Some(reason) = exchange.refusal {
            self.refusals.count(reason);
        }
    }

    /// A call to the vendor ended so; `took` if it left.
    pub fn vendor_call(&self, endpoint: EndpointId, outcome: CallOutcome, took: Option<Duration>) {
        let at = usize::from(endpoint.0) * CallOutcome::COUNT + outcome.place();
        self.vendor_calls[at].fetch_add(1, Relaxed);
        if let Some(took) = took {
            self.vendor_durations.observe(self.family(Some(endpoint)), took);
        }
    }

    /// The vendor refused a call with 401 or 429, and this is its word for it.
    pub fn vendor_refused(&self, kind: &'static str) {
        self.vendor_refusals.count(kind);
    }

    /// Something happened to a fetch.
    pub fn flight(&self, event: FlightEvent) {
        self.flights[event as usize].fetch_add(1, Relaxed);
    }

    /// Something happened to a connection.
    pub fn connection(&self, event: ConnectionEvent) {
        self.connections[event as usize].fetch_add(1, Relaxed);
    }

    /// A call was sent once more.
    pub fn repeat(&self, why: Repeat) {
        self.repeats[why as usize].fetch_add(1, Relaxed);
    }

    /// Tags were touched.
    pub fn touched(&self, cause: Cause) {
        self.touches[cause as usize].fetch_add(1, Relaxed);
    }

    /// A fetched answer that could be kept was, or was not.
    pub fn kept(&self, kept: Kept) {
        self.kept[kept as usize].fetch_add(1, Relaxed);
    }
}
