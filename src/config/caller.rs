//! `[[callers]]`: who may call, proved by which keys, and for what.
//!
//! Comparing a presented key with a digest is left to whoever identifies callers. That names and
//! keys are not given twice, and that patterns match something, is asked in `agree`.
//!
//! What may surprise: a key itself has no place here, only its digest. A mistake in `keys` is
//! shown without its line, since the likeliest one is a key in a digest's place.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::DeValue;

use super::context::Context;
use super::mistake::Show;
use super::value::{Given, Raw, Rule, Text, Value, Wrong, quote};
use super::{Section, Settings};
use crate::units::Rate;

/// One of our services.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// How it is called in logs, metrics and grants: 1 to 64 of `a-z`, `0-9`, `.`, `_`, `-`.
    /// Required.
    pub name: String,
    /// Digests of its keys: one, or two while the one is replaced by the other. Required.
    pub keys: Vec<KeyDigest>,
    /// What it may do; what no pattern names it may not. Default: nothing.
    pub allow: Vec<Pattern>,
    /// How often it may ask, hits included; as many may come at once. Default: as often as it likes.
    pub quota: Option<Rate>,
    /// How often it may ask for what a pattern names, beside that; of several patterns for one
    /// endpoint the longest counts. Default: none.
    pub quotas: BTreeMap<Pattern, Rate>,
}

/// The SHA-256 of a caller key: `"sha256:…"` with 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

/// A pattern over endpoint names: `*`, `group.*`, `*.read` or a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

// === impl Caller ===

impl Section for Caller {
    fn start() -> Self {
        Self {
            name: String::new(),
            keys: Vec::new(),
            allow: Vec::new(),
            quota: None,
            quotas: BTreeMap::new(),
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { name, keys, allow, quota, quotas } = self;
        each.required("name", name, Rule::is(NAME, |name: &String| is_name(name)));
        each.required("keys", keys, Rule::is(KEYS, |keys: &Vec<_>| (1..=2).contains(&keys.len())));
        each.setting("allow", allow, Rule::any());
        each.setting("quota", quota, Rule::any());
        each.setting("quotas", quotas, Rule::any());
    }
}

const NAME: &str = "1 to 64 of a-z, 0-9, '.', '_' and '-'";
const KEYS: &str = "1 or 2 digests";

fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

// === impl KeyDigest ===

impl KeyDigest {
    /// The digest itself.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Text for KeyDigest {
    const EXPECTED: &'static str = r#""sha256:" and 64 hexadecimal digits, as `keygen` prints it"#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        let read = || {
            let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64)?;
            let mut bytes = [0; 32];
            for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
                *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
            }
            Some(Self(bytes))
        };
        read().ok_or_else(|| Wrong { what: "this is not a key's digest".to_owned(), show: Show::UpToPlace })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

// === impl Pattern ===

impl Pattern {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an endpoint's name is meant.
    #[must_use]
    pub fn matches(&self, endpoint: &str) -> bool {
        let Self(pattern) = self;
        if let Some(start) = pattern.strip_suffix('*') {
            endpoint.starts_with(start)
        } else if let Some(end) = pattern.strip_prefix('*') {
            endpoint.ends_with(end)
        } else {
            endpoint == pattern
        }
    }
}

impl Text for Pattern {
    const EXPECTED: &'static str =
        r#""*", a beginning as in "group.*", an end as in "*.read", or an endpoint's name"#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        let rest = text.strip_suffix(".*").or_else(|| text.strip_prefix("*.")).unwrap_or(text);
        if text != "*" && (rest.is_empty() || rest.contains('*')) {
            return Err(Wrong::not(text, "a pattern"));
        }
        Ok(Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// Quotas by pattern: a table, whose keys stand in quotes since they hold dots.
impl Value for BTreeMap<Pattern, Rate> {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let Given::Toml(DeValue::Table(table)) = &raw.given else {
            return context.wrong_type(raw, QUOTAS);
        };
        let mut quotas = Some(Self::new());
        for (key, value) in table {
            let (name, text) = (format!("{}.{:?}", raw.name, key.get_ref()), key.get_ref().as_ref());
            context.found(&name, &key.span().into());
            let part = |place| Raw { name: name.clone(), place, given: Given::Toml(value.get_ref()) };
            let pattern = match Pattern::parse(text) {
                // `group.read` without quotes is a table in a table.
                _ if value.get_ref().is_table() => context.unfit(
                    &part(key.span().into()),
                    "a name with a dot needs quotes".to_owned(),
                    QUOTAS,
                ),
                Ok(pattern) => Some(pattern),
                Err(wrong) => context.unfit(&part(key.span().into()), wrong.what, Pattern::EXPECTED),
            };
            let pair =
                pattern.and_then(|pattern| Some((pattern, Rate::read(&part(value.span().into()), context)?)));
            quotas = quotas.zip(pair).map(|(mut quotas, (pattern, rate))| {
                quotas.insert(pattern, rate);
                quotas
            });
        }
        quotas
    }

    fn print(&self) -> Option<String> {
        let pair = |(pattern, rate): (&Pattern, &Rate)| {
            format!("{} = {}", quote(&pattern.show()), quote(&rate.show()))
        };
        let pairs: Vec<String> = self.iter().map(pair).collect();
        (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
    }
}

const QUOTAS: &str = r#"rates by pattern, as in { "group.*" = "50/s" }"#;
