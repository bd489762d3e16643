//! Explaining: what is said of a request is what becomes of it, and saying it changes nothing.

use crate::support::world::{APP, World, request};
use easemob_gateway::app::known;
use easemob_gateway::body::Body;
use easemob_gateway::caller::key::{digest_text, with_check};
use easemob_gateway::config;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::{Method, Request};
use serde_json::{Value, json};

const A: &str = SAMPLE_GROUPS[0];

fn explain(world: &World, asked: Value) -> Value {
    world.parts.house.explain(&serde_json::from_value(asked).unwrap()).unwrap()
}

fn asked(method: &str, path: &str) -> Value {
    json!({ "method": method, "path": format!("{APP}{path}") })
}

#[tokio::test(start_paused = true)]
async fn a_read_is_explained_before_and_after_it_is_kept() {
    let world = World::new();
    let path = format!("/chatgroups/{A}/mute");
    let before = explain(&world, asked("GET", &path));
    assert_eq!((&before["endpoint"], &before["effect"]), (&json!("group.mutes.list"), &json!("read")));
    assert_eq!((&before["memory"]["may_be_kept"], &before["memory"]["kept"]), (&json!(true), &Value::Null));
    assert!(before["tags"].as_array().unwrap().contains(&json!(format!("group:{A}/mutes"))), "{before}");
    assert!(before["pools"][0]["left"].as_u64().unwrap() > 0, "{before}");
    world.get(&path).await;
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    let after = explain(&world, asked("GET", &path));
    assert_eq!(after["memory"]["kept"]["age_ms"], json!(2_000));
    assert_eq!(after["memory"]["key"], before["memory"]["key"]);
    // Another spelling is the same; another question is not.
    assert_eq!(explain(&world, asked("GET", &path.replace("mute", "%6dute")))["memory"], after["memory"]);
    let odd = explain(&world, asked("GET", &format!("{path}?what=this")));
    assert_eq!(odd["memory"]["may_be_kept"], json!(false));
}

#[tokio::test(start_paused = true)]
async fn a_write_says_what_it_would_touch_and_by_its_body() {
    let world = World::new();
    let mut write = asked("POST", "/chatgroups");
    write["body"] =
        json!({ "groupname": "g", "public": true, "owner": "Alice", "members": ["bob"] }).to_string().into();
    let told = explain(&world, write);
    assert_eq!((&told["endpoint"], &told["effect"]), (&json!("group.create"), &json!("write")));
    let tags = told["tags"].as_array().unwrap();
    for user in ["alice", "bob"] {
        assert!(tags.contains(&json!(format!("user:{user}/groups"))), "{told}");
    }
    assert_eq!(told.get("memory"), None);
    assert_eq!(world.calls() + world.grants(), 0);
}

/// Whatever the path refuses by the head alone, explaining refuses with the same words.
#[tokio::test(start_paused = true)]
async fn what_would_be_refused_is_refused_alike() {
    let key = with_check("egk_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    let callers = format!(
        "[[callers]]\nname = \"reader\"\nallow = [\"*.read\"]\nkeys = [\"{}\"]\n",
        digest_text(key.as_bytes())
    );
    let world = World::with(
        |base| {
            let minimal = "[vendor]\norigin=\"https://a1.easemob.com\"\norg=\"o\"\napp=\"a\"\nclient_id=\"c\"\nclient_secret=\"s\"\n";
            let text = format!("{minimal}{callers}");
            let loaded = config::parse(&text, std::iter::empty(), &known()).unwrap_or_else(|m| panic!("{m}"));
            base.callers = loaded.config.callers;
            base.vendor.unlisted = config::Unlisted::Refuse;
        },
        |_| {},
    );
    let cases = [
        ("GET", format!("{APP}/chatgroups/{A}"), "-"),
        ("DELETE", format!("{APP}/chatgroups/{A}"), "forbidden"),
        ("GET", format!("{APP}/nobody/knows"), "forbidden"),
        ("PATCH", format!("{APP}/chatgroups/{A}"), "wrong_method"),
        ("GET", format!("{APP}/chatgroups/../users"), "ambiguous_path"),
        ("GET", "/other/app/chatgroups".to_owned(), "unknown_app"),
        ("TRACE", format!("{APP}/chatgroups"), "bad_target"),
        ("GET", format!("http://elsewhere{APP}/chatgroups"), "bad_target"),
    ];
    for (method, path, reason) in cases {
        let told = explain(&world, json!({ "method": method, "path": path, "caller": "reader" }));
        let sent = Request::builder().method(method).uri(&path).header("host", "localhost");
        let sent = sent.header("authorization", format!("Bearer {key}")).body(Body::Empty).unwrap();
        let reply = world.send(sent).await;
        let expected = if reason == "-" { "" } else { reason };
        assert_eq!(reply.header("gateway-error"), expected, "{method} {path}");
        assert_eq!(
            told["refused"]["reason"].as_str().unwrap_or_default(),
            expected,
            "{method} {path}: {told}"
        );
        if !expected.is_empty() {
            assert_eq!(told["refused"]["status"], json!(reply.status.as_u16()));
            assert_eq!(told["refused"]["error"], reply.json()["error"]);
            assert_eq!(told["refused"]["why"], reply.json()["error_description"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn explaining_asks_nothing_spends_nothing_and_counts_nothing() {
    let world = World::new();
    world.get(&format!("/chatgroups/{A}")).await;
    let (page, calls, grants) = (world.metrics(), world.calls(), world.grants());
    for (method, path) in
        [("GET", format!("/chatgroups/{A}")), ("POST", "/chatgroups".to_owned()), ("GET", "/what".to_owned())]
    {
        for _ in 0..500 {
            explain(&world, asked(method, &path));
        }
    }
    assert_eq!((world.calls(), world.grants()), (calls, grants));
    let without_process =
        |page: &str| page.lines().filter(|line| !line.contains("process_")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_process(&world.metrics()), without_process(&page));
    assert!(world.send(request(Method::GET, &format!("/chatgroups/{A}"), None)).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_understood_is_said() {
    let world = World::new();
    for (asked, word) in [
        (json!({ "path": "/", "caller": "nobody" }), "nobody"),
        (json!({ "path": "/ /", "method": "GET" }), "path"),
        (json!({ "path": "/", "method": "G T" }), "method"),
        (json!({ "path": "/", "headers": { "a b": "c" } }), "header"),
        (json!({ "path": "/", "headers": { "a": "c\n" } }), "value"),
    ] {
        let told = world.parts.house.explain(&serde_json::from_value(asked).unwrap());
        assert!(told.unwrap_err().contains(word), "{word}");
    }
}
