//! From a file and the environment to a `Config`, or to every reason why not.
//!
//! Reading values is left to `read`, their agreement to `agree`, the showing of mistakes to
//! `mistake`.
//!
//! What may surprise: while the file is not TOML, only its first syntax error is told. What a
//! half-understood file seems to say would be noise.

use std::path::Path;

use toml::de::DeTable;

use super::Config;
use super::agree::agree;
use super::context::Context;
use super::environment::Environment;
use super::mistake::{Mistake, Mistakes, Place, Show};
use super::read::Reader;
use super::secret::open_to_all;

/// A configuration that may be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings in force.
    pub config: Config,
    /// What is allowed, but should be known: one line each.
    pub warnings: Vec<String>,
}

/// The names that a configuration may use.
#[derive(Clone, Debug)]
pub struct Known {
    /// In `[endpoints."…"]` and `allow`.
    pub endpoints: Vec<&'static str>,
    /// Those that `allow` must name in full.
    pub by_name: Vec<&'static str>,
    /// In `[pools."…"]`.
    pub pools: Vec<&'static str>,
    /// Those of the pools that count what a call names.
    pub weighed: Vec<&'static str>,
}

/// Reads a configuration file and what the environment overrides.
///
/// `environment` is usually `std::env::vars()`.
///
/// # Errors
/// With every mistake there is, not just the first.
pub fn load(
    path: &Path,
    environment: impl Iterator<Item = (String, String)>,
    known: &Known,
) -> Result<Loaded, Mistakes> {
    read(path, &read_text(path)?, environment, known)
}

/// The same for a text that is in no file.
///
/// # Errors
/// With every mistake there is, not just the first.
pub fn parse(
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
    known: &Known,
) -> Result<Loaded, Mistakes> {
    read(Path::new("(text)"), text, environment, known)
}

fn read(
    path: &Path,
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
    known: &Known,
) -> Result<Loaded, Mistakes> {
    let table = DeTable::parse(text).map_err(|error| {
        let mistake = syntax(error.message(), error.span().map_or(Place::File, Place::from));
        Mistakes::new(path, text, vec![mistake])
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let environment = Environment::new(environment);
    let mut context = Context::new(folder, open_to_all(path), environment, known);
    let mut config = Config::start();
    let mut reader = Reader::new(&mut context, table.get_ref());
    config.sections(&mut reader);
    reader.finish();
    agree(&config, &mut context);
    if context.mistakes.is_empty() {
        Ok(Loaded { config, warnings: context.warnings })
    } else {
        Err(Mistakes::new(path, text, context.mistakes))
    }
}

fn read_text(path: &Path) -> Result<String, Mistakes> {
    let whole_file = |what: String, expected: &str| {
        let mistake = Mistake { place: Place::File, what, expected: expected.to_owned(), show: Show::Line };
        Mistakes::new(path, "", vec![mistake])
    };
    let bytes = crate::file::read(path)
        .map_err(|error| whole_file(error.to_string(), "expected a file that can be read"))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        whole_file(format!("byte {at} is not UTF-8"), "expected TOML, which is UTF-8")
    })
}

/// The parser's message is "what, expected this"; the second half gets the last line. What follows
/// the place is not shown: nobody knows what it is.
fn syntax(message: &str, place: Place) -> Mistake {
    let (what, expected, show) = match message.split_once(", expected ") {
        Some((what, expected)) => (what, expected, Show::UpToPlace),
        None if message == "duplicate key" => (message, "each section and each setting once", Show::Key),
        None => (message, "valid TOML", Show::UpToPlace),
    };
    Mistake { place, what: what.to_owned(), expected: format!("expected {expected}"), show }
}
