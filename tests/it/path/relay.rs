//! What is passed through: path, query and bytes as they came, and what it changes is touched all the same.

use super::refusals::assert_refused;
use crate::support::world::{APP, World, request};
use bytes::Bytes;
use easemob_gateway::body::Body;
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_FILE, SAMPLE_GROUPS};
use easemob_gateway::units::ByteSize;
use futures_util::{FutureExt, StreamExt};
use http::{Method, Request};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};

fn group() -> String {
    format!("/chatgroups/{}", SAMPLE_GROUPS[0])
}

#[tokio::test(start_paused = true)]
async fn path_and_query_go_out_as_they_came_in() {
    let (world, tap) = World::tapped(1, |_, _| {}, |_| {}, |_| {});
    let targets = [
        "/elsewhere?b=2&a=1&b=1&a=&c",
        "/elsewhere?q=%2C,%20+%7e~&&=",
        "/chatgroups/66016455491585%2C66016455491586?_v=1&resource=",
        "/chatgroups/66016455491585,66016455491586?b=1&a=2",
        "/chatgroups/66016455491585/users/%62ob",
        "/elsewhere/%E4%BD%A0%e5%a5%bd?x=%E4",
        "/chatgroups?limit=2&cursor=",
        "/elsewhere?",
    ];
    for target in targets {
        for method in [Method::GET, Method::POST] {
            let reply = world.call(method.clone(), target, None).await;
            if !reply.refusal().is_empty() {
                continue;
            }
            let sent = tap.last();
            assert_eq!((sent.method, sent.target), (method, format!("{APP}{target}")));
        }
    }
    assert!(tap.calls().len() >= targets.len());
}

