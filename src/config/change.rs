//! From one configuration to the next while the gateway runs: what may change, and what needs a restart.
//!
//! What may change is listed once, in `changed_to`; everything else that differs is found by comparing the two as
//! they would be printed, so that no setting can be forgotten.

use std::path::Path;

use super::agree::agree;
use super::context::Context;
use super::environment::Environment;
use super::print::Printer;
use super::{Config, Known, SecretSource};

impl Config {
    /// This configuration with what may change of `new`, and the names of the settings of `new` that need a
    /// restart.
    #[must_use]
    pub fn changed_to(&self, new: &Self) -> (Self, Vec<String>) {
        let mut next = self.clone();
        next.callers.clone_from(&new.callers);
        next.admin.keys.clone_from(&new.admin.keys);
        next.endpoints.clone_from(&new.endpoints);
        next.pools.clone_from(&new.pools);
        next.log.level.clone_from(&new.log.level);
        next.log.hits_one_in = new.log.hits_one_in;
        next.limits.patience = new.limits.patience;
        next.listen.requests_max = new.listen.requests_max;
        next.listen.body_bytes_max = new.listen.body_bytes_max;
        next.listen.body_timeout = new.listen.body_timeout;
        next.cache.absent = new.cache.absent;
        next.cache.entry_bytes_max = new.cache.entry_bytes_max;
        next.cache.replay_bytes_max = new.cache.replay_bytes_max;
        next.cache.write_listen = new.cache.write_listen;
        next.cache.write_listen_max = new.cache.write_listen_max;
        next.vendor.unlisted = new.vendor.unlisted;
        let restart = next.differences(new);
        (next, restart)
    }

    /// Whether its settings agree with each other.
    ///
    /// # Errors
    /// What they disagree about.
    pub fn check(&self, known: &Known) -> Result<(), String> {
        let nothing = Environment::new(std::iter::empty());
        let mut context = Context::new(Path::new(""), false, nothing, known);
        agree(self, &mut context);
        let mistakes =
            context.mistakes.iter().map(|mistake| format!("{}: {}", mistake.what, mistake.expected));
        let mistakes: Vec<String> = mistakes.collect();
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("; ")) }
    }

    fn differences(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (self.named_settings(), other.named_settings());
        let differ = ours.iter().zip(&theirs).filter(|(one, other)| one != other);
        let mut names: Vec<String> = differ.map(|((name, _), _)| name.clone()).collect();
        // Printed, a secret is hidden. One that stands in a file of its own is followed by whoever uses it.
        let (ours, theirs) = (&self.callbacks, &other.callbacks);
        let (one, other) = (&self.vendor.client_secret, &other.vendor.client_secret);
        let in_file = matches!(other.source(), SecretSource::File(_));
        if one != other && one.source() == other.source() && !in_file {
            names.push("vendor.client_secret".to_owned());
        }
        for (name, one, other) in [
            ("callbacks.secret", &ours.secret, &theirs.secret),
            ("callbacks.former_secret", &ours.former_secret, &theirs.former_secret),
        ] {
            if one != other && !names.iter().any(|there| there == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Every setting of the plain sections, as it would be printed.
    fn named_settings(&self) -> Vec<(String, String)> {
        let mut printer = Printer::default();
        self.clone().sections(&mut printer);
        printer.named
    }
}
