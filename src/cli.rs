//! The command line: which subcommand, and what its end means as an exit code.
//!
//! 0 is done, 1 is something that failed while starting or running, 2 is a configuration or an argument that
//! cannot be used. Each subcommand is a file of its own.

mod check;
mod demo;
mod endpoints;
mod harden;
mod keygen;
mod notify;
mod probe;
mod reload;
mod serve;
mod simulate;

use crate::telemetry::outlet;
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// A gateway between your services and the Easemob IM REST API.
#[derive(Debug, Parser)]
#[command(name = "easemob-gateway", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Try it: a stand-in for the vendor with sample data and a gateway in front of it, in one process.
    Demo(demo::Options),
    /// Run only the stand-in for the vendor.
    Simulate(simulate::Options),
    /// Explain every mistake in a configuration, or print what it amounts to.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print what the gateway knows of the vendor's operations.
    Endpoints(endpoints::Options),
    /// Make a caller key, and the digest of it that goes into the configuration.
    Keygen,
    /// Ask a running gateway whether it is well; the exit code is the answer.
    Probe(probe::Options),
}

/// Why a command failed.
enum Failure {
    /// The configuration cannot be used: exit code 2.
    Configuration(String),
    /// Something else: exit code 1.
    Other(anyhow::Error),
}

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Demo(options) => demo::run(&options),
        Command::Simulate(options) => simulate::run(&options),
        Command::Check { config } => check::run(&config),
        Command::Endpoints(options) => endpoints::run(&options),
        Command::Keygen => keygen::run(),
        Command::Probe(options) => probe::run(&options),
    };
    outlet::flush(LAST_LINES);
    let (what, code) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Configuration(what)) => (what.trim_end().to_owned(), ExitCode::from(2)),
        Err(Failure::Other(error)) => (format!("easemob-gateway: {error:#}"), ExitCode::FAILURE),
    };
    // Whether somebody hears it or not, it ends.
    let _ = writeln!(std::io::stderr(), "{what}");
    code
}

/// How long the end waits for whoever reads the log.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Reads a configuration with what the environment overrides.
fn load(path: &Path) -> Result<crate::config::Loaded, Failure> {
    read(path).map_err(|mistakes| Failure::Configuration(mistakes.to_string()))
}

fn read(path: &Path) -> Result<crate::config::Loaded, crate::config::Mistakes> {
    // A variable that is no text cannot be one of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    crate::config::load(path, environment, &crate::app::known())
}

/// The main runtime: accepting, admin, token. Workers have their own.
fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Other(error.into()))?;
    let output = runtime.block_on(future);
    // Whoever ended without waiting for the rest meant it: a thread that still works must not hold up the end.
    runtime.shutdown_background();
    Ok(output)
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}
