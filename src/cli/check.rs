//! `check`: what a configuration amounts to, or everything that is wrong with it.
//!
//! Reads what `serve` would read, opens no socket and asks the vendor nothing.

use super::Failure;
use std::path::Path;

pub(super) fn run(path: &Path) -> Result<(), Failure> {
    let loaded = super::load(path)?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    crate::app::tls(&loaded.config).map_err(|error| Failure::Configuration(error.to_string()))?;
    print!("{}", loaded.config.print());
    Ok(())
}
