//! The control handle over HTTP, under `/_control/`, for `curl`.
//!
//! JSON in, JSON out; an empty body stands for an empty object, and a field that is not listed is refused. Paths
//! are those after `/{org}/{app}`; `times`, `ms` and the like are whole numbers.
//!
//! - `GET counters`, `GET calls`, `GET connections`, `GET ambiguities`, `GET windows?ms=1000`: what has come;
//!   `POST heads {recorded}` says whether heads of new connections are recorded
//! - `POST next {…}`: what happens to the next calls that match. Which calls: `method?`, `path?`, `exact?`, `shape?`,
//!   `times?`, `chance?` (0 to 1; then for all calls, unless `times` is given), `seed?`. What: `status` with `body?`
//!   (JSON), `text?` or `page?` (HTML), `headers?`, `retry_after?`; or `unauthorized` with a kind; or none of these
//!   for the vendor's own answer. How it breaks: `breaks?` with a kind, and `every_ms?` for `drip`. Whether the call
//!   takes effect: `applied?`. `reset` (`"before"` or `"after"`) is short for a break
//! - `POST hold {method?, path?, exact?, shape?, times?, at?}`, `at` being `"arrival"` or `"answer"`; `POST release`
//!   lets go of all holds made here, and of all answers that stall
//! - `POST latency {ms}`, `POST limits {enforced?, factor?}`
//! - `POST ttl {seconds}`, `POST revoke`, `POST tokens {answer?, expires_in?, unit?, without_expires_in?,
//!   dies_after_ms?}`: how tokens are granted from now on, `answer` being `"usual"`, `"empty"`, `"page"` or
//!   `"without_token"`, `expires_in` any JSON, `unit` `"life"` or `"milliseconds"`
//! - `POST batch {without?, leaves_out_missing?}`: how details of several groups look from now on
//! - `POST behind {method?, path, body?}`, `POST room {id, owner, members?}`, `POST seed`
//! - `POST reset`: everything out of the ordinary ends, and counters begin anew; tokens and groups stay
//!
//! Holds made here have no owner: one `release` lets go of all of them.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Control, TokenForm, control_forms as form, json_response};

type Answer = Result<Value, String>;

/// Answers one control request.
pub(super) fn answer(control: &Control, head: &Parts, body: &Bytes) -> Response<Full<Bytes>> {
    let name = head.uri.path().trim_start_matches("/_control/");
    let answer = match head.method.as_str() {
        "GET" => look(control, name, head.uri.query().unwrap_or_default()),
        "POST" => change(control, name, body),
        _ => None,
    };
    match answer {
        Some(Ok(value)) => json_response(StatusCode::OK, &value),
        Some(Err(why)) => refuse(StatusCode::BAD_REQUEST, &why),
        None => refuse(StatusCode::NOT_FOUND, "no such control"),
    }
}

fn look(control: &Control, name: &str, query: &str) -> Option<Answer> {
    Some(match name {
        "counters" => Ok(json!(control.counters())),
        "calls" => Ok(json!(control.calls())),
        "connections" => Ok(json!(control.connections())),
        "ambiguities" => Ok(json!(control.ambiguities())),
        "windows" => match query.strip_prefix("ms=").map(str::parse) {
            Some(Ok(ms)) => Ok(json!(control.windows(Duration::from_millis(ms)))),
            _ => Err("say how long a window is: windows?ms=1000".into()),
        },
        _ => return None,
    })
}

fn change(control: &Control, name: &str, body: &Bytes) -> Option<Answer> {
    Some(match name {
        "latency" => given(body, |form::Latency { ms }| {
            control.latency(Duration::from_millis(ms));
            done()
        }),
        "limits" => given(body, |limits: form::Limits| limits.set(control).and_then(|()| done())),
        "next" => given(body, |next: form::Next| {
            let (matcher, fault) = next.read()?;
            control.next(matcher, fault);
            done()
        }),
        "hold" => given(body, |hold: form::Hold| {
            let (matcher, at) = hold.read()?;
            control.keep(control.hold(matcher, at));
            done()
        }),
        "release" => given(body, |form::Nothing {}| {
            control.release_stalls();
            Ok(json!({ "released": control.release_kept() }))
        }),
        "heads" => given(body, |form::Heads { recorded }| {
            control.raw_heads(recorded);
            done()
        }),
        "behind" => given(body, |behind: form::Behind| {
            let (status, body) = control.behind(behind.method()?, &behind.path, behind.body);
            Ok(json!({ "status": status.as_u16(), "body": body }))
        }),
        "ttl" => given(body, |form::Ttl { seconds }| {
            control.token_ttl(Duration::from_secs(seconds));
            done()
        }),
        "tokens" => given(body, |tokens: form::Tokens| {
            control.token_form(tokens.read()?);
            done()
        }),
        "batch" => given(body, |batch: form::Batch| {
            control.batch(batch.read());
            done()
        }),
        "room" => given(body, |form::Room { id, owner, members }| {
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            control.add_room(&id, &owner, &members);
            done()
        }),
        _ => return plain_change(control, name, body),
    })
}

/// Changes of which nothing can be said but that they are wanted.
fn plain_change(control: &Control, name: &str, body: &Bytes) -> Option<Answer> {
    let act: fn(&Control) = match name {
        "revoke" => Control::revoke_tokens,
        "seed" => Control::seed,
        "reset" => |control| {
            control.clear_faults();
            control.release_kept();
            control.release_stalls();
            control.latency(Duration::ZERO);
            control.token_form(TokenForm::default());
            control.reset_counters();
        },
        _ => return None,
    };
    Some(given(body, |form::Nothing {}| {
        act(control);
        done()
    }))
}

/// Reads what was given, and does something with it.
fn given<T: DeserializeOwned>(body: &Bytes, then: impl FnOnce(T) -> Answer) -> Answer {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    // An object first: a list would be taken for one without names.
    let object: Map<String, Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    then(T::deserialize(Value::Object(object)).map_err(|error| error.to_string())?)
}

fn done() -> Answer {
    Ok(json!({ "ok": true }))
}

fn refuse(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    json_response(status, &json!({ "error": why }))
}
