//! No memory of this process in a file: it holds the app token, the secret and callers' requests.
//!
//! What cannot be had is a warning: a gateway that serves is worth more than none.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core dumps off, and keeps other processes of the same user from looking in. Gives what could not be had: there
/// may be no log yet, since there should be no secret yet either.
#[must_use]
pub(super) fn no_core_dumps() -> Vec<String> {
    let mut lacks = Vec::new();
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        lacks.push(format!("core dumps could not be limited: {error}"));
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        lacks.push(format!("core dumps could not be turned off: {error}"));
    }
    lacks
}
