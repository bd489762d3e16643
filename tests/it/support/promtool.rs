//! Prometheus's own tool, where it is installed: the judge of what is written for Prometheus.

use std::io::Write;
use std::process::{Command, Stdio};

/// What it said, on both streams, and whether it was content.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) words: String,
}

/// Runs it in the repository's root; `None`, and a word about it, when there is none.
pub(crate) fn run(arguments: &[&str]) -> Option<Said> {
    with(arguments, "")
}

/// The same, with this on its standard input.
pub(crate) fn with(arguments: &[&str], input: &str) -> Option<Said> {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut tool) = command.spawn() else {
        println!("skipped: promtool is not installed");
        return None;
    };
    // One that does not read its input says so in its own words.
    let _ = tool.stdin.take().unwrap().write_all(input.as_bytes());
    let said = tool.wait_with_output().unwrap();
    let words = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
    Some(Said { ok: said.status.success(), words })
}
