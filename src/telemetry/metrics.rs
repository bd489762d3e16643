//! Every metric. Cells are counted where things happen; a scrape folds them into a fresh registry.
//!
//! Names are `gateway_<thing>_<unit>[_total]`. Labels come from closed sets (endpoints, outcomes, pools, callers
//! of the configuration), never from ids, and a series appears when it is first counted.

use super::Office;
use crate::cache::{Cache, Cause, Kept};
use crate::catalogue::EndpointId;
use crate::clock;
use crate::exchange::{CacheOutcome, CallOutcome, Exchange};
use crate::limit::{Limits, SpentKind};
use crate::tasks::Tasks;
use crate::token::TokenKeeper;
use prometheus::{Encoder, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// One worker's numbers.
#[derive(Debug)]
pub struct Cells {
    /// By row (and one for none), cache outcome and class of status.
    requests: Box<[AtomicU64]>,
    callers: Box<[AtomicU64]>,
    /// By row, and how the call ended.
    vendor_calls: Box<[AtomicU64]>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    touches: [AtomicU64; Cause::ALL.len()],
    kept: [AtomicU64; Kept::ALL.len()],
}

/// What a scrape looks at beside the cells.
#[derive(Debug)]
pub struct Sources {
    /// Names.
    pub office: Arc<Office>,
    /// The vendor's limits.
    pub limits: Arc<Limits>,
    /// The token.
    pub tokens: Arc<TokenKeeper>,
    /// What is kept.
    pub cache: Arc<Cache>,
    /// What runs.
    pub tasks: Tasks,
}

/// 2xx, 3xx, 4xx, 5xx, and 0 for a caller who left before there was a status.
const CLASSES: [&str; 5] = ["gone", "2xx", "3xx", "4xx", "5xx"];

impl Cells {
    pub(super) fn new(rows: usize, callers: usize) -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            requests: zeros((rows + 1) * CacheOutcome::ALL.len() * CLASSES.len()),
            callers: zeros(callers),
            vendor_calls: zeros(rows * CallOutcome::COUNT),
            refusals: Mutex::default(),
            touches: Default::default(),
            kept: Default::default(),
        }
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
        if let Some(cell) = exchange.caller.and_then(|caller| self.callers.get(usize::from(caller))) {
            cell.fetch_add(1, Relaxed);
        }
        if let Some(reason) = exchange.refusal {
            *self.refusals.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
        }
    }

    /// A call to the vendor ended so.
    pub fn vendor_call(&self, endpoint: EndpointId, outcome: CallOutcome) {
        let at = usize::from(endpoint.0) * CallOutcome::COUNT + outcome.place();
        self.vendor_calls[at].fetch_add(1, Relaxed);
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

/// The text of `/metrics`.
///
/// # Errors
/// When two metrics have one name: a mistake in this file, found by any test that scrapes.
pub fn scrape(desks: &[Arc<super::Desk>], sources: &Sources) -> prometheus::Result<Vec<u8>> {
    let page = Page { registry: Registry::new() };
    let rows: Vec<&str> = sources.office.catalogue.rows().map(|(_, row)| row.endpoint.name).collect();
    requests(&page, desks, sources, &rows)?;
    vendor_calls(&page, desks, &rows)?;
    cache(&page, desks, sources)?;
    pools(&page, sources)?;
    token(&page, sources)?;
    let build = page.gauges("gateway_build_info", "Always 1; the version is a label.", &["version"])?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    let tasks = page.gauges("gateway_tasks", "Background tasks that are running.", &[])?;
    tasks.with_label_values::<&str>(&[]).set(sources.tasks.count() as i64);
    page.registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    let mut text = Vec::with_capacity(32 * 1024);
    TextEncoder::new().encode(&page.registry.gather(), &mut text)?;
    Ok(text)
}

struct Page {
    registry: Registry,
}

impl Page {
    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.registry.register(Box::new(counters.clone()))?;
        Ok(counters)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.registry.register(Box::new(gauges.clone()))?;
        Ok(gauges)
    }
}

fn requests(
    page: &Page,
    desks: &[Arc<super::Desk>],
    sources: &Sources,
    rows: &[&str],
) -> prometheus::Result<()> {
    let requests = page.counters(
        "gateway_requests_total",
        "Requests that were answered or left, by endpoint, what the cache did, and class of status.",
        &["endpoint", "cache", "status"],
    )?;
    let callers = page.counters("gateway_caller_requests_total", "Requests by caller.", &["caller"])?;
    let refusals = "Requests refused by the gateway itself.";
    let refusals = page.counters("gateway_refusals_total", refusals, &["reason"])?;
    for cells in desks.iter().map(|desk| &desk.cells) {
        for (at, count) in cells.requests.iter().map(|cell| cell.load(Relaxed)).enumerate() {
            if count > 0 {
                let (rest, class) = (at / CLASSES.len(), at % CLASSES.len());
                let (row, outcome) = (rest / CacheOutcome::ALL.len(), rest % CacheOutcome::ALL.len());
                let row = row.checked_sub(1).and_then(|row| rows.get(row)).unwrap_or(&"none");
                let labels = [*row, CacheOutcome::ALL[outcome].as_str(), CLASSES[class]];
                requests.with_label_values(&labels).inc_by(count);
            }
        }
        for (cell, name) in cells.callers.iter().zip(&sources.office.callers) {
            if cell.load(Relaxed) > 0 {
                callers.with_label_values(&[name]).inc_by(cell.load(Relaxed));
            }
        }
        for (reason, count) in cells.refusals.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            refusals.with_label_values(&[reason]).inc_by(*count);
        }
    }
    Ok(())
}

