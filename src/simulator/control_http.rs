//! The control handle over HTTP, under `/_control/`, for `curl`.
//!
//! JSON in, JSON out; an empty body stands for an empty object. Paths are those after `/{org}/{app}`.
//!
//! - `GET counters`, `GET calls`
//! - `POST latency {ms}`, `POST limits {enforced?, factor?}`, `POST ttl {seconds}`
//! - `POST next {method?, path?, exact?, times?, status, body?, retry_after?, applied?}`, or `reset` as
//!   `"before"` or `"after"` in place of a status
//! - `POST hold {method?, path?, exact?, times?, at?}`, `at` being `"arrival"` or `"answer"`; `POST release`
//! - `POST behind {method?, path, body?}`, `POST room {id, owner, members?}`
//! - `POST revoke`, `POST seed`, `POST reset`
//!
//! Holds made here have no owner: one `release` lets go of all of them.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode, request::Parts};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::{Control, Fault, HoldAt, Matcher, json_response};

type Answer = Result<Value, String>;

/// Answers one control request.
pub(super) fn answer(control: &Control, head: &Parts, body: &Bytes) -> Response<Full<Bytes>> {
    let name = head.uri.path().trim_start_matches("/_control/");
    let fields = match fields(body) {
        Ok(fields) => fields,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, &why),
    };
    let answer = match (head.method.as_str(), name) {
        ("GET", "counters") => Ok(json!(control.counters())),
        ("GET", "calls") => Ok(json!(control.calls())),
        ("POST", "latency") => latency(control, &fields),
        ("POST", "limits") => limits(control, &fields),
        ("POST", "next") => next(control, &fields),
        ("POST", "hold") => hold(control, &fields),
        ("POST", "release") => Ok(json!({ "released": control.release_kept() })),
        ("POST", "behind") => behind(control, &fields),
        ("POST", "revoke") => {
            control.revoke_tokens();
            done()
        }
        ("POST", "ttl") => ttl(control, &fields),
        ("POST", "room") => room(control, &fields),
        ("POST", "seed") => {
            control.seed();
            done()
        }
        // Everything out of the ordinary ends; tokens and groups stay.
        ("POST", "reset") => {
            control.clear_faults();
            control.release_kept();
            control.latency(Duration::ZERO);
            control.reset_counters();
            done()
        }
        _ => return refuse(StatusCode::NOT_FOUND, "no such control"),
    };
    match answer {
        Ok(value) => json_response(StatusCode::OK, &value),
        Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
    }
}

fn latency(control: &Control, fields: &Map<String, Value>) -> Answer {
    let millis = fields.get("ms").and_then(Value::as_u64).ok_or("ms must be a number")?;
    control.latency(Duration::from_millis(millis));
    done()
}

fn limits(control: &Control, fields: &Map<String, Value>) -> Answer {
    if let Some(enforced) = fields.get("enforced").and_then(Value::as_bool) {
        control.limits(enforced);
    }
    if let Some(factor) = fields.get("factor").and_then(Value::as_f64) {
        control.limit_factor(factor);
    }
    done()
}

fn ttl(control: &Control, fields: &Map<String, Value>) -> Answer {
    let seconds = fields.get("seconds").and_then(Value::as_u64).ok_or("seconds must be a number")?;
    control.token_ttl(Duration::from_secs(seconds));
    done()
}

fn next(control: &Control, fields: &Map<String, Value>) -> Answer {
    let matcher = matcher(fields)?;
    let fault = match word(fields, "reset") {
        Some("before") => Fault::ResetBefore,
        Some("after") => Fault::ResetAfter,
        Some(_) => return Err("reset must be before or after".into()),
        None => scripted_answer(fields)?,
    };
    control.next(matcher, fault);
    done()
}

fn scripted_answer(fields: &Map<String, Value>) -> Result<Fault, String> {
    let status = fields.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.ok_or("status must be an HTTP status")?;
    let mut fault = match fields.get("body") {
        Some(body) => Fault::body(status, body.to_string()),
        None => Fault::status(status),
    };
    if let Some(seconds) = fields.get("retry_after").and_then(Value::as_u64) {
        fault = fault.retry_after(u32::try_from(seconds).unwrap_or(u32::MAX));
    }
    let applied = fields.get("applied").and_then(Value::as_bool).unwrap_or_default();
    Ok(if applied { fault.after_effect() } else { fault })
}

fn hold(control: &Control, fields: &Map<String, Value>) -> Answer {
    let at = match word(fields, "at") {
        None | Some("arrival") => HoldAt::Arrival,
        Some("answer") => HoldAt::Answer,
        Some(_) => return Err("at must be arrival or answer".into()),
    };
    control.keep(control.hold(matcher(fields)?, at));
    done()
}

fn behind(control: &Control, fields: &Map<String, Value>) -> Answer {
    let path = word(fields, "path").ok_or("path must be given")?;
    let body = fields.get("body").cloned().unwrap_or_default();
    let (status, body) = control.behind(method(fields)?.unwrap_or(Method::GET), path, body);
    Ok(json!({ "status": status.as_u16(), "body": body }))
}

fn room(control: &Control, fields: &Map<String, Value>) -> Answer {
    let id = word(fields, "id").ok_or("id must be given")?;
    let owner = word(fields, "owner").ok_or("owner must be given")?;
    let members = fields.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let members: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
    control.add_room(id, owner, &members);
    done()
}

fn matcher(fields: &Map<String, Value>) -> Result<Matcher, String> {
    let path = word(fields, "path").unwrap_or_default();
    let exact = fields.get("exact").and_then(Value::as_bool).unwrap_or_default();
    let mut matcher = if exact { Matcher::exactly(path) } else { Matcher::path(path) };
    if let Some(method) = method(fields)? {
        matcher = matcher.method(method);
    }
    if let Some(times) = fields.get("times").and_then(Value::as_u64) {
        matcher = matcher.times(usize::try_from(times).unwrap_or(usize::MAX));
    }
    Ok(matcher)
}

fn method(fields: &Map<String, Value>) -> Result<Option<Method>, String> {
    let Some(name) = word(fields, "method") else {
        return Ok(None);
    };
    name.to_uppercase().parse().map(Some).map_err(|_| "method must be an HTTP method".into())
}

fn word<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn fields(body: &Bytes) -> Result<Map<String, Value>, String> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn done() -> Answer {
    Ok(json!({ "ok": true }))
}

fn refuse(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    json_response(status, &json!({ "error": why }))
}
