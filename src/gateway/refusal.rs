//! `Refusal`: every way in which the gateway itself says no.
//!
//! One row each: status, the vendor's `error` word, the reason (header `Gateway-Error`, metric label, log
//! field) and a sentence. The shape of the body is the vendor's, so that existing clients parse it. Vendor
//! errors are not refusals: they are passed on, and never carry that header.

use crate::body::Body;
use crate::caller::Unidentified;
use crate::catalogue::path::Ambiguous;
use crate::catalogue::{NotFound, Verb};
use crate::clock;
use crate::easemob::dialect;
use crate::units::Rate;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// The header that only refusals of ours carry.
pub static GATEWAY_ERROR: HeaderName = HeaderName::from_static("gateway-error");

/// Why the gateway says no.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Too many requests are under way in the gateway.
    Full,
    /// Too many readers wait for one fetch, or too many fetches are under way.
    FlightFull,
    /// Nobody known is asking.
    Unidentified(Unidentified),
    /// The caller may not use this endpoint.
    Forbidden,
    /// The caller's own quota is spent.
    CallerLimited(Budget),
    /// Another org or app than the configured one.
    UnknownApp,
    /// No such endpoint, and the policy is to refuse those.
    UnknownEndpoint,
    /// The endpoint does not know this method; it knows these.
    WrongMethod(String),
    /// The path could be read in two ways.
    AmbiguousPath(Ambiguous),
    /// `CONNECT`, an absolute target, two hosts, and the like.
    BadTarget(&'static str),
    /// The body must be JSON and is not.
    Malformed(String),
    /// The body is longer than this many bytes.
    TooLarge(u64),
    /// The body must be read and is compressed.
    WrongType,
    /// The body did not come whole, or not in time.
    BodyCut,
    /// A token request that the gateway does not answer: why, and the vendor's word for it.
    BadGrant(&'static str, &'static str),
    /// The vendor's limit would be exceeded: of which pool.
    BudgetSpent(Budget),
    /// The caller wants an answer from memory, and memory has none.
    NotKept,
    /// One call names more recipients than a call may: of which pool, and how many that are.
    TooHeavy(Arc<str>, u32),
    /// How many recipients the body names cannot be told.
    Uncountable,
    /// There is no app token.
    NoToken(Duration),
    /// The token was renewed, but a body of this size cannot be sent twice.
    SendAgain,
    /// The vendor refuses the token, also a new one.
    TokenRefused,
    /// No connection, or it broke.
    Unreachable(String),
    /// The vendor did not answer in time.
    TimedOut,
    /// Something in the gateway broke.
    Broken,
}

/// A limit that is spent: the vendor's, or a caller's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Budget {
    /// The name of the pool, or of the quota's setting.
    pub pool: Arc<str>,
    /// How much there is of it.
    pub rate: Rate,
    /// How long until a call could be made again.
    pub again: Duration,
}

/// A row of the table of refusals.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The status.
    pub status: StatusCode,
    /// The vendor's word.
    pub error: &'static str,
    /// Ours.
    pub reason: &'static str,
}

