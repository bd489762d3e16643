//! What we say: kept answers, fetched ones, and the headers that tell them apart.
//!
//! `Cache-Status` is RFC 9211's. Every value is a constant, since a hit is mostly this function.

use crate::body::Body;
use crate::cache::{Entry, Kept};
use crate::clock::Instant;
use crate::upstream::headers::to_caller;
use bytes::Bytes;
use http::header::{AGE, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};

static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// How an answer was come by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// Fetched for this reader.
    Fetched(Option<Kept>),
    /// Fetched for another reader too, who began it.
    Joined(Option<Kept>),
    /// A read that may not be kept, also one without a row.
    Bypass,
    /// What is no read.
    Passed,
}

/// An answer from memory.
pub(super) fn kept(entry: &Entry, now: Instant) -> Response<Body> {
    let mut response = Response::new(Body::Kept(entry.body()));
    *response.status_mut() = StatusCode::from_u16(entry.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.reserve(3);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_STATUS.clone(), HeaderValue::from_static("easemob-gateway; hit"));
    headers.insert(AGE, HeaderValue::from(now.saturating_duration_since(entry.fetched).as_secs()));
    response
}

/// An answer of the vendor that is at hand.
pub(super) fn whole(status: StatusCode, headers: &HeaderMap, body: Bytes, way: Way) -> Response<Body> {
    passed(status, headers.clone(), Body::Kept(body), way)
}

/// An answer of the vendor on its way through.
pub(super) fn passed(status: StatusCode, mut headers: HeaderMap, body: Body, way: Way) -> Response<Body> {
    to_caller(&mut headers);
    // Written anew from the body.
    headers.remove(CONTENT_LENGTH);
    headers.insert(CACHE_STATUS.clone(), HeaderValue::from_static(way.as_str()));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fetched(Some(Kept::Stored)) => "easemob-gateway; fwd=miss; stored",
            Self::Fetched(Some(Kept::Overtaken)) => "easemob-gateway; fwd=miss; detail=overtaken",
            Self::Fetched(Some(Kept::InDoubt)) => "easemob-gateway; fwd=miss; detail=in-doubt",
            Self::Fetched(_) => "easemob-gateway; fwd=miss",
            Self::Joined(Some(Kept::Stored)) => "easemob-gateway; fwd=miss; collapsed; stored",
            Self::Joined(_) => "easemob-gateway; fwd=miss; collapsed",
            Self::Bypass => "easemob-gateway; fwd=bypass",
            Self::Passed => "easemob-gateway; fwd=method",
        }
    }
}
