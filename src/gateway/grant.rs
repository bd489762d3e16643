//! The gateway's own answer to `POST /{org}/{app}/token`, so that the vendor's client libraries work unmodified.
//!
//! A client library asks for an app token with a client id and a secret; here these are a caller's name and key,
//! and what it gets back is that key. The app's own token is in no answer, ever. Grants that give a user a
//! token are passed on for callers who have that right by name; every other grant is refused, since its answer
//! could be an app token.

use super::errand::{Errand, Payload};
use super::refusal::Refusal;
use super::reply::Way;
use super::{Call, Passage, limited, may};
use crate::body::{Body, Collected};
use crate::caller::Unidentified;
use crate::catalogue::path::canonical;
use crate::catalogue::pointer::{Collected as Found, Pointers};
use crate::exchange::CacheOutcome;
use crate::telemetry::Ledger;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response};
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::sync::LazyLock;
use std::time::Duration;

/// What client libraries keep is asked for again after this: a rotated key must stay valid for so long.
pub(super) const EXPIRES_IN_S: u64 = 86_400;
/// What callers get while the door is open: no secret, and refused by a gateway whose door is not.
const OPEN_DOOR: &str = "open";
/// Where tokens are asked for.
const TOKEN: &str = "/token";
/// The longest spelling of it that is looked at: each letter escaped, and an extension.
const SPELLING_MAX: usize = 64;
/// A token request is small.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// And soon whole: nobody knows yet who asks, and there are only so many places.
const BODY_TIMEOUT_MAX: Duration = Duration::from_secs(10);

static MEMBERS: LazyLock<Pointers> =
    LazyLock::new(|| Pointers::new(&["/grant_type", "/client_id", "/client_secret"]));

/// Whether this asks for a token, by whatever method and in whatever spelling: in capitals, or with an extension, it is
/// the same path to some servers.
pub(super) fn is_for(request: &Request<Body>, prefix: &str) -> bool {
    let below = request.uri().path().strip_prefix(prefix).unwrap_or_default();
    // Letters of other alphabets are some of its letters to servers that compare without case.
    let looks_so = |path: &str| {
        let text = percent_decode_str(path).decode_utf8_lossy().to_lowercase();
        text.split('.').next() == Some(TOKEN)
    };
    // No spelling begins otherwise, or is longer.
    let may_be =
        || below.len() <= SPELLING_MAX && matches!(below.as_bytes().get(1), Some(b't' | b'T' | b'%'));
    below == TOKEN || may_be() && canonical(below).is_ok_and(|below| looks_so(&below))
}

impl Passage {
    pub(super) async fn answer_grant(
        &self,
        request: Request<Body>,
        ledger: &mut Ledger,
    ) -> Result<Response<Body>, Refusal> {
        ledger.path = Some(TOKEN.into());
        if *request.method() != Method::POST {
            return Err(Refusal::BadGrant("illegal_argument", "Tokens are asked for by POST."));
        }
        let below = request.uri().path().strip_prefix(&*self.policy.settings.prefix).unwrap_or_default();
        if canonical(below).is_ok_and(|below| below != TOKEN) {
            return Err(Refusal::BadGrant("illegal_argument", "Tokens are asked for at /token."));
        }
        if request.uri().query().is_some_and(names_grant) {
            return Err(Refusal::BadGrant("illegal_argument", "The grant belongs into the body."));
        }
        let (parts, body) = request.into_parts();
        let bytes = self.grant_body(body).await?;
        let asked = MEMBERS.collect(&bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
        match member(&asked, 0)? {
            Some("client_credentials") => self.local(&asked, &parts.headers, ledger).await,
            Some("inherit" | "password") => {
                self.of_user(Request::from_parts(parts, Body::Empty), bytes, ledger).await
            }
            _ => Err(Refusal::BadGrant("invalid_grant", "The gateway answers client_credentials only.")),
        }
    }

    async fn grant_body(&self, body: Body) -> Result<Bytes, Refusal> {
        let in_time = self.policy.settings.body_timeout.min(BODY_TIMEOUT_MAX);
        let reading = tokio::time::timeout(in_time, body.collect(BODY_BYTES_MAX));
        match reading.await {
            Ok(Ok(Collected::Whole(bytes))) => Ok(bytes),
            Ok(Ok(Collected::Larger(_))) => Err(Refusal::TooLarge(BODY_BYTES_MAX as u64)),
            Ok(Err(_)) | Err(_) => Err(Refusal::BodyCut),
        }
    }

    /// A caller's own key as his token.
    async fn local(
        &self,
        asked: &Found,
        headers: &HeaderMap,
        ledger: &mut Ledger,
    ) -> Result<Response<Body>, Refusal> {
        let callers = &self.policy.callers;
        let (name, key) = (member(asked, 1)?, member(asked, 2)?);
        let name = name.ok_or(Refusal::BadGrant("illegal_argument", "client_id must be provided."))?;
        let key = key.ok_or(Refusal::BadGrant("illegal_argument", "client_secret must be provided"))?;
        let token = if callers.is_open() {
            callers.identify(headers)?;
            OPEN_DOOR
        } else {
            let Some(named) = callers.named(name) else {
                return Err(Refusal::BadGrant("invalid_grant", "client_id does not match"));
            };
            if callers.of_key(key.as_bytes()) != Some(named) {
                return Err(Refusal::BadGrant("invalid_grant", "client_secret does not match"));
            }
            ledger.caller = Some(named);
            self.policy.fairness.check(named, None).map_err(limited)?;
            key
        };
        let application = self.house.tokens.get().await.map_err(Refusal::from)?.application.clone();
        let body = json!({
            "access_token": token, "expires_in": EXPIRES_IN_S, "application": application.unwrap_or_default(),
        });
        let mut response = Response::new(Body::Kept(body.to_string().into()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    /// A user's token, from the vendor.
    async fn of_user(
        &self,
        request: Request<Body>,
        bytes: Bytes,
        ledger: &mut Ledger,
    ) -> Result<Response<Body>, Refusal> {
        let (house, policy) = (&*self.house, &*self.policy);
        ledger.caller = policy.callers.identify(request.headers()).map_err(Refusal::Unidentified)?;
        let came = house.cache.epochs.now();
        let call = Call::classify(&house.catalogue, &policy.settings, request, came, ledger)?;
        may(house, policy, ledger, &call)?;
        ledger.cache = CacheOutcome::Relay;
        let mut errand = Errand::new(self, call, Payload::Bytes(bytes));
        // It was read as JSON; under another label it could be read as another grant.
        errand.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        errand.headers.remove(CONTENT_ENCODING);
        let judged = self.ask(&mut errand, || {}).await;
        ledger.calls = errand.calls;
        Ok(judged.map_err(Refusal::from)?.reply(Way::Passed))
    }
}

/// Whether a query names a grant, in whatever spelling.
fn names_grant(query: &str) -> bool {
    percent_decode_str(query).decode_utf8_lossy().contains("grant_type")
}

/// A member that may stand there once, and only as text.
fn member(asked: &Found, at: usize) -> Result<Option<&str>, Refusal> {
    match (asked.at(at).values.as_slice(), asked.at(at).unclear) {
        ([], false) => Ok(None),
        ([one], false) => Ok(Some(one)),
        _ => Err(Refusal::BadGrant(
            "illegal_argument",
            "A member of the token request is repeated or no text.",
        )),
    }
}

impl From<Unidentified> for Refusal {
    fn from(why: Unidentified) -> Self {
        Self::Unidentified(why)
    }
}
