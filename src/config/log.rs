//! `[log]`: what is written about it all.
//!
//! What a line says is decided elsewhere; here is only how many there are, and of what form.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::value::{Rule, Text, Wrong, choose, chosen};
use super::{Section, Settings};

/// What is written about it all.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Default: JSON.
    pub format: LogFormat,
    /// A directive of tracing's `EnvFilter`: a level, or levels by module. Default `info`.
    pub level: String,
    /// One answer from memory in so many is logged; 1 = every one, 0 = none. A line costs a
    /// quarter of a hit. 0 to 1,000,000, default 100.
    pub hits_one_in: u32,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For machines: one object per line.
    Json,
    /// For eyes.
    Text,
}

// === impl Log ===

impl Section for Log {
    fn start() -> Self {
        Self { format: LogFormat::Json, level: "info".to_owned(), hits_one_in: 100 }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { format, level, hits_one_in } = self;
        each.setting("format", format, Rule::any());
        each.setting("level", level, Rule::is(LEVEL, |level: &String| is_level(level)));
        each.setting("hits_one_in", hits_one_in, Rule::within(0, 1_000_000));
    }
}

const LEVEL: &str = r#"off, error, warn, info, debug or trace, also by module, as in "info,hyper=warn""#;

/// `EnvFilter` takes a bare word that is no level for the name of a module, and would then log
/// nothing else: a mistyped level must not do that.
fn is_level(directive: &str) -> bool {
    let bare_words_are_levels = directive.contains('[')
        || directive
            .split(',')
            .filter(|part| !part.contains('='))
            .all(|part| part.trim().parse::<LevelFilter>().is_ok());
    bare_words_are_levels && EnvFilter::builder().parse(directive).is_ok()
}

// === impl LogFormat ===

const FORMATS: &[(&str, LogFormat)] = &[("json", LogFormat::Json), ("text", LogFormat::Text)];

impl Text for LogFormat {
    const EXPECTED: &'static str = r#""json" or "text""#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        choose(text, FORMATS)
    }

    fn show(&self) -> String {
        chosen(self, FORMATS)
    }
}