impl Refusal {
    /// Its row in the table.
    #[must_use]
    pub fn row(&self) -> Row {
        let (status, error, reason) = match self {
            Self::Full => (503, "service_unavailable", "full"),
            Self::FlightFull => (503, "service_unavailable", "flight_full"),
            Self::Unidentified(Unidentified::Origin) => (403, "forbidden_op", "origin"),
            Self::Unidentified(Unidentified::Host) => (403, "forbidden_op", "host"),
            Self::Unidentified(Unidentified::VendorToken) => (401, "unauthorized", "vendor_token"),
            Self::Unidentified(_) => (401, "unauthorized", "unidentified"),
            Self::Forbidden => (403, "forbidden_op", "forbidden"),
            Self::CallerLimited(_) => (429, "reach_limit", "caller_limited"),
            Self::UnknownApp => (404, "organization_application_not_found", "unknown_app"),
            Self::UnknownEndpoint => (404, "service_resource_not_found", "unknown_endpoint"),
            Self::WrongMethod(_) => (405, "method_not_allowed", "wrong_method"),
            Self::AmbiguousPath(_) => (400, "illegal_argument", "ambiguous_path"),
            Self::BadTarget(_) => (400, "illegal_argument", "bad_target"),
            Self::Malformed(_) => (400, "json_parse", "malformed_body"),
            Self::TooLarge(_) => (413, "request_too_large", "body_too_large"),
            Self::WrongType => (415, "unsupported_media_type", "body_encoded"),
            Self::BodyCut => (400, "illegal_argument", "body_cut"),
            Self::BadGrant(error, _) => (400, *error, "bad_grant"),
            Self::BudgetSpent(_) => (429, "reach_limit", "budget_spent"),
            Self::NotKept => (504, "gateway_timeout", "not_kept"),
            Self::TooHeavy(..) => (400, "illegal_argument", "too_heavy"),
            Self::Uncountable => (400, "illegal_argument", "uncountable"),
            Self::NoToken(_) => (503, "service_unavailable", "no_token"),
            Self::SendAgain => (503, "service_unavailable", "send_again"),
            Self::TokenRefused => (502, "bad_gateway", "token_refused"),
            Self::Unreachable(_) => (502, "bad_gateway", "unreachable"),
            Self::TimedOut => (504, "gateway_timeout", "timed_out"),
            Self::Broken => (500, "internal_error", "broken"),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Row { status, error, reason }
    }

    /// The answer, to a request that took so long.
    #[must_use]
    pub fn response(&self, took: Duration) -> Response<Body> {
        let row = self.row();
        let body = dialect::speak(row.error, &self.description(), clock::unix_ms(), took.as_millis() as u64);
        let mut response = Response::new(Body::Kept(body.into()));
        *response.status_mut() = row.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(GATEWAY_ERROR.clone(), HeaderValue::from_static(row.reason));
        if let Some(after) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
        }
        if let Self::BudgetSpent(budget) | Self::CallerLimited(budget) = self {
            budget.tell(headers);
        }
        if let Self::WrongMethod(allow) = self
            && let Ok(allow) = HeaderValue::try_from(allow.as_str())
        {
            headers.insert(ALLOW, allow);
        }
        if row.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"easemob-gateway\""));
        }
        response
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoToken(after) => Some(*after),
            Self::BudgetSpent(budget) | Self::CallerLimited(budget) => Some(budget.again),
            Self::Full | Self::FlightFull | Self::SendAgain => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The sentence, for people.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Full => "The gateway has too many requests under way.".into(),
            Self::FlightFull => "The gateway has too many reads under way.".into(),
            Self::Unidentified(why) => match why {
                Unidentified::Missing => "Send a caller key: Authorization: Bearer egk_….",
                Unidentified::Wrong => "This is not the key of a caller of this gateway.",
                Unidentified::VendorToken => "Leave the vendor's token out: the gateway adds the app's own.",
                Unidentified::Origin => "Browsers may not use a gateway that knows no callers.",
                Unidentified::Host => {
                    "A gateway that knows no callers is asked by a name without a dot, or by its address."
                }
            }
            .into(),
            Self::Forbidden => "The gateway does not allow this operation to this caller.".into(),
            Self::CallerLimited(_) => "This caller's own quota at the gateway is spent.".into(),
            Self::UnknownApp => "The gateway serves another org and app than the one in the path.".into(),
            Self::UnknownEndpoint => {
                "The gateway does not know this path and passes on only what it knows.".into()
            }
            Self::WrongMethod(allow) => format!("This path is known with other methods: {allow}."),
            Self::AmbiguousPath(why) => format!("Refused: {}.", why.as_str()),
            Self::BadTarget(what) => (*what).into(),
            Self::Malformed(what) => format!("The body must be JSON: {what}."),
            Self::TooLarge(max) => format!("The body may have {max} bytes here."),
            Self::WrongType => "The gateway must read this body: send it without Content-Encoding.".into(),
            Self::BodyCut => "The body did not arrive whole and in time.".into(),
            Self::BadGrant(_, what) => (*what).into(),
            Self::BudgetSpent(_) => "The vendor's call limit is spent; nothing was sent.".into(),
            Self::NotKept => "Nothing is kept that will do; the request asks for nothing else.".into(),
            Self::TooHeavy(pool, max) => {
                format!("One call may name {max} at once ({pool}); nothing was sent.")
            }
            Self::Uncountable => "The body must list its recipients by name, to be counted.".into(),
            Self::NoToken(_) => "The gateway has no app token; nothing was sent.".into(),
            Self::SendAgain => "The app token has been renewed; send this upload again.".into(),
            Self::TokenRefused => "The vendor refuses the app token, also after its renewal.".into(),
            Self::Unreachable(what) => format!("The vendor cannot be reached: {what}."),
            Self::TimedOut => "The vendor did not answer in time.".into(),
            Self::Broken => "Something in the gateway broke; it has been logged.".into(),
        }
    }
}

impl From<NotFound> for Refusal {
    fn from(not_found: NotFound) -> Self {
        match not_found {
            NotFound::Ambiguous(why) => Self::AmbiguousPath(why),
            NotFound::TooLong => Self::BadTarget("The path is too long."),
            NotFound::Method(verbs) => {
                let mut names: Vec<&str> = verbs.into_iter().map(Verb::as_str).collect();
                if names.contains(&"GET") {
                    names.push("HEAD");
                }
                names.sort_unstable();
                names.dedup();
                Self::WrongMethod(names.join(", "))
            }
        }
    }
}

// === impl Budget ===

impl Budget {
    /// As draft-ietf-httpapi-ratelimit-headers has it: what the limit is, and that nothing is left of it.
    fn tell(&self, headers: &mut HeaderMap) {
        let Self { pool, rate, again } = self;
        let policy = format!("\"{pool}\";q={};w={}", rate.count(), whole_seconds(rate.per()));
        let limit = format!("\"{pool}\";r=0;t={}", whole_seconds(*again));
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", limit)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Rounded up: who comes back when told must not be refused for the missing fraction.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).max(1) as u64
}
