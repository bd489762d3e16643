//! Every metric, and the text of a scrape.
//!
//! What is counted stands in `cells`, a set for each worker; here they are added up, together with what the parts
//! know of themselves. Labels are closed sets and the names of configured callers; a series appears when it is first
//! counted.

use super::Office;
use super::cells::{CLASSES, Cells, ConnectionEvent, FlightEvent, Heard, HeardCounts, Repeat};
use crate::cache::flight::UnderWay;
use crate::cache::{Cache, Cause, Kept};
use crate::clock;
use crate::exchange::{CacheOutcome, CallOutcome};
use crate::limit::{Limits, SpentKind};
use crate::tasks::Tasks;
use crate::token::{Remembered, TokenKeeper};
use prometheus::{Encoder, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
    /// What is being fetched.
    pub flights: Arc<dyn UnderWay>,
    /// What runs.
    pub tasks: Tasks,
    /// What became of the vendor's reports.
    pub heard: Arc<HeardCounts>,
}

/// What was built, where the build was told.
pub const COMMIT: &str = match option_env!("GATEWAY_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

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
    paths(&page, desks, sources)?;
    reloads(&page, sources)?;
    callbacks(&page, sources)?;
    let about = "Always 1; version and commit are labels.";
    let build = page.gauges("gateway_build_info", about, &["version", "commit"])?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION"), COMMIT]).set(1);
    let tasks = page.gauges(
        "gateway_tasks",
        "Background tasks that are running, by whether they end by themselves.",
        &["kind"],
    )?;
    let (work, loops) = sources.tasks.counts();
    tasks.with_label_values(&["work"]).set(work as i64);
    tasks.with_label_values(&["loop"]).set(loops as i64);
    page.registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    let mut text = Vec::with_capacity(32 * 1024);
    let mut families = page.registry.gather();
    families.extend(super::histogram::all(desks));
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}

