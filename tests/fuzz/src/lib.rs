//! What must hold of whatever comes: one function for each part that reads what others write. It panics if it does not.
//!
//! A fuzzer finds inputs for them, and `tests/it/fuzz.rs` makes some of the corpora. Inputs are text where they can
//! be, so that a corpus can be read.

pub mod batch;
pub mod callback;
pub mod config;
pub mod dialect;
pub mod mute;
pub mod path;
pub mod template;
pub mod token;

/// A target by its name, which is also that of its program and of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every one.
pub const TARGETS: &[Target] = &[
    ("batch", batch::check),
    ("callback", callback::check),
    ("config", config::check),
    ("dialect", dialect::check),
    ("mute", mute::check),
    ("path", path::check),
    ("template", template::check),
    ("token", token::check),
];

/// The first line, and what follows it.
fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}
