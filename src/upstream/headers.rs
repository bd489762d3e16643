//! What may cross, in each direction.
//!
//! Headers of the connection end here (RFC 9110, 7.6.1), with those that `Connection` names. So does what would
//! tell one side about the other: the caller's credentials, cookies and forwarding chain on the way out, cookies
//! on the way back. Headers that make some servers take a request for another one are not passed on.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName,
    HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};

/// Headers of one connection, in both directions.
static HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Never sent to the vendor. The length is written anew from the body.
static OURS: [HeaderName; 12] = [
    AUTHORIZATION,
    COOKIE,
    CONTENT_LENGTH,
    EXPECT,
    FORWARDED,
    HOST,
    HeaderName::from_static("x-request-timeout-ms"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
];

/// What of a caller's headers goes to the vendor.
pub fn to_vendor(headers: &mut HeaderMap, host: &HeaderValue) {
    remove_hop(headers);
    OURS.iter().for_each(|name| drop(headers.remove(name)));
    let forwarded: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-forwarded-")).cloned().collect();
    forwarded.iter().for_each(|name| drop(headers.remove(name)));
    headers.insert(HOST, host.clone());
}

/// What of the vendor's headers goes to the caller.
pub fn to_caller(headers: &mut HeaderMap) {
    remove_hop(headers);
    headers.remove(SET_COOKIE);
    // Only refusals of ours carry it.
    headers.remove("gateway-error");
}

fn remove_hop(headers: &mut HeaderMap) {
    let named =
        headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let named: Vec<_> = named.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    named.iter().chain(&HOP).for_each(|name| drop(headers.remove(name)));
}
