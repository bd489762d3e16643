//! The last step of the log's way out: a thread of its own writes, so that nobody else waits for whoever reads.
//!
//! A pipe that is full, a disk that is, a reader who has gone: none of these may hold up a request or end the process. Up to
//! [`BYTES_MAX`] wait to be written; what comes beyond that is lost, and how much is told once there is room again.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// So much waits at most: some ten thousand lines.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;

static STDERR: OnceLock<Outlet> = OnceLock::new();

/// Takes lines, and never fails or waits. Clones are one.
#[derive(Clone, Debug)]
pub struct Outlet {
    lines: Sender<Vec<u8>>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Mutex<Waiting>,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: usize,
    /// Lines, or some lines together, that found no room.
    lost: u64,
}

/// Standard error.
///
/// # Errors
/// When there is no thread to be had.
pub fn stderr() -> io::Result<Outlet> {
    if let Some(outlet) = STDERR.get() {
        return Ok(outlet.clone());
    }
    let outlet = Outlet::to(io::stderr())?;
    Ok(STDERR.get_or_init(|| outlet).clone())
}

/// Waits until what was said has been written to standard error, or for so long.
pub fn flush(at_most: Duration) {
    if let Some(outlet) = STDERR.get() {
        outlet.flush(at_most);
    }
}

impl Outlet {
    /// Writes there.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn to(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let ((lines, waiting), state) = (channel(), Arc::<State>::default());
        let outlet = Self { lines, state: Arc::clone(&state) };
        std::thread::Builder::new().name("log".to_owned()).spawn(move || state.write(&waiting, sink))?;
        Ok(outlet)
    }

    /// Waits until what was said has been written, or for so long.
    pub fn flush(&self, at_most: Duration) {
        let waiting = self.state.lock();
        let _ = self.state.written.wait_timeout_while(waiting, at_most, |waiting| waiting.bytes > 0);
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, lines: &Receiver<Vec<u8>>, mut sink: impl Write) {
        for line in lines {
            // Nobody is left to be told that there is no log.
            let _ = sink.write_all(&line);
            let mut waiting = self.lock();
            waiting.bytes -= line.len();
            let lost = std::mem::take(&mut waiting.lost);
            drop(waiting);
            if lost > 0 {
                tracing::warn!(lost, "the log was not read, and a part of it is lost");
            }
            self.written.notify_all();
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut waiting = self.state.lock();
        if waiting.bytes + text.len() > BYTES_MAX {
            waiting.lost += 1;
        } else if self.lines.send(text.to_vec()).is_ok() {
            waiting.bytes += text.len();
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Outlet {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
