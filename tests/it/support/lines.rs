//! What the gateway writes into its log, line by line.
//!
//! For tests on one thread. One subscriber serves the whole binary and asks each thread what it listens for:
//! subscribers that come and go beside each other can miss lines, since what is enabled is remembered globally.

use serde_json::Value;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Once;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that are being written, until they are dropped.
pub(crate) struct Lines(Text);

type Text = Rc<RefCell<Vec<u8>>>;

thread_local! {
    static HEARD: RefCell<Option<(LevelFilter, Text)>> = const { RefCell::new(None) };
}

impl Lines {
    /// Everything from this level on (`"info"`, `"trace"`), as JSON.
    pub(crate) fn at(level: &str) -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let heard = dynamic_filter_fn(|metadata, _| {
                HEARD.with_borrow(|heard| heard.as_ref().is_some_and(|(level, _)| metadata.level() <= level))
            });
            let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
            tracing_subscriber::registry().with(json.with_writer(|| Here).with_filter(heard)).init();
        });
        let text = Rc::default();
        HEARD.set(Some((level.parse().unwrap(), Rc::clone(&text))));
        Self(text)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }

    /// The lines of one target, such as `gateway::audit`.
    pub(crate) fn of(&self, target: &str) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == target).collect()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        HEARD.set(None);
    }
}

/// Where this thread's lines go.
struct Here;

impl Write for Here {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.with_borrow(|heard| {
            if let Some((_, text)) = heard {
                text.borrow_mut().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
