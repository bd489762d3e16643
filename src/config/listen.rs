//! `[listen]` and `[admin]`: where our services call, and where operators look.
//!
//! That the two do not collide, and who may reach them, is asked in `agree`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::value::Rule;
use super::{Section, Settings};
use crate::units::ByteSize;

/// Where our services call.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// Address and port; port 0 takes any free one. Other than loopback only with callers.
    /// Default 127.0.0.1:8080.
    pub address: SocketAddr,
    /// Threads that serve; 0 = one per core. 0 to 64, default 1: a sidecar's core serves enough.
    pub workers: usize,
    /// Open connections. 1 to 1,000,000, default 16,384.
    pub connections_max: usize,
    /// Requests that wait for the vendor, for the whole gateway. 1 to 1,000,000, default 4,096.
    pub requests_max: usize,
    /// A request's head must be whole by then. 100 ms to 5 min, default 10 s.
    pub head_timeout: Duration,
    /// A connection on which nothing has come for so long is closed. 1 s to 1 h, default 90 s.
    pub idle_timeout: Duration,
    /// The longest head. 8 KiB (HTTP's own machinery needs that) to 1 MiB, default 32 KiB.
    pub head_bytes_max: ByteSize,
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
}

// === impl Listen ===

impl Section for Listen {
    fn start() -> Self {
        Self {
            address: loopback(8080),
            workers: 1,
            connections_max: 16_384,
            requests_max: 4_096,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            head_bytes_max: ByteSize::kib(32),
            body_bytes_max: ByteSize::mib(16),
            body_timeout: Duration::from_secs(60),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self {
            address,
            workers,
            connections_max,
            requests_max,
            head_timeout,
            idle_timeout,
            head_bytes_max,
            body_bytes_max,
            body_timeout,
            drain_delay,
            drain_timeout,
        } = self;
        let (short, minute) = (Duration::from_millis(100), Duration::from_secs(60));
        let head_bytes = Rule::within(ByteSize::kib(8), ByteSize::mib(1));
        let body_bytes = Rule::within(ByteSize::kib(1), ByteSize::mib(1_024));
        each.setting("address", address, Rule::any());
        each.setting("workers", workers, Rule::within(0, 64));
        each.setting("connections_max", connections_max, Rule::within(1, 1_000_000));
        each.setting("requests_max", requests_max, Rule::within(1, 1_000_000));
        each.setting("head_timeout", head_timeout, Rule::within(short, minute * 5));
        each.setting("idle_timeout", idle_timeout, Rule::within(Duration::from_secs(1), minute * 60));
        each.setting("head_bytes_max", head_bytes_max, head_bytes);
        each.setting("body_bytes_max", body_bytes_max, body_bytes);
        each.setting("body_timeout", body_timeout, Rule::within(short, minute * 60));
        each.setting("drain_delay", drain_delay, Rule::within(Duration::ZERO, minute * 10));
        each.setting("drain_timeout", drain_timeout, Rule::within(Duration::ZERO, minute * 60));
    }
}

// === impl Admin ===

impl Section for Admin {
    fn start() -> Self {
        Self { address: loopback(9090), open: false }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { address, open } = self;
        each.setting("address", address, Rule::any());
        each.setting("open", open, Rule::any());
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
