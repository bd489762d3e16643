//! `[listen]` and `[admin]`: where our services call, and where operators look.
//!
//! That the two do not collide, and who may reach them, is asked in `agree`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::caller::KeyDigest;
use super::doors::{Addresses, Mode, Owner};
use super::value::Rule;
use super::{Section, Settings};
use crate::units::{Address, ByteSize};

/// Where our services call.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// Where: addresses and ports (0 takes any free one), `tls:` before one that speaks TLS, `unix:` before the path
    /// of a socket. Other than loopback and sockets only with callers. Default 127.0.0.1:8080.
    pub address: Addresses,
    /// Who may open a socket of `address`. Default 0660.
    pub unix_mode: Mode,
    /// To whom it belongs. Default: to whoever runs the gateway.
    pub unix_owner: Option<Owner>,
    /// PEM file of our certificate, and of what leads to its authority. Default: none.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file of its private key. Default: none.
    pub tls_key: Option<PathBuf>,
    /// PEM file of the authorities of callers' certificates. Default: none is asked for.
    pub tls_client_ca: Option<PathBuf>,
    /// Whether a caller without such a certificate is turned away. Default true.
    pub tls_client_required: bool,
    /// Threads that serve; 0 = one per core. 0 to 64, default 1: a sidecar's core serves enough.
    pub workers: usize,
    /// Open connections. 1 to 1,000,000, default 16,384.
    pub connections_max: usize,
    /// Requests that wait for the vendor, for the whole gateway. 1 to 1,000,000, default 4,096.
    pub requests_max: usize,
    /// A request's head must be whole by then. 100 ms to 5 min, default 10 s.
    pub head_timeout: Duration,
    /// A connection on which no request has come for so long is closed; of an answer something must be taken. 1 s to 1 h, default 90 s.
    pub idle_timeout: Duration,
    /// The longest head. 8 KiB (HTTP's own machinery needs that) to 1 MiB, default 32 KiB.
    pub head_bytes_max: ByteSize,
    /// Requests open at once on one HTTP/2 connection. 1 to 10,000, default 200.
    pub streams_max: usize,
    /// HTTP/2 frames in a row that carry nothing of a request. 100 to 1,000,000, default 1,000.
    pub control_frames_max: usize,
    /// The longest request body. 1 KiB to 1 GiB, default 16 MiB.
    pub body_bytes_max: ByteSize,
    /// A request's body must be whole by then. 100 ms to 1 h, default 60 s.
    pub body_timeout: Duration,
    /// Still accepting, but no longer ready: time for others to notice. 0 to 10 min, default 0 s.
    pub drain_delay: Duration,
    /// Then open requests have this long to end. 0 to 1 h, default 30 s.
    pub drain_timeout: Duration,
}

/// Where operators look.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Address and port; port 0 takes any free one. Default 127.0.0.1:9090.
    pub address: SocketAddr,
    /// Whether an address other than loopback is meant. Default false.
    pub open: bool,
    /// Digests of keys of operators: where there is one, or the address is not loopback, whoever changes something needs one.
    /// Default: none.
    pub keys: Vec<KeyDigest>,
    /// How often the configuration's files are looked at for changes; 0 = only on SIGHUP. 0 to 1 h, default 5 s.
    pub reload_every: Duration,
}

// === impl Listen ===

impl Section for Listen {
    fn start() -> Self {
        Self {
            address: Addresses(vec![Address::Plain(loopback(8080))]),
            unix_mode: Mode(0o660),
            unix_owner: None,
            tls_certificate: None,
            tls_key: None,
            tls_client_ca: None,
            tls_client_required: true,
            workers: 1,
            connections_max: 16_384,
            requests_max: 4_096,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            head_bytes_max: ByteSize::kib(32),
            streams_max: 200,
            control_frames_max: 1_000,
            body_bytes_max: ByteSize::mib(16),
            body_timeout: Duration::from_secs(60),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self {
            address,
            unix_mode,
            unix_owner,
            tls_certificate,
            tls_key,
            tls_client_ca,
            tls_client_required,
            workers,
            connections_max,
            requests_max,
            head_timeout,
            idle_timeout,
            head_bytes_max,
            streams_max,
            control_frames_max,
            body_bytes_max,
            body_timeout,
            drain_delay,
            drain_timeout,
        } = self;
        let (short, minute) = (Duration::from_millis(100), Duration::from_secs(60));
        let head_bytes = Rule::within(ByteSize::kib(8), ByteSize::mib(1));
        let body_bytes = Rule::within(ByteSize::kib(1), ByteSize::mib(1_024));
        each.setting("address", address, Rule::any());
        each.setting("unix_mode", unix_mode, Rule::any());
        each.setting("unix_owner", unix_owner, Rule::any());
        each.setting("tls_certificate", tls_certificate, Rule::any());
        each.setting("tls_key", tls_key, Rule::any());
        each.setting("tls_client_ca", tls_client_ca, Rule::any());
        each.setting("tls_client_required", tls_client_required, Rule::any());
        each.setting("workers", workers, Rule::within(0, 64));
        each.setting("connections_max", connections_max, Rule::within(1, 1_000_000));
        each.setting("requests_max", requests_max, Rule::within(1, 1_000_000));
        each.setting("head_timeout", head_timeout, Rule::within(short, minute * 5));
        each.setting("idle_timeout", idle_timeout, Rule::within(Duration::from_secs(1), minute * 60));
        each.setting("head_bytes_max", head_bytes_max, head_bytes);
        each.setting("streams_max", streams_max, Rule::within(1, 10_000));
        each.setting("control_frames_max", control_frames_max, Rule::within(100, 1_000_000));
        each.setting("body_bytes_max", body_bytes_max, body_bytes);
        each.setting("body_timeout", body_timeout, Rule::within(short, minute * 60));
        each.setting("drain_delay", drain_delay, Rule::within(Duration::ZERO, minute * 10));
        each.setting("drain_timeout", drain_timeout, Rule::within(Duration::ZERO, minute * 60));
    }
}

// === impl Admin ===

impl Section for Admin {
    fn start() -> Self {
        Self { address: loopback(9090), open: false, keys: Vec::new(), reload_every: Duration::from_secs(5) }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { address, open, keys, reload_every } = self;
        let hour = Duration::from_secs(3_600);
        each.setting("address", address, Rule::any());
        each.setting("open", open, Rule::any());
        each.setting("keys", keys, Rule::is("up to 16 digests", |keys: &Vec<_>| keys.len() <= 16));
        each.setting("reload_every", reload_every, Rule::within(Duration::ZERO, hour));
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
