//! Who may ask, for what, and how often.

use super::refusals::assert_refused;
use crate::support::world::{APP, Reply, World, request};
use easemob_gateway::app::known;
use easemob_gateway::body::Body;
use easemob_gateway::caller::key::{digest_text, with_check};
use easemob_gateway::config::{self, Config};
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::{HeaderValue, Method, Request, Version};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// A well-formed key that belongs to this name: always the same.
pub(super) fn key_of(name: &str) -> String {
    let chance: String = name.chars().chain(std::iter::repeat('x')).take(43).collect();
    with_check(&format!("egk_{chance}"))
}

/// Adds `[[callers]]`, each with the keys of its own name and of that name with a `2`, and with every right if none
/// is named.
pub(super) fn with_callers(config: &mut Config, callers: &str) {
    let mut text = "[vendor]\norigin = \"http://127.0.0.1:1\"\norg = \"a\"\napp = \"b\"\nclient_id = \"c\"\nclient_secret = \"d\"\n".to_owned();
    for block in callers.split("[[callers]]\n").skip(1) {
        text += &format!("[[callers]]\n{block}\n");
        let name = block.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        let digest = |name: &str| digest_text(key_of(name).as_bytes());
        let name = name.expect("a name");
        text += &format!("keys = [\"{}\", \"{}\"]\n", digest(name), digest(&format!("{name}2")));
        if !block.contains("allow = ") {
            text += "allow = [\"*\"]\n";
        }
    }
    let parsed = config::parse(&text, std::iter::empty(), &known()).expect("good callers");
    config.callers = parsed.config.callers;
}

fn world(callers: &str) -> World {
    World::with(|config| with_callers(config, callers), |_| {})
}

