//! Lines of exchanges by hand: a JSON object into a worker's own buffer, which is written out now and then.
//!
//! A line through `tracing` costs more than a fetch's own work, and each a system call; so where lines are JSON, those
//! of exchanges are put together here, with the same fields in the same form (`log` says which; tests read both).
//! What waits in a buffer is written when it is long, when a line tells of a failure, when it has waited for
//! [`WAIT`], and at the end. A gateway that is killed loses that much.

use super::Office;
use super::log;
use crate::clock;
use crate::exchange::Exchange;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::Notify;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// How long a line waits at most.
pub const WAIT: Duration = Duration::from_millis(100);
/// A buffer of this length is written at once: some forty lines.
const BYTES_MAX: usize = 8 * 1024;

/// Where lines go, once somebody has said that they are JSON.
static SINK: OnceLock<BoxMakeWriter> = OnceLock::new();

/// One worker's lines that have not been written.
#[derive(Debug, Default)]
pub struct Lines {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// The second since 1970 that `date` stands for.
    second: u64,
    /// `2026-01-31T23:59:59`.
    date: String,
}

/// From here on lines are put together by hand, and go there.
pub(super) fn to(writer: BoxMakeWriter) {
    let _ = SINK.set(writer);
}

impl Lines {
    /// Takes the line of an exchange. `false` when lines are not made here.
    pub(super) fn take(&self, exchange: &Exchange, office: &Office) -> bool {
        let Some(sink) = SINK.get() else { return false };
        let mut waiting = self.lock();
        let first = waiting.text.is_empty();
        waiting.exchange(exchange, office);
        if log::is_failure(exchange) || waiting.text.len() >= BYTES_MAX {
            waiting.write(sink);
        } else if first {
            self.bell.notify_one();
        }
        true
    }

    /// Writes what waits, now and then, for as long as it is polled; and once more when it is dropped.
    pub async fn run(&self) {
        let _last = Last(self);
        loop {
            self.bell.notified().await;
            tokio::time::sleep(WAIT).await;
            self.flush();
        }
    }

    fn flush(&self) {
        if let Some(sink) = SINK.get() {
            self.lock().write(sink);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}

struct Last<'a>(&'a Lines);

impl Drop for Last<'_> {
    fn drop(&mut self) {
        self.0.flush();
    }
}

impl Waiting {
    fn write(&mut self, sink: &BoxMakeWriter) {
        if !self.text.is_empty() {
            // Nobody is left to be told that there is no log.
            let _ = sink.make_writer().write_all(&self.text);
            self.text.clear();
        }
    }

    fn exchange(&mut self, exchange: &Exchange, office: &Office) {
        let fields = log::Fields::of(exchange, office);
        let now_ms = clock::unix_ms();
        self.date(now_ms / 1_000);
        let text = &mut self.text;
        text.extend_from_slice(b"{\"timestamp\":\"");
        text.extend_from_slice(self.date.as_bytes());
        // Writing into memory does not fail.
        let _ = write!(text, ".{:03}Z\",\"level\":\"", now_ms % 1_000);
        text.extend_from_slice(if log::is_failure(exchange) { b"WARN" } else { b"INFO" });
        text.extend_from_slice(b"\",\"message\":\"");
        for word in [&*fields.method, fields.endpoint] {
            text.extend_from_slice(word.as_bytes());
            text.push(b' ');
        }
        number(text, u64::from(exchange.status));
        text.push(b' ');
        text.extend_from_slice(fields.outcome.as_bytes());
        text.push(b'"');
        // Only the path and the caller's name are not our own words.
        string(text, "http.method", &fields.method);
        string(text, "http.path", &fields.path);
        plain(text, "http.status", u64::from(exchange.status));
        word(text, "gateway.endpoint", fields.endpoint);
        string(text, "gateway.caller", &fields.caller);
        word(text, "gateway.cache", exchange.cache.as_str());
        plain(text, "gateway.calls", u64::from(exchange.calls));
        word(text, "gateway.refusal", fields.refusal);
        plain(text, "duration_us", fields.duration_us);
        text.extend_from_slice(b",\"target\":\"gateway::exchange\"}\n");
    }

    /// The date is worked out once a second.
    fn date(&mut self, second: u64) {
        if self.second == second && !self.date.is_empty() {
            return;
        }
        self.second = second;
        // `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7), put into the order of RFC 3339.
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
        let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
        const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let month = MONTHS.find(part(8, 11)).map_or(0, |at| at / 3 + 1);
        self.date = format!("{}-{month:02}-{}T{}", part(12, 16), part(5, 7), part(17, 25));
    }
}

fn name(text: &mut Vec<u8>, name: &str) {
    text.extend_from_slice(b",\"");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"\":");
}

/// A value that needs no escaping.
fn word(text: &mut Vec<u8>, field: &str, value: &str) {
    name(text, field);
    text.push(b'"');
    text.extend_from_slice(value.as_bytes());
    text.push(b'"');
}

fn string(text: &mut Vec<u8>, field: &str, value: &str) {
    name(text, field);
    let _ = serde_json::to_writer(text, value);
}

fn plain(text: &mut Vec<u8>, field: &str, value: u64) {
    name(text, field);
    number(text, value);
}

fn number(text: &mut Vec<u8>, value: u64) {
    let _ = serde_json::to_writer(text, &value);
}
