//! The gateway's binary before the stand-in, and what can be seen of it from outside.

use crate::client::Caller;
use easemob_gateway::simulator::{Control, Settings, Simulator};
use easemob_gateway::tasks::Tasks;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

pub(crate) struct House {
    /// Where callers go.
    pub(crate) address: SocketAddr,
    /// The vendor's strings.
    pub(crate) vendor: Control,
    admin: SocketAddr,
    process: Child,
    config: String,
    work: tempfile::TempDir,
}

/// A head must be whole in this time: the default.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A body must be whole in this time: less than the default, so that a run ends.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Times for a vendor that fails on purpose: what is lost is given up soon.
pub(crate) const QUICK: &str =
    "connect_timeout = \"1s\"\nfirst_byte_timeout = \"1s\"\ntotal_timeout = \"2s\"";

/// Groups, one for each caller of the mix.
pub(crate) const GROUPS: usize = 64;

impl House {
    /// With further settings of the way to the vendor.
    pub(crate) async fn start(times: &str) -> Self {
        let simulator =
            Simulator::new(Settings { seed: true, limits: false, log_size: 100, ..Settings::default() });
        let vendor = simulator.control();
        for at in 0..GROUPS {
            vendor.add_group(&group(at), "alice", &["bob", "carol"]);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = listener.local_addr().unwrap();
        Tasks::new().spawn("vendor", async move {
            let _ = simulator.serve(listener, CancellationToken::new()).await;
        });
        let (address, admin) = (free(), free());
        let rates = ["group.read", "group.mutes.list", "group.mutes.add", "group.update", "default"]
            .map(|pool| format!("[pools.\"{pool}\"]\nrate = \"1000000/s\"\n"))
            .concat();
        let (head, body) = (HEAD_TIMEOUT.as_secs(), BODY_TIMEOUT.as_secs());
        let text = format!(
            "[vendor]\norigin = \"http://{origin}\"\norg = \"easemob-demo\"\napp = \"chat\"\nclient_id = \"demo-client\"\n\
             client_secret = \"demo-secret\"\n{times}\n[listen]\naddress = \"{address}\"\nidle_timeout = \"10m\"\n\
             head_timeout = \"{head}s\"\nbody_timeout = \"{body}s\"\n[admin]\naddress = \"{admin}\"\n\
             [cache]\nbytes_max = \"16MiB\"\ndoubt = \"1s\"\nwrite_listen = \"1s\"\nsettle = \"100ms\"\n\
             [token]\nretry_max = \"1s\"\n[log]\nlevel = \"error\"\n{rates}"
        );
        let work = tempfile::tempdir().expect("a directory");
        let config = work.path().join("gateway.toml");
        std::fs::write(&config, &text).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_easemob-gateway"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the gateway");
        let house = Self { address, vendor, admin, process, config: text, work };
        house.until("it answers", async || TcpStream::connect(house.admin).await.is_ok()).await;
        house.until("it is ready", async || house.look("/readyz").await.starts_with("ready")).await;
        house
    }

    /// Resident memory.
    pub(crate) fn memory_kb(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
        line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
    }

    /// Background tasks, and callers' connections.
    pub(crate) async fn tasks_and_connections(&self) -> (usize, usize) {
        // One request, so that what has just ended has been noticed.
        let _ = Caller::of(self.address).connect().await;
        let page = self.look("/metrics").await;
        let value = |name: &str| {
            let line = page.lines().find(|line| line.starts_with(name)).expect(name);
            line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).expect(line) as usize
        };
        (value("gateway_tasks{kind=\"work\"} "), value("gateway_connections "))
    }

    /// Puts another configuration in place of the one before, each third a bad one, and waits until it was read.
    pub(crate) async fn reconfigure(&self, at: usize) {
        let bad = at % 3 == 2;
        let broken = if bad { "[listen" } else { "" };
        let text = format!("{}[limits]\npatience = \"{}ms\"\n{broken}", self.config, 1_000 + at);
        std::fs::write(self.work.path().join("gateway.toml"), text).expect("a file");
        let outcome = if bad { "refused" } else { "applied" };
        let series = format!("gateway_config_reloads_total{{outcome=\"{outcome}\"}} ");
        let count = async || {
            let page = self.look("/metrics").await;
            page.lines().find_map(|line| line.strip_prefix(&series)?.parse::<u64>().ok()).unwrap_or(0)
        };
        let before = count().await;
        let _ = Command::new("kill").args(["-HUP", &self.process.id().to_string()]).status();
        self.until("it has been read", async || count().await > before).await;
    }

    /// Waits until no more connections are open than these, and nothing is under way.
    pub(crate) async fn rests(&self, connections: usize) {
        self.until("nothing is under way", async || self.tasks_and_connections().await.1 <= connections)
            .await;
        // Writes without an answer are listened for, and doubts last a second.
        tokio::time::sleep(Duration::from_secs(3)).await;
    }

    async fn until(&self, what: &str, is: impl AsyncFn() -> bool) {
        let ended = format!("/proc/{}/stat", self.process.id());
        for _ in 0..600 {
            let state = std::fs::read_to_string(&ended).unwrap_or_default();
            assert!(!state.contains(") Z "), "the gateway has ended; {what}?");
            if is().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not in a minute: {what}");
    }

    /// A page for operators.
    async fn look(&self, path: &str) -> String {
        let mut text = String::new();
        if let Ok(mut stream) = TcpStream::connect(self.admin).await {
            let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.read_to_string(&mut text).await;
        }
        text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned())
    }

    /// Stops it, and sees that it ends well.
    pub(crate) async fn end(mut self) {
        self.stop();
        let ended = tokio::task::spawn_blocking(move || self.process.wait()).await.unwrap().expect("its end");
        assert!(ended.success(), "it ended with {ended}");
        println!("it drained and ended");
    }

    /// Asks for its end.
    pub(crate) fn stop(&self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).stderr(Stdio::null()).status();
    }
}

impl Drop for House {
    /// Also when an assertion has failed.
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.stop();
        }
    }
}

/// The id of a caller's own group.
pub(crate) fn group(at: usize) -> String {
    format!("{}", 70_000_000_000_000 + at)
}

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
