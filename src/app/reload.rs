//! Another configuration while the gateway serves: what may change is exchanged, the rest is told.
//!
//! When to look at the file is for others. What is in force is either the old or the new: everything that can be
//! wrong is found before anything is exchanged.

use super::translate::{callers, operators, path_settings, pool_settings, quotas};
use super::{Parts, StartError, known};
use crate::config::{Config, Loaded, Mistakes};
use crate::gateway::{House, Policy};
use crate::server::Tls;
use crate::telemetry::Office;
use crate::telemetry::log::Levels;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

/// Puts configurations in force, one after the other.
pub struct Reloader {
    house: Arc<House>,
    office: Arc<Office>,
    tls: Option<Arc<Tls>>,
    levels: Levels,
    /// What is in force.
    config: Mutex<Config>,
}

impl Reloader {
    pub(super) fn new(parts: &Parts, config: Config, tls: Option<Arc<Tls>>, levels: Levels) -> Self {
        let (house, office) = (Arc::clone(&parts.house), Arc::clone(&parts.office));
        Self { house, office, tls, levels, config: Mutex::new(config) }
    }

    /// Takes what was read, or keeps what is in force; either is told in the log, in metrics and on the status
    /// page. True if it was taken.
    pub fn take(&self, read: Result<Loaded, Mistakes>) -> bool {
        let applied = read.map_err(|mistakes| mistakes.to_string()).and_then(|loaded| {
            loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            self.apply(&loaded.config)
        });
        match applied {
            Ok(restart) => {
                if restart.is_empty() {
                    tracing::info!("configuration reloaded");
                } else {
                    let settings = restart.join(", ");
                    tracing::warn!("configuration reloaded, but this needs a restart: {settings}");
                }
                self.office.reloads.applied(restart);
                true
            }
            Err(why) => {
                tracing::error!("configuration not reloaded, the one before stays in force: {why}");
                self.office.reloads.refused(why);
                false
            }
        }
    }

    /// The settings that need a restart.
    fn apply(&self, new: &Config) -> Result<Vec<String>, String> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, restart) = config.changed_to(new);
        // The two halves may not agree: a door that was bound for callers must not stand open without them.
        next.check(&known()).map_err(|why| format!("with what needs a restart as it is: {why}"))?;
        let catalogue = &self.house.catalogue;
        let settings = path_settings(&next, catalogue).map_err(|error| error.to_string())?;
        let certificates = self.tls.as_ref().map(|tls| tls.read().map(|read| (tls, read))).transpose();
        let certificates = certificates.map_err(|error| StartError::Tls(error).to_string())?;
        let names: Vec<&str> = next.callers.iter().map(|caller| caller.name.as_str()).collect();
        let numbers = self.office.callers.enter(&names).ok_or_else(|| StartError::Callers.to_string())?;
        let before = self.house.policy.load();
        let policy = Policy {
            callers: callers(&next, &numbers, catalogue),
            operators: operators(&next),
            fairness: before.fairness.renewed(quotas(&next, &numbers, catalogue)),
            settings,
        };
        if next.callers.is_empty() && !before.callers.is_open() {
            tracing::warn!("no callers are configured any more: whoever reaches it may do anything");
        }
        if let Some((tls, read)) = certificates {
            tls.exchange(read);
        }
        self.house.policy.store(Arc::new(policy));
        self.house.limits.resize(&pool_settings(&next, catalogue));
        if let Err(error) = (self.levels)(&next.log.level) {
            tracing::warn!("log.level stays as it was: {error}");
        }
        self.office.hits_one_in.store(u64::from(next.log.hits_one_in), Relaxed);
        *config = next;
        Ok(restart)
    }
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reloader")
    }
}