#[tokio::test(start_paused = true)]
async fn a_method_that_the_gateway_has_no_row_for_is_passed_on_as_it_is() {
    let (world, tap) = World::tapped(1, |_, _| {}, |_| {}, |_| {});
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let body = (method != Method::GET).then(|| json!({"a": 1}));
        world.call(method.clone(), "/elsewhere", body.clone()).await;
        let sent = tap.last();
        assert_eq!(sent.method, method);
        assert_eq!(sent.body, body.map_or_else(Bytes::new, |body| body.to_string().into()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unlisted_change_under_a_group_touches_that_group_and_a_read_does_not() {
    let world = World::new();
    let other = format!("/chatgroups/{}", SAMPLE_GROUPS[1]);
    for path in [&group(), &other] {
        assert_eq!(world.get(path).await.status, 200);
    }
    for path in ["/roles", "/shield", "/acks/7"] {
        world.get(&format!("{}{path}", group())).await;
        assert!(world.get(&group()).await.is_hit(), "to look at {path} changes nothing");
    }
    for (method, path) in [
        (Method::POST, "/apply"),
        (Method::DELETE, "/quit"),
        (Method::PUT, "/a/b/c"),
        (Method::POST, "/invite"),
    ] {
        world.call(method.clone(), &format!("{}{path}", group()), Some(json!({}))).await;
        let again = world.get(&group()).await;
        assert!(!again.is_hit(), "{method} {path}");
        // Past the time in which the vendor's own copies may lag, it is kept again.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        world.get(&group()).await;
        assert!(world.get(&group()).await.is_hit());
        world.get(&other).await;
        assert!(world.get(&other).await.is_hit(), "of another group it says nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_is_the_bytes_themselves_and_is_never_kept() {
    let world = World::new();
    let path = format!("{}/share_files/{SAMPLE_FILE}", group());
    for _ in 0..2 {
        let reply = world.get(&path).await;
        assert_eq!(reply.status, 200);
        assert_eq!(&reply.body[..], b"Moby-Dick\nMiddlemarch\n");
        assert_eq!(reply.header("content-type"), "text/plain");
        assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=bypass");
    }
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_download_is_handed_on_before_it_has_come_whole() {
    let world = World::new();
    // An answer that never ends: a gateway that read it first would never answer.
    let (parts, _) =
        request(Method::GET, &format!("{}/share_files/{SAMPLE_FILE}", group()), None).into_parts();
    let chunks = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"first")))])
        .chain(futures_util::stream::pending());
    let body = std::sync::Mutex::new(Some(Body::stream(StreamBody::new(chunks))));
    let body = std::sync::Arc::new(body);
    let endless = easemob_gateway::upstream::Upstream::service(tower::service_fn(move |_: Request<Body>| {
        let body = std::sync::Arc::clone(&body);
        async move { Ok(http::Response::new(body.lock().unwrap().take().unwrap_or_default())) }
    }));
    assert_eq!(world.get(&group()).await.status, 200, "there is a token");
    let (gateway, _desk) = world.parts.worker(endless);
    let response = gateway.call(Request::from_parts(parts, Body::Empty)).await.unwrap();
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(&first[..], b"first");
    assert!(body.frame().now_or_never().is_none(), "and the rest is waited for");
}

fn upload(bytes: &[u8]) -> Request<Body> {
    let head = "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"notes.bin\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n";
    let body = [head.as_bytes(), bytes, b"\r\n--xx--\r\n"].concat();
    // In pieces and without a length, as from a socket.
    let pieces: Vec<_> =
        body.chunks(60_000).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    Request::post(format!("{APP}{}/share_files", group()))
        .header("host", "localhost")
        .header("content-type", "multipart/form-data; boundary=xx")
        .header("restrict-access", "1")
        .body(Body::stream(StreamBody::new(futures_util::stream::iter(pieces))))
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_upload_arrives_byte_by_byte_and_the_list_shows_it() {
    let world = World::new();
    let list = format!("{}/share_files", group());
    assert_eq!(world.get(&list).await.data().as_array().unwrap().len(), 1);
    assert!(world.get(&list).await.is_hit());
    // One that is short enough to be kept for a repeat, and one that is not.
    for (at, size) in [10_000_usize, 3 << 20].into_iter().enumerate() {
        let bytes: Vec<u8> = (0..size).map(|n| (n * 31 % 251) as u8).collect();
        let reply = world.send(upload(&bytes)).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json());
        let listed = world.get(&list).await.data();
        assert_eq!(listed.as_array().unwrap().len(), at + 2);
        let id = reply.data()["file_id"].as_str().unwrap().to_owned();
        let down = world.get(&format!("{list}/{id}")).await;
        assert!(down.body == bytes, "{size} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_turns_out_too_long_on_its_way_is_too_large() {
    let world = World::with(|config| config.listen.body_bytes_max = ByteSize::mib(2), |_| {});
    let reply = world.send(upload(&vec![7; 3 << 20])).await;
    assert_refused(&reply, 413, "request_too_large", "body_too_large");
    let (_, files) = world.vendor.behind(Method::GET, &format!("{}/share_files", group()), Value::Null);
    assert_eq!(files["data"].as_array().unwrap().len(), 1, "nothing was stored");
}

#[tokio::test(start_paused = true)]
async fn a_write_without_a_body_or_with_one_on_delete_arrives_as_it_is() {
    let (world, tap) = World::tapped(1, |_, _| {}, |_| {}, |_| {});
    let reply = world.call(Method::POST, &format!("{}/users/frank", group()), None).await;
    assert_eq!(reply.status, 200);
    assert!(tap.last().body.is_empty() && !tap.last().headers.contains_key("content-length"));
    let body = json!({"usernames": ["carol"]});
    world.call(Method::DELETE, "/threads/179786360094768/users", Some(body.clone())).await;
    assert_eq!(tap.last().body, body.to_string());
    let (_, left) = world.vendor.behind(Method::GET, "/thread/179786360094768/users", Value::Null);
    assert!(!left.to_string().contains("carol"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_its_caller_has_left_is_not_waited_for() {
    let world = World::new();
    let hold = world.vendor.hold(Matcher::path("/elsewhere"), HoldAt::Arrival);
    let waits = tokio::time::timeout(std::time::Duration::from_secs(1), world.get("/elsewhere")).await;
    assert!(waits.is_err());
    hold.release();
    assert_eq!(
        world.metric("gateway_requests_total{cache=\"relay\",endpoint=\"other\",status=\"gone\"}"),
        1.0
    );
    assert_eq!(world.get(&group()).await.status, 200);
}
