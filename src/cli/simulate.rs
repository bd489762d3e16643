//! `simulate`: the stand-in for the vendor, on a port of its own.
//!
//! For trying a gateway, a client library or a service without an account. It holds its state in memory and
//! answers `/_control/…` for whoever wants to disturb it.

use super::Failure;
use crate::simulator::{Settings, Simulator};
use anyhow::Context as _;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Begin with an app that has no users and no groups.
    #[arg(long)]
    empty: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    super::block_on(simulate(options))?
}

async fn simulate(options: &Options) -> Result<(), Failure> {
    let settings = Settings { seed: !options.empty, ..Settings::default() };
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", options.listen))?;
    println!(
        "a stand-in for the vendor: http://{}/{}/{}",
        listener.local_addr()?,
        settings.org,
        settings.app
    );
    println!("client id {}, client secret {}", settings.client_id, settings.client_secret);
    let stop = CancellationToken::new();
    let mut signals = super::serve::Signals::new()?;
    tokio::select! {
        served = Simulator::new(settings).serve(listener, stop) => served?,
        _ = signals.next() => {}
    }
    Ok(())
}
