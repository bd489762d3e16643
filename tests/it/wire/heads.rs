//! `HEAD` and 304 on a connection: no body follows, and the next answer on it is not mistaken for one.

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
        talk.say(format!("HEAD {} HTTP/1.1\r\nHost: x\r\n\r\n", target())).await;
        let head = talk.hear_head().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_ne!(head.header("date"), "");
        lengths.push(head.header("content-length").to_owned());
    }
    let whole = talk.ask(format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", target())).await;
    assert_eq!(whole.header("content-length"), lengths[0]);
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(vendor.targets().len(), 1);
    let tag = whole.header("etag").to_owned();
    talk.say(format!("GET {} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n", target())).await;
    let same = talk.hear_head().await.unwrap();
    assert_eq!((same.status(), same.header("etag")), (304, tag.as_str()));
    assert_eq!(talk.ask(format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", target())).await.status(), 200);
}

#[tokio::test]
async fn http2_sends_no_body_after_a_head_either() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let stream = TcpStream::connect(house.address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let tasks = Tasks::new();
    tasks.spawn("http2", async move {
        let _ = connection.await;
    });
    for path in [target(), target(), format!("{APP}/chatgroups/4711"), format!("{}/ban", target())] {
        let head = Request::head(format!("http://gateway{path}")).body(Empty::<Bytes>::new()).unwrap();
        let head = soon(sender.send_request(head)).await.unwrap();
        assert!(head.headers().contains_key("content-length"), "{path}");
        assert!(soon(head.into_body().collect()).await.unwrap().to_bytes().is_empty(), "{path}");
        let whole = Request::get(format!("http://gateway{path}")).body(Empty::<Bytes>::new()).unwrap();
        let whole = soon(sender.send_request(whole)).await.unwrap();
        assert!(!soon(whole.into_body().collect()).await.unwrap().to_bytes().is_empty(), "{path}");
    }
}
