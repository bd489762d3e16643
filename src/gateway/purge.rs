//! What operators say has changed: by tag, by read, or everything.
//!
//! For those who hear of changes by other ways than the gateway's own. It is a touch, as after a write: when it is
//! answered, nothing that was fetched before is served, and what is on its way is not kept. Nothing is deleted, since
//! nothing has to be. What is named and does not exist is a slip of the pen, and then nothing is touched at all.

use super::House;
use crate::cache::Cause;
use crate::caller::matches_pattern;
use crate::catalogue::{Catalogue, Effect};
use serde::Deserialize;

/// The most tags and patterns that one purge may name.
pub const NAMES_MAX: usize = 1_000;
/// So many of them are named in the audit line.
const TOLD_MAX: usize = 10;

/// What is to be touched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Purge {
    /// All there is.
    All,
    /// These: as they were named, and as answers carry them.
    Tags(Vec<String>, Vec<String>),
}

/// As it is written: one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    tags: Option<Vec<String>>,
    endpoints: Option<Vec<String>>,
    all: Option<bool>,
}

impl Purge {
    /// Reads a request's body: `{"tags": ["group:7/*"]}`, `{"endpoints": ["group.*"]}` or `{"all": true}`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read(body: &[u8], catalogue: &Catalogue) -> Result<Self, String> {
        let asked = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let (named, find): (_, fn(&str, &Catalogue) -> Vec<String>) = match asked {
            Asked { tags: None, endpoints: None, all: Some(true) } => return Ok(Self::All),
            Asked { tags: Some(tags), endpoints: None, all: None } => {
                (tags, |tag, catalogue| catalogue.named_tags(tag))
            }
            Asked { tags: None, endpoints: Some(patterns), all: None } => (patterns, reads),
            _ => return Err(r#"one of "tags", "endpoints" and "all": true is wanted"#.to_owned()),
        };
        if named.is_empty() || named.len() > NAMES_MAX {
            return Err(format!("1 to {NAMES_MAX} are wanted, not {}", named.len()));
        }
        let mut tags = Vec::new();
        for name in &named {
            let found = find(name, catalogue);
            if found.is_empty() {
                return Err(format!("nothing that is kept is called {name:?}; see /endpoints"));
            }
            tags.extend(found);
        }
        tags.sort_unstable();
        tags.dedup();
        Ok(Self::Tags(named, tags))
    }

    /// As the audit line says it.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Tags(named, _) if named.len() <= TOLD_MAX => named.join(","),
            Self::Tags(named, _) => format!("{},… ({})", named[..TOLD_MAX].join(","), named.len()),
        }
    }
}

/// The names of reads that a pattern means: each is a tag of all its answers.
fn reads(pattern: &str, catalogue: &Catalogue) -> Vec<String> {
    let rows = catalogue.rows().map(|(_, row)| row.endpoint);
    let reads = rows.filter(|row| matches!(row.effect, Effect::Read(_)));
    reads.map(|row| row.name).filter(|name| matches_pattern(pattern, name)).map(str::to_owned).collect()
}

impl House {
    /// Touches. Returns how many tags that were; `None` if everything.
    pub fn purge(&self, purge: &Purge) -> Option<usize> {
        self.cache.purges.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match purge {
            Purge::All => {
                self.cache.touch_all();
                None
            }
            Purge::Tags(_, tags) => {
                self.cache.touch(tags, Cause::Purge);
                Some(tags.len())
            }
        }
    }
}