/// A request with these header lines.
async fn with_headers(world: &World, path: &str, headers: &[(&'static str, &str)]) -> Reply {
    let mut request = request(Method::GET, path, None);
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
    }
    world.send(request).await
}

async fn by(world: &World, name: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
    let mut request = request(method, path, body);
    let bearer = format!("Bearer {}", key_of(name));
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    world.send(request).await
}

pub(super) async fn get_by(world: &World, name: &str, path: &str) -> Reply {
    by(world, name, Method::GET, path, None).await
}

pub(super) fn group() -> String {
    format!("/chatgroups/{}", SAMPLE_GROUPS[0])
}

const TWO: &str = "[[callers]]\nname = \"orders\"\n[[callers]]\nname = \"support\"\n";

#[tokio::test(start_paused = true)]
async fn a_caller_is_known_by_either_of_two_keys() {
    let world = world(TWO);
    for key in ["orders", "orders2", "support", "support2"] {
        assert_eq!(get_by(&world, key, &group()).await.status, 200, "{key}");
    }
    assert_eq!(world.metric("gateway_caller_requests_total{caller=\"orders\"}"), 2.0);
    assert_eq!(world.metric("gateway_caller_requests_total{caller=\"support\"}"), 2.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_of_anybody_is_refused_and_costs_nothing() {
    let world = world(TWO);
    let good = key_of("orders");
    let bad = [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        good.clone(),
        format!("Basic {good}"),
        format!("Bearer{good}"),
        format!("Bearer {}", key_of("stranger")),
        format!("Bearer {}", good.to_uppercase()),
        format!("Bearer {good}x"),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("Bearer {}", good.replace("egk_o", "egk_p")),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {}", digest_text(good.as_bytes())),
        "Bearer YWMtP_8IisA-EeK-a5cNq4Jt3QAAAT7fI10IbPuKdRxUTjA9CNiZMnQIgk0LEU2".into(),
        "Bearer \u{e9}gk_".into(),
    ];
    for bearer in bad {
        let reply = with_headers(&world, &group(), &[("authorization", &bearer)]).await;
        assert_refused(&reply, 401, "unauthorized", "unidentified");
        assert!(reply.header("www-authenticate").starts_with("Bearer"), "{bearer}");
    }
    let reply = with_headers(&world, &group(), &[]).await;
    assert_refused(&reply, 401, "unauthorized", "unidentified");
    assert_eq!((world.calls(), world.grants()), (0, 0));
    let bearer = format!("bEaReR  {good} ");
    assert_eq!(with_headers(&world, &group(), &[("authorization", &bearer)]).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn of_two_keys_nobody_knows_whose_request_it_is() {
    let world = world("[[callers]]\nname = \"orders\"\n");
    let (own, other) = (format!("Bearer {}", key_of("orders")), format!("Bearer {}", key_of("stranger")));
    for second in [&own, &other] {
        let reply =
            with_headers(&world, &group(), &[("authorization", &own), ("authorization", second)]).await;
        assert_eq!((reply.status.as_u16(), reply.refusal()), (401, "unidentified"));
    }
    assert_eq!(world.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_outside_its_header_is_nothing() {
    let world = world(TWO);
    let key = key_of("orders");
    for name in ["cookie", "x-api-key", "proxy-authorization"] {
        let reply = with_headers(&world, &group(), &[(name, &format!("Bearer {key}"))]).await;
        assert_refused(&reply, 401, "unauthorized", "unidentified");
    }
    let path = format!("{}?access_token={key}", group());
    assert_refused(&with_headers(&world, &path, &[]).await, 401, "unauthorized", "unidentified");
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_do_what_its_patterns_name_and_nothing_else() {
    let world = world(
        "[[callers]]\nname = \"all\"\n\
         [[callers]]\nname = \"groups\"\nallow = [\"group.*\"]\n\
         [[callers]]\nname = \"lists\"\nallow = [\"*.list\"]\n\
         [[callers]]\nname = \"one\"\nallow = [\"room.mutes.add\", \"group.read\"]\n",
    );
    let mute = || Some(json!({"usernames": ["bob"], "mute_duration": 60_000}));
    let room = "/chatrooms/662585489219/mute";
    let calls = [
        (Method::GET, group(), None, "all groups one"),
        (Method::GET, format!("{}/mute", group()), None, "all groups lists"),
        (Method::POST, format!("{}/mute", group()), mute(), "all groups"),
        (Method::POST, room.to_owned(), mute(), "all one"),
        (Method::GET, room.to_owned(), None, "all lists"),
        (Method::GET, "/elsewhere".to_owned(), None, "all"),
    ];
    for (method, path, body, may) in calls {
        for name in ["all", "groups", "lists", "one"] {
            let before = (world.calls(), world.grants());
            let reply = by(&world, name, method.clone(), &path, body.clone()).await;
            if may.split(' ').any(|may| may == name) {
                assert_eq!(reply.refusal(), "", "{name} {method} {path}");
            } else {
                assert_refused(&reply, 403, "forbidden_op", "forbidden");
                assert_eq!((world.calls(), world.grants()), before);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_a_rule_may_nothing_but_ask_for_its_token() {
    let world = world("[[callers]]\nname = \"orders\"\nallow = []\n[[callers]]\nname = \"all\"\n");
    assert_eq!(get_by(&world, "all", &group()).await.status, 200);
    let before = world.calls();
    let mute = || Some(json!({"usernames": ["bob"], "mute_duration": 60_000}));
    for (method, path, body) in [
        (Method::GET, group(), None),
        (Method::POST, format!("{}/mute", group()), mute()),
        (Method::GET, "/elsewhere".to_owned(), None),
        (Method::POST, "/token".to_owned(), Some(json!({"grant_type": "inherit", "username": "alice"}))),
    ] {
        let reply = by(&world, "orders", method, &path, body).await;
        assert_refused(&reply, 403, "forbidden_op", "forbidden");
    }
    assert_eq!(world.calls(), before);
    let asks = json!({
        "grant_type": "client_credentials", "client_id": "orders", "client_secret": key_of("orders"),
    });
    assert_eq!(world.post("/token", asks).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_kept_answer_is_no_way_around_a_missing_right() {
    let world = world("[[callers]]\nname = \"all\"\n[[callers]]\nname = \"rooms\"\nallow = [\"room.*\"]\n");
    assert_eq!(get_by(&world, "all", &group()).await.status, 200);
    assert!(get_by(&world, "all", &group()).await.is_hit());
    assert_refused(&get_by(&world, "rooms", &group()).await, 403, "forbidden_op", "forbidden");
}

#[tokio::test(start_paused = true)]
async fn a_quota_counts_every_request_of_its_caller_hits_included_and_no_others() {
    let world = world(
        "[[callers]]\nname = \"orders\"\nquota = \"5/s\"\nallow = [\"group.read\"]\n[[callers]]\nname = \"support\"\n",
    );
    // What is forbidden is refused first, and spends nothing of the quota.
    for _ in 0..20 {
        let reply = get_by(&world, "orders", "/elsewhere").await;
        assert_refused(&reply, 403, "forbidden_op", "forbidden");
    }
    for at in 0..5 {
        let reply = get_by(&world, "orders", &group()).await;
        assert_eq!((reply.status.as_u16(), reply.is_hit()), (200, at > 0));
    }
    for _ in 0..3 {
        let reply = get_by(&world, "orders2", &group()).await;
        assert_refused(&reply, 429, "reach_limit", "caller_limited");
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(get_by(&world, "support", &group()).await.status, 200);
    assert_eq!(world.calls(), 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_open_door_refuses_the_vendors_tokens_and_browsers() {
    let world = World::new();
    for token in ["YWMtP_8IisA", "dt-abc", "007eJxTYPA"] {
        let bearer = format!("Bearer {token}");
        let reply = with_headers(&world, &group(), &[("authorization", &bearer)]).await;
        assert_refused(&reply, 401, "unauthorized", "vendor_token");
    }
    for odd in [
        "Token YWMtP_8IisA",
        "YWMtP_8IisA",
        "Bearer\tYWMtP_8IisA",
        "Bearer:YWMtP_8IisA",
        "Token token=\"dt-abc\"",
    ] {
        let reply = with_headers(&world, &group(), &[("authorization", odd)]).await;
        assert_refused(&reply, 401, "unauthorized", "vendor_token");
    }
    let hidden = [("authorization", "Basic abc"), ("authorization", "Bearer YWMtP_8IisA")];
    assert_refused(&with_headers(&world, &group(), &hidden).await, 401, "unauthorized", "vendor_token");
    for origin in ["https://evil.example", "null", ""] {
        let reply = with_headers(&world, &group(), &[("origin", origin)]).await;
        assert_refused(&reply, 403, "forbidden_op", "origin");
    }
    for site in ["cross-site", "same-site"] {
        let reply = with_headers(&world, &group(), &[("sec-fetch-site", site)]).await;
        assert_refused(&reply, 403, "forbidden_op", "origin");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
    for bearer in ["Bearer open", "Bearer anything", "Basic abc"] {
        assert_eq!(with_headers(&world, &group(), &[("authorization", bearer)]).await.status, 200);
    }
    assert_eq!(with_headers(&world, &group(), &[]).await.status, 200);
}

/// A read of this host, as HTTP/1.1 and as HTTP/2 name it.
async fn at_host(world: &World, host: &str) -> [Reply; 2] {
    let mut named = request(Method::GET, &group(), None);
    named.headers_mut().insert("host", host.parse().unwrap());
    let target = format!("http://{host}{APP}{}", group());
    let meant = Request::get(target).version(Version::HTTP_2).body(Body::Empty).unwrap();
    [world.send(named).await, world.send(meant).await]
}

#[tokio::test(start_paused = true)]
async fn an_open_door_is_asked_by_names_that_lead_nowhere_else() {
    let world = World::new();
    for host in
        ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "127.1"]
    {
        for reply in at_host(&world, host).await {
            assert_refused(&reply, 403, "forbidden_op", "host");
        }
        let mut grant = request(Method::POST, "/token", Some(json!({"grant_type": "client_credentials"})));
        grant.headers_mut().insert("host", host.parse().unwrap());
        assert_refused(&world.send(grant).await, 403, "forbidden_op", "host");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
    for host in [
        "localhost",
        "LocalHost:8080",
        "localhost.",
        "app.localhost",
        "127.0.0.1:8080",
        "[::1]:8080",
        "10.0.0.7",
        "gateway:8080",
    ] {
        for reply in at_host(&world, host).await {
            assert_eq!(reply.status, 200, "{host}");
        }
    }
}

/// A client that finds the gateway by a table of hosts goes on naming the vendor.
#[tokio::test(start_paused = true)]
async fn an_open_door_is_asked_by_the_vendors_own_name() {
    let world = World::with(|config| config.vendor.origin.host = "a1.vendor.example".into(), |_| {});
    for host in ["a1.vendor.example", "A1.Vendor.example:8080", "a1.vendor.example."] {
        for reply in at_host(&world, host).await {
            assert_eq!(reply.status, 200, "{host}");
        }
    }
    for host in ["a2.vendor.example", "a1.vendor.example.evil.example"] {
        for reply in at_host(&world, host).await {
            assert_refused(&reply, 403, "forbidden_op", "host");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_callers_are_known_every_name_will_do() {
    let world = world(TWO);
    let mut named = request(Method::GET, &group(), None);
    named.headers_mut().insert("host", "gateway.prod.svc.cluster.local:8080".parse().unwrap());
    named.headers_mut().insert("authorization", format!("Bearer {}", key_of("orders")).parse().unwrap());
    assert_eq!(world.send(named).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_browser_may_ask_where_callers_are_known() {
    let world = world(TWO);
    let bearer = format!("Bearer {}", key_of("orders"));
    let headers = [("origin", "https://console.example"), ("authorization", bearer.as_str())];
    assert_eq!(with_headers(&world, &group(), &headers).await.status, 200);
}
