//! What control requests carry, and what it means.
//!
//! A field that is not known is refused by the reader of JSON; what cannot be meant is refused here with a sentence.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{
    BatchForm, Breakage, Control, ExpiresIn, Fault, HoldAt, Matcher, TokenAnswer, TokenForm, Unauthorized,
};

/// An empty object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Latency {
    pub(super) ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Heads {
    pub(super) recorded: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ttl {
    pub(super) seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Room {
    pub(super) id: String,
    pub(super) owner: String,
    #[serde(default)]
    pub(super) members: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    enforced: Option<bool>,
    factor: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Behind {
    method: Option<String>,
    pub(super) path: String,
    #[serde(default)]
    pub(super) body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    leaves_out_missing: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    exact: bool,
    shape: Option<String>,
    times: Option<usize>,
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    answer: Option<String>,
    expires_in: Option<Value>,
    unit: Option<String>,
    #[serde(default)]
    without_expires_in: bool,
    dies_after_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Next {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    exact: bool,
    shape: Option<String>,
    times: Option<usize>,
    chance: Option<f64>,
    seed: Option<u64>,
    status: Option<u16>,
    body: Option<Value>,
    text: Option<String>,
    #[serde(default)]
    page: bool,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    retry_after: Option<u32>,
    unauthorized: Option<String>,
    breaks: Option<String>,
    every_ms: Option<u64>,
    reset: Option<String>,
    #[serde(default)]
    applied: bool,
}

impl Limits {
    pub(super) fn set(self, control: &Control) -> Result<(), String> {
        if self.factor.is_some_and(|factor| !(factor.is_finite() && factor > 0.0)) {
            return Err("factor must be above 0".into());
        }
        self.enforced.into_iter().for_each(|enforced| control.limits(enforced));
        self.factor.into_iter().for_each(|factor| control.limit_factor(factor));
        Ok(())
    }
}

impl Behind {
    pub(super) fn method(&self) -> Result<Method, String> {
        self.method.as_deref().map_or(Ok(Method::GET), method)
    }
}

impl Batch {
    pub(super) fn read(self) -> BatchForm {
        BatchForm { without: self.without, leaves_out_missing: self.leaves_out_missing }
    }
}

impl Hold {
    pub(super) fn read(self) -> Result<(Matcher, HoldAt), String> {
        let at = match self.at.as_deref() {
            None | Some("arrival") => HoldAt::Arrival,
            Some("answer") => HoldAt::Answer,
            Some(_) => return Err("at must be arrival or answer".into()),
        };
        let matcher = matcher(self.path, self.exact, self.shape)?;
        Ok((narrowed(matcher, self.method.as_deref(), self.times)?, at))
    }
}

impl Tokens {
    pub(super) fn read(self) -> Result<TokenForm, String> {
        let answer = match self.answer.as_deref() {
            None | Some("usual") => TokenAnswer::Usual,
            Some("empty") => TokenAnswer::Empty,
            Some("page") => TokenAnswer::Page,
            Some("without_token") => TokenAnswer::WithoutToken,
            Some(_) => return Err("answer must be usual, empty, page or without_token".into()),
        };
        let expires_in = match (self.expires_in, self.unit.as_deref(), self.without_expires_in) {
            (None, None | Some("life"), false) => ExpiresIn::Life,
            (None, Some("milliseconds"), false) => ExpiresIn::Milliseconds,
            (Some(value), None, false) => ExpiresIn::As(value),
            (None, None, true) => ExpiresIn::Missing,
            (None, Some(_), false) => return Err("unit must be life or milliseconds".into()),
            _ => return Err("one of expires_in, unit and without_expires_in, not several".into()),
        };
        Ok(TokenForm { answer, expires_in, dies_after: self.dies_after_ms.map(Duration::from_millis) })
    }
}

impl Next {
    pub(super) fn read(mut self) -> Result<(Matcher, Fault), String> {
        let mut matcher = matcher(self.path.take(), self.exact, self.shape.take())?;
        match (self.chance, self.seed) {
            (None, None) => {}
            (None, Some(_)) => return Err("a seed is of use only with a chance".into()),
            (Some(chance), seed) if (0.0..=1.0).contains(&chance) => {
                matcher = matcher.chance(chance, seed.unwrap_or_default());
            }
            (Some(_), _) => return Err("chance must be between 0 and 1".into()),
        }
        let matcher = narrowed(matcher, self.method.as_deref(), self.times)?;
        Ok((matcher, self.fault()?))
    }

    fn fault(self) -> Result<Fault, String> {
        let scripted = self.status.is_some() || self.unauthorized.is_some() || self.breaks.is_some();
        match (self.reset.as_deref(), scripted) {
            (None, _) => {}
            (Some("before"), false) => return Ok(Fault::ResetBefore),
            (Some("after"), false) => return Ok(Fault::ResetAfter),
            (Some("before" | "after"), true) => return Err("a reset has no answer".into()),
            (Some(_), _) => return Err("reset must be before or after".into()),
        }
        let mut fault = self.answer()?;
        for (name, value) in &self.headers {
            let name = name.parse::<HeaderName>().map_err(|_| format!("{name:?} is no header's name"))?;
            let value =
                value.parse::<HeaderValue>().map_err(|_| format!("{value:?} is no header's value"))?;
            fault = fault.header(name, value);
        }
        if let Some(seconds) = self.retry_after {
            fault = fault.retry_after(seconds);
        }
        if let Some(how) = self.breakage()? {
            fault = fault.breaking(how);
        }
        Ok(if self.applied { fault.after_effect() } else { fault })
    }

    fn answer(&self) -> Result<Fault, String> {
        let status =
            self.status.map(StatusCode::from_u16).transpose().map_err(|_| "status must be an HTTP status")?;
        let bodies = [self.body.is_some(), self.text.is_some(), self.page];
        if bodies.iter().filter(|given| **given).count() > 1 {
            return Err("one of body, text and page, not several".into());
        }
        match (status, &self.unauthorized) {
            (Some(_), Some(_)) => Err("a kind of 401 has its own status".into()),
            (None, _) if bodies.contains(&true) => Err("a body needs a status".into()),
            (None, Some(kind)) => named(&Unauthorized::ALL, "unauthorized", kind).map(Fault::unauthorized),
            (None, None) if self.breaks.is_none() => {
                Err("say what happens: status, unauthorized, breaks or reset".into())
            }
            // The kind of breakage is set afterwards.
            (None, None) => Ok(Fault::broken(Breakage::Reset)),
            (Some(status), None) => Ok(match (&self.body, &self.text) {
                (Some(body), _) => Fault::body(status, body.to_string()),
                (_, Some(text)) => Fault::body(status, text.clone()),
                _ if self.page => Fault::page(status),
                _ => Fault::status(status),
            }),
        }
    }

    fn breakage(&self) -> Result<Option<Breakage>, String> {
        let how = self.breaks.as_deref().map(|kind| named(&Breakage::ALL, "breaks", kind)).transpose()?;
        match (how, self.every_ms) {
            (Some(Breakage::Drip(_)), Some(ms)) => Ok(Some(Breakage::Drip(Duration::from_millis(ms)))),
            (_, Some(_)) => Err("every_ms belongs to drip".into()),
            (how, None) => Ok(how),
        }
    }
}

fn matcher(path: Option<String>, exact: bool, shape: Option<String>) -> Result<Matcher, String> {
    match (path, shape) {
        (Some(_), Some(_)) => Err("path or shape, not both".into()),
        (None, Some(shape)) => Ok(Matcher::shape(shape)),
        (path, None) if exact => Ok(Matcher::exactly(path.ok_or("exact needs a path")?)),
        (path, None) => Ok(Matcher::path(path.unwrap_or_default())),
    }
}

fn narrowed(mut matcher: Matcher, name: Option<&str>, times: Option<usize>) -> Result<Matcher, String> {
    if let Some(name) = name {
        matcher = matcher.method(method(name)?);
    }
    match times {
        Some(0) => Err("times must be at least 1".into()),
        Some(times) => Ok(matcher.times(times)),
        None => Ok(matcher),
    }
}

fn method(name: &str) -> Result<Method, String> {
    name.to_uppercase().parse().map_err(|_| "method must be an HTTP method".into())
}

/// The value of this name, or a sentence that says which names there are.
fn named<T: Copy>(all: &[(&str, T)], field: &str, name: &str) -> Result<T, String> {
    let found = all.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(own, _)| *own).collect();
        format!("{field} must be one of {}", names.join(", "))
    })
}
