//! What a page in a browser could have sent: whoever trusts a machine's own address must know it.
//!
//! A page from anywhere reaches what listens on its reader's loopback. Browsers say so: `Origin` (RFC 6454) stands on
//! what may change something or be read, `Sec-Fetch-Site` (W3C Fetch Metadata) on every request to a trustworthy
//! address, loopback among them. One way says neither: a name of the page's own site that has come to mean loopback
//! (DNS rebinding). But then that name is the `Host`. No address and no `localhost` can be such a name (RFC 6761, 6.3).

use super::Unidentified;
use http::header::{HOST, HeaderMap, ORIGIN};
use http::{Request, uri::Authority};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a page elsewhere has asked for this, as the browser says.
#[must_use]
pub fn says_so(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    headers.contains_key(ORIGIN) || matches!(site, Some(b"cross-site" | b"same-site"))
}

/// Lets pass what cannot come from a page elsewhere. With `any_host` no name of the page's
/// own leads here, and `Host` is not looked at.
///
/// # Errors
/// What tells of the page.
pub fn refuse<B>(request: &Request<B>, any_host: bool) -> Result<(), Unidentified> {
    if says_so(request.headers()) {
        return Err(Unidentified::Origin);
    }
    if any_host {
        return Ok(());
    }
    let said = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let meant = request.uri().authority().map(Authority::as_str);
    if said.chain(meant).all(is_here) { Ok(()) } else { Err(Unidentified::Host) }
}

/// Whether a host, with or without a port, is an address or a name that always means this machine.
fn is_here(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.split(':').next().unwrap_or_default();
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok()
}
