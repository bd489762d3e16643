//! What may cross, in each direction.
//!
//! Headers of the connection end here (RFC 9110, 7.6.1), with those that `Connection` names. So does what would
//! tell one side about the other: the caller's credentials, cookies and forwarding chain on the way out, cookies
//! on the way back. That includes `Via`, which RFC 9110 (7.6.3) wants here: it would name hosts of the inside.
//! Headers that make some servers take a request for another one are not passed on.

use http::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

/// What of a caller's headers goes to the vendor.
pub fn to_vendor(headers: &mut HeaderMap, host: &HeaderValue) {
    remove(headers, |name| is_hop(name) || is_not_for_vendor(name));
    headers.insert(HOST, host.clone());
}

/// What of the vendor's headers goes to the caller.
pub fn to_caller(headers: &mut HeaderMap) {
    // Only refusals of ours carry `gateway-error`.
    remove(headers, |name| is_hop(name) || matches!(name, "set-cookie" | "gateway-error"));
}

/// Headers of one connection, in both directions.
fn is_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// The caller's own, and what makes some servers take a request for another one. The length is written anew from
/// the body.
fn is_not_for_vendor(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "cf-connecting-ip"
            | "cf-connecting-ipv6"
            | "content-length"
            | "cookie"
            | "expect"
            | "fastly-client-ip"
            | "forwarded"
            | "host"
            | "referer"
            | "true-client-ip"
            | "via"
            | "x-client-ip"
            | "x-cluster-client-ip"
            | "x-forwarded"
            | "x-http-method"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-forwarded-for"
            | "x-original-host"
            | "x-original-url"
            | "x-real-ip"
            | "x-remote-addr"
            | "x-remote-ip"
            | "x-request-timeout-ms"
            | "x-rewrite-url"
    ) || name.starts_with("x-forwarded-")
        || name.starts_with("x-envoy-")
}

/// Removes these, and those that `Connection` names. One walk: most of what could be removed is never there.
fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let mut gone: SmallVec<[HeaderName; 8]> =
        headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for named in headers.get_all(CONNECTION) {
        let names = named.as_bytes().split(|byte| *byte == b',');
        gone.extend(names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()));
    }
    gone.iter().for_each(|name| drop(headers.remove(name)));
}
