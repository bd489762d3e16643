//! What we say: kept answers, fetched ones, and the headers that tell them apart.
//!
//! `Cache-Status` is RFC 9211's. Nearly every value is a constant, since a hit is mostly this function. The entity
//! tag is a keyed hash of the body: strong, and the same on every gateway of one app. `Date` is written by the
//! server.

use super::Call;
use super::directives::has_already;
use crate::body::Body;
use crate::cache::{Entry, Kept};
use crate::clock::Instant;
use crate::upstream::headers::to_caller;
use bytes::Bytes;
use http::header::{AGE, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body as _;
use std::time::Duration;

static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// How an answer was come by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// Fetched for this reader.
    Fetched(Why, Option<Kept>),
    /// Fetched for another reader too, who began it.
    Joined(Why, Option<Kept>),
    /// A read that may not be kept, also one without a row.
    Bypass,
    /// What is no read.
    Passed,
}

/// Why a read was not answered from memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Why {
    /// Nothing is kept, or something it shows has changed.
    Miss,
    /// What is kept is past its time.
    Stale,
    /// What is kept would be good, but the caller wants better.
    Request,
    /// A part of it is kept.
    Partial,
}

const HIT: &str = "easemob-gateway; hit";

/// Why an answer is served past its time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stale {
    /// A new one is on its way.
    Refreshing,
    /// The vendor failed.
    Failed,
    /// The vendor's limit is spent.
    Spent,
}

/// Spellings of JSON's media type: an answer from memory has that of the fetched one.
const MEDIA: [&str; 5] = [
    "application/json",
    "application/json;charset=UTF-8",
    "application/json; charset=UTF-8",
    "application/json;charset=utf-8",
    "application/json; charset=utf-8",
];

/// The number of a spelling; of the plain one for what nobody writes.
pub(super) fn media(headers: &HeaderMap) -> u8 {
    let value = headers.get(CONTENT_TYPE);
    MEDIA.iter().position(|media| value.is_some_and(|value| value == media)).unwrap_or_default() as u8
}

/// An answer from memory.
pub(super) fn kept(entry: &Entry, now: Instant, call: &Call) -> Response<Body> {
    let age = now.saturating_duration_since(entry.fetched);
    let mut response = remembered(entry.body(), entry.media, HIT, age);
    // Conditions are about what is there (RFC 9110, 13.2.1).
    if entry.status == 200 {
        return tagged(response, entry.etag, call);
    }
    *response.status_mut() = StatusCode::from_u16(entry.status).unwrap_or_default();
    response
}

/// An answer from memory that has been past its time for so long.
pub(super) fn stale(
    entry: &Entry,
    (now, over): (Instant, Duration),
    why: Stale,
    call: &Call,
) -> Response<Body> {
    let mut response = kept(entry, now, call);
    let ttl = -i64::try_from(over.as_secs()).unwrap_or(i64::MAX);
    let (how, detail) = match why {
        Stale::Refreshing => ("hit", "stale"),
        Stale::Failed => ("fwd=stale", "vendor-failed"),
        Stale::Spent => ("fwd=stale", "budget-spent"),
    };
    let status = format!("easemob-gateway; {how}; ttl={ttl}; detail={detail}");
    if let Ok(status) = HeaderValue::try_from(status) {
        response.headers_mut().insert(CACHE_STATUS.clone(), status);
    }
    response
}

/// An answer put together in memory, all of it (without a way) or in part.
pub(super) fn assembled(
    (body, media, etag): (Bytes, u8, u64),
    age: Duration,
    way: Option<Way>,
    call: &Call,
) -> Response<Body> {
    let response = remembered(body, media, way.map_or(HIT, Way::as_str), age);
    tagged(response, etag, call)
}

fn remembered(body: Bytes, media: u8, status: &'static str, age: Duration) -> Response<Body> {
    let mut response = Response::new(Body::Kept(body));
    let headers = response.headers_mut();
    headers.reserve(4);
    let media = MEDIA.get(usize::from(media)).copied().unwrap_or(MEDIA[0]);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_STATUS.clone(), HeaderValue::from_static(status));
    headers.insert(AGE, seconds(age.as_secs()));
    response
}

/// Adds the entity tag, and leaves the body out if the caller has it.
pub(super) fn tagged(mut response: Response<Body>, etag: u64, call: &Call) -> Response<Body> {
    let mut text = *b"\"0123456789abcdef\"";
    for (at, digit) in text[1..17].iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(etag >> (60 - 4 * at)) as usize & 15];
    }
    let text = str::from_utf8(&text).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(ETAG, value);
    }
    let method = call.request.method();
    if matches!(*method, Method::GET | Method::HEAD) && has_already(call.request.headers(), text) {
        *response.status_mut() = StatusCode::from_u16(304).unwrap_or_default();
        *response.body_mut() = Body::Empty;
        response.headers_mut().remove(CONTENT_TYPE);
    }
    response
}

/// The same for one who asked for the head alone.
pub(super) fn without_body(mut response: Response<Body>) -> Response<Body> {
    // Of nothing is not known whether there was nothing, or the vendor too was asked for the head alone.
    let length = response.body().size_hint().exact().filter(|length| *length > 0);
    *response.body_mut() = Body::Empty;
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
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

/// A number of seconds; the usual ones without writing them anew.
fn seconds(number: u64) -> HeaderValue {
    const USUAL: [&str; 31] = [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
        "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30",
    ];
    let usual = usize::try_from(number).ok().and_then(|number| USUAL.get(number));
    usual.map_or_else(|| HeaderValue::from(number), |text| HeaderValue::from_static(text))
}

/// `Cache-Status` of a fetched answer.
macro_rules! fetched {
    ($fwd:literal, $kept:expr) => {
        match $kept {
            Some(Kept::Stored) => concat!("easemob-gateway; fwd=", $fwd, "; stored"),
            Some(Kept::Overtaken) => concat!("easemob-gateway; fwd=", $fwd, "; detail=overtaken"),
            Some(Kept::InDoubt) => concat!("easemob-gateway; fwd=", $fwd, "; detail=in-doubt"),
            _ => concat!("easemob-gateway; fwd=", $fwd),
        }
    };
}

/// The same where several readers share it.
macro_rules! joined {
    ($fwd:literal, $kept:expr) => {
        match $kept {
            Some(Kept::Stored) => concat!("easemob-gateway; fwd=", $fwd, "; collapsed; stored"),
            _ => concat!("easemob-gateway; fwd=", $fwd, "; collapsed"),
        }
    };
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fetched(Why::Miss, kept) => fetched!("miss", kept),
            Self::Fetched(Why::Stale, kept) => fetched!("stale", kept),
            Self::Fetched(Why::Request, kept) => fetched!("request", kept),
            Self::Fetched(Why::Partial, kept) => fetched!("partial", kept),
            Self::Joined(Why::Miss, kept) => joined!("miss", kept),
            Self::Joined(Why::Stale, kept) => joined!("stale", kept),
            Self::Joined(Why::Request, kept) => joined!("request", kept),
            Self::Joined(Why::Partial, kept) => joined!("partial", kept),
            Self::Bypass => "easemob-gateway; fwd=bypass",
            Self::Passed => "easemob-gateway; fwd=method",
        }
    }
}
