//! `serve`: the gateway, until SIGTERM or SIGINT.
//!
//! SIGHUP and a changed file put another configuration in force (`reload`).
//!
//! The log goes to standard error; standard output stays empty. A second signal ends the process at once, but not one
//! that comes in the same breath: what stops services now and then says it twice.

use super::notify::{State, tell};
use super::reload::Reloading;
use super::{Failure, harden};
use crate::app::App;
use crate::clock;
use crate::config::{Config, LogFormat};
use crate::telemetry::log::{self, Levels};
use crate::telemetry::outlet;
use crate::units::Address;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Signals this soon after the first are part of it.
const BREATH: Duration = Duration::from_secs(1);

pub(super) fn run(path: &Path) -> Result<(), Failure> {
    let lacks = harden::no_core_dumps();
    let loaded = super::load(path)?;
    let levels = install_log(&loaded.config)?;
    for warning in lacks.iter().chain(&loaded.warnings) {
        tracing::warn!("{warning}");
    }
    super::block_on(serve(path, &loaded.config, levels))?
}

async fn serve(path: &Path, config: &Config, levels: Levels) -> Result<(), Failure> {
    let signals = Signals::new()?;
    let reloading = Reloading::new(path, config)?;
    let app = App::open(config).await?;
    let (addresses, admin) = app.addresses()?;
    let address = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let urls = addresses.iter().map(url).collect::<Vec<_>>().join(", ");
    if config.callers.is_empty() {
        tracing::warn!("no callers are configured: whoever reaches {urls} may do anything");
    }
    if config.token.state_dir.is_none() {
        tracing::warn!(
            "token.state_dir is not set: each restart asks for a token, and forgets what was asked before"
        );
    }
    tracing::info!(
        { version = env!("CARGO_PKG_VERSION"), listen.address = address, admin.address = %admin },
        "listening on {urls}, for operators on http://{admin}"
    );
    let (reloader, secret) = (app.reloader(levels), app.secret());
    tell(State::Ready);
    until_signalled(app, signals, reloading.run(reloader, secret)).await?;
    tracing::info!("stopped");
    Ok(())
}

/// As a client would be told.
fn url(address: &Address) -> String {
    match address {
        Address::Plain(address) => format!("http://{address}"),
        Address::Tls(address) => format!("https://{address}"),
        Address::Unix(path) => format!("unix:{}", path.display()),
    }
}

/// Runs the gateway until a signal, then until what is under way has ended, or a second signal.
/// `meanwhile` goes on until the first.
pub(super) async fn until_signalled(
    app: App,
    mut signals: Signals,
    meanwhile: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let running = app.run(stop.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        name = signals.next() => tracing::info!("{name}: draining"),
        () = meanwhile => {}
    }
    tell(State::Stopping);
    stop.cancel();
    let told = clock::now();
    loop {
        tokio::select! {
            ended = &mut running => return Ok(ended?),
            name = signals.next() => if clock::now() - told >= BREATH {
                return Err(anyhow::anyhow!("{name} again: ended with requests under way").into());
            },
        }
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

pub(super) fn install_log(config: &Config) -> std::io::Result<Levels> {
    let format = match config.log.format {
        LogFormat::Json => log::Format::Json,
        LogFormat::Text => log::Format::Text,
    };
    let levels = log::install(format, &config.log.level, outlet::stderr()?)?;
    // What breaks is a line like any other, whoever reads them.
    std::panic::set_hook(Box::new(|what| tracing::error!("something broke: {what}")));
    Ok(levels)
}
