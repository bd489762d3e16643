//! The effective configuration as TOML: every setting with the value in force, secrets hidden.
//!
//! It prints what `Section::settings` tells, in that order; nothing is listed here.
//!
//! What may surprise: a setting that is not set and has no default is printed as a comment, so
//! that a reader sees that it exists.

use std::collections::BTreeMap;

use super::value::{Rule, Value, quote};
use super::{Section, Sections, Settings};

/// Collects the text.
#[derive(Default)]
pub(super) struct Printer {
    pub(super) text: String,
    /// Each setting of the plain sections under its whole name.
    pub(super) named: Vec<(String, String)>,
    section: &'static str,
}

impl Printer {
    fn section<S: Section>(&mut self, heading: &str, section: &mut S) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(heading);
        self.text.push('\n');
        section.settings(self);
    }
}

impl Sections for Printer {
    fn one<S: Section>(&mut self, name: &'static str, section: &mut S) {
        self.section = name;
        self.section(&format!("[{name}]"), section);
        self.section = "";
    }

    fn named<S: Section>(&mut self, name: &'static str, sections: &mut BTreeMap<String, S>) {
        for (key, section) in sections {
            self.section(&format!("[{name}.{}]", quote(key)), section);
        }
    }

    fn list<S: Section>(&mut self, name: &'static str, sections: &mut Vec<S>) {
        for section in sections {
            self.section(&format!("[[{name}]]"), section);
        }
    }
}

impl Settings for Printer {
    fn setting<T: Value + 'static>(&mut self, key: &'static str, value: &mut T, _: Rule<T>) {
        let printed = value.print();
        let line = match &printed {
            None => format!("# {key} is not set\n"),
            Some(value) => format!("{key} = {value}\n"),
        };
        self.text.push_str(&line);
        if !self.section.is_empty() {
            self.named.push((format!("{}.{key}", self.section), printed.unwrap_or_default()));
        }
    }

    fn required<T: Value + 'static>(&mut self, key: &'static str, value: &mut T, rule: Rule<T>) {
        self.setting(key, value, rule);
    }
}
