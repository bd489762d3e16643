//! Walks the parsed file and the environment, setting by setting, and collects every mistake.
//!
//! What there is to read is told by the sections themselves (`Section::settings`); how a value is
//! read, by its type (`value`). Whether settings agree with each other is asked afterwards, in
//! `agree`.
//!
//! What may surprise: a setting that cannot be read keeps the value it started with, so that
//! reading goes on. No such value gets out, since one mistake is enough for no configuration.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::context::Context;
use super::mistake::{Mistake, Place, Show};
use super::value::{Given, Raw, Rule, Value};
use super::{Section, Sections, Settings};

/// Reads all sections of a file.
pub(super) struct Reader<'r, 'a> {
    context: &'r mut Context<'a>,
    table: &'r DeTable<'r>,
    known: Vec<&'static str>,
}

/// Reads the settings of one section.
struct SectionReader<'r, 'a> {
    context: &'r mut Context<'a>,
    name: String,
    place: Place,
    table: Option<&'r DeTable<'r>>,
    /// Lists and named sections are too deep for the flat names of variables.
    from_environment: bool,
    known: Vec<&'static str>,
    missing: Vec<&'static str>,
}

// === impl Reader ===

impl<'r, 'a> Reader<'r, 'a> {
    pub(super) fn new(context: &'r mut Context<'a>, table: &'r DeTable<'r>) -> Self {
        Self { context, table, known: Vec::new() }
    }

    /// Reports what nobody has asked for. To be called when all sections have been read.
    pub(super) fn finish(self) {
        self.context.unknown_keys("", self.table, &self.known);
        let variables = self.context.environment.unknown();
        self.context.mistakes.extend(variables);
    }

    fn find(&mut self, name: &'static str) -> Option<&'r Spanned<DeValue<'r>>> {
        self.known.push(name);
        self.table.get(name)
    }

    /// The table that a value must be; `None` after saying that it is not.
    fn table(&mut self, name: &str, value: &'r Spanned<DeValue<'r>>) -> Option<&'r DeTable<'r>> {
        let table = value.get_ref().as_table();
        table.or_else(|| self.context.wrong_type(&raw(name, value), "a section of settings"))
    }

    fn read<S: Section>(
        &mut self,
        name: String,
        place: Place,
        table: Option<&'r DeTable<'r>>,
        section: &mut S,
        from_environment: bool,
    ) {
        let context = &mut *self.context;
        let (known, missing) = (Vec::new(), Vec::new());
        let mut reader = SectionReader { context, name, place, table, from_environment, known, missing };
        section.settings(&mut reader);
        reader.finish();
    }
}

impl Sections for Reader<'_, '_> {
    fn one<S: Section>(&mut self, name: &'static str, section: &mut S) {
        let found = self.find(name);
        let place = match self.table.get_key_value(name) {
            Some((key, _)) => key.span().into(),
            None => Place::File,
        };
        let table = found.and_then(|value| self.table(name, value));
        // A section that is no table has had its mistake; what it lacks would only repeat it.
        if found.is_none() || table.is_some() {
            self.read(name.to_owned(), place, table, section, true);
        }
    }

    fn named<S: Section>(&mut self, name: &'static str, sections: &mut BTreeMap<String, S>) {
        let Some(outer) = self.find(name).and_then(|value| self.table(name, value)) else {
            return;
        };
        for (key, value) in outer {
            let full = format!("{name}.{:?}", key.get_ref());
            self.context.found(&full, &key.span().into());
            let Some(table) = self.table(&full, value) else {
                continue;
            };
            let mut section = S::start();
            self.read(full, key.span().into(), Some(table), &mut section, false);
            sections.insert(key.get_ref().to_string(), section);
        }
    }

    fn list<S: Section>(&mut self, name: &'static str, sections: &mut Vec<S>) {
        let Some(value) = self.find(name) else { return };
        let Some(array) = value.get_ref().as_array() else {
            let what = "this is not a list of sections".to_owned();
            let expected = format!("[[{name}]], once for each");
            self.context.mistake(&raw(name, value), what, &expected, Show::Line);
            return;
        };
        for (index, value) in array.iter().enumerate() {
            let full = format!("{name}[{index}]");
            let mut section = S::start();
            if let Some(table) = self.table(&full, value) {
                self.read(full, value.span().into(), Some(table), &mut section, false);
            }
            sections.push(section);
        }
    }
}

// === impl SectionReader ===

impl SectionReader<'_, '_> {
    /// Reads a setting if it is given: the environment goes before the file.
    fn read<T: Value + 'static>(&mut self, key: &'static str, into: &mut T, rule: &Rule<T>) -> bool {
        self.known.push(key);
        let name = format!("{}.{key}", self.name);
        if self.from_environment
            && let (variable, Some(text)) = self.context.environment.setting(&self.name, key)
        {
            let given = Given::Variable(&text);
            let place = Place::Variable(variable);
            self.take(Raw { name, place, given }, into, rule);
            return true;
        }
        let Some(value) = self.table.and_then(|table| table.get(key)) else {
            return false;
        };
        self.take(raw(&name, value), into, rule);
        true
    }

    fn take<T: Value + 'static>(&mut self, raw: Raw<'_>, into: &mut T, rule: &Rule<T>) {
        self.context.found(&raw.name, &raw.place);
        let Some(value) = T::read(&raw, self.context) else {
            self.context.breaks(raw.name);
            return;
        };
        match rule.refuses(&value) {
            None => *into = value,
            Some(expected) => {
                let what = format!("{} is not allowed", value.print().unwrap_or_default());
                self.context.mistake(&raw, what, &expected, Show::Line);
            }
        }
    }

    fn finish(self) {
        if let Some(table) = self.table {
            self.context.unknown_keys(&self.name, table, &self.known);
        }
        if self.missing.is_empty() {
            return;
        }
        for key in &self.missing {
            self.context.breaks(format!("{}.{key}", self.name));
        }
        let list = self.missing.join(", ");
        self.context.mistakes.push(Mistake {
            place: self.place,
            what: format!("{} lacks {list}", self.name),
            expected: format!("expected a value for each: there is no default for {list}"),
            show: Show::Line,
        });
    }
}

impl Settings for SectionReader<'_, '_> {
    fn setting<T: Value + 'static>(&mut self, key: &'static str, value: &mut T, rule: Rule<T>) {
        self.read(key, value, &rule);
    }

    fn required<T: Value + 'static>(&mut self, key: &'static str, value: &mut T, rule: Rule<T>) {
        if !self.read(key, value, &rule) {
            self.missing.push(key);
        }
    }
}

/// A value of the file under the name of its setting.
fn raw<'v>(name: &str, value: &'v Spanned<DeValue<'v>>) -> Raw<'v> {
    let given = Given::Toml(value.get_ref());
    Raw { name: name.to_owned(), place: value.span().into(), given }
}
