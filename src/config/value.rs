//! What a value is: how it was found, how its type reads and prints it, which ones are allowed.
//!
//! The types themselves are in `kinds` and beside the sections that use them; finding a value in
//! the file or in the environment is left to `read`.
//!
//! What may surprise: a value is read from TOML or from the bare text of a variable by the same
//! code, so a number in the environment needs no second parser, and a list cannot come from there.

use toml::de::DeValue;

use super::context::Context;
use super::mistake::{Place, Show};
use crate::units::Unreadable;

/// A value as it was found.
pub(super) struct Raw<'v> {
    /// The whole name of the setting: `listen.workers`.
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) given: Given<'v>,
}

/// In which form it was found.
pub(super) enum Given<'v> {
    Toml(&'v DeValue<'v>),
    Variable(&'v str),
}

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// The value, or `None` after telling the context every reason why not.
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self>;
    /// As TOML; `None` when it is not set.
    fn print(&self) -> Option<String>;
}

/// A value that is written as a string.
pub(super) trait Text: Sized {
    /// What it is, how it is written, with an example.
    const EXPECTED: &'static str;
    fn parse(text: &str) -> Result<Self, Wrong>;
    fn show(&self) -> String;
}

/// Why a text will not do.
pub(super) struct Wrong {
    pub(super) what: String,
    /// Whether the text may be a secret.
    pub(super) show: Show,
}

/// Which values of its type a setting allows: for a value it refuses, it tells what is expected.
pub(super) struct Rule<T>(Box<Question<T>>);

type Question<T> = dyn Fn(&T) -> Option<String>;

// === impl Rule ===

impl<T: 'static> Rule<T> {
    /// Whatever the type allows.
    pub(super) fn any() -> Self {
        Self(Box::new(|_| None))
    }

    /// Those for which `holds`; `expected` describes them.
    pub(super) fn is(expected: &'static str, holds: impl Fn(&T) -> bool + 'static) -> Self {
        Self(Box::new(move |value| (!holds(value)).then(|| expected.to_owned())))
    }

    /// What is expected instead, if the rule refuses the value.
    pub(super) fn refuses(&self, value: &T) -> Option<String> {
        (self.0)(value)
    }
}

impl<T: Value + PartialOrd + 'static> Rule<T> {
    /// From `min` to `max`, both included.
    pub(super) fn within(min: T, max: T) -> Self {
        Self(Box::new(move |value| {
            let good = min <= *value && *value <= max;
            let shown = |bound: &T| bound.print().unwrap_or_default();
            (!good).then(|| format!("{} to {}", shown(&min), shown(&max)))
        }))
    }
}

// === impl Value for Text ===

impl<T: Text> Value for T {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = match &raw.given {
            Given::Toml(DeValue::String(text)) => text.as_ref(),
            Given::Toml(_) => return context.wrong_type(raw, T::EXPECTED),
            Given::Variable(text) => text,
        };
        T::parse(text).map_err(|wrong| context.mistake(raw, wrong.what, T::EXPECTED, wrong.show)).ok()
    }

    fn print(&self) -> Option<String> {
        Some(quote(&self.show()))
    }
}

// === impl Wrong ===

impl Wrong {
    /// The text, and what it is not.
    pub(super) fn not(text: &str, what: &str) -> Self {
        Self { what: format!("{text:?} is not {what}"), show: Show::Line }
    }
}

impl From<Unreadable> for Wrong {
    fn from(error: Unreadable) -> Self {
        Self::not(&error.read, error.what)
    }
}

/// The value that a word stands for.
pub(super) fn choose<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, Wrong> {
    let chosen = choices.iter().find(|(word, _)| *word == text);
    chosen.map(|(_, value)| *value).ok_or_else(|| Wrong::not(text, "one of the choices"))
}

/// The word that stands for a value.
pub(super) fn chosen<T: PartialEq>(value: &T, choices: &[(&str, T)]) -> String {
    let found = choices.iter().find(|(_, choice)| choice == value);
    found.map_or_else(String::new, |(word, _)| (*word).to_owned())
}

/// A TOML string. Rust's own escapes are not TOML's.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}
