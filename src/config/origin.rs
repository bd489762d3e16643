//! Where the vendor is: scheme, host and port of a URL, and nothing else.
//!
//! Whether plain `http` is allowed there is asked in `agree`.
//!
//! What may surprise: `host` is lower-case and without the brackets of an IPv6 address, as TLS
//! wants it; `authority` has them, as `Host` wants them.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

use super::mistake::Show;
use super::value::{Text, Wrong};

/// The vendor's REST host: `https://a1.easemob.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// With TLS or in plain text.
    pub https: bool,
    /// A name or an address, lower-case, an IPv6 address without brackets.
    pub host: String,
    /// The port, also when it is the scheme's own.
    pub port: u16,
}

impl Origin {
    /// What goes into `Host`: the port only if it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if *port == own_port(self.https) { host } else { format!("{host}:{port}") }
    }

    /// Whether it can only be this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// What stands in its place until it has been read.
    pub(super) fn blank() -> Self {
        Self { https: true, host: String::new(), port: own_port(true) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(out, "{scheme}://{}", self.authority())
    }
}

impl Text for Origin {
    const EXPECTED: &'static str =
        r#"http or https, a host and perhaps a port, as in "https://a1.easemob.com""#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        let uri: Uri = text.parse().map_err(|_| unfit("is not a URL"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(unfit("does not begin with https:// or http://")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(unfit("has a user name"));
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err(unfit("has a path or a query"));
        }
        let host = uri.host().unwrap_or("");
        let port = match &authority[host.len()..] {
            "" => Some(own_port(https)),
            _ => uri.port_u16().filter(|port| *port != 0),
        };
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        match port {
            Some(port) if !host.is_empty() => Ok(Self { https, host, port }),
            _ => Err(unfit("has no host or no such port")),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

const fn own_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

/// The text itself is not shown: a URL can hold a password.
fn unfit(why: &str) -> Wrong {
    Wrong { what: format!("the origin {why}"), show: Show::UpToPlace }
}
