//! Token requests of the vendor's client libraries, answered by the gateway: a caller's own key, never the app's.
//!
//! What the vendor would say is asked of the stand-in, not of the gateway.

use super::callers::{key_of, with_callers};
use super::refusals::assert_refused;
use crate::support::lines::Lines;
use crate::support::world::{APP, Reply, World, request};
use easemob_gateway::body::Body;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::{Method, Request};
use serde_json::{Value, json};

const CALLERS: &str = "[[callers]]\nname = \"orders\"\n\
     [[callers]]\nname = \"login\"\nallow = [\"group.*\", \"token.user\"]\n";

fn world() -> World {
    World::with(|config| with_callers(config, CALLERS), |_| {})
}

fn credentials(id: &str, secret: &str) -> Value {
    json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret})
}

/// A body as text, so that it may be anything.
async fn post(world: &World, path: &str, body: impl Into<String>, key: Option<&str>) -> Reply {
    let mut request = Request::post(format!("{APP}{path}"))
        .header("host", "localhost")
        .header("content-type", "application/json");
    if let Some(name) = key {
        request = request.header("authorization", format!("Bearer {}", key_of(name)));
    }
    world.send(request.body(Body::Kept(body.into().into())).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_client_library_gets_its_callers_key_and_can_work_with_it() {
    let world = world();
    let reply = world.post("/token", credentials("orders", &key_of("orders2"))).await;
    assert_eq!(reply.status, 200);
    let (_, vendors) = world.vendor.behind(Method::POST, "/token", credentials("demo-client", "demo-secret"));
    let said = reply.json();
    assert_eq!(said["access_token"], json!(key_of("orders2")));
    assert_eq!(said["expires_in"], json!(86_400));
    assert_eq!(said["application"], vendors["application"]);
    assert_eq!(said.as_object().unwrap().len(), vendors.as_object().unwrap().len(), "the vendor's members");
    assert_eq!(reply.header("cache-control"), "no-store");
    let mut read = request(Method::GET, &format!("/chatgroups/{}", SAMPLE_GROUPS[0]), None);
    let bearer = format!("Bearer {}", said["access_token"].as_str().unwrap());
    read.headers_mut().insert("authorization", bearer.parse().unwrap());
    assert_eq!(world.send(read).await.status, 200);
    assert_eq!(world.grants(), 1);
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_answered_as_the_vendor_answers_them() {
    let world = world();
    let good = key_of("orders");
    // Ours, and the same mistake at the vendor.
    let cases = [
        (credentials("nobody", &good), credentials("nobody", "demo-secret")),
        (credentials("Orders", &good), credentials("Demo-client", "demo-secret")),
        (credentials("orders", "egk_wrong"), credentials("demo-client", "wrong")),
        (credentials("orders", &key_of("login")), credentials("demo-client", "wrong")),
        (credentials("orders", &key_of("stranger")), credentials("demo-client", "wrong")),
        (
            json!({"grant_type": "client_credentials", "client_secret": good}),
            json!({"grant_type": "client_credentials", "client_secret": "demo-secret"}),
        ),
        (
            json!({"grant_type": "client_credentials", "client_id": "orders"}),
            json!({"grant_type": "client_credentials", "client_id": "demo-client"}),
        ),
    ];
    for (ours, vendors) in cases {
        let reply = world.post("/token", ours.clone()).await;
        let (status, says) = world.vendor.behind(Method::POST, "/token", vendors);
        assert_eq!(reply.status, status, "{ours}");
        assert_eq!(reply.json()["error"], says["error"], "{ours}");
        assert_eq!(reply.json()["error_description"], says["error_description"], "{ours}");
        assert_eq!(reply.refusal(), "bad_grant");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn every_other_grant_is_refused_and_nothing_is_sent() {
    let world = world();
    let (good, user) =
        (credentials("login", &key_of("login")), json!({"grant_type": "inherit", "username": "alice"}));
    let twice = r#"{"grant_type":"inherit","grant_type":"agora","username":"alice"}"#;
    let escaped = r#"{"grant_type":"inherit","grant\u005ftype":"client_credentials","username":"alice"}"#;
    let cases = [
        ("/token", json!({"grant_type": "agora"}).to_string()),
        ("/token", json!({"grant_type": "refresh_token"}).to_string()),
        ("/token", json!({"grant_type": "CLIENT_CREDENTIALS"}).to_string()),
        ("/token", json!({"grant_type": ["inherit"]}).to_string()),
        ("/token", json!({"grant_type": 7}).to_string()),
        ("/token", json!({"grant_type": null}).to_string()),
        ("/token", json!({"username": "alice"}).to_string()),
        ("/token", json!([{"grant_type": "inherit"}]).to_string()),
        ("/token", twice.to_owned()),
        ("/token", escaped.to_owned()),
        ("/token?grant_type=inherit", user.to_string()),
        ("/token?grant%5Ftype=agora", user.to_string()),
        ("/token?a=b&grant_type=client_credentials", good.to_string()),
        // Another spelling of the path is the same path.
        ("/%74oken", json!({"grant_type": "agora"}).to_string()),
        ("/toke%6E", json!({"grant_type": "client_credentials", "client_id": "x"}).to_string()),
    ];
    for (path, body) in cases {
        let reply = post(&world, path, body.clone(), Some("login")).await;
        assert_eq!((reply.status.as_u16(), reply.refusal()), (400, "bad_grant"), "{path} {body}");
    }
    for body in ["", "grant_type=client_credentials", "{", r#"{"grant_type":"inherit"} x"#, "\u{feff}{}"] {
        let reply = post(&world, "/token", body, Some("login")).await;
        assert_refused(&reply, 400, "json_parse", "malformed_body");
    }
    let long = json!({"grant_type": "inherit", "username": "a".repeat(20_000)}).to_string();
    assert_refused(
        &post(&world, "/token", long, Some("login")).await,
        413,
        "request_too_large",
        "body_too_large",
    );
    // What some servers take for that path is nobody's way to a token.
    for path in ["/Token", "/TOKEN/", "/token.json", "/%54oken", "/token.", "/tOkEn.x.y", "/to%E2%84%AAen"] {
        for body in [user.to_string(), good.to_string(), json!({"grant_type": "agora"}).to_string()] {
            let reply = post(&world, path, body, Some("orders")).await;
            assert_refused(&reply, 400, "illegal_argument", "bad_grant");
        }
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        for path in [
            "/token",
            "/%74oken",
            "/token/",
            "/token?grant_type=client_credentials&client_id=a&client_secret=b",
        ] {
            let mut request = request(method.clone(), path, None);
            let bearer = format!("Bearer {}", key_of("login"));
            request.headers_mut().insert("authorization", bearer.parse().unwrap());
            assert_refused(&world.send(request).await, 400, "illegal_argument", "bad_grant");
        }
    }
    for path in [
        "/token//",
        "//token",
        "/./token",
        "/token;a=b",
        "/token%2f",
        "/token%20",
        "/%20token",
        "/token%C2%A0",
        "/token%20/",
    ] {
        assert_eq!(post(&world, path, user.to_string(), Some("login")).await.refusal(), "ambiguous_path");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_users_token_is_fetched_for_callers_who_have_that_right_by_name() {
    let world = world();
    let user = json!({"grant_type": "inherit", "username": "alice"}).to_string();
    // `orders` may do everything, but no pattern reaches this.
    let reply = post(&world, "/token", user.clone(), Some("orders")).await;
    assert_refused(&reply, 403, "forbidden_op", "forbidden");
    assert_refused(&post(&world, "/token", user.clone(), None).await, 401, "unauthorized", "unidentified");
    assert_eq!((world.calls(), world.grants()), (0, 0));
    let reply = post(&world, "/token", user.clone(), Some("login")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["user"]["username"], "alice");
    assert_eq!(post(&world, "/%74oken", user, Some("login")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn json_that_is_labelled_as_a_form_is_json_all_the_same() {
    let world = world();
    let request = Request::post(format!("{APP}/token"))
        .header("host", "localhost")
        .header("content-type", "application/x-www-form-urlencoded");
    let body = credentials("orders", &key_of("orders")).to_string();
    assert_eq!(world.send(request.body(Body::Kept(body.into())).unwrap()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_open_door_answers_a_fixed_word_that_opens_no_other() {
    let open = World::new();
    let reply = open.post("/token", credentials("any", "thing")).await;
    let word = reply.json()["access_token"].as_str().unwrap().to_owned();
    let again = open.post("/token", credentials("another", "secret")).await;
    assert_eq!((reply.status.as_u16(), &again.json()["access_token"]), (200, &json!(word)));
    let read = |word: &str| {
        let mut read = request(Method::GET, &format!("/chatgroups/{}", SAMPLE_GROUPS[0]), None);
        read.headers_mut().insert("authorization", format!("Bearer {word}").parse().unwrap());
        read
    };
    assert_eq!(open.send(read(&word)).await.status, 200);
    assert_eq!(world().send(read(&word)).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn an_open_door_is_closed_to_browsers_here_too() {
    let open = World::new();
    for name in ["origin", "authorization"] {
        let value = if name == "origin" { "https://evil.example" } else { "Bearer YWMtabc" };
        let mut request = request(Method::POST, "/token", Some(credentials("any", "thing")));
        request.headers_mut().insert(name, value.parse().unwrap());
        let reply = open.send(request).await;
        assert!(["origin", "vendor_token"].contains(&reply.refusal()), "{:?}", reply.headers);
    }
    let agora = json!({"grant_type": "agora"});
    let mut request = request(Method::POST, "/%74oken", Some(agora));
    request.headers_mut().insert("authorization", "Bearer 007eJx".parse().unwrap());
    assert_eq!(open.send(request).await.refusal(), "bad_grant");
    assert_eq!((open.calls(), open.grants()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn every_token_request_leaves_one_audit_line_without_its_secrets() {
    let world = world();
    let lines = Lines::at("info");
    let user = json!({"grant_type": "inherit", "username": "alice"}).to_string();
    let wrong = credentials("orders", "egk_wrong").to_string();
    let good = credentials("orders", &key_of("orders")).to_string();
    let expected = [
        (good, None, "orders", "granted"),
        (wrong, None, "-", "bad_grant"),
        (user.clone(), Some("login"), "login", "granted"),
        (user, Some("orders"), "orders", "forbidden"),
        (json!({"grant_type": "agora"}).to_string(), Some("login"), "-", "bad_grant"),
    ];
    for (body, key, _, _) in &expected {
        post(&world, "/token", body.clone(), *key).await;
    }
    let audit = lines.of("gateway::audit");
    let told: Vec<_> = audit.iter().map(|line| (&line["gateway.caller"], &line["gateway.outcome"])).collect();
    let expected: Vec<_> =
        expected.iter().map(|(_, _, caller, outcome)| (json!(caller), json!(outcome))).collect();
    assert_eq!(told, expected.iter().map(|(caller, outcome)| (caller, outcome)).collect::<Vec<_>>());
    assert!(audit.iter().all(|line| line["http.path"] == "/token" && line["gateway.endpoint"] == "token"));
    assert!(!lines.text().contains("egk_") && !lines.text().contains("alice"));
}
