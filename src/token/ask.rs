//! One grant: the question, sent, and the answer, read.
//!
//! Uses a connection of its own, since it is needed when everything else waits. The secret is in the request's
//! body and nowhere else; what the vendor says is quoted only by its `error` and `error_description`.

use crate::body::{Body, Collected};
use crate::easemob::grant::{self, Granted, Unit};
use crate::upstream::{Lane, Upstream};
use arc_swap::ArcSwap;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, Uri};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Who asks, and where.
pub struct Asker {
    /// The way out.
    pub upstream: Upstream,
    /// `/{org}/{app}/token`.
    pub path: Uri,
    /// The vendor's host, as the header says it.
    pub host: HeaderValue,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret; it may be replaced while the gateway runs.
    pub client_secret: ArcSwap<SecretString>,
    /// How `expires_in` is written.
    pub unit: Unit,
    /// How long connecting may take, and then the question.
    pub timeout: Duration,
}

/// Why not.
#[derive(Debug)]
pub enum Failure {
    /// A clear no: asking again will not help soon.
    Refused(String),
    /// The vendor was asked, and its answer did not come or could not be read.
    Failed(String),
    /// There was no connection: nothing has left.
    Unreached(String),
}

impl Failure {
    /// For people. Holds no secret.
    pub(super) fn what(&self) -> &str {
        match self {
            Self::Refused(what) | Self::Failed(what) | Self::Unreached(what) => what,
        }
    }

    /// For programs.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Unreached(_) => "unreached",
        }
    }
}

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

impl Asker {
    /// A connection to ask on.
    pub(super) async fn connect(&self) -> Result<Lane, Failure> {
        match tokio::time::timeout(self.timeout, self.upstream.connect()).await {
            Ok(lane) => lane.map_err(|error| Failure::Unreached(error.to_string())),
            Err(_) => Err(Failure::Unreached(format!("no connection within {:?}", self.timeout))),
        }
    }

    /// Asks once.
    pub(super) async fn ask(&self, lane: Lane) -> Result<Granted, Failure> {
        match tokio::time::timeout(self.timeout, self.exchange(lane)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Failed(format!("the vendor did not answer within {:?}", self.timeout))),
        }
    }

    async fn exchange(&self, lane: Lane) -> Result<Granted, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Failed(error.to_string());
        let secret = self.client_secret.load_full();
        let body = grant::request(&self.client_id, secret.expose_secret());
        let mut request = Request::new(Body::Kept(body.into()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = lane.send(request).await.map_err(|error| failed(&error))?;
        let status = answer.status;
        let body = match answer.body.collect(ANSWER_BYTES_MAX).await.map_err(|error| failed(&error))? {
            Collected::Whole(body) => body,
            Collected::Larger(_) => {
                return Err(Failure::Failed("the vendor's answer is too long".to_owned()));
            }
        };
        if !status.is_success() {
            let what = format!("the vendor answered {status}{}", quoted(&body, &secret));
            // A rate limit passes; credentials that are wrong stay wrong.
            let refused = status.is_client_error() && status.as_u16() != 429;
            return Err(if refused { Failure::Refused(what) } else { Failure::Failed(what) });
        }
        let granted = grant::read(&body, self.unit);
        granted.ok_or_else(|| Failure::Failed("the vendor's answer has no token".to_owned()))
    }
}

/// A token as it is sent.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The vendor's own words on an error, short, and without the secret, should it repeat what it was sent.
fn quoted(body: &[u8], secret: &SecretString) -> String {
    let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let part = |name: &str| said.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let text = format!("{} {}", part("error"), part("error_description"));
    let text: String = text.replace(secret.expose_secret(), "<hidden>").chars().take(200).collect();
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}
