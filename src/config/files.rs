//! The files that a configuration is made of, looked at now and then for changes.
//!
//! By digest, not by a watcher: a mounted folder changes by exchanging a symbolic link, which watchers miss, and a
//! digest is the same for a file that was only touched. What a change means is for others.
//!
//! What may surprise: a change counts when two looks in a row have seen the same. Somebody may be writing just now,
//! and half a file can be a whole configuration with fewer callers.

use aws_lc_rs::digest::{Context, SHA256};
use std::path::PathBuf;

/// Files, and what was in them.
#[derive(Debug)]
pub struct Files {
    paths: Vec<PathBuf>,
    /// What was last read as a configuration.
    taken: Digest,
    /// What the last look saw, if that was something else.
    seen: Option<Digest>,
}

type Digest = Vec<u8>;

impl Files {
    /// These files, as they are now.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let taken = digest(&paths);
        Self { paths, taken, seen: None }
    }

    /// Whether they have changed, and have stopped changing. True once for each change.
    pub fn changed(&mut self) -> bool {
        let now = digest(&self.paths);
        let settled = self.seen.as_ref() == Some(&now);
        if now == self.taken {
            self.seen = None;
        } else if settled {
            self.take(now);
            return true;
        } else {
            self.seen = Some(now);
        }
        false
    }

    /// They are read now, whatever is in them.
    pub fn reread(&mut self) {
        self.take(digest(&self.paths));
    }

    fn take(&mut self, now: Digest) {
        self.taken = now;
        self.seen = None;
    }
}

/// One digest over all; a file that cannot be read differs from one that is empty.
fn digest(paths: &[PathBuf]) -> Digest {
    let mut context = Context::new(&SHA256);
    for path in paths {
        match crate::file::read(path) {
            Ok(bytes) => {
                context.update(&(bytes.len() as u64).to_be_bytes());
                context.update(&bytes);
            }
            Err(error) => context.update(error.kind().to_string().as_bytes()),
        }
    }
    context.finish().as_ref().to_vec()
}
