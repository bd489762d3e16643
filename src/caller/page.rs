//! What a page in a browser could have sent: whoever trusts a machine's own address must know it.
//!
//! A page from anywhere reaches what listens on its reader's loopback. Browsers say so: `Origin` (RFC 6454) stands on
//! what may change something or be read, `Sec-Fetch-Site` (W3C Fetch Metadata) on every request to a trustworthy
//! address, loopback among them. One way says neither: a name of the page's own site that has come to mean loopback
//! (DNS rebinding). But then that name is the `Host`. It has a dot, for nobody can have a name of the public network
//! without one; and no address and no `localhost` can be such a name (RFC 6761, 6.3), nor can the vendor's own, which a
//! client keeps that finds the gateway by a table of hosts.

use super::Unidentified;
use http::header::{HOST, HeaderMap, HeaderValue, ORIGIN};
use http::{Request, uri::Authority};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a page elsewhere has asked for this, as the browser says.
#[must_use]
pub fn says_so(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    headers.contains_key(ORIGIN) || matches!(site, Some(b"cross-site" | b"same-site"))
}

/// Lets pass what cannot come from a page elsewhere. The host `ours` is nobody's page either; without it no name of a
/// page leads here, and `Host` is not looked at.
///
/// # Errors
/// What tells of the page.
pub fn refuse<B>(request: &Request<B>, ours: Option<&HeaderValue>) -> Result<(), Unidentified> {
    if says_so(request.headers()) {
        return Err(Unidentified::Origin);
    }
    let Some(ours) = ours else {
        return Ok(());
    };
    let said = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let meant = request.uri().authority().map(Authority::as_str);
    let ours = name(ours.to_str().unwrap_or_default());
    let is_nobodys = |host: &str| is_nobodys(host) || name(host).eq_ignore_ascii_case(ours);
    if said.chain(meant).all(is_nobodys) { Ok(()) } else { Err(Unidentified::Host) }
}

/// A host without its port and without the dot of the root.
fn name(host: &str) -> &str {
    let name = host.split(':').next().unwrap_or_default();
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether a host, with or without a port, is an address or a name that no page can have.
fn is_nobodys(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = name(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    let has_dot = last.len() < name.len();
    !has_dot || last.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok()
}