fn vendor_calls(page: &Page, desks: &[Arc<super::Desk>], rows: &[&str]) -> prometheus::Result<()> {
    let calls = page.counters(
        "gateway_vendor_calls_total",
        "Calls to the vendor by endpoint and how they ended.",
        &["endpoint", "outcome"],
    )?;
    for cells in desks.iter().map(|desk| &desk.cells) {
        for (row, counts) in rows.iter().zip(cells.vendor_calls.chunks(CallOutcome::COUNT)) {
            for (outcome, count) in
                CallOutcome::all().zip(counts).filter(|(_, count)| count.load(Relaxed) > 0)
            {
                calls.with_label_values(&[row, outcome.as_str()]).inc_by(count.load(Relaxed));
            }
        }
    }
    Ok(())
}

fn cache(page: &Page, desks: &[Arc<super::Desk>], sources: &Sources) -> prometheus::Result<()> {
    let touches =
        page.counters("gateway_invalidations_total", "Times that tags were touched, by cause.", &["cause"])?;
    let kept = page.counters(
        "gateway_cache_answers_total",
        "Fetched answers that could be kept, by what became of them.",
        &["outcome"],
    )?;
    for cells in desks.iter().map(|desk| &desk.cells) {
        for (cause, cell) in Cause::ALL.iter().zip(&cells.touches).filter(|(_, cell)| cell.load(Relaxed) > 0)
        {
            touches.with_label_values(&[cause.as_str()]).inc_by(cell.load(Relaxed));
        }
        for (outcome, cell) in Kept::ALL.iter().zip(&cells.kept).filter(|(_, cell)| cell.load(Relaxed) > 0) {
            kept.with_label_values(&[outcome.as_str()]).inc_by(cell.load(Relaxed));
        }
    }
    let (entries, bytes) = sources.cache.size();
    let size = [
        ("gateway_cache_entries", "Answers that are kept.", entries),
        ("gateway_cache_bytes", "Bytes that kept answers weigh, overhead included.", bytes),
        (
            "gateway_cache_doubts",
            "Slots of tags whose state is not certain.",
            sources.cache.doubts.count() as u64,
        ),
    ];
    for (name, help, value) in size {
        page.gauges(name, help, &[])?.with_label_values::<&str>(&[]).set(value as i64);
    }
    Ok(())
}

fn pools(page: &Page, sources: &Sources) -> prometheus::Result<()> {
    let label = &["pool"];
    let size = page.gauges("gateway_pool_size_calls", "Calls per window that a pool allows now.", label)?;
    let inside = page.gauges("gateway_pool_inside_calls", "Calls of a pool inside its window.", label)?;
    let waiting = page.gauges("gateway_pool_waiting_calls", "Calls that wait for a pool.", label)?;
    let admitted = page.counters("gateway_pool_admitted_total", "Permits given.", label)?;
    let cancelled =
        page.counters("gateway_pool_cancelled_total", "Calls that left before their turn.", label)?;
    let refused = page.counters(
        "gateway_pool_refused_total",
        "Calls refused by a pool, by reason.",
        &["pool", "reason"],
    )?;
    // A pool shows when it has been used once.
    for pool in
        sources.limits.snapshot().iter().filter(|pool| pool.admitted + pool.refused.iter().sum::<u64>() > 0)
    {
        let label = &[&*pool.name];
        size.with_label_values(label).set(pool.size as i64);
        inside.with_label_values(label).set(pool.inside as i64);
        waiting.with_label_values(label).set(pool.waiting as i64);
        admitted.with_label_values(label).inc_by(pool.admitted);
        cancelled.with_label_values(label).inc_by(pool.cancelled);
        for (kind, count) in SpentKind::ALL.iter().zip(pool.refused).filter(|(_, count)| *count > 0) {
            refused.with_label_values(&[label[0], kind.as_str()]).inc_by(count);
        }
    }
    Ok(())
}

fn token(page: &Page, sources: &Sources) -> prometheus::Result<()> {
    let counts = sources.tokens.counts();
    let grants =
        page.counters("gateway_token_grants_total", "Grants asked for, by outcome.", &["outcome"])?;
    for (outcome, count) in
        [("granted", counts.granted), ("refused", counts.refused), ("failed", counts.failed)]
    {
        if count > 0 {
            grants.with_label_values(&[outcome]).inc_by(count);
        }
    }
    let renewed = page.counters(
        "gateway_token_refused_total",
        "Times that the vendor refused the current token and it was renewed for that.",
        &[],
    )?;
    renewed.with_label_values::<&str>(&[]).inc_by(counts.renewed_after_refusal);
    let usable = page.gauges("gateway_token_usable", "1 while there is a token that may be sent.", &[])?;
    let token = sources.tokens.current();
    usable.with_label_values::<&str>(&[]).set(i64::from(token.is_some()));
    if let Some(until) = token.and_then(|token| token.until) {
        let left = until.saturating_duration_since(clock::now()).as_secs() as i64;
        page.gauges("gateway_token_left_seconds", "Seconds until the token ends.", &[])?
            .with_label_values::<&str>(&[])
            .set(left);
    }
    Ok(())
}
