//! `simulate`: the stand-in for the vendor, on a port of its own.
//!
//! For trying a gateway, a client library or a service without an account. It holds its state in memory and
//! answers `/_control/…` for whoever wants to disturb it.

use super::Failure;
use crate::simulator::{Settings, Simulator, Tls};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// Listen with TLS: a PEM file with the certificate to show.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// A PEM file with the certificate's key.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Do not record the heads of requests as they come.
    #[arg(long)]
    no_heads: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    super::block_on(simulate(options))?
}

async fn simulate(options: &Options) -> Result<(), Failure> {
    let settings = Settings { seed: !options.empty, raw_heads: !options.no_heads, ..Settings::default() };
    let tls = options.tls_certificate.as_ref().zip(options.tls_key.as_ref());
    let tls = tls.map(|(certificate, key)| Tls::from_files(certificate, key)).transpose()?;
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", options.listen))?;
    // Whoever reads the line may send a signal at once.
    let mut signals = super::serve::Signals::new()?;
    println!(
        "a stand-in for the vendor: {}://{}/{}/{}",
        if tls.is_some() { "https" } else { "http" },
        listener.local_addr()?,
        settings.org,
        settings.app
    );
    println!("client id {}, client secret {}", settings.client_id, settings.client_secret);
    let stop = CancellationToken::new();
    let simulator = Simulator::new(settings);
    let served = async {
        match tls {
            Some(tls) => simulator.serve_tls(listener, tls, stop).await,
            None => simulator.serve(listener, stop).await,
        }
    };
    tokio::select! {
        served = served => served?,
        _ = signals.next() => {}
    }
    Ok(())
}
