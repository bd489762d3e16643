//! Files that others put there, read whole: only what is a file, and not without end.
//!
//! Opening a pipe waits until somebody writes into it, and a device may never end: a reload would hang. Links are
//! followed, since that is how folders are mounted.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The longest of them: a configuration with ten thousand callers is half as long.
pub const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What is in a file.
///
/// # Errors
/// When it cannot be read, is no file (a folder, a pipe, a device), or is longer than [`BYTES_MAX`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("is longer than {BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8"))
}
