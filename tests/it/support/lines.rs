//! What the gateway writes into its log, line by line.
//!
//! For tests on one thread: the subscriber is this thread's own until the `Lines` are dropped.

use serde_json::Value;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that are being written.
pub(crate) struct Lines {
    text: Shared,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Everything from this level on (`"info"`, `"trace"`), as JSON.
    pub(crate) fn at(level: &str) -> Self {
        let text = Shared::default();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(level)
            .with_writer(text.clone())
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .finish();
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of one target, such as `gateway::audit`.
    pub(crate) fn of(&self, target: &str) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == target).collect()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Shared {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
