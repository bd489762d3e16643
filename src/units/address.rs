//! Where to listen, as people write it: `"127.0.0.1:8080"`, `"tls:0.0.0.0:8443"`, `"unix:/run/gateway.sock"`.
//!
//! No names of hosts: what a name means may change between the check and the listening.

use super::{Unreadable, unreadable};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// One place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// TCP, in the clear.
    Plain(SocketAddr),
    /// TCP, with TLS on it.
    Tls(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// How an address is written.
pub const ADDRESS: &str = r#"an address and a port, as in "127.0.0.1:8080", "[::1]:8080" or "tls:0.0.0.0:8443", or "unix:" and a path"#;

impl Address {
    /// Whether only this machine reaches it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.socket().is_none_or(|address| address.ip().to_canonical().is_loopback())
    }

    /// Its address and port, if it is on a network.
    #[must_use]
    pub fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Plain(address) | Self::Tls(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl FromStr for Address {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let wrong = || unreadable(text, "an address with a port", ADDRESS);
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(path.into())) };
        }
        match text.strip_prefix("tls:") {
            Some(rest) => rest.parse().map(Self::Tls).map_err(|_| wrong()),
            None => text.parse().map(Self::Plain).map_err(|_| wrong()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(address) => write!(out, "{address}"),
            Self::Tls(address) => write!(out, "tls:{address}"),
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
        }
    }
}
