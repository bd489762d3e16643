//! What may happen to a call in place of the vendor's usual answer.
//!
//! A fault says two things: which answer there is (the vendor's own, or one of the test's), and what becomes of it
//! on its way ([`Breakage`]). Whether the call takes effect is a third, so that a lost answer can be that of a
//! write that was done or of one that was not.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{breakage::Breakage, json_response, reply::error_body, tokens::Unauthorized};

/// What happens to a call in place of the vendor's answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection is reset before the call takes effect.
    ResetBefore,
    /// The call takes effect, then the connection is reset.
    ResetAfter,
    /// Another answer, or one that breaks on its way.
    Answer(Scripted),
}

/// An answer as a test wants it.
#[derive(Clone, Debug)]
pub struct Scripted {
    content: Content,
    headers: HeaderMap,
    breaks: Option<Breakage>,
    applied: bool,
}

#[derive(Clone, Debug)]
enum Content {
    /// What the vendor would say.
    Own,
    /// The vendor's usual error for this status.
    Usual(StatusCode),
    /// This refusal of a token.
    Unauthorized(Unauthorized),
    /// These bytes, of this type.
    Bytes(StatusCode, Bytes, HeaderValue),
}

const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Try again later</h1></body></html>\n";

impl Fault {
    /// An answer with the vendor's usual body for this status; the call takes no effect.
    pub fn status(status: StatusCode) -> Self {
        Self::scripted(Content::Usual(status))
    }

    /// An answer with a body of one's own, which calls itself JSON; the call takes no effect.
    pub fn body(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let json = HeaderValue::from_static("application/json;charset=UTF-8");
        Self::scripted(Content::Bytes(status, body.into(), json))
    }

    /// A page of HTML, as a proxy on the way shows it; the call takes no effect.
    pub fn page(status: StatusCode) -> Self {
        let html = HeaderValue::from_static("text/html");
        Self::scripted(Content::Bytes(status, Bytes::from_static(PAGE.as_bytes()), html))
    }

    /// A refusal of the token, in the vendor's words; the call takes no effect.
    pub fn unauthorized(kind: Unauthorized) -> Self {
        Self::scripted(Content::Unauthorized(kind))
    }

    /// The vendor's own answer, which breaks on its way. A read is answered as ever; a write takes no effect
    /// without [`Self::after_effect`], and the answer that breaks is then a success without data.
    pub fn broken(how: Breakage) -> Self {
        Self::scripted(Content::Own).breaking(how)
    }

    /// Lets this answer break on its way.
    pub fn breaking(mut self, how: Breakage) -> Self {
        if let Self::Answer(scripted) = &mut self {
            scripted.breaks = Some(how);
        }
        self
    }

    /// Adds a header to an answer.
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        if let Self::Answer(scripted) = &mut self {
            scripted.headers.append(name, value);
        }
        self
    }

    /// Adds `Retry-After` to an answer.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Lets the call take effect all the same.
    pub fn after_effect(self) -> Self {
        match self {
            Self::Answer(scripted) => Self::Answer(Scripted { applied: true, ..scripted }),
            Self::ResetBefore | Self::ResetAfter => Self::ResetAfter,
        }
    }

    /// The status of the answer, if it is not the vendor's own.
    pub fn status_said(&self) -> Option<StatusCode> {
        let Self::Answer(Scripted { content, .. }) = self else { return None };
        match content {
            Content::Own => None,
            Content::Usual(status) | Content::Bytes(status, ..) => Some(*status),
            Content::Unauthorized(_) => Some(StatusCode::UNAUTHORIZED),
        }
    }

    fn scripted(content: Content) -> Self {
        Self::Answer(Scripted { content, headers: HeaderMap::new(), breaks: None, applied: false })
    }

    /// Whether the operation is to be performed: for its effect, or because a read's own answer is wanted.
    pub(super) fn performs(&self, method: &Method) -> bool {
        match self {
            Self::ResetBefore => false,
            Self::ResetAfter => true,
            Self::Answer(scripted) => {
                scripted.applied || (matches!(scripted.content, Content::Own) && *method == Method::GET)
            }
        }
    }

    pub(super) fn breaks(&self) -> Option<Breakage> {
        match self {
            Self::ResetBefore | Self::ResetAfter => Some(Breakage::Reset),
            Self::Answer(scripted) => scripted.breaks,
        }
    }

    /// The answer to give; `own` is the vendor's, if the operation was performed.
    pub(super) fn response(&self, own: Option<Response<Full<Bytes>>>, now: i64) -> Response<Full<Bytes>> {
        let Self::Answer(Scripted { content, headers, .. }) = self else {
            return Response::default();
        };
        let mut response = match content {
            Content::Own => own.unwrap_or_else(|| nothing_done(now)),
            Content::Usual(status) => json_response(*status, &usual_body(*status, now)),
            Content::Unauthorized(kind) => kind.failure().into_response(now),
            Content::Bytes(status, bytes, kind) => {
                let mut response = Response::new(Full::new(bytes.clone()));
                *response.status_mut() = *status;
                response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
                response
            }
        };
        for name in headers.keys() {
            response.headers_mut().remove(name);
        }
        headers.iter().for_each(|(name, value)| {
            response.headers_mut().append(name, value.clone());
        });
        response
    }
}

/// What a write says that was not performed, but whose answer is to break: a success, or nothing could break.
fn nothing_done(now: i64) -> Response<Full<Bytes>> {
    json_response(StatusCode::OK, &json!({ "data": {}, "timestamp": now, "duration": 0 }))
}

fn usual_body(status: StatusCode, now: i64) -> Value {
    let (error, text) = match status.as_u16() {
        200..=299 => return json!({ "data": {}, "timestamp": now, "duration": 0 }),
        401 => ("unauthorized", "Unable to authenticate (OAuth)"),
        403 => ("forbidden_op", "forbidden operation"),
        404 => ("service_resource_not_found", "Service resource not found"),
        429 => ("reach_limit", "This request has reached api limit"),
        400..=499 => ("illegal_argument", "this is an invalid request."),
        503 => ("service_unavailable", "Service Unavailable"),
        _ => ("web_application", "javax.ws.rs.WebApplicationException"),
    };
    error_body(error, text, now)
}
