//! One incoming call, taken apart: path segments, query, body.
//!
//! Segments are decoded here, so that `a,b` and `a%2Cb` are the same list everywhere else. User ids are
//! lower-cased when they are read, since the vendor compares them without regard to case.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::reply::Failure;

/// A call as it arrived, before anyone asked what it means.
pub(super) struct Call {
    pub(super) method: Method,
    /// Path after `/{org}/{app}`, decoded.
    pub(super) path: String,
    /// Path and query as they were sent.
    pub(super) target: String,
    pub(super) segments: Vec<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    query: Vec<(String, String)>,
    /// The address that replies repeat as `uri`: without the query.
    pub(super) uri: String,
    /// The address up to and including the app.
    pub(super) base: String,
}

impl Call {
    /// Takes a request apart; `None` if it is for another org or app.
    pub(super) fn new(org: &str, app: &str, head: &Parts, body: Bytes) -> Option<Self> {
        let raw = head.uri.path();
        let mut parts = raw.strip_prefix('/')?.split('/');
        if parts.next().map(decode)? != org || parts.next().map(decode)? != app {
            return None;
        }
        let segments: Vec<String> = parts.filter(|part| !part.is_empty()).map(decode).collect();
        let host = host(&head.uri, &head.headers);
        Some(Self {
            method: head.method.clone(),
            path: format!("/{}", segments.join("/")),
            target: head.uri.path_and_query().map_or_else(|| raw.to_owned(), ToString::to_string),
            segments,
            headers: head.headers.clone(),
            body,
            query: head.uri.query().map(pairs).unwrap_or_default(),
            uri: format!("http://{host}{raw}"),
            base: format!("http://{host}/{org}/{app}"),
        })
    }

    /// A query parameter; one that is present but empty counts as absent.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A numeric query parameter, brought into its range; what is no number counts as absent.
    pub(super) fn number(&self, name: &str, default: usize, range: std::ops::RangeInclusive<usize>) -> usize {
        let asked = self.query(name).and_then(|value| value.parse().ok()).unwrap_or(default);
        asked.clamp(*range.start(), *range.end())
    }

    /// The query as replies repeat it: every name with a list of values.
    pub(super) fn params(&self) -> Value {
        let mut params = Map::new();
        for (name, value) in &self.query {
            if let Some(values) = params.entry(name.clone()).or_insert_with(|| json!([])).as_array_mut() {
                values.push(json!(value));
            }
        }
        Value::Object(params)
    }

    /// The body as a JSON object, whatever its label says: some clients label JSON as form data.
    pub(super) fn json(&self) -> Result<Map<String, Value>, Failure> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Failure::json_parse("the body is not an object")),
            Err(error) => Err(Failure::json_parse(&error.to_string())),
        }
    }
}

/// What a handler gets: the call, and the names that the router found in its path.
pub(super) struct Asked<'a> {
    pub(super) call: &'a Call,
    pub(super) first: &'a str,
    pub(super) second: &'a str,
}

impl Asked<'_> {
    /// The second name of the path as a user id.
    pub(super) fn user(&self) -> String {
        self.second.to_lowercase()
    }

    /// The second name of the path as a list of user ids.
    pub(super) fn users(&self) -> Vec<String> {
        self.second.split(',').map(str::trim).filter(|user| !user.is_empty()).map(str::to_lowercase).collect()
    }

    /// The list of user ids that the body carries under `field`.
    pub(super) fn body_users(&self, field: &str) -> Result<Vec<String>, Failure> {
        let body = self.call.json()?;
        match body.get(field) {
            Some(Value::Array(users)) if !users.is_empty() => {
                Ok(users.iter().filter_map(text).map(lower).collect())
            }
            _ => Err(Failure::invalid(format!("{field} must be provided"))),
        }
    }
}

/// A JSON string or number as text: group and message ids come as either.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn lower(user: String) -> String {
    user.to_lowercase()
}

fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(&value.replace('+', " ")))
        })
        .collect()
}

fn host(uri: &Uri, headers: &HeaderMap) -> String {
    let header = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or(header);
    host.unwrap_or("simulator.invalid").to_owned()
}
