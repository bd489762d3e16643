//! `demo`: everything in one process, on loopback, in a second.
//!
//! The stand-in gets a thread of its own and any free port; the gateway is assembled from a configuration like
//! any other, so what works here works with `serve`.

use super::Failure;
use super::serve::Signals;
use crate::app::{self, App};
use crate::caller::key;
use crate::config::Config;
use crate::simulator::{SAMPLE_GROUPS, Settings, Simulator};
use crate::units::Address;
use anyhow::Context as _;
use std::io::Write as _;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Where services call.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where operators look.
    #[arg(long, default_value = "127.0.0.1:9090")]
    admin: SocketAddr,
    /// Where the stand-in listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    vendor: SocketAddr,
}

/// The one key of the demonstration. It opens nothing else.
const KEY: &str = "egk_this-key-opens-nothing-but-a-demonstration0";

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    super::block_on(demo(options))?
}

async fn demo(options: &Options) -> Result<(), Failure> {
    let signals = Signals::new()?;
    let vendor = start_vendor(options.vendor).await?;
    let config = configuration(options, vendor)?;
    for lack in super::harden::no_core_dumps() {
        tracing::warn!("{lack}");
    }
    let _ = super::serve::install_log(&config)?;
    let app = App::open(&config).await?;
    let (address, admin) = app.addresses()?;
    let address = address.iter().find_map(Address::socket).unwrap_or(options.listen);
    print!("{}", welcome(address, admin, vendor));
    std::io::stdout().flush()?;
    super::serve::until_signalled(app, signals, std::future::pending()).await
}

/// The stand-in, in a thread of its own as a vendor has a machine of its own.
async fn start_vendor(listen: SocketAddr) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let listener = listener.into_std()?;
    let simulator = Simulator::new(Settings { seed: true, ..Settings::default() });
    std::thread::Builder::new().name("vendor".into()).spawn(move || {
        let served = super::block_on(async {
            simulator.serve(TcpListener::from_std(listener)?, CancellationToken::new()).await
        });
        if let Ok(Err(error)) = served {
            eprintln!("the stand-in ended: {error}");
        }
    })?;
    Ok(address)
}

fn configuration(options: &Options, vendor: SocketAddr) -> Result<Config, Failure> {
    let settings = Settings::default();
    let digest = key::digest_text(demo_key().as_bytes());
    let text = format!(
        r#"
        [vendor]
        origin = "http://{vendor}"
        org = "{org}"
        app = "{app}"
        client_id = "{id}"
        client_secret = "{secret}"
        [listen]
        address = "{listen}"
        [admin]
        address = "{admin}"
        # Whoever names another address than loopback on the command line has asked for it.
        open = true
        [log]
        format = "text"
        level = "warn"
        hits_one_in = 1
        [[callers]]
        name = "demo"
        keys = ["{digest}"]
        allow = ["*"]
        "#,
        org = settings.org,
        app = settings.app,
        id = settings.client_id,
        secret = settings.client_secret,
        listen = options.listen,
        admin = options.admin,
    );
    let loaded = crate::config::parse(&text, std::iter::empty(), &app::known());
    Ok(loaded.map_err(|mistakes| Failure::Configuration(mistakes.to_string()))?.config)
}

/// The key with its check digits.
fn demo_key() -> String {
    key::with_check(KEY)
}

fn welcome(address: SocketAddr, admin: SocketAddr, vendor: SocketAddr) -> String {
    let settings = Settings::default();
    let base = format!("http://{address}/{}/{}", settings.org, settings.app);
    let (key, group) = (demo_key(), SAMPLE_GROUPS[0]);
    let mute = r#"'{"usernames":["carol"],"mute_duration":60000}'"#;
    format!(
        r#"A gateway in front of a stand-in for the vendor. Ctrl-C ends both.

  base URL   {base}
  key        {key}
  operators  http://{admin}
  stand-in   http://{vendor} (control: /_control/)

Try, in another terminal:

  AUTH='Authorization: Bearer {key}'
  curl -i -H "$AUTH" {base}/chatgroups/{group}
  curl -i -H "$AUTH" {base}/chatgroups/{group}/mute
  curl -i -H "$AUTH" -H 'Content-Type: application/json' -d {mute} {base}/chatgroups/{group}/mute
  curl -i -H "$AUTH" {base}/chatgroups/{group}/mute
  curl -s http://{admin}/metrics | grep ^gateway_

"#
    )
}
