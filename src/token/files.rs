//! The few things that are done with files, so that a test can break off between any two of them.
//!
//! All block: they are called where that is allowed. What may surprise: nothing here follows a link or opens what is
//! no plain file. A pipe in a file's place would be read for ever.

use std::any::Any;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One folder.
pub trait Files: Send + Sync + std::fmt::Debug {
    /// Waits a little for others who use the folder; holds them off until dropped.
    ///
    /// # Errors
    /// When others hold it for too long, or it cannot be locked.
    fn lock(&self) -> io::Result<Box<dyn Send>>;
    /// Whether no other process uses the folder. What is given back stays with the caller for as long as it does.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn claim(&self) -> io::Result<Option<Box<dyn Any + Send + Sync>>>;
    /// A whole file; `None` when there is none.
    ///
    /// # Errors
    /// When it is no plain file, too long, or cannot be read.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// A new file, readable by its owner only, in place of one that may be there.
    ///
    /// # Errors
    /// When there is no room or no right.
    fn create(&self, name: &str) -> io::Result<Box<dyn Draft>>;
    /// Gives a file the name of another, which is gone then.
    ///
    /// # Errors
    /// When there is no right, or a folder in its place.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Returns when the names are on the disk.
    ///
    /// # Errors
    /// When the disk does not say so.
    fn sync_names(&self) -> io::Result<()>;
    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// When there is no right, or it is a folder.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file that is being written.
pub trait Draft {
    /// Adds to it.
    ///
    /// # Errors
    /// When the disk is full, among others.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when it is on the disk.
    ///
    /// # Errors
    /// When the disk does not say so.
    fn sync(&mut self) -> io::Result<()>;
}

/// Replaces a file so that at any moment either the old one or the new one is there, whole.
///
/// # Errors
/// When a step fails; the old file is there then.
pub fn replace(files: &dyn Files, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft_name = format!("{name}.new");
    let mut draft = files.create(&draft_name)?;
    draft.write(bytes)?;
    draft.sync()?;
    files.rename(&draft_name, name)?;
    files.sync_names()
}

/// A folder of the system's.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

/// Longer files are none of ours.
const BYTES_MAX: u64 = 256 * 1024;
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

impl Disk {
    /// The folder is made when it is first needed, for its owner only.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn open_lock(&self, name: &str) -> io::Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.folder.join(name);
        plain(&path)?;
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
    }
}

impl Files for Disk {
    fn lock(&self) -> io::Result<Box<dyn Send>> {
        let file = self.open_lock("lock")?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Box::new(file)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds its lock"))
    }

    fn claim(&self) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        let file = self.open_lock("in-use")?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.folder.join(name);
        if !plain(&path)? {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{name} is none of ours: too long"),
            ));
        }
        Ok(Some(bytes))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Draft>> {
        self.remove(name)?;
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.folder.join(name))?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Draft for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Whether it is there; an error if it is no plain file.
fn plain(path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(facts) if facts.is_file() => Ok(true),
        Ok(_) => {
            let what = format!("{} is no plain file", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
