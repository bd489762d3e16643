//! `serve`: the gateway, until SIGTERM or SIGINT.
//!
//! The log goes to standard error; standard output stays empty. A second signal ends the process at once.

use super::Failure;
use crate::app::App;
use crate::config::{Config, LogFormat};
use crate::telemetry::log;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(super) fn run(path: &Path) -> Result<(), Failure> {
    let loaded = super::load(path)?;
    install_log(&loaded.config)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    super::block_on(serve(&loaded.config))?
}

async fn serve(config: &Config) -> Result<(), Failure> {
    let app = App::open(config).await?;
    let (address, admin) = app.addresses()?;
    if config.callers.is_empty() {
        tracing::warn!("no callers are configured: whoever reaches {address} may do anything");
    }
    tracing::info!(
        { version = env!("CARGO_PKG_VERSION"), listen.address = %address, admin.address = %admin },
        "listening on http://{address}, for operators on http://{admin}"
    );
    let stop = CancellationToken::new();
    let running = app.run(stop.clone());
    tokio::pin!(running);
    let signalled = signalled()?;
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        name = signalled => tracing::info!("{name}: draining"),
    }
    stop.cancel();
    tokio::select! {
        ended = &mut running => ended?,
        name = self::signalled()? => {
            tracing::warn!("{name} again: ending at once");
            return Ok(());
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Resolves with the name of the first signal that asks for an end.
pub(super) fn signalled() -> std::io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

pub(super) fn install_log(config: &Config) -> std::io::Result<()> {
    let format = match config.log.format {
        LogFormat::Json => log::Format::Json,
        LogFormat::Text => log::Format::Text,
    };
    log::install(format, &config.log.level, std::io::stderr)
}
