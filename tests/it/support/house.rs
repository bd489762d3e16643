//! A whole gateway with its doors open, and the vendor's stand-in behind a socket.
//!
//! Assembled as the program assembles them, in the process of the test: the gateway's workers have threads of their
//! own, the vendor runs on the test's runtime. Never on paused time.

use super::wire::{Message, Talk, soon};
use easemob_gateway::app::{App, known};
use easemob_gateway::config;
use easemob_gateway::simulator::{Control, Settings, Simulator};
use easemob_gateway::tasks::Tasks;
use easemob_gateway::units::Address;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The vendor's stand-in behind a socket.
pub(crate) struct Vendor {
    pub(crate) address: SocketAddr,
    pub(crate) control: Control,
    stop: CancellationToken,
    tasks: Tasks,
}

impl Vendor {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let simulator = Simulator::new(Settings { seed: true, ..Settings::default() });
        let (control, address) = (simulator.control(), listener.local_addr().unwrap());
        let (stop, tasks) = (CancellationToken::new(), Tasks::new());
        let stopped = stop.clone();
        tasks.spawn("vendor", async move { simulator.serve(listener, stopped).await.unwrap() });
        Self { address, control, stop, tasks }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Targets of the calls it has seen, token requests left out.
    pub(crate) fn targets(&self) -> Vec<String> {
        let calls = self.control.calls();
        calls.into_iter().map(|call| call.target).filter(|target| !target.ends_with("/token")).collect()
    }

    /// Goes away with all its connections; its port is free afterwards.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        soon(self.tasks.settled()).await;
    }
}

/// A gateway with its doors open, as the program would run it.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) callbacks: Option<SocketAddr>,
    stop: CancellationToken,
    tasks: Tasks,
}

impl House {
    pub(crate) async fn before(origin: &str) -> Self {
        Self::with(origin, "", "").await
    }

    /// With another table `[admin]`; its address is a free port of loopback unless it says so.
    pub(crate) async fn with_admin(origin: &str, admin: &str) -> Self {
        let text = configuration(origin, "", "");
        let (before, listen) = text.split_once("[admin]\naddress = \"127.0.0.1:0\"\n").unwrap();
        let address = if admin.contains("address") { "" } else { "address = \"127.0.0.1:0\"\n" };
        let admin = admin.trim_start_matches("[admin]\n");
        Self::of(&format!("{before}[admin]\n{address}{admin}{listen}")).await
    }

    /// With further lines for `[vendor]` and for `[listen]` (and for sections after that).
    pub(crate) async fn with(origin: &str, vendor: &str, listen: &str) -> Self {
        Self::of(&configuration(origin, vendor, listen)).await
    }

    async fn of(text: &str) -> Self {
        let loaded = config::parse(text, std::iter::empty(), &known());
        let config = loaded.unwrap_or_else(|mistakes| panic!("{mistakes}")).config;
        let app = App::open(&config).await.expect("it opens");
        let (addresses, admin) = app.addresses().unwrap();
        let address = addresses.iter().find_map(Address::socket).unwrap_or(admin);
        let callbacks = app.callbacks_address();
        let (stop, tasks) = (CancellationToken::new(), Tasks::new());
        let stopped = stop.clone();
        tasks.spawn("gateway", async move { app.run(stopped).await.unwrap() });
        Self { address, admin, callbacks, stop, tasks }
    }

    pub(crate) async fn talk(&self) -> Talk {
        Talk::to(self.address).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: impl AsRef<[u8]>) -> Message {
        self.talk().await.ask(request).await
    }

    /// Asks for the end, as SIGTERM does.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Resolves when it has ended.
    pub(crate) async fn ended(&self) {
        soon(self.tasks.settled()).await;
    }
}

/// A configuration on free ports of loopback.
pub(crate) fn configuration(origin: &str, vendor: &str, listen: &str) -> String {
    let app = Settings::default();
    format!(
        "[vendor]\norigin = \"{origin}\"\norg = \"{}\"\napp = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n{vendor}\n\
         [admin]\naddress = \"127.0.0.1:0\"\n[listen]\naddress = \"127.0.0.1:0\"\n{listen}\n",
        app.org, app.app, app.client_id, app.client_secret
    )
}
