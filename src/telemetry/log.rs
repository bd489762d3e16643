//! The subscriber, and the lines that are written about exchanges and changes.
//!
//! Fields are the same words as in the metrics. Never written: keys, tokens, bodies, query strings.

use super::Office;
use super::line::Lines;
use super::one_line::one_line;
use crate::clock;
use crate::exchange::Exchange;
use std::borrow::Cow;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::{EnvFilter, reload};

/// How lines look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// One JSON object per line.
    Json,
    /// For reading at a desk.
    Text,
}

/// Changes what is written while lines are being written.
pub type Levels = Box<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

/// Installs the subscriber for the whole process. A second call changes nothing.
///
/// # Errors
/// When `level` is no directive that `tracing` understands.
pub fn install<W>(format: Format, level: &str, writer: W) -> io::Result<Levels>
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(level).map_err(io::Error::other)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.clone());
    Ok(match format {
        Format::Json => {
            super::line::to(BoxMakeWriter::new(writer));
            let lines = lines.json().flatten_event(true).with_current_span(false).with_filter_reloading();
            let levels = levels(lines.reload_handle());
            let _ = lines.try_init();
            levels
        }
        // Colours are for a terminal: in a file, in a journal or in a pipe they are noise.
        Format::Text => {
            let lines = lines.event_format(one_line(colours())).with_filter_reloading();
            let levels = levels(lines.reload_handle());
            let _ = lines.try_init();
            levels
        }
    })
}

fn levels<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> Levels {
    Box::new(move |level| {
        let filter = EnvFilter::try_new(level).map_err(io::Error::other)?;
        handle.reload(filter).map_err(io::Error::other)
    })
}

/// Whether whoever reads the log wants colours (<https://no-color.org>).
fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|asked| asked.is_empty())
}

/// What a line tells of an exchange beside what stands in it.
pub(super) struct Fields<'a> {
    pub(super) endpoint: &'a str,
    pub(super) method: Cow<'a, str>,
    pub(super) path: Cow<'a, str>,
    pub(super) caller: Arc<str>,
    pub(super) refusal: &'a str,
    /// The refusal, or else what the cache did.
    pub(super) outcome: &'a str,
    pub(super) duration_us: u64,
}

impl<'a> Fields<'a> {
    pub(super) fn of(exchange: &'a Exchange, office: &'a Office) -> Self {
        Self {
            endpoint: exchange.endpoint.map_or("-", |id| office.catalogue[id].endpoint.name),
            method: masked(exchange.method.as_str()),
            path: masked(exchange.path.as_deref().unwrap_or("-")),
            caller: caller(office, exchange.caller),
            refusal: exchange.refusal.unwrap_or("-"),
            outcome: exchange.refusal.unwrap_or(exchange.cache.as_str()),
            duration_us: clock::now().saturating_duration_since(exchange.opened).as_micros() as u64,
        }
    }
}

/// Whether the vendor or the gateway failed: such a line is a warning.
pub(super) fn is_failure(exchange: &Exchange) -> bool {
    exchange.status >= 500
}

/// The one line of an exchange: put together by hand where that is possible, else as any other event.
pub(super) fn exchange(exchange: &Exchange, office: &Office, lines: &Lines) {
    let wanted = if is_failure(exchange) {
        tracing::enabled!(target: "gateway::exchange", tracing::Level::WARN)
    } else {
        tracing::enabled!(target: "gateway::exchange", tracing::Level::INFO)
    };
    if !wanted || lines.take(exchange, office) {
        return;
    }
    let fields = Fields::of(exchange, office);
    // A level is part of a line's constant half, so there are two.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "gateway::exchange",
                { http.method = &*fields.method,
                http.path = &*fields.path,
                http.status = exchange.status,
                gateway.endpoint = fields.endpoint,
                gateway.caller = &*fields.caller,
                gateway.cache = exchange.cache.as_str(),
                gateway.calls = exchange.calls,
                gateway.refusal = fields.refusal,
                duration_us = fields.duration_us },
                "{} {} {} {}",
                fields.method,
                fields.endpoint,
                exchange.status,
                fields.outcome,
            )
        };
    }
    if is_failure(exchange) { line!(warn) } else { line!(info) }
}

/// The line of a change.
pub fn audit(caller: &str, endpoint: &str, path: &str, outcome: &str) {
    let path = &*masked(path);
    tracing::info!(
        target: "gateway::audit",
        { gateway.caller = caller,
        gateway.endpoint = endpoint,
        http.path = path,
        gateway.outcome = outcome },
        "{caller} {endpoint} {path} {outcome}"
    );
}

/// A path, or a method of the caller's own, without the keys and tokens that somebody has put there by mistake.
fn masked(path: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(path);
    // A letter of each is rare: most paths have neither.
    if memchr::memchr2(b'_', b'Y', path.as_bytes()).is_none() {
        return shown;
    }
    for begins in ["egk_", "YWMt"] {
        let mut from = 0;
        while let Some(at) = shown.get(from..).and_then(|rest| rest.find(begins)) {
            from += at + begins.len();
            let rest = &shown[from..];
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c));
            let length = length.unwrap_or(rest.len());
            // What is shorter is the beginning of somebody's name.
            if length >= SECRET_LENGTH_MIN {
                shown.to_mut().replace_range(from..from + length, "…");
            }
        }
    }
    shown
}

/// Keys and tokens are longer than this behind their first letters.
const SECRET_LENGTH_MIN: usize = 16;

/// A caller's name.
pub(super) fn caller(office: &Office, number: Option<u16>) -> Arc<str> {
    number.and_then(|number| office.callers.name(number)).unwrap_or_else(|| "-".into())
}
