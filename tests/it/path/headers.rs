//! What may cross the gateway, in each direction, seen on the line behind it.

use super::callers::{key_of, with_callers};
use super::token::uncached;
use crate::documentation::{quoted, rows, text};
use crate::support::tap::{Sent, Tap};
use crate::support::world::{Reply, World, request};
use bytes::Bytes;
use easemob_gateway::config::Config;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;
use std::collections::BTreeSet;

/// A write: what is sent for one caller alone carries his headers.
fn path() -> String {
    format!("/chatgroups/{}/mute", SAMPLE_GROUPS[0])
}

/// A world whose vendor adds these headers to every answer.
fn world(adds: &'static [(&'static str, &'static str)], change: impl FnOnce(&mut Config)) -> (World, Tap) {
    let dress = move |_: &_, answer: &mut http::Response<_>| {
        for (name, value) in adds {
            answer.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    };
    World::tapped(1, dress, change, |_| {})
}

async fn write_with(world: &World, headers: &[(&'static str, &str)]) -> Reply {
    let body = json!({"usernames": ["bob"], "mute_duration": 60_000});
    let mut request = request(Method::POST, &path(), Some(body));
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let reply = world.send(request).await;
    assert_eq!(reply.status, 200);
    reply
}

#[tokio::test(start_paused = true)]
async fn headers_of_one_connection_end_here_and_so_do_those_that_it_names() {
    let (world, tap) = world(&[], |_| {});
    let hop = [
        ("connection", "keep-alive, X-One ,x-two"),
        ("connection", "X-Three"),
        ("connection", ",, \u{e9},x-four"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic abc"),
        ("proxy-authenticate", "Basic"),
        ("te", "trailers"),
        ("trailer", "x-after"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("x-one", "1"),
        ("x-two", "2"),
        ("x-three", "3"),
        ("x-four", "4"),
    ];
    write_with(&world, &[&hop[..], &[("x-five", "5")]].concat()).await;
    let sent = tap.last();
    for (name, _) in hop {
        assert!(!sent.headers.contains_key(name), "{name}");
    }
    assert_eq!(sent.header("x-five"), "5", "others pass");
}

#[tokio::test(start_paused = true)]
async fn the_vendors_hop_headers_cookies_and_look_alikes_end_here_too() {
    const ADDS: &[(&str, &str)] = &[
        ("connection", "close, x-internal"),
        ("connection", "x-other"),
        ("x-internal", "1"),
        ("x-other", "2"),
        ("keep-alive", "timeout=5"),
        ("proxy-authenticate", "Basic"),
        ("upgrade", "h2c"),
        ("trailer", "x-after"),
        ("set-cookie", "session=1"),
        ("set-cookie", "other=2"),
        ("gateway-error", "budget_spent"),
        ("gateway-error", "full"),
        ("cache-status", "easemob-gateway; hit"),
        ("x-kept", "yes"),
    ];
    let (world, _) = world(ADDS, uncached);
    let group = format!("/chatgroups/{}", SAMPLE_GROUPS[0]);
    let file = format!("{group}/share_files/dbd88d20-e1d4-11ea-95fc-638fc2d59a8d");
    let list = format!("{group}/announcement");
    let mut replies = vec![write_with(&world, &[]).await];
    for path in [&group, &file, &list, &list, &"/elsewhere".to_owned()] {
        replies.push(world.get(path).await);
    }
    for reply in replies {
        for (name, _) in ADDS.iter().filter(|(name, _)| !["x-kept", "cache-status"].contains(name)) {
            assert!(!reply.headers.contains_key(*name), "{name}");
        }
        assert_eq!(reply.headers.get_all("cache-status").iter().count(), 1, "ours alone");
        assert!(reply.is_hit() || reply.header("x-kept") == "yes", "others pass");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asked_and_from_where_is_not_told_to_the_vendor() {
    let (world, tap) = world(&[], |config| with_callers(config, "[[callers]]\nname = \"orders\"\n"));
    let key = key_of("orders");
    let bearer = format!("Bearer {key}");
    let own = [
        ("authorization", bearer.as_str()),
        ("cookie", "session=1"),
        ("forwarded", "for=10.0.0.7"),
        ("x-forwarded-for", "10.0.0.7"),
        ("x-forwarded-host", "inside.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-anything", "x"),
        ("x-request-timeout-ms", "900"),
        ("expect", "100-continue"),
    ];
    write_with(&world, &own).await;
    let sent = tap.last();
    for (name, _) in own.iter().filter(|(name, _)| *name != "authorization") {
        assert!(!sent.headers.contains_key(*name), "{name}");
    }
    assert_eq!(sent.headers.get_all("authorization").iter().count(), 1);
    assert!(sent.header("authorization").starts_with("Bearer YWMt"), "the app's own");
    assert!(!format!("{sent:?}").contains(&key));
    assert_eq!(sent.headers.get_all("host").iter().count(), 1);
    assert_eq!(sent.header("host"), "127.0.0.1:1", "the vendor's");
}

/// Nothing of the table crosses, and what is not in it does: nobody's list is longer than the other's.
#[tokio::test(start_paused = true)]
async fn the_table_of_headers_that_end_here_is_true() {
    let (world, tap) = world(&[], |_| {});
    let told: BTreeSet<String> =
        rows("**What a service should know:**").iter().flat_map(|row| quoted(&row[1])).collect();
    assert!(told.len() > 30, "{told:?}");
    for name in told {
        let name = name.replace('*', "anything");
        // Both sides of these are this test's own request.
        if ["authorization", "content-length", "host"].contains(&&*name) {
            continue;
        }
        write_with(&world, &[(name.clone().leak(), "chunked")]).await;
        assert!(!tap.last().headers.contains_key(&*name), "{name}");
    }
    for line in text("src/upstream/headers.rs").lines().filter(|line| line.trim_start().starts_with("| \"")) {
        let name = quoted(&line.replace('"', "`")).pop_first().expect(line);
        assert!(text("README.md").contains(&format!("`{name}`")), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_header_makes_the_vendor_take_a_request_for_another_one() {
    let (world, tap) = world(&[], |_| {});
    let tricks = [
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", "/easemob-demo/chat/users/alice"),
        ("x-rewrite-url", "/easemob-demo/chat/users/alice"),
    ];
    write_with(&world, &tricks).await;
    let sent = tap.last();
    assert!(tricks.iter().all(|(name, _)| !sent.headers.contains_key(*name)), "{:?}", sent.headers);
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_needs_passes() {
    let (world, tap) = world(&[], |_| {});
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let passes = [
        ("traceparent", trace),
        ("tracestate", "a=1"),
        ("restrict-access", "true"),
        ("user-agent", "EasemobServerSDK-PHP/1.0"),
        ("accept", "application/json"),
        ("accept-language", "zh-CN"),
    ];
    write_with(&world, &passes).await;
    let sent = tap.last();
    for (name, value) in passes {
        assert_eq!(sent.header(name), value, "{name}");
    }
    assert_eq!(sent.header("content-type"), "application/json");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_for_many_carries_nothing_of_the_one_who_began_it() {
    let (world, tap) = world(&[], |_| {});
    let mut read = request(Method::GET, &format!("/chatgroups/{}", SAMPLE_GROUPS[0]), None);
    for name in
        ["accept-encoding", "accept-language", "user-agent", "x-anything", "if-none-match", "range-unit"]
    {
        read.headers_mut().insert(name, HeaderValue::from_static("mine"));
    }
    assert_eq!(world.send(read).await.status, 200);
    assert!(!format!("{:?}", tap.last().headers).contains("mine"));
}

#[tokio::test(start_paused = true)]
async fn no_list_of_a_connections_headers_takes_away_what_the_gateway_adds() {
    let (world, tap) = world(&[], |_| {});
    for named in ["authorization", "Host, Content-Length, AUTHORIZATION", "close, x-a", "connection, te"] {
        write_with(&world, &[("connection", named), ("x-a", "1"), ("x-b", "2")]).await;
        let sent = tap.last();
        assert!(sent.header("authorization").starts_with("Bearer YWMt"), "{named}");
        assert_eq!((sent.header("host"), sent.header("x-b")), ("127.0.0.1:1", "2"), "{named}");
        assert_eq!(sent.headers.contains_key("x-a"), !named.contains("x-a"), "{named}");
        assert!(!sent.body.is_empty() && !sent.headers.contains_key("connection"), "{named}");
    }
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_of_the_vendors() {
    const ADDS: &[(&str, &str)] = &[("connection", "cache-status, gateway-error, etag, age, content-length")];
    let (world, _) = world(ADDS, |_| {});
    let group = format!("/chatgroups/{}", SAMPLE_GROUPS[0]);
    let fetched = world.get(&group).await;
    assert_eq!(fetched.header("cache-status"), "easemob-gateway; fwd=miss; stored");
    assert!(!fetched.header("etag").is_empty() && !fetched.data().is_null());
    let hit = world.get(&group).await;
    assert!(hit.is_hit() && hit.body == fetched.body);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_repeats_the_app_token_has_asterisks_in_its_place() {
    // In a header, or twice in a body; of a write, a read that is kept, one that is not, and an error.
    let dress = |sent: &Sent, answer: &mut http::Response<Bytes>| {
        let token = sent.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        match sent.header("tracestate") {
            "head=1" => drop(answer.headers_mut().insert("x-echo", format!("a {token}").parse().unwrap())),
            "body=1" => *answer.body_mut() = format!(r#"{{"data":["{token}",1,"{token}"]}}"#).into(),
            "error=1" => {
                *answer.status_mut() = http::StatusCode::BAD_REQUEST;
                *answer.body_mut() = format!("no {token}").into();
            }
            _ => {}
        }
    };
    let (world, tap) = World::tapped(1, dress, uncached, |_| {});
    let group = format!("/chatgroups/{}", SAMPLE_GROUPS[0]);
    assert_eq!(world.get(&group).await.status, 200);
    for (method, path) in [
        (Method::GET, format!("{group}/announcement")),
        (Method::GET, "/elsewhere".to_owned()),
        (Method::POST, path()),
    ] {
        for echo in ["head=1", "error=1", "body=1"] {
            let body =
                (method == Method::POST).then(|| json!({"usernames": ["bob"], "mute_duration": 60_000}));
            let mut asked = request(method.clone(), &path, body);
            asked.headers_mut().insert("traceparent", HeaderValue::from_static("00-1-2-01"));
            asked.headers_mut().insert("tracestate", HeaderValue::from_static(echo));
            asked.headers_mut().insert("cache-control", HeaderValue::from_static("no-cache"));
            let reply = world.send(asked).await;
            let token = tap.last().header("authorization")["Bearer ".len()..].to_owned();
            assert!(token.len() > 10 && !format!("{reply:?}").contains(&token), "{path} {echo}");
            let stars = "*".repeat(token.len());
            match echo {
                "head=1" => assert_eq!(reply.header("x-echo"), format!("a {stars}"), "{path}"),
                "body=1" => {
                    assert_eq!(reply.body, format!(r#"{{"data":["{stars}",1,"{stars}"]}}"#), "{path}")
                }
                _ => assert_eq!(reply.body, format!("no {stars}"), "{path}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_belongs_to_the_trace_of_the_one_who_began_it() {
    let (world, tap) = world(&[], uncached);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for path in ["/announcement", ""] {
        let mut read = request(Method::GET, &format!("/chatgroups/{}{path}", SAMPLE_GROUPS[0]), None);
        read.headers_mut().insert("traceparent", HeaderValue::from_static(trace));
        read.headers_mut().insert("tracestate", HeaderValue::from_static("a=1"));
        assert_eq!(world.send(read).await.status, 200);
        assert_eq!((tap.last().header("traceparent"), tap.last().header("tracestate")), (trace, "a=1"));
    }
}
