//! What tests ask the vendor to do out of the ordinary: faults for the next calls, and calls that are held.
//!
//! A held call has arrived and was counted. It waits either before it touches the state or with its answer
//! in hand; that is how a test arranges any interleaving without sleeping.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{call::Call, json_response, reply::error_body};

/// Picks calls by method and by path (after `/{org}/{app}`, decoded, without the query).
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    method: Option<Method>,
    path: String,
    exact: bool,
    times: Option<usize>,
}

impl Matcher {
    /// Every call, token requests among them.
    pub fn any() -> Self {
        Self::default()
    }

    /// Calls whose path begins with `prefix`.
    pub fn path(prefix: impl Into<String>) -> Self {
        Self { path: prefix.into(), ..Self::default() }
    }

    /// Calls of exactly this path.
    pub fn exactly(path: impl Into<String>) -> Self {
        Self { path: path.into(), exact: true, ..Self::default() }
    }

    /// Only calls with this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// At most so many calls. Without it a fault is for one call, a hold for all of them.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    fn fits(&self, call: &Call) -> bool {
        let path = if self.exact { call.path == self.path } else { call.path.starts_with(&self.path) };
        path && self.method.as_ref().is_none_or(|method| *method == call.method)
    }
}

/// What happens to a call in place of the vendor's answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// An answer of the test's own.
    Answer {
        /// Its status.
        status: StatusCode,
        /// Headers in addition to the content type.
        headers: HeaderMap,
        /// Its body; `None` is an error body that suits the status.
        body: Option<Bytes>,
        /// Whether the call takes effect all the same.
        applied: bool,
    },
    /// The connection is dropped before the call takes effect.
    ResetBefore,
    /// The call takes effect, then the connection is dropped.
    ResetAfter,
}

impl Fault {
    /// An answer with the vendor's usual body for this status; the call takes no effect.
    pub fn status(status: StatusCode) -> Self {
        Self::Answer { status, headers: HeaderMap::new(), body: None, applied: false }
    }

    /// An answer with a body of one's own.
    pub fn body(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::Answer { status, headers: HeaderMap::new(), body: Some(body.into()), applied: false }
    }

    /// Adds a header to an answer.
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.insert(name, value);
        }
        self
    }

    /// Adds `Retry-After` to an answer.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Lets the call take effect although its answer is this one.
    pub fn after_effect(self) -> Self {
        match self {
            Self::Answer { status, headers, body, .. } => {
                Self::Answer { status, headers, body, applied: true }
            }
            Self::ResetBefore | Self::ResetAfter => Self::ResetAfter,
        }
    }

    pub(super) fn applies(&self) -> bool {
        matches!(self, Self::ResetAfter | Self::Answer { applied: true, .. })
    }

    /// The answer to give, if any.
    pub(super) fn response(&self, now: i64) -> Option<Response<Full<Bytes>>> {
        let Self::Answer { status, headers, body, .. } = self else {
            return None;
        };
        let mut response = match body {
            Some(bytes) => {
                let mut response = json_response(*status, &Value::Null);
                *response.body_mut() = Full::new(bytes.clone());
                response
            }
            None => json_response(*status, &usual_body(*status, now)),
        };
        headers.iter().for_each(|(name, value)| {
            response.headers_mut().insert(name, value.clone());
        });
        Some(response)
    }
}

fn usual_body(status: StatusCode, now: i64) -> Value {
    let (error, text) = match status.as_u16() {
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

/// Where a held call stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldAt {
    /// Before it is evaluated.
    Arrival,
    /// After it took effect, with the answer in hand.
    Answer,
}

/// Calls that are being held. They go on when this is released or dropped.
#[derive(Debug)]
pub struct Hold {
    gate: Gate,
}

impl Hold {
    /// Waits until `count` calls have been stopped by this hold, counting those that went on since.
    pub async fn arrived(&self, count: usize) {
        let mut arrivals = self.gate.arrived.subscribe();
        // The sender lives in `self`, so this cannot fail.
        let _ = arrivals.wait_for(|arrived| *arrived >= count).await;
    }

    /// How many calls this hold has stopped so far.
    pub fn count(&self) -> usize {
        *self.gate.arrived.borrow()
    }

    /// Lets the held calls go on and holds no more.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.gate.open.cancel();
    }
}

/// The side of a hold that calls wait at.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    open: CancellationToken,
    arrived: watch::Sender<usize>,
}

impl Gate {
    /// Reports the call as stopped, and waits for the release.
    pub(super) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        self.open.cancelled().await;
    }
}

/// The faults and holds that are still to come.
#[derive(Default)]
pub(super) struct Script {
    faults: Vec<(Matcher, Fault)>,
    holds: Vec<(Matcher, HoldAt, Gate)>,
}

impl Script {
    pub(super) fn next(&mut self, matcher: Matcher, fault: Fault) {
        self.faults.push((Matcher { times: matcher.times.or(Some(1)), ..matcher }, fault));
    }

    pub(super) fn hold(&mut self, matcher: Matcher, at: HoldAt) -> Hold {
        let gate = Gate { open: CancellationToken::new(), arrived: watch::Sender::new(0) };
        self.holds.push((matcher, at, gate.clone()));
        Hold { gate }
    }

    /// The fault that is meant for this call, if any: the one asked for first.
    pub(super) fn fault(&mut self, call: &Call) -> Option<Fault> {
        let index = self.faults.iter().position(|(matcher, _)| matcher.fits(call))?;
        let (matcher, fault) = &mut self.faults[index];
        let fault = fault.clone();
        if spend(matcher) {
            self.faults.remove(index);
        }
        Some(fault)
    }

    /// The gates that this call has to pass.
    pub(super) fn gates(&mut self, call: &Call) -> Vec<(HoldAt, Gate)> {
        self.holds.retain(|(_, _, gate)| !gate.open.is_cancelled());
        let mut gates = Vec::new();
        self.holds.retain_mut(|(matcher, at, gate)| {
            if !matcher.fits(call) {
                return true;
            }
            gates.push((*at, gate.clone()));
            !spend(matcher)
        });
        gates
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }
}

/// Takes one off the matcher's number of calls, and says whether that was the last.
fn spend(matcher: &mut Matcher) -> bool {
    matcher.times = matcher.times.map(|left| left.saturating_sub(1));
    matcher.times == Some(0)
}
