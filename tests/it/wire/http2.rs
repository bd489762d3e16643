//! Cleartext HTTP/2 with prior knowledge: many requests at once on one connection, and an end without a loss.

use crate::support::house::{House, Vendor};
use crate::support::wire::{APP, soon};
use bytes::Bytes;
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use easemob_gateway::tasks::Tasks;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

const GROUP: &str = SAMPLE_GROUPS[0];

/// A connection, and the task that drives it.
async fn connect(house: &House) -> (SendRequest<Full<Bytes>>, Tasks) {
    let stream = TcpStream::connect(house.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let tasks = Tasks::new();
    tasks.spawn("http2", async move {
        let _ = connection.await;
    });
    (sender, tasks)
}

fn ask(method: &str, path: &str, body: &'static str) -> Request<Full<Bytes>> {
    let uri = format!("http://localhost{APP}{path}");
    Request::builder().method(method).uri(uri).body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
}

async fn read(response: Response<Incoming>) -> (u16, serde_json::Value) {
    let status = response.status().as_u16();
    let body = soon(response.into_body().collect()).await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn reads_and_writes_work_as_on_http1() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let (mut sender, _tasks) = connect(&house).await;
    let path = format!("/chatgroups/{GROUP}/mute");
    let send = soon(sender.send_request(ask("GET", &path, ""))).await.unwrap();
    assert_eq!(read(send).await.1["data"], serde_json::json!([]));
    let mute = r#"{"usernames":["carol"],"mute_duration":60000}"#;
    assert_eq!(read(soon(sender.send_request(ask("POST", &path, mute))).await.unwrap()).await.0, 200);
    let read = read(soon(sender.send_request(ask("GET", &path, ""))).await.unwrap()).await;
    assert_eq!(read.1["data"][0]["user"], "carol");
    let calls = vendor.control.calls();
    assert!(calls.iter().all(|call| call.status == Some(200)), "{calls:?}");
}

#[tokio::test]
async fn many_streams_share_a_connection_and_a_fetch() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let (sender, _tasks) = connect(&house).await;
    let path = format!("/chatgroups/{GROUP}");
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    // More than may be open at once: the rest waits its turn on the same connection.
    let reads = (0..500).map(|_| {
        let (mut sender, path) = (sender.clone(), path.clone());
        async move { read(soon(sender.send_request(ask("GET", &path, ""))).await.unwrap()).await.0 }
    });
    let ((), statuses) = tokio::join!(
        async {
            held.arrived(1).await;
            held.release();
        },
        join_all(reads)
    );
    assert_eq!(statuses, vec![200; 500]);
    assert_eq!(vendor.targets().len(), 1);
}

#[tokio::test]
async fn a_stream_in_flight_is_answered_while_the_house_closes() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let (mut sender, tasks) = connect(&house).await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let answer = sender.send_request(ask("GET", &format!("/chatgroups/{GROUP}"), ""));
    let asked = async { read(soon(answer).await.unwrap()).await.0 };
    let end = async {
        held.arrived(1).await;
        house.stop();
        held.release();
    };
    let (status, ()) = tokio::join!(asked, end);
    assert_eq!(status, 200);
    soon(tasks.settled()).await;
    house.ended().await;
}
