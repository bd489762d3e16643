//! What a catalogue must keep, checked at start-up and by a test.
//!
//! Routing conflicts and parameters that a path does not have are found while compiling; here are the rules
//! that make the promise hold: nothing is kept that no write can reach, and nothing is written in silence.

use super::lookup::PARAMETERS_MAX;
use super::template::parameters;
use super::{Effect, Endpoint, Verb};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most limits that one row may spend from: as many as can be asked for together.
pub const POOLS_MAX: usize = 4;

/// One thing wrong with a catalogue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The row, or the name that was looked for.
    pub row: String,
    /// What is wrong, as the end of a sentence that begins with the row's name.
    pub what: String,
}

impl Mistake {
    pub(super) fn of(row: &str, what: &str) -> Self {
        Self { row: row.to_owned(), what: what.to_owned() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.row, self.what)
    }
}

/// Every mistake in these rows.
#[must_use]
pub fn audit(rows: &[Endpoint]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    names_and_paths(rows, &mut mistakes);
    tags(rows, &mut mistakes);
    last_rows(rows, &mut mistakes);
    pools(rows, &mut mistakes);
    mistakes
}

fn names_and_paths(rows: &[Endpoint], mistakes: &mut Vec<Mistake>) {
    let mut names = BTreeSet::new();
    let mut spellings = BTreeSet::new();
    for row in rows {
        if !names.insert(row.name) {
            mistakes.push(Mistake::of(row.name, "is the name of two rows"));
        }
        let count = parameters(row.path).count();
        if count > PARAMETERS_MAX {
            mistakes.push(Mistake::of(row.name, &format!("has more than {PARAMETERS_MAX} parameters")));
        }
        for (verb, path) in std::iter::once((row.verb, row.path)).chain(row.also.iter().copied()) {
            if !spellings.insert((verb, place(path))) {
                mistakes.push(Mistake::of(row.name, &format!("has a path that another row has: {path}")));
            }
            if parameters(path).count() != count {
                mistakes.push(Mistake::of(row.name, &format!("has other parameters in {path}")));
            }
        }
    }
}

fn tags(rows: &[Endpoint], mistakes: &mut Vec<Mistake>) {
    let touched: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| match &row.effect {
            Effect::Write(write) => Some(write.touches.iter().chain(write.otherwise)),
            _ => None,
        })
        .flatten()
        .map(|tag| place(tag))
        .collect();
    for row in rows {
        match &row.effect {
            Effect::Relay => {}
            Effect::Write(write) => {
                if write.touches.is_empty() {
                    mistakes.push(Mistake::of(row.name, "is a write and touches nothing"));
                }
                let told = |tag: &&str| tag.contains("{answer:") || tag.contains("{body");
                if write.touches.iter().any(told) && write.otherwise.is_empty() {
                    mistakes.push(Mistake::of(
                        row.name,
                        "takes a tag from a body or an answer, and has none for when that is unclear",
                    ));
                }
            }
            Effect::Read(read) => {
                for tag in read.tags.iter().filter(|tag| !touched.contains(&place(tag))) {
                    mistakes.push(Mistake::of(row.name, &format!("carries {tag}, which no write touches")));
                }
                let parameters = || row.path.split('/').filter(|segment| segment.starts_with('{'));
                if read.by_entity.is_some() && !(row.path.ends_with(",}") && parameters().count() == 1) {
                    mistakes
                        .push(Mistake::of(row.name, "is by entity, and its path is no list of those alone"));
                }
                if read.ends.is_some() && !read.strict {
                    mistakes.push(Mistake::of(row.name, "has entries that end, and is not strict"));
                }
                // Elements come and go through a tag that every page of a list carries.
                if read.tags.iter().all(|tag| tag.contains("{answer:")) {
                    mistakes.push(Mistake::of(row.name, "has no tag that is known before the answer"));
                }
            }
        }
    }
}

fn last_rows(rows: &[Endpoint], mistakes: &mut Vec<Mistake>) {
    let mut families: BTreeMap<&str, bool> = BTreeMap::new();
    for row in rows.iter().filter(|row| !matches!(row.effect, Effect::Relay)) {
        let last = row.verb == Verb::Any && row.path.contains("{*");
        *families.entry(row.family()).or_default() |= last;
    }
    for (family, _) in families.iter().filter(|(_, last)| !**last) {
        mistakes.push(Mistake::of(family, "is a family without a last row for what is not listed"));
    }
}

fn pools(rows: &[Endpoint], mistakes: &mut Vec<Mistake>) {
    let mut known = BTreeMap::new();
    for row in rows {
        let pools: Vec<_> = row.pools().collect();
        if pools.is_empty() {
            mistakes.push(Mistake::of(row.name, "spends nothing"));
        }
        if pools.len() > POOLS_MAX {
            mistakes.push(Mistake::of(row.name, &format!("spends from more than {POOLS_MAX} pools")));
        }
        for pool in pools {
            if *known.entry(pool.name).or_insert(pool) != pool {
                mistakes.push(Mistake::of(row.name, &format!("has another size for the pool {}", pool.name)));
            }
            // Only what is passed through is weighed on its way.
            if pool.weighs.is_some() && !matches!(row.effect, Effect::Relay) {
                mistakes.push(Mistake::of(row.name, "is weighed and is no relay"));
            }
            if pool.per_call() == 0 || pool.per_call() > pool.rate.count() {
                mistakes.push(Mistake::of(row.name, &format!("can never spend from {}", pool.name)));
            }
        }
    }
}

/// A template or a path with every variable made the same: what two spellings have in common.
pub(super) fn place(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push_str("{}");
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}
