//! Settings from the environment: `EASEMOB_GATEWAY_<SECTION>_<KEY>`.
//!
//! It knows names, not values: reading a value is the same as for one from the file.
//!
//! What may surprise: a variable with the prefix that names no setting is a mistake, but not if
//! Kubernetes made it. For a Service called `easemob-gateway` it puts the likes of
//! `EASEMOB_GATEWAY_SERVICE_HOST` into every container of the namespace, and that must not keep a
//! gateway from starting.

use std::collections::{BTreeMap, BTreeSet};

use super::mistake::{Mistake, Place, Show};
use super::nearest::nearest;

const PREFIX: &str = "EASEMOB_GATEWAY_";

/// The environment, and what of it has been asked for.
#[derive(Debug)]
pub(super) struct Environment {
    variables: BTreeMap<String, String>,
    asked: BTreeSet<String>,
}

impl Environment {
    pub(super) fn new(variables: impl Iterator<Item = (String, String)>) -> Self {
        Self { variables: variables.collect(), asked: BTreeSet::new() }
    }

    /// The variable that overrides a setting, and its value if it is there.
    pub(super) fn setting(&mut self, section: &str, key: &str) -> (String, Option<String>) {
        let name = format!("{PREFIX}{section}_{key}").to_uppercase();
        let value = self.get(&name);
        (name, value)
    }

    /// Any variable by its whole name.
    pub(super) fn get(&mut self, name: &str) -> Option<String> {
        self.asked.insert(name.to_owned());
        self.variables.get(name).cloned()
    }

    /// Variables with the prefix that nobody has asked for. To be called last.
    pub(super) fn unknown(&self) -> Vec<Mistake> {
        self.variables
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && !self.asked.contains(*name))
            .filter(|(name, value)| !from_kubernetes(name, value))
            .map(|(name, _)| self.mistake(name))
            .collect()
    }

    fn mistake(&self, name: &str) -> Mistake {
        let hint = nearest(name, self.asked.iter().map(String::as_str));
        Mistake {
            place: Place::Variable(name.to_owned()),
            what: "no setting has this name".to_owned(),
            expected: hint.map_or_else(
                || format!("expected {PREFIX}<SECTION>_<KEY>, as in {PREFIX}VENDOR_ORG"),
                |hint| format!("did you mean {hint}?"),
            ),
            show: Show::Key,
        }
    }
}

/// The forms in which Kubernetes tells a container about a Service.
fn from_kubernetes(name: &str, value: &str) -> bool {
    let address = name.ends_with("_PORT") && value.contains("://");
    let numbered =
        name.split_once("_PORT_").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    address || numbered || name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
}
