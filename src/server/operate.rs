//! What operators do: say that something has changed, and ask what would become of a request.
//!
//! Whoever reaches the operators' listener may look; these want more. On loopback everybody on the machine may, but
//! for pages in a browser, which reach loopback too; elsewhere, and wherever `admin.keys` has one, a key is wanted.

use super::admin::{Admin, PAGES, error, json_of};
use crate::body::{Body, Collected};
use crate::caller::{Unidentified, page};
use crate::gateway::explain::Asked;
use crate::gateway::purge::Purge;
use http::header::{ALLOW, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use serde_json::json;

/// The longest body: a thousand tags of the usual length.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What there is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Deed {
    Purge,
    Explain,
}

impl Deed {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/purge" => Some(Self::Purge),
            "/explain" => Some(Self::Explain),
            _ => None,
        }
    }
}

impl Admin {
    /// Does it, for whoever may.
    pub(super) async fn operate(&self, deed: Deed, request: Request<Body>) -> Response<Body> {
        if request.method() != http::Method::POST {
            let what = "This is asked for by POST.";
            let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", what);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        let who = match self.who(deed, request.headers()) {
            Ok(who) => who,
            Err(refusal) => return *refusal,
        };
        let body = match request.into_body().collect(BODY_BYTES_MAX).await {
            Ok(Collected::Whole(body)) => body,
            Ok(Collected::Larger(_)) => {
                let what = format!("The body may have {BODY_BYTES_MAX} bytes here.");
                return error(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", &what);
            }
            Err(_) => {
                return error(StatusCode::BAD_REQUEST, "illegal_argument", "The body did not arrive whole.");
            }
        };
        let done = match deed {
            Deed::Purge => self.purge(&who, &body),
            Deed::Explain => self.explain(&body),
        };
        done.unwrap_or_else(|what| error(StatusCode::BAD_REQUEST, "illegal_argument", &what))
    }

    fn purge(&self, who: &str, body: &[u8]) -> Result<Response<Body>, String> {
        let purge = Purge::read(body, &self.house.catalogue)?;
        let touched = self.house.purge(&purge);
        crate::telemetry::log::audit(who, "purge", &purge.subject(), "good");
        Ok(json_of(&touched.map_or_else(|| json!({ "all": true }), |count| json!({ "tags": count }))))
    }

    fn explain(&self, body: &[u8]) -> Result<Response<Body>, String> {
        let asked: Asked = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        self.house.explain(&asked).map(|known| json_of(&known))
    }

    /// Who this is, if he may.
    fn who(&self, deed: Deed, headers: &HeaderMap) -> Result<String, Box<Response<Body>>> {
        let policy = self.house.policy.load();
        let refuse = |status, word, what| Err(Box::new(error(status, word, what)));
        if page::says_so(headers) {
            return refuse(StatusCode::FORBIDDEN, "forbidden_op", PAGES);
        }
        match policy.operators.identify(headers) {
            Ok(Some(key)) => Ok(format!("admin.keys[{key}]")),
            Ok(None) if self.is_local => Ok("loopback".to_owned()),
            // It shows what /status shows, and changes nothing.
            Ok(None) if deed == Deed::Explain => Ok("-".to_owned()),
            Ok(None) => {
                let what = "This listener is not on loopback, and admin.keys has no key for it.";
                refuse(StatusCode::FORBIDDEN, "forbidden_op", what)
            }
            Err(why) => {
                let what = match why {
                    Unidentified::Missing => "Send one of admin.keys: Authorization: Bearer egk_….",
                    _ => "This is none of admin.keys.",
                };
                let mut response = error(StatusCode::UNAUTHORIZED, "unauthorized", what);
                let realm = HeaderValue::from_static("Bearer realm=\"easemob-gateway operators\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, realm);
                Err(Box::new(response))
            }
        }
    }
}
