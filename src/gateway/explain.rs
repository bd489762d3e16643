//! What would become of a request: the way of `at_once`, walked without going anywhere.
//!
//! The same functions as the path's own say what it is, whether it may and what is kept; nothing is sent, spent or
//! counted. What only a body or the vendor can tell is not foreseen.

use super::call::{self, Call};
use super::refusal::Refusal;
use super::{House, Policy, grant, right};
use crate::body::Body;
use crate::cache::{Entry, Stamp};
use crate::catalogue::pointer::Collected;
use crate::catalogue::{Effect, Read};
use crate::clock;
use crate::exchange::Exchange;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A request as it is described.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default)]
    method: Option<String>,
    path: String,
    /// The name of a caller; without one the rules for callers are not looked at.
    caller: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

/// What is known of it so far.
type Known = serde_json::Map<String, Value>;

impl House {
    /// Explains a request.
    ///
    /// # Errors
    /// What cannot be understood in the description, for people.
    pub fn explain(&self, asked: &Asked) -> Result<Value, String> {
        let policy = self.policy.load();
        let caller = match &asked.caller {
            Some(name) => {
                Some(policy.callers.named(name).ok_or_else(|| format!("there is no caller {name:?}"))?)
            }
            None => None,
        };
        let mut known = Known::new();
        known.insert("epoch".to_owned(), json!(self.cache.epochs.now().0));
        if let Err(refusal) = self.walk(&policy, request(asked)?, (asked, caller), &mut known) {
            let (row, why) = (refusal.row(), refusal.description());
            let (status, error, reason) = (row.status.as_u16(), row.error, row.reason);
            let refused = json!({ "status": status, "error": error, "reason": reason, "why": why });
            known.insert("refused".to_owned(), refused);
        }
        Ok(Value::Object(known))
    }

    fn walk(
        &self,
        policy: &Policy,
        request: Request<Body>,
        (asked, caller): (&Asked, Option<u16>),
        known: &mut Known,
    ) -> Result<(), Refusal> {
        call::check_target(&request)?;
        if grant::is_for(&request, &policy.settings.prefix) {
            known.insert("endpoint".to_owned(), json!("token"));
            known.insert("effect".to_owned(), json!("answered here, for callers"));
            return Ok(());
        }
        let mut exchange = Exchange::new(clock::now(), request.method().clone());
        let came = self.cache.epochs.now();
        let mut call = Call::classify(&self.catalogue, &policy.settings, request, came, &mut exchange)?;
        let row = &self.catalogue[call.subject.endpoint];
        known.insert("endpoint".to_owned(), json!(row.endpoint.name));
        known.insert("effect".to_owned(), json!(row.endpoint.effect.as_str()));
        known.insert("pools".to_owned(), self.pools_of(&call));
        if caller.is_some() || policy.callers.is_open() {
            right(self, policy, caller, &call)?;
        }
        call.check_head(&policy.settings)?;
        let body = self.body_of(&call, asked.body.as_bytes())?;
        call.subject.check_tags(&self.catalogue, body.as_ref())?;
        let values = call.subject.values(body.as_ref(), None);
        let tags = match &row.endpoint.effect {
            Effect::Write(_) => self.catalogue.touches(call.subject.endpoint, &values),
            _ => self.catalogue.tags(call.subject.endpoint, &values),
        };
        known.insert("tags".to_owned(), json!(tags.names));
        // What else it is about stands in an answer, or in a body that does not say it.
        known.insert("tags_are_all".to_owned(), json!(!tags.unclear));
        if let Effect::Read(read) = &row.endpoint.effect {
            call.name(self, read, read.by_body.then_some(asked.body.as_bytes()));
            let kept = call.key.as_ref().and_then(|key| self.cache.find(key));
            known.insert("memory".to_owned(), self.memory_of(&call, read, kept.as_deref()));
            if call.directives.only_if_cached && kept.is_none() && read.by_entity.is_none() {
                return Err(Refusal::NotKept);
            }
        }
        Ok(())
    }

    /// What the body says that tags need.
    fn body_of(&self, call: &Call, body: &[u8]) -> Result<Option<Collected>, Refusal> {
        let Some(pointers) = &self.catalogue[call.subject.endpoint].tags.body else { return Ok(None) };
        let malformed = |error: serde_json::Error| Refusal::Malformed(error.to_string());
        (!body.is_empty()).then(|| pointers.collect(body).map_err(malformed)).transpose()
    }

    /// What each of its limits has left, and how long one who came now would wait.
    fn pools_of(&self, call: &Call) -> Value {
        let pools = &self.pools[usize::from(call.subject.endpoint.0)];
        let pools = pools.iter().map(|pool| {
            let state = self.limits.state(*pool);
            json!({
                "name": &*state.name, "rate": state.rate.to_string(),
                "left": state.size.saturating_sub(state.inside), "waiting": state.waiting,
                "wait_ms": state.wait.as_millis() as u64,
            })
        });
        pools.collect()
    }

    /// Whether it could be answered from memory.
    fn memory_of(&self, call: &Call, read: &Read, kept: Option<&Entry>) -> Value {
        let Some(key) = &call.key else {
            let why = "not with this path, query or Cache-Control";
            return json!({ "may_be_kept": false, "why": why });
        };
        let now = clock::now();
        let kept = kept.map(|entry| {
            let Entry { fetched, deadline, status, stamp: Stamp(stamp), .. } = *entry;
            json!({
                "status": status, "stamp": stamp, "bytes": entry.body().len(),
                "age_ms": now.saturating_duration_since(fetched).as_millis() as u64,
                "fresh_for_ms": deadline.saturating_duration_since(now).as_millis() as u64,
            })
        });
        let mut name = String::new();
        for byte in key.bytes() {
            // Our own digits and a digest stand beside what can be read.
            let _ = match byte {
                b'!'..=b'~' => write!(name, "{}", char::from(*byte)),
                _ => write!(name, "\\{byte:02x}"),
            };
        }
        json!({
            "may_be_kept": true, "key": name, "kept": kept, "piece_by_piece": read.by_entity.is_some(),
            "in_doubt": self.in_doubt(call),
        })
    }

    /// Whether an answer that was fetched now would not be kept.
    fn in_doubt(&self, call: &Call) -> bool {
        let tags = self.catalogue.tags(call.subject.endpoint, &call.subject.values(None, None));
        self.cache.doubts.about(self.cache.slots(&tags.names).into_iter(), clock::now())
    }
}

/// The request that is described.
fn request(asked: &Asked) -> Result<Request<Body>, String> {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("gateway"));
    for (name, value) in &asked.headers {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("no header is called {name:?}"))?;
        let value =
            HeaderValue::from_str(value).map_err(|_| format!("the value of {name} cannot be sent"))?;
        headers.insert(name, value);
    }
    let method = asked.method.as_deref().unwrap_or("GET");
    let mut request = Request::new(match asked.body.as_str() {
        "" => Body::Empty,
        body => Body::Kept(Bytes::copy_from_slice(body.as_bytes())),
    });
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|_| format!("{method:?} is no method"))?;
    *request.uri_mut() = asked.path.parse::<Uri>().map_err(|_| format!("{:?} is no path", asked.path))?;
    *request.headers_mut() = headers;
    Ok(request)
}
