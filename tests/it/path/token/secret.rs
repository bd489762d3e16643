//! The app token is told to the vendor and to nobody else, nor is the secret or a caller's key.

use crate::path::callers::{key_of, with_callers};
use crate::support::lines::Lines;
use crate::support::world::{World, request};
use easemob_gateway::body::Body;
use easemob_gateway::simulator::{Fault, Matcher, SAMPLE_GROUPS};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_any_answer_line_metric_or_debug_output() {
    let lines = Lines::at("trace");
    let mut told = String::new();
    let mut secrets = vec!["demo-secret".to_owned(), key_of("orders")];
    for refused in [false, true] {
        let callers = |config: &mut _| {
            with_callers(config, "[[callers]]\nname = \"orders\"\nallow = [\"*\", \"token.user\"]\n")
        };
        let (world, tap) = World::tapped(5, |_, _| {}, callers, |_| {});
        if refused {
            world.vendor.next(Matcher::path("/chatgroups"), Fault::status(StatusCode::UNAUTHORIZED));
        }
        for request in traffic() {
            let reply = world.send(request).await;
            told += &format!("{:?}\n", reply.headers);
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            // A caller's own key is his to be told.
            told += &body.replace(&key_of("orders"), "his own key");
        }
        let sent = tap.calls();
        assert!(sent.len() > 5, "they reached the vendor");
        secrets.extend(sent.iter().map(|sent| sent.header("authorization")["Bearer ".len()..].to_owned()));
        told += &format!("{:?} {:?} {}", world.parts, world.gateway, world.metrics());
        told += &format!("{:?}", world.parts.house.tokens.current());
    }
    told += &lines.text();
    assert!(lines.text().contains("token granted"), "the lines were caught");
    secrets.sort_unstable();
    secrets.dedup();
    assert!(secrets.len() >= 5, "both worlds' tokens, the renewed one, the secret and the key");
    for secret in secrets {
        assert!(secret.len() > 10, "{secret}");
        let at = told.find(&secret);
        assert!(at.is_none(), "a secret in: {}", &told[at.unwrap().saturating_sub(300)..at.unwrap()]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_repeats_the_secret_makes_it_known_to_nobody() {
    let lines = Lines::at("trace");
    let world = World::new();
    let text = "client_secret 'demo-secret' does not match";
    let body = json!({"error": "invalid_grant", "error_description": text}).to_string();
    world.vendor.next(Matcher::exactly("/token"), Fault::body(StatusCode::BAD_REQUEST, body));
    let reply = world.send(request(Method::GET, "/chatgroups", None)).await;
    assert_eq!(reply.refusal(), "no_token");
    let report = world.parts.house.tokens.report();
    let told = format!("{} {:?} {report:?} {}", lines.text(), reply, world.metrics());
    assert!(told.contains("does not match"), "the vendor's words are told: {told}");
    assert!(!told.contains("demo-secret"), "{told}");
}

fn traffic() -> Vec<Request<Body>> {
    let group = SAMPLE_GROUPS[0];
    let by = |method: Method, path: &str, body: Option<Value>| {
        let mut request = request(method, path, body);
        let bearer = format!("Bearer {}", key_of("orders")).parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        request
    };
    let mute = json!({"usernames": ["carol"], "mute_duration": 60_000});
    let local = json!({
        "grant_type": "client_credentials", "client_id": "orders", "client_secret": key_of("orders"),
    });
    let mut wrong = local.clone();
    wrong["client_id"] = json!("nobody");
    let user = json!({"grant_type": "inherit", "username": "alice"});
    vec![
        by(Method::GET, &format!("/chatgroups/{group}"), None),
        by(Method::GET, &format!("/chatgroups/{group}"), None),
        by(Method::POST, &format!("/chatgroups/{group}/mute"), Some(mute)),
        by(Method::GET, &format!("/chatgroups/{group}/mute?a=b"), None),
        by(Method::GET, "/chatgroups/0", None),
        by(Method::GET, "/elsewhere", None),
        by(Method::POST, "/elsewhere", Some(json!({}))),
        by(Method::PATCH, "/chatgroups/7", None),
        by(Method::GET, "/../x", None),
        by(Method::GET, "/token", None),
        by(Method::POST, "/token", Some(user)),
        request(Method::POST, "/token", Some(local)),
        request(Method::POST, "/token", Some(wrong)),
        request(Method::GET, "/chatgroups", None),
    ]
}