/// Counters of a closed set of words.
fn events(
    page: &Page,
    desks: &[Arc<super::Desk>],
    (name, help, label): (&str, &str, &str),
    words: &[&'static str],
    of: fn(&Cells) -> &[AtomicU64],
) -> prometheus::Result<()> {
    let counters = page.counters(name, help, &[label])?;
    for (at, word) in words.iter().enumerate() {
        let count: u64 = desks.iter().map(|desk| of(&desk.cells)[at].load(Relaxed)).sum();
        if count > 0 {
            counters.with_label_values(&[word]).inc_by(count);
        }
    }
    Ok(())
}

fn paths(page: &Page, desks: &[Arc<super::Desk>], sources: &Sources) -> prometheus::Result<()> {
    let flights: Vec<_> = FlightEvent::ALL.iter().map(|event| event.as_str()).collect();
    let about =
        ("gateway_flights_total", "Fetches that several readers may share, by what became of them.", "event");
    events(page, desks, about, &flights, |cells| &cells.flights)?;
    let flights = page.gauges("gateway_flights_under_way", "Fetches under way that may be joined.", &[])?;
    flights.with_label_values::<&str>(&[]).set(sources.flights.count() as i64);
    let repeats: Vec<_> = Repeat::ALL.iter().map(|why| why.as_str()).collect();
    let about =
        ("gateway_repeats_total", "Calls that were sent to the vendor once more, by reason.", "reason");
    events(page, desks, about, &repeats, |cells| &cells.repeats)?;
    let connections: Vec<_> = ConnectionEvent::ALL.iter().map(|event| event.as_str()).collect();
    let about = ("gateway_connection_events_total", "Callers' connections, by what became of them.", "event");
    events(page, desks, about, &connections, |cells| &cells.connections)?;
    let count = |event: ConnectionEvent| -> u64 {
        desks.iter().map(|desk| desk.cells.connections[event as usize].load(Relaxed)).sum()
    };
    // Closed first: one that opens between the two is not open yet.
    let closed = count(ConnectionEvent::Closed);
    let open = count(ConnectionEvent::Opened).saturating_sub(closed);
    let connections = page.gauges("gateway_connections", "Callers' connections that are open.", &[])?;
    connections.with_label_values::<&str>(&[]).set(open as i64);
    let (in_use, idle) = desks
        .iter()
        .map(|desk| desk.upstream.connections())
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let vendor =
        page.gauges("gateway_vendor_connections", "Connections to the vendor, by state.", &["state"])?;
    vendor.with_label_values(&["in_use"]).set(in_use as i64);
    vendor.with_label_values(&["idle"]).set(idle as i64);
    let opened = "Connections to the vendor that were opened.";
    let opened = page.counters("gateway_vendor_connections_opened_total", opened, &[])?;
    let count: u64 = desks.iter().map(|desk| desk.upstream.opened()).sum();
    opened.with_label_values::<&str>(&[]).inc_by(count);
    Ok(())
}

fn callbacks(page: &Page, sources: &Sources) -> prometheus::Result<()> {
    let about = "The vendor's reports of changes, by what became of them.";
    let counters = page.counters("gateway_callbacks_total", about, &["outcome"])?;
    for (heard, cell) in Heard::ALL.iter().zip(sources.heard.all()) {
        let count = cell.load(Relaxed);
        if count > 0 {
            counters.with_label_values(&[heard.as_str()]).inc_by(count);
        }
    }
    Ok(())
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
        for (number, name) in (0..).zip(sources.office.callers.names()) {
            let count = cells.callers.get(number);
            if count > 0 {
                callers.with_label_values(&[&*name]).inc_by(count);
            }
        }
        for (reason, count) in cells.refusals.counted() {
            refusals.with_label_values(&[reason]).inc_by(count);
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
    let refusals = "Calls that the vendor refused with 401 or 429, by its word for it.";
    let refusals = page.counters("gateway_vendor_refusals_total", refusals, &["kind"])?;
    for cells in desks.iter().map(|desk| &desk.cells) {
        for (row, counts) in rows.iter().zip(cells.vendor_calls.chunks(CallOutcome::COUNT)) {
            for (outcome, count) in
                CallOutcome::all().zip(counts).filter(|(_, count)| count.load(Relaxed) > 0)
            {
                calls.with_label_values(&[row, outcome.as_str()]).inc_by(count.load(Relaxed));
            }
        }
        for (kind, count) in cells.vendor_refusals.counted() {
            refusals.with_label_values(&[kind]).inc_by(count);
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
    let heard = sources.heard.all()[Heard::Touched as usize].load(Relaxed);
    let purges = sources.cache.purges.load(Relaxed);
    let others = [(Cause::Callback, heard), (Cause::Purge, purges)];
    for (cause, count) in others.into_iter().filter(|(_, count)| *count > 0) {
        touches.with_label_values(&[cause.as_str()]).inc_by(count);
    }
    let (entries, bytes) = sources.cache.size();
    let evicted = "Answers that were put out of memory, or not let in, for want of room.";
    let evicted = page.counters("gateway_cache_evictions_total", evicted, &[])?;
    evicted.with_label_values::<&str>(&[]).inc_by(sources.cache.evicted());
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
    let limit = "Calls per window that the vendor allows, as configured.";
    let limit = page.gauges("gateway_pool_limit_calls", limit, label)?;
    let inside = page.gauges("gateway_pool_inside_calls", "Calls of a pool inside its window.", label)?;
    let paused =
        page.gauges("gateway_pool_paused", "1 while a pool gives nothing, since the vendor refused.", label)?;
    let limited = page.counters(
        "gateway_pool_vendor_refused_total",
        "Times that the vendor refused a call for a pool.",
        label,
    )?;
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
        limit.with_label_values(label).set(i64::from(pool.rate.count()));
        size.with_label_values(label).set(pool.size as i64);
        inside.with_label_values(label).set(pool.inside as i64);
        waiting.with_label_values(label).set(pool.waiting as i64);
        paused.with_label_values(label).set(i64::from(pool.paused_until.is_some()));
        if pool.limited > 0 {
            limited.with_label_values(label).inc_by(pool.limited);
        }
        admitted.with_label_values(label).inc_by(pool.admitted);
        cancelled.with_label_values(label).inc_by(pool.cancelled);
        for (kind, count) in SpentKind::ALL.iter().zip(pool.refused).filter(|(_, count)| *count > 0) {
            refused.with_label_values(&[label[0], kind.as_str()]).inc_by(count);
        }
    }
    Ok(())
}

fn reloads(page: &Page, sources: &Sources) -> prometheus::Result<()> {
    let help = "Times that the configuration was read anew, by what became of it.";
    let reloads = page.counters("gateway_config_reloads_total", help, &["outcome"])?;
    let (applied, refused) = sources.office.reloads.counts();
    for (outcome, count) in [("applied", applied), ("refused", refused)].into_iter().filter(|(_, n)| *n > 0) {
        reloads.with_label_values(&[outcome]).inc_by(count);
    }
    let state = sources.office.reloads.state();
    let help = "1 while the configuration that is there cannot be used, and an earlier one is in force.";
    let stale = page.gauges("gateway_config_refused", help, &[])?;
    stale.with_label_values::<&str>(&[]).set(i64::from(state.refused.is_some()));
    let help = "Settings whose new value waits for a restart.";
    let restart = page.gauges("gateway_config_restart_settings", help, &[])?;
    restart.with_label_values::<&str>(&[]).set(state.restart.len() as i64);
    Ok(())
}

fn token(page: &Page, sources: &Sources) -> prometheus::Result<()> {
    let counts = sources.tokens.counts();
    let about = "Grants asked for, by reason and outcome.";
    let grants = page.counters("gateway_token_grants_total", about, &["reason", "outcome"])?;
    for ((reason, outcome), count) in sources.tokens.grants() {
        grants.with_label_values(&[reason, outcome]).inc_by(count);
    }
    let renewed = page.counters(
        "gateway_token_refused_total",
        "Times that the vendor refused the current token and it was renewed for that.",
        &[],
    )?;
    renewed.with_label_values::<&str>(&[]).inc_by(counts.renewed_after_refusal);
    let beyond =
        page.counters("gateway_token_beyond_budget_total", "Grants asked for beyond the budget.", &[])?;
    beyond.with_label_values::<&str>(&[]).inc_by(counts.beyond);
    let report = sources.tokens.report();
    let left = page.gauges("gateway_token_budget_left_grants", "Grants that are left now.", &[])?;
    left.with_label_values::<&str>(&[]).set(report.grants_left as i64);
    let remembered = "1 while the token and the times of grants outlive a restart.";
    let remembered = page.gauges("gateway_token_state_usable", remembered, &[])?;
    remembered.with_label_values::<&str>(&[]).set(i64::from(report.remembered == Remembered::Well));
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
