//! Telling: one ledger opened and closed per request, numbers for a scrape, one line in the log.
//!
//! Every worker has a [`Desk`] with cells of its own, so that counting crosses no core; a scrape adds them up.
//! A ledger that is dropped is closed by that: a caller who hangs up is counted too.

pub mod cells;
mod histogram;
pub mod line;
pub mod log;
pub mod metrics;
mod one_line;
pub mod outlet;
pub mod reloads;
pub mod roster;
pub mod words;

use crate::body::Body;
use crate::catalogue::{Catalogue, EndpointId};
use crate::clock;
use crate::exchange::Exchange;
use crate::upstream::Upstream;
use cells::Cells;
use http::{Method, Response};
use line::Lines;
use reloads::Reloads;
use roster::Roster;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What all desks have in common.
#[derive(Debug)]
pub struct Office {
    /// The rows, for their names.
    pub catalogue: Arc<Catalogue>,
    /// The callers' names, by number.
    pub callers: Roster,
    /// Of so many hits one is logged; 1 is every one, 0 none.
    pub hits_one_in: AtomicU64,
    /// What became of the configuration.
    pub reloads: Reloads,
}

/// Where one worker tells.
#[derive(Debug)]
pub struct Desk {
    office: Arc<Office>,
    /// This worker's numbers.
    pub cells: Cells,
    hits: AtomicU64,
    /// This worker's way to the vendor.
    upstream: Arc<Upstream>,
    /// This worker's lines on their way.
    pub lines: Lines,
}

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    exchange: Exchange,
    desk: Arc<Desk>,
}

impl Desk {
    /// A desk of this office, for the worker that has this way out.
    #[must_use]
    pub fn new(office: Arc<Office>, upstream: Arc<Upstream>) -> Arc<Self> {
        let cells = Cells::new(&office);
        Arc::new(Self { office, cells, hits: AtomicU64::new(0), upstream, lines: Lines::default() })
    }

    /// Opens a ledger.
    #[must_use]
    pub fn open(self: &Arc<Self>, method: Method) -> Ledger {
        Ledger { exchange: Exchange::new(clock::now(), method), desk: Arc::clone(self) }
    }

    /// Whether this hit is one of those that are logged.
    pub fn hit_is_logged(&self) -> bool {
        match self.office.hits_one_in.load(Relaxed) {
            0 => false,
            1 => true,
            many => self.hits.fetch_add(1, Relaxed).is_multiple_of(many),
        }
    }

    fn close(&self, exchange: &Exchange) {
        self.cells.request(exchange);
        let hit = exchange.cache == crate::exchange::CacheOutcome::Hit;
        if !hit || exchange.path.is_some() {
            log::exchange(exchange, &self.office, &self.lines);
        }
    }

    /// The name of a row.
    #[must_use]
    pub fn name(&self, endpoint: EndpointId) -> &'static str {
        self.office.catalogue[endpoint].endpoint.name
    }

    /// One audit line: who changed what, and how it ended. No bodies.
    pub fn audit(&self, caller: Option<u16>, endpoint: EndpointId, path: &str, outcome: &str) {
        log::audit(&log::caller(&self.office, caller), self.name(endpoint), path, outcome);
    }

    /// The same for a change that was refused before it left.
    pub fn audit_refused(&self, exchange: &Exchange, reason: &str) {
        if let Some(endpoint) = exchange.endpoint {
            self.audit(exchange.caller, endpoint, exchange.path.as_deref().unwrap_or("-"), reason);
        }
    }

    /// The audit line of a token request, whoever answered it.
    pub fn audit_grant(&self, caller: Option<u16>, outcome: &str) {
        log::audit(&log::caller(&self.office, caller), "token", "/token", outcome);
    }
}

impl Ledger {
    /// Closes it with this answer: at once when the body is at hand, otherwise when its last byte has left.
    #[must_use]
    pub fn close(mut self, response: Response<Body>) -> Response<Body> {
        self.exchange.status = response.status().as_u16();
        match response.body() {
            Body::Empty | Body::Kept(_) => response,
            _ => response.map(|body| body.holding(self)),
        }
    }
}

impl std::ops::Deref for Ledger {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.exchange
    }
}

impl std::ops::DerefMut for Ledger {
    fn deref_mut(&mut self) -> &mut Exchange {
        &mut self.exchange
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.desk.close(&self.exchange);
    }
}
