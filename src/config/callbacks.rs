//! `[callbacks]`: where the vendor reports what changed without us, and how it proves that it is the vendor.
//!
//! Without an address there is no such listener. That an address has a secret, and a port of its own, is asked in
//! `agree`.

use std::net::SocketAddr;
use std::time::Duration;

use super::value::Rule;
use super::{Secret, Section, Settings};
use crate::units::ByteSize;

/// Where the vendor reports changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Callbacks {
    /// Address and port; port 0 takes any free one. Not set by default: nothing is listened for.
    pub address: Option<SocketAddr>,
    /// The secret of the rule at the vendor's console. Required with an address.
    pub secret: Option<Secret>,
    /// The one before it, or that of another rule; believed as well. Not set by default.
    pub former_secret: Option<Secret>,
    /// The path of the URL that the console has. Default `/callbacks`.
    pub path: String,
    /// The most that a report's time may differ from ours. 1 s to 7 d, default 10 min: what was kept before an older
    /// change has passed its deadline since.
    pub age_max: Duration,
    /// The longest report. 1 KiB to 16 MiB, default 256 KiB.
    pub body_bytes_max: ByteSize,
    /// A report must be whole by then, and a connection on which nothing has come for so long is closed. 100 ms to
    /// 5 min, default 10 s, after which the vendor counts it as failed.
    pub timeout: Duration,
    /// Open connections. 1 to 65,536, default 256.
    pub connections_max: usize,
}

impl Section for Callbacks {
    fn start() -> Self {
        Self {
            address: None,
            secret: None,
            former_secret: None,
            path: "/callbacks".to_owned(),
            age_max: Duration::from_secs(600),
            body_bytes_max: ByteSize::kib(256),
            timeout: Duration::from_secs(10),
            connections_max: 256,
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self { address, secret, former_secret, path, age_max, body_bytes_max, timeout, connections_max } =
            self;
        let (second, day) = (Duration::from_secs(1), Duration::from_secs(24 * 60 * 60));
        each.setting("address", address, Rule::any());
        each.setting("secret", secret, Rule::any());
        each.setting("former_secret", former_secret, Rule::any());
        each.setting("path", path, Rule::is(PATH, |path: &String| is_path(path)));
        each.setting("age_max", age_max, Rule::within(second, day * 7));
        let body_bytes = Rule::within(ByteSize::kib(1), ByteSize::mib(16));
        each.setting("body_bytes_max", body_bytes_max, body_bytes);
        each.setting("timeout", timeout, Rule::within(second / 10, second * 300));
        each.setting("connections_max", connections_max, Rule::within(1, 65_536));
    }
}

const PATH: &str = "a path as in \"/callbacks\": a slash, then letters, digits, '.', '_', '-', '~' and '/'";

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-~".contains(&b))
}
