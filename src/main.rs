//! The program: arguments in, exit code out.
//!
//! Everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    easemob_gateway::cli::run()
}
