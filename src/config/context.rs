//! What is shared while a configuration is read: where to look things up, and where mistakes go.
//!
//! Reading itself is left to `read` and `value`.
//!
//! What may surprise: it remembers where each setting stood, so that a contradiction found when
//! all is read can still be shown in the file; and which settings could not be read, so that no
//! contradiction is seen in what stands there instead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::environment::Environment;
use super::load::Known;
use super::mistake::{Mistake, Place, Show};
use super::nearest::nearest;
use super::value::{Given, Raw};

/// What reading one value may need, and where it leaves its mistakes.
pub(super) struct Context<'a> {
    /// Where relative paths begin: the folder of the configuration file.
    pub(super) folder: &'a Path,
    /// Everybody on the machine can read the configuration file.
    pub(super) open_to_all: bool,
    pub(super) environment: Environment,
    pub(super) known: &'a Known,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<String>,
    /// Where each setting that was given was found.
    places: BTreeMap<String, Place>,
    /// Settings whose value is not the one that was meant.
    broken: BTreeSet<String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        folder: &'a Path,
        open_to_all: bool,
        environment: Environment,
        known: &'a Known,
    ) -> Self {
        Self {
            folder,
            open_to_all,
            environment,
            known,
            mistakes: Vec::new(),
            warnings: Vec::new(),
            places: BTreeMap::new(),
            broken: BTreeSet::new(),
        }
    }

    /// Remembers where a setting was found, for a mistake that shows only later.
    pub(super) fn found(&mut self, name: &str, place: &Place) {
        self.places.insert(name.to_owned(), place.clone());
    }

    /// Remembers that the setting's value is not the one that was meant.
    pub(super) fn breaks(&mut self, name: String) {
        self.broken.insert(name);
    }

    /// A value that will not do. If it may be a secret, `what` must not hold it.
    pub(super) fn mistake(&mut self, raw: &Raw<'_>, what: String, expected: &str, show: Show) {
        self.breaks(raw.name.clone());
        self.mistakes.push(Mistake {
            place: raw.place.clone(),
            what: format!("{}: {what}", raw.name),
            expected: format!("expected {expected}"),
            show,
        });
    }

    /// The same for values that may be shown, as the last word of a reader.
    pub(super) fn unfit<T>(&mut self, raw: &Raw<'_>, what: String, expected: &str) -> Option<T> {
        self.mistake(raw, what, expected, Show::Line);
        None
    }

    /// A value of another type than its setting has.
    pub(super) fn wrong_type<T>(&mut self, raw: &Raw<'_>, expected: &str) -> Option<T> {
        let what = match &raw.given {
            Given::Variable(text) => format!("{text:?} will not do"),
            Given::Toml(value) => match value {
                DeValue::Integer(number) => format!("{number} will not do"),
                DeValue::Float(number) => format!("{number} will not do"),
                DeValue::Boolean(value) => format!("{value} will not do"),
                DeValue::String(_) => "a string will not do".to_owned(),
                DeValue::Datetime(_) => "a date will not do".to_owned(),
                DeValue::Array(_) => "a list will not do".to_owned(),
                DeValue::Table(_) => "a table will not do".to_owned(),
            },
        };
        self.unfit(raw, what, expected)
    }

    /// Settings that contradict each other, shown at the first of them that was given. Nothing is
    /// said if one of them could not be read: the contradiction may not be there at all.
    pub(super) fn contradiction(&mut self, settings: &[&str], what: String, expected: &str) {
        if settings.iter().any(|name| self.broken.contains(*name)) {
            return;
        }
        let place = settings.iter().find_map(|name| self.places.get(*name));
        self.mistakes.push(Mistake {
            place: place.cloned().unwrap_or(Place::File),
            what,
            expected: format!("expected {expected}"),
            show: Show::Line,
        });
    }

    /// Keys of a table that name no setting, or no section if `section` is empty.
    pub(super) fn unknown_keys(&mut self, section: &str, table: &DeTable<'_>, known: &[&'static str]) {
        for key in table.keys() {
            let word = key.get_ref().as_ref();
            if known.contains(&word) {
                continue;
            }
            let what = match section {
                "" => format!("there is no section {word:?}"),
                section => format!("{section} has no setting {word:?}"),
            };
            let expected = nearest(word, known.iter().copied()).map_or_else(
                || format!("expected one of {}", known.join(", ")),
                |hint| format!("did you mean {hint:?}?"),
            );
            // A mistyped key may be that of a secret.
            self.mistakes.push(Mistake { place: key.span().into(), what, expected, show: Show::Key });
        }
    }
}
