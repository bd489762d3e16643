//! The program: arguments in, exit code out.
//!
//! Everything it does is in the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Cheaper than the system's where every call takes and gives back its buffers, and it returns what a burst needed.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    easemob_gateway::cli::run()
}
