//! `serve`: the gateway, until SIGTERM or SIGINT.
//!
//! The log goes to standard error; standard output stays empty. A second signal ends the process at once.

use super::Failure;
use crate::app::App;
use crate::config::{Config, LogFormat};
use crate::telemetry::log;
use std::path::Path;
use tokio::signal::unix::{Signal, SignalKind, signal};
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
    let signals = Signals::new()?;
    let app = App::open(config).await?;
    let (address, admin) = app.addresses()?;
    if config.callers.is_empty() {
        tracing::warn!("no callers are configured: whoever reaches {address} may do anything");
    }
    if config.token.state_dir.is_none() {
        tracing::warn!(
            "token.state_dir is not set: each restart asks for a token, and forgets what was asked before"
        );
    }
    tracing::info!(
        { version = env!("CARGO_PKG_VERSION"), listen.address = %address, admin.address = %admin },
        "listening on http://{address}, for operators on http://{admin}"
    );
    until_signalled(app, signals).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Runs the gateway until a signal, then until what is under way has ended, or a second signal.
pub(super) async fn until_signalled(app: App, mut signals: Signals) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let running = app.run(stop.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        name = signals.next() => tracing::info!("{name}: draining"),
    }
    stop.cancel();
    tokio::select! {
        ended = running => Ok(ended?),
        name = signals.next() => Err(anyhow::anyhow!("{name} again: ended with requests under way").into()),
    }
}

/// The signals that ask for an end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves with the name of the next one.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

pub(super) fn install_log(config: &Config) -> std::io::Result<()> {
    let format = match config.log.format {
        LogFormat::Json => log::Format::Json,
        LogFormat::Text => log::Format::Text,
    };
    log::install(format, &config.log.level, std::io::stderr)?;
    // What breaks is a line like any other, whoever reads them.
    std::panic::set_hook(Box::new(|what| tracing::error!("something broke: {what}")));
    Ok(())
}
