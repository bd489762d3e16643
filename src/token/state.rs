//! What outlives the process: when grants were asked for, and the token, each in a file of its own.
//!
//! `grants` is text: times, one a line, and nothing else, so that a changed secret does not make it unreadable.
//! `token` is sealed. Any number of processes may use one folder: a lock is held while the files are read and
//! replaced, so all spend one budget and share one token.
//!
//! Whatever is wrong with the folder is told, once, and is no reason to stop: then the process counts for itself.

use super::files::{Files, replace};
use super::seal::{Owner, Seal};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A token as it is written down.
#[derive(Clone, Deserialize, Serialize)]
pub struct Stored {
    /// The token itself.
    pub access_token: String,
    /// When it was asked for, by the wall clock, in milliseconds since 1970.
    pub issued_ms: u64,
    /// How long it lives from then on; `None` when the vendor named no end.
    pub lives_ms: Option<u64>,
    /// The app's UUID.
    pub application: Option<String>,
}

/// The folder.
#[derive(Debug)]
pub struct StateDir {
    files: Arc<dyn Files>,
    owner: Owner,
    seal: Mutex<Seal>,
    trouble: Mutex<Option<String>>,
    /// Held for as long as this process lives, so that another one notices.
    _claim: Option<Box<dyn Any + Send + Sync>>,
}

const GRANTS: &str = "grants";
const TOKEN: &str = "token";
/// What the file of grants begins with; the checksum of the rest follows.
const MARK: &str = "easemob-gateway grants 1 crc32=";

impl StateDir {
    /// Uses this folder, for tokens of this owner.
    #[must_use]
    pub fn new(files: Arc<dyn Files>, owner: Owner, secret: &SecretString) -> Self {
        let claim = files.claim();
        if matches!(claim, Ok(None)) {
            tracing::warn!(
                "another process uses the state directory: both spend one budget of token requests"
            );
        }
        let seal = Mutex::new(Seal::new(secret, &owner));
        let claim = claim.ok().flatten();
        Self { files, owner, seal, trouble: Mutex::default(), _claim: claim }
    }

    /// Shows what is written down to `decide`, and writes the times that it gives back. Nobody else reads or writes
    /// meanwhile. Returns when that is on the disk, or cannot be.
    pub fn book<T>(&self, decide: impl FnOnce(&[u64], Option<Stored>) -> (T, Option<Vec<u64>>)) -> T {
        let mut troubles = Vec::new();
        let held =
            self.files.lock().map_err(|error| troubles.push(format!("it cannot be locked: {error}"))).ok();
        let mut told = |trouble| troubles.push(trouble);
        // Files are replaced whole, so they can be read without the lock, too.
        let times = self.times(&mut told);
        let token = self.token().unwrap_or_else(|trouble| {
            told(trouble);
            None
        });
        let (decided, times) = decide(&times, token);
        let times = times.filter(|_| held.is_some());
        if let Some(Err(error)) = times.map(|times| replace(&*self.files, GRANTS, &written(&times))) {
            told(format!("{GRANTS} cannot be written: {error}"));
        }
        self.tell(troubles);
        decided
    }

    /// Writes a token down.
    pub fn save(&self, token: &Stored) {
        let sealed = serde_json::to_vec(token).ok().and_then(|plain| lock(&self.seal).close(&plain));
        let saved = self.files.lock().and_then(|_lock| match sealed {
            Some(sealed) => replace(&*self.files, TOKEN, &sealed),
            None => Err(std::io::Error::other("it cannot be sealed")),
        });
        if let Err(error) = saved {
            self.tell(vec![format!("{TOKEN} cannot be written: {error}")]);
        }
    }

    /// From now on tokens are sealed with another secret.
    pub fn reseal(&self, secret: &SecretString) {
        *lock(&self.seal) = Seal::new(secret, &self.owner);
    }

    /// Removes a token that the secret does not open.
    pub fn forget_foreign(&self) {
        let foreign = |_lock| if self.token().is_err() { self.files.remove(TOKEN) } else { Ok(()) };
        if let Err(error) = self.files.lock().and_then(foreign) {
            self.tell(vec![format!("{TOKEN} cannot be removed: {error}")]);
        }
    }

    /// What is wrong with it.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// Says what is wrong, if that is news.
    pub fn tell(&self, troubles: Vec<String>) {
        let told = (!troubles.is_empty()).then(|| troubles.join("; "));
        let mut trouble = lock(&self.trouble);
        if told != *trouble {
            match &told {
                Some(what) => tracing::warn!("the state directory is in trouble: {what}"),
                None => tracing::info!("the state directory is as it should be again"),
            }
        }
        *trouble = told;
    }

    /// Times of grants, as many as can be read.
    fn times(&self, told: &mut impl FnMut(String)) -> Vec<u64> {
        let bytes = match self.files.read(GRANTS) {
            Ok(bytes) => bytes,
            Err(error) => {
                told(format!("{GRANTS} cannot be read: {error}"));
                None
            }
        };
        let Some(bytes) = bytes else { return Vec::new() };
        let text = String::from_utf8_lossy(&bytes);
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let times: Vec<u64> = rest.lines().filter_map(|line| line.parse().ok()).collect();
        let sum = head.strip_prefix(MARK).and_then(|sum| u32::from_str_radix(sum, 16).ok());
        if sum != Some(crc32fast::hash(rest.as_bytes())) {
            told(format!("{GRANTS} is damaged or of another version: {} times could be read", times.len()));
        }
        times
    }

    fn token(&self) -> Result<Option<Stored>, String> {
        let sealed = self.files.read(TOKEN).map_err(|error| format!("{TOKEN} cannot be read: {error}"))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = lock(&self.seal).open(&sealed);
        let stored = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        let foreign = "is damaged, of another version, or not granted to this app with this secret";
        stored.map(Some).ok_or_else(|| format!("{TOKEN} {foreign}: it is not used"))
    }
}

fn written(times: &[u64]) -> Vec<u8> {
    let rest: String = times.iter().map(|time| format!("{time}\n")).collect();
    format!("{MARK}{:08x}\n{rest}", crc32fast::hash(rest.as_bytes())).into_bytes()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored").field("issued_ms", &self.issued_ms).finish_non_exhaustive()
    }
}
