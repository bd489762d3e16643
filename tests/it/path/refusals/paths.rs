//! Paths with two meanings: what is matched here and what the vendor understands must be the same thing.

use super::{assert_refused, group};
use crate::path::callers::{key_of, with_callers};
use crate::support::world::{World, request};
use easemob_gateway::body::Body;
use easemob_gateway::config::Unlisted;
use http::{Method, Request, Version};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_path_that_could_be_read_in_two_ways_is_refused() {
    let world = World::new();
    let paths = [
        "/..",
        "/../",
        "/chatgroups/..",
        "/chatgroups/../users/alice",
        "/chatgroups/./1",
        "/.",
        "/%2e%2e/users/alice",
        "/chatgroups/%2E%2e/1",
        "/chatgroups/.%2e/1",
        "/chatgroups/%2e/1",
        "/chatgroups/1%2fmute",
        "/chatgroups/1%2Fmute",
        "/chatgroups%2f1",
        "/chatgroups/1%5cmute",
        "/chatgroups/1%5Cmute",
        "/chatgroups/1\\mute",
        "/chatgroups/1;a=b",
        "/chatgroups/1;/mute",
        "/chatgroups/1%3bmute",
        "/chatgroups/1%3Bmute",
        "//chatgroups/1",
        "/chatgroups//1",
        "/chatgroups///1",
        "/chatgroups/1//",
        "/chatgroups//",
        "/chatgroups/1%00",
        "/chatgroups/%00",
        "/chatgroups/1%0a",
        "/chatgroups/1%0D%0Ax:y",
        "/chatgroups/1%7f",
        "/chatgroups/%zz",
        "/chatgroups/%2",
        "/chatgroups/%",
        "/chatgroups/1%2g",
        "/chatgroups/%+1",
        "/chatgroups/1%252fmute",
        "/chatgroups/%25",
        "/chatgroups/1%25%32%66",
        "/chatgroups/1%3fa=b",
        "/chatgroups/1%23a",
        "/chatgroups/%E4%zz",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let Ok(uri) = format!("{}{path}", crate::support::world::APP).parse::<http::Uri>() else {
                panic!("{path} does not reach the gateway at all");
            };
            let mut request = request(method, "", None);
            *request.uri_mut() = uri;
            let reply = world.send(request).await;
            assert_eq!(reply.refusal(), "ambiguous_path", "{path}");
            assert_refused(&reply, 400, "illegal_argument", "ambiguous_path");
        }
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn another_org_or_app_is_not_found_in_the_vendors_words() {
    let world = World::new();
    let paths = [
        "/",
        "/easemob-demo",
        "/easemob-demo/chatter/users/alice",
        "/easemob-demo/other/users/alice",
        "/other/chat/users/alice",
        "/EASEMOB-DEMO/chat/users/alice",
        "//easemob-demo/chat/users/alice",
        "/easemob-demo%2fchat/users/alice",
        "/x/../easemob-demo/chat/users/alice",
        "/_control/counters",
    ];
    for path in paths {
        let request = Request::get(path).header("host", "localhost").body(Body::Empty).unwrap();
        let reply = world.send(request).await;
        assert_refused(&reply, 404, "organization_application_not_found", "unknown_app");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn long_paths_are_no_trouble() {
    let world = World::new();
    let ids = |count: usize| format!("/chatgroups/{}", vec!["66016455491585"; count].join(","));
    assert_eq!(world.get(&ids(100)).await.status, 200);
    let long = format!("/chatgroups/{}", "a".repeat(65_300));
    assert_eq!(world.get(&long).await.refusal(), "");
}

#[tokio::test(start_paused = true)]
async fn a_known_path_with_another_method_names_the_methods_it_knows() {
    let world = World::new();
    let cases = [
        (Method::PATCH, group(), "DELETE, GET, HEAD, PUT"),
        (Method::POST, group(), "DELETE, GET, HEAD, PUT"),
        (Method::OPTIONS, group(), "DELETE, GET, HEAD, PUT"),
        (Method::PUT, "/chatgroups".to_owned(), "GET, HEAD, POST"),
        (Method::DELETE, format!("{}/announcement", group()), "GET, HEAD, POST"),
        (Method::GET, format!("{}/ban", group()), "DELETE, POST"),
    ];
    for (method, path, allow) in cases {
        let reply = world.call(method.clone(), &path, None).await;
        assert_refused(&reply, 405, "method_not_allowed", "wrong_method");
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_has_no_row_is_relayed_or_refused_by_policy() {
    let paths =
        ["/elsewhere", "/users/alice", "/users", "/mutes", "/chatgroups/count", "/chatrooms", "/messages/x"];
    let relays = World::new();
    for (at, path) in paths.iter().enumerate() {
        assert_eq!(relays.get(path).await.refusal(), "", "{path}");
        assert_eq!(relays.calls(), at + 1, "{path} reaches the vendor");
    }
    let reply = relays.put("/users/alice", json!({"nickname": "al"})).await;
    assert_eq!((reply.refusal(), relays.calls()), ("", paths.len() + 1), "so does a change of one");
    let refuses = World::with(|config| config.vendor.unlisted = Unlisted::Refuse, |_| {});
    let reply = refuses.get("/elsewhere").await;
    assert_refused(&reply, 404, "service_resource_not_found", "unknown_endpoint");
    let reply = refuses.post("/elsewhere", json!({})).await;
    assert_refused(&reply, 404, "service_resource_not_found", "unknown_endpoint");
    assert_eq!(refuses.get(&group()).await.status, 200, "what has a row is served");
    assert_eq!(refuses.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn forms_of_target_for_other_servers_are_refused() {
    let world = World::with(|config| with_callers(config, "[[callers]]\nname = \"orders\"\n"), |_| {});
    let bearer = format!("Bearer {}", key_of("orders"));
    let path = format!("/easemob-demo/chat{}", group());
    let ask = |method: Method, target: &str, hosts: &[&str], version: Version| {
        let mut request = Request::builder().method(method).uri(target).version(version);
        for host in hosts {
            request = request.header("host", *host);
        }
        request.header("authorization", &bearer).body(Body::Empty).unwrap()
    };
    let (h1, h2) = (Version::HTTP_11, Version::HTTP_2);
    let token = "/easemob-demo/chat/token";
    let refused = [
        ask(Method::CONNECT, "a1.easemob.com:443", &["gateway"], h1),
        ask(Method::TRACE, &path, &["gateway"], h1),
        ask(Method::OPTIONS, "*", &["gateway"], h1),
        ask(Method::GET, &path, &[], h1),
        ask(Method::GET, &path, &["gateway", "gateway"], h1),
        ask(Method::GET, &format!("http://gateway{path}"), &["gateway"], h1),
        ask(Method::GET, &format!("http://evil.example{path}"), &["gateway"], h1),
        ask(Method::POST, &format!("http://evil.example{token}"), &["gateway"], h1),
        ask(Method::POST, token, &["gateway", "evil.example"], h1),
        ask(Method::GET, &format!("http://u@gateway{path}"), &[], h2),
        ask(Method::GET, &format!("http://gateway:99999{path}"), &[], h2),
        ask(Method::GET, &format!("http://gateway{path}"), &["evil.example"], h2),
    ];
    for request in refused {
        let about = format!("{request:?}");
        let reply = world.send(request).await;
        assert_eq!(reply.refusal(), "bad_target", "{about}");
        assert_refused(&reply, 400, "illegal_argument", "bad_target");
    }
    assert_eq!((world.calls(), world.grants()), (0, 0));
    let request = ask(Method::GET, &format!("http://gateway{path}"), &[], h2);
    assert_eq!(world.send(request).await.status, 200, "so HTTP/2 says it");
}

#[tokio::test(start_paused = true)]
async fn a_refused_path_touches_nothing() {
    let world = World::new();
    assert_eq!(world.get(&group()).await.status, 200);
    for path in ["/%2e%2e", "//", "/mute;x=y"] {
        world.delete(&format!("{}{path}", group())).await;
    }
    assert!(world.get(&group()).await.is_hit());
    let (status, _) = world.vendor.behind(Method::GET, &group(), Value::Null);
    assert_eq!(status, 200);
}
