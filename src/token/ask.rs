//! One grant: the question, sent, and the answer, read.
//!
//! Uses a connection of its own, since it is needed when everything else waits. The secret is in the request's
//! body and nowhere else; what the vendor says is quoted only by its `error` and `error_description`.

use crate::body::{Body, Collected};
use crate::easemob::grant::{self, Unit};
use crate::upstream::Upstream;
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
    /// The app's client secret.
    pub client_secret: SecretString,
    /// How `expires_in` is written.
    pub unit: Unit,
    /// How long one question may take.
    pub timeout: Duration,
}

/// What came of it.
pub struct Grant {
    /// `Bearer …`, marked sensitive.
    pub header: HeaderValue,
    /// How long it lives, if the vendor says so.
    pub lives: Option<Duration>,
    /// The app's UUID.
    pub application: Option<String>,
}

/// Why not.
#[derive(Debug)]
pub enum Failure {
    /// A clear no: asking again will not help soon.
    Refused(String),
    /// The vendor could not be asked, or its answer could not be read.
    Failed(String),
}

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

impl Asker {
    /// Asks once.
    pub(super) async fn ask(&self) -> Result<Grant, Failure> {
        match tokio::time::timeout(self.timeout, self.exchange()).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Failed(format!("the vendor did not answer within {:?}", self.timeout))),
        }
    }

    async fn exchange(&self) -> Result<Grant, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Failed(error.to_string());
        let lane = self.upstream.connect().await.map_err(|error| failed(&error))?;
        let body = grant::request(&self.client_id, self.client_secret.expose_secret());
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
            let what = format!("the vendor answered {status}{}", quoted(&body));
            // A rate limit passes; credentials that are wrong stay wrong.
            let refused = status.is_client_error() && status.as_u16() != 429;
            return Err(if refused { Failure::Refused(what) } else { Failure::Failed(what) });
        }
        let Some(granted) = grant::read(&body, self.unit) else {
            return Err(Failure::Failed("the vendor's answer has no token".to_owned()));
        };
        let header = HeaderValue::try_from(format!("Bearer {}", granted.access_token));
        let mut header = header.map_err(|error| failed(&error))?;
        header.set_sensitive(true);
        Ok(Grant { header, lives: granted.lives, application: granted.application })
    }
}

/// The vendor's own words on an error, short.
fn quoted(body: &[u8]) -> String {
    let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let part = |name: &str| said.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let text: String = format!("{} {}", part("error"), part("error_description")).chars().take(200).collect();
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}
