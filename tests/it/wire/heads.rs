//! `HEAD` and 304 on a connection: no body follows, and the next answer on it is not mistaken for one.

use super::vendor::{Raw, house};
use crate::support::house::{House, Vendor};
use crate::support::wire::{APP, soon};
use bytes::Bytes;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use easemob_gateway::tasks::Tasks;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// A connection that speaks HTTP/2.
async fn http2_to(house: &House) -> http2::SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(house.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    Tasks::new().spawn("http2", async move {
        let _ = connection.await;
    });
    sender
}

fn target() -> String {
    format!("{APP}/chatgroups/{}", SAMPLE_GROUPS[0])
}

#[tokio::test]
async fn a_head_has_the_length_of_the_body_that_does_not_come() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let mut talk = house.talk().await;
    let mut lengths = Vec::new();
    for _ in 0..2 {
        talk.say(format!("HEAD {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target())).await;
        let head = talk.hear_head().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_ne!(head.header("date"), "");
        lengths.push(head.header("content-length").to_owned());
    }
    let whole = talk.ask(format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target())).await;
    assert_eq!(whole.header("content-length"), lengths[0]);
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(vendor.targets().len(), 1);
    let tag = whole.header("etag").to_owned();
    talk.say(format!("GET {} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\n\r\n", target())).await;
    let same = talk.hear_head().await.unwrap();
    assert_eq!((same.status(), same.header("etag")), (304, tag.as_str()));
    assert_eq!(talk.ask(format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target())).await.status(), 200);
}

#[tokio::test]
async fn a_head_that_is_passed_on_has_the_length_that_the_vendor_says() {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut talk = house.talk().await;
    for (said, length) in [("Content-Length: 12345\r\n", "12345"), ("Content-Length: 0\r\n", "0"), ("", "")] {
        talk.say(format!("HEAD {APP}/elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        let (head, asked) = tokio::join!(talk.hear_head(), async {
            let (mut vendor, asked) = raw.call().await;
            vendor.say(format!("HTTP/1.1 200 OK\r\n{said}Connection: close\r\n\r\n")).await;
            asked.start
        });
        let head = head.unwrap();
        assert_eq!((head.status(), head.header("content-length")), (200, length), "{head:?}");
        assert!(asked.starts_with("HEAD "), "{asked}");
    }
}

#[tokio::test]
async fn what_trails_an_answer_of_the_vendor_ends_here() {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut sender = http2_to(&house).await;
    let asked = Request::get(format!("http://localhost{APP}/chatgroups/1/share_files/x"));
    let asked = sender.send_request(asked.body(Empty::<Bytes>::new()).unwrap());
    let (answer, ()) = tokio::join!(soon(asked), async {
        let (mut vendor, _) = raw.call().await;
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: set-cookie, x-after\r\n\r\n";
        vendor.say(format!("{head}4\r\nhalf\r\n0\r\nSet-Cookie: a=1\r\nX-After: 1\r\n\r\n")).await;
    });
    let whole = soon(answer.unwrap().into_body().collect()).await.unwrap();
    assert!(whole.trailers().is_none(), "{:?}", whole.trailers());
    assert_eq!(whole.to_bytes(), "half");
}

#[tokio::test]
async fn http2_sends_no_body_after_a_head_either() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let mut sender = http2_to(&house).await;
    for path in [target(), target(), format!("{APP}/chatgroups/4711"), format!("{}/ban", target())] {
        let head = Request::head(format!("http://localhost{path}")).body(Empty::<Bytes>::new()).unwrap();
        let head = soon(sender.send_request(head)).await.unwrap();
        assert!(head.headers().contains_key("content-length"), "{path}");
        assert!(soon(head.into_body().collect()).await.unwrap().to_bytes().is_empty(), "{path}");
        let whole = Request::get(format!("http://localhost{path}")).body(Empty::<Bytes>::new()).unwrap();
        let whole = soon(sender.send_request(whole)).await.unwrap();
        assert!(!soon(whole.into_body().collect()).await.unwrap().to_bytes().is_empty(), "{path}");
    }
}
