//! Answers that break on a real wire, byte for byte, and what is counted of connections.

use std::io::ErrorKind;
use std::time::Duration;

use easemob_gateway::simulator::{Breakage, Control, Fault, Matcher, Settings, Simulator};
use easemob_gateway::tasks::Tasks;
use http::StatusCode;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::wire::{Talk, get, soon};

/// A vendor behind a socket, for as long as this lives.
pub(super) struct Line {
    pub(super) control: Control,
    address: std::net::SocketAddr,
    _stop: tokio_util::sync::DropGuard,
    _tasks: Tasks,
}

impl Line {
    pub(super) async fn open(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let simulator = Simulator::new(settings);
        let (control, stop, tasks) = (simulator.control(), CancellationToken::new(), Tasks::new());
        let stopped = stop.clone();
        tasks.spawn("vendor", async move { simulator.serve(listener, stopped).await.unwrap() });
        Self { control, address, _stop: stop.drop_guard(), _tasks: tasks }
    }

    pub(super) async fn talk(&self) -> Talk {
        Talk::to(self.address).await
    }
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=UTF-8\r\n";

/// Everything that comes until the connection ends, and how it ends.
async fn to_the_end(mut stream: TcpStream) -> (String, Option<ErrorKind>) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match soon(stream.read(&mut piece)).await {
            Ok(0) => return (String::from_utf8_lossy(&bytes).into_owned(), None),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) => return (String::from_utf8_lossy(&bytes).into_owned(), Some(error.kind())),
        }
    }
}

#[tokio::test]
async fn each_kind_breaks_where_it_says() {
    let line = Line::open(Settings::default()).await;
    let (reset, whole) = (Some(ErrorKind::ConnectionReset), "0123456789");
    let framed = |length: usize, body: &str| format!("{HEAD}Content-Length: {length}\r\n\r\n{body}");
    let cases = [
        (Breakage::Reset, String::new(), reset),
        (Breakage::Close, String::new(), None),
        (Breakage::HalfBody, framed(10, "01234"), None),
        (Breakage::HalfUnframed, format!("{HEAD}Connection: close\r\n\r\n01234"), None),
        (Breakage::HalfChunk, format!("{HEAD}Transfer-Encoding: chunked\r\n\r\na\r\n01234"), None),
        (Breakage::TooLong, framed(17, whole), None),
        (
            Breakage::LengthAndChunks,
            format!("{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{whole}\r\n0\r\n\r\n"),
            None,
        ),
    ];
    for (how, bytes, end) in cases {
        line.control.next(Matcher::any(), Fault::body(StatusCode::OK, whole).breaking(how));
        let mut talk = line.talk().await;
        talk.say(get("/chatgroups/7")).await;
        assert_eq!(to_the_end(talk.into_stream()).await, (bytes, end), "{how:?}");
    }
    line.control.next(Matcher::any(), Fault::body(StatusCode::OK, whole).breaking(Breakage::HalfHead));
    let mut talk = line.talk().await;
    talk.say(get("/chatgroups/7")).await;
    let (half, end) = to_the_end(talk.into_stream()).await;
    assert!(HEAD.starts_with(&half) && half.len() > 20 && end.is_none(), "{half:?} {end:?}");
    line.control.next(Matcher::any(), Fault::body(StatusCode::OK, whole).breaking(Breakage::Garbage));
    let mut talk = line.talk().await;
    talk.say(get("/chatgroups/7")).await;
    let (garbage, end) = to_the_end(talk.into_stream()).await;
    assert!(!garbage.contains("HTTP/1") && end.is_none(), "{garbage:?}");
}

#[tokio::test]
async fn a_connection_that_an_answer_leaves_open_carries_the_next_request() {
    let line = Line::open(Settings::default()).await;
    let kinds = [
        (Breakage::Drip(Duration::ZERO), ""),
        (
            Breakage::Informational,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
        ),
    ];
    let mut talk = line.talk().await;
    for (how, before) in kinds {
        line.control.next(Matcher::any(), Fault::body(StatusCode::OK, "0123456789").breaking(how));
        talk.say(get("/chatgroups/7")).await;
        for _ in 0..before.matches("HTTP/1.1").count() {
            assert!((100..200).contains(&talk.hear().await.unwrap().status()));
        }
        let answer = talk.hear().await.unwrap();
        assert_eq!((answer.status(), answer.text().as_str()), (200, "0123456789"), "{how:?}");
    }
    // What a careless reader would take for the next answer.
    line.control.next(Matcher::any(), Fault::body(StatusCode::OK, "{}").breaking(Breakage::SecondAnswer));
    talk.say(get("/chatgroups/7")).await;
    assert_eq!(talk.hear().await.unwrap().text(), "{}");
    assert_eq!(talk.hear().await.unwrap().text(), "{\"data\":[\"smuggled\"]}");
    line.control.next(Matcher::any(), Fault::body(StatusCode::OK, "0123456789").breaking(Breakage::TooShort));
    assert_eq!(talk.ask(get("/chatgroups/7")).await.text(), "01234");
    line.control.next(Matcher::any(), Fault::body(StatusCode::OK, "{}").breaking(Breakage::TwoLengths));
    let mut other = line.talk().await;
    let answer = other.ask(get("/chatgroups/7")).await;
    assert_eq!((answer.count("content-length"), answer.text().as_str()), (2, "{}"));
    assert_eq!(other.ask(get("/chatgroups/7")).await.status(), 401);
}

#[tokio::test]
async fn a_stall_ends_with_its_release_or_its_connection() {
    let line = Line::open(Settings::default()).await;
    for how in [Breakage::StallBeforeHead, Breakage::StallAfterHead, Breakage::StallInBody] {
        line.control.next(Matcher::any().times(2), Fault::body(StatusCode::OK, "0123456789").breaking(how));
        let mut talk = line.talk().await;
        talk.say(get("/chatgroups/7")).await;
        if how != Breakage::StallBeforeHead {
            talk.hear_only_the_head().await;
        }
        // One that leaves is not waited for.
        let mut left = line.talk().await;
        left.say(get("/chatgroups/7")).await;
        soon(until(|| line.control.calls().iter().filter(|call| call.status == Some(200)).count() == 2))
            .await;
        drop(left);
        soon(until(|| line.control.connections().open == 1)).await;
        // The next request has been read already when the stall ends: its oddity has been noticed.
        let next = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n";
        talk.say(next).await;
        soon(until(|| line.control.ambiguities().last.len() == 1)).await;
        line.control.release_stalls();
        let answer = talk.hear().await.unwrap();
        assert_eq!((answer.text().as_str(), answer.whole), ("0123456789", true), "{how:?}");
        assert_eq!(talk.hear().await.unwrap().status(), 404);
        drop(talk);
        soon(until(|| line.control.connections().open == 0)).await;
        line.control.reset_counters();
    }
    let count = line.control.connections();
    assert_eq!((count.opened, count.most), (6, 2));
}

#[tokio::test]
async fn who_asks_for_the_end_of_the_connection_gets_it_after_a_broken_answer_too() {
    let line = Line::open(Settings::default()).await;
    line.control.next(Matcher::any(), Fault::status(StatusCode::OK).breaking(Breakage::Informational));
    let mut talk = line.talk().await;
    talk.say("GET /easemob-demo/chat/chatgroups HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await;
    let (all, end) = to_the_end(talk.into_stream()).await;
    assert!(all.contains("103 Early Hints") && all.contains("200 OK") && end.is_none(), "{all}");
}

/// Lets others work until this is so.
async fn until(so: impl Fn() -> bool) {
    while !so() {
        tokio::task::yield_now().await;
    }
}
