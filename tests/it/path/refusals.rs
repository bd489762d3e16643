//! Every way in which the gateway says no: one test for each row of the table, and all bodies as people see them.
//!
//! What is refused here has cost nothing: no call, no permit.

mod paths;

use crate::support::tap::Tap;
use crate::support::world::{APP, Reply, World, read, request};
use easemob_gateway::body::{Body, BodyError};
use easemob_gateway::config::{Config, Unlisted};
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_GROUPS, Simulator};
use easemob_gateway::units::ByteSize;
use easemob_gateway::upstream::{SendError, Upstream};
use futures_util::FutureExt;
use http::{Method, Request, StatusCode};
use http_body_util::StreamBody;
use serde_json::{Value, json};
use std::time::Duration;

/// The statuses that the vendor's clients know.
const KNOWN: [u16; 12] = [400, 401, 403, 404, 405, 413, 415, 429, 500, 502, 503, 504];

/// A refusal of ours: status, the vendor's word, the reason, and the shape that clients parse.
#[track_caller]
pub(super) fn assert_refused(reply: &Reply, status: u16, error: &str, reason: &str) {
    let said = reply.json();
    assert_eq!((reply.status.as_u16(), reply.refusal()), (status, reason), "{said}");
    assert_eq!(said["error"], error);
    let members: Vec<&str> = said.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["duration", "error", "error_description", "timestamp"]);
    assert!(!said["error_description"].as_str().unwrap().is_empty());
    assert!(said["duration"].is_u64());
    assert!(said["timestamp"].as_u64().unwrap() > 1_600_000_000_000, "milliseconds");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(KNOWN.contains(&status));
    let waiting_helps = [429, 503].contains(&status);
    let after = reply.header("retry-after").parse::<u64>().ok();
    assert_eq!(after.is_some_and(|after| after >= 1), waiting_helps, "{:?}", reply.headers);
}

/// What came of one scene: the answer, and how many calls the vendor saw for it.
struct Scene {
    reply: Reply,
    calls: usize,
}

macro_rules! rows {
    ($($name:ident: $status:literal $error:literal $calls:literal;)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            let scene = scenes::$name().await;
            assert_refused(&scene.reply, $status, $error, stringify!($name));
            assert_eq!(scene.calls, $calls, "calls that were spent");
        })*

        #[tokio::test(start_paused = true)]
        async fn all_as_people_see_them() {
            let mut page = String::new();
            $(page += &as_seen(scenes::$name().await.reply);)*
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("../snapshots");
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| insta::assert_snapshot!("refusals", page));
        }
    };
}

rows! {
    full: 503 "service_unavailable" 0;
    flight_full: 503 "service_unavailable" 0;
    unidentified: 401 "unauthorized" 0;
    vendor_token: 401 "unauthorized" 0;
    origin: 403 "forbidden_op" 0;
    host: 403 "forbidden_op" 0;
    forbidden: 403 "forbidden_op" 0;
    caller_limited: 429 "reach_limit" 0;
    unknown_app: 404 "organization_application_not_found" 0;
    unknown_endpoint: 404 "service_resource_not_found" 0;
    wrong_method: 405 "method_not_allowed" 0;
    ambiguous_path: 400 "illegal_argument" 0;
    bad_target: 400 "illegal_argument" 0;
    malformed_body: 400 "json_parse" 0;
    body_too_large: 413 "request_too_large" 0;
    body_encoded: 415 "unsupported_media_type" 0;
    body_cut: 400 "illegal_argument" 0;
    bad_grant: 400 "invalid_grant" 0;
    too_heavy: 400 "illegal_argument" 0;
    uncountable: 400 "illegal_argument" 0;
    budget_spent: 429 "reach_limit" 0;
    not_kept: 504 "gateway_timeout" 0;
    no_token: 503 "service_unavailable" 0;
    send_again: 503 "service_unavailable" 1;
    token_refused: 502 "bad_gateway" 2;
    unreachable: 502 "bad_gateway" 1;
    timed_out: 504 "gateway_timeout" 1;
    broken: 500 "internal_error" 0;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_how_long_it_took() {
    let scene = scenes::timed_out().await;
    assert_eq!(scene.reply.json()["duration"], 10_000, "vendor.first_byte_timeout");
    assert_eq!(scenes::unidentified().await.reply.json()["duration"], 0);
}

fn as_seen(reply: Reply) -> String {
    let mut said = reply.json();
    said["timestamp"] = json!("(now)");
    let headers = ["retry-after", "allow", "www-authenticate", "ratelimit", "ratelimit-policy"];
    let headers: Vec<String> = headers
        .iter()
        .filter(|name| reply.headers.contains_key(**name))
        .map(|name| format!("{name}: {}\n", reply.header(name)))
        .collect();
    format!("{} {}\n{}{said}\n\n", reply.status.as_u16(), reply.refusal(), headers.concat())
}

fn group() -> String {
    format!("/chatgroups/{}", SAMPLE_GROUPS[0])
}

mod scenes;
