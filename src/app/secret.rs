//! The file of the client secret, looked at while the gateway runs.
//!
//! Files are noticed by their digest on a slow tick, not by a watcher: folders that are mounted swap links, which
//! watchers miss. A change counts when it has been seen twice, since a file may be read while it is written. What
//! cannot be read, or is empty, changes nothing.

use crate::config::Secret;
use crate::tasks::Tasks;
use crate::token::TokenKeeper;
use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Looks at one file, for one keeper.
#[derive(Debug)]
pub struct SecretWatch {
    secret: Secret,
    tokens: Arc<TokenKeeper>,
    tasks: Tasks,
    seen: Mutex<Seen>,
}

struct Seen {
    used: Vec<u8>,
    last: Vec<u8>,
    told: Option<String>,
}

/// So often the file is looked at.
pub const TICK: Duration = Duration::from_secs(5);

impl SecretWatch {
    /// `None` when the secret is not in a file of its own.
    #[must_use]
    pub fn new(secret: &Secret, tokens: Arc<TokenKeeper>, tasks: Tasks) -> Option<Arc<Self>> {
        secret.file()?;
        let used = fingerprint(secret.value());
        let seen = Mutex::new(Seen { last: used.clone(), used, told: None });
        Some(Arc::new(Self { secret: secret.clone(), tokens, tasks, seen }))
    }

    /// Looks for as long as the gateway runs.
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TICK).await;
            self.look(false).await;
        }
    }

    /// Looks once. With `at_once` a change counts the first time that it is seen: somebody says that it is whole.
    pub async fn look(&self, at_once: bool) {
        let secret = self.secret.clone();
        let read = self.tasks.blocking(move || secret.reread()).await;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = match read {
            Some(Ok(secret)) => secret,
            Some(Err(error)) => return seen.tell(format!("the file of the client secret: {error}")),
            None => return,
        };
        let found = fingerprint(&secret);
        let settled = at_once || found == seen.last;
        seen.last.clone_from(&found);
        seen.told = None;
        if settled && found != seen.used {
            seen.used = found;
            self.tokens.replace_secret(secret);
        }
    }
}

impl Seen {
    fn tell(&mut self, what: String) {
        if self.told.as_ref() != Some(&what) {
            tracing::warn!("{what}; the secret that was read before stays in use");
        }
        self.told = Some(what);
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

fn fingerprint(secret: &SecretString) -> Vec<u8> {
    digest(&SHA256, secret.expose_secret().as_bytes()).as_ref().to_vec()
}
