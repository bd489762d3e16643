//! Heads as they came over a socket: recorded, and looked at for what can be read in two ways.

use easemob_gateway::simulator::{Ambiguity, Settings};

use super::wire::Line;

const END: &str = "\r\n\r\n";

fn get(lines: &str) -> String {
    format!("GET /easemob-demo/chat/chatgroups/7 HTTP/1.1\r\nHost: x{lines}{END}")
}

#[tokio::test]
async fn each_ambiguity_is_noticed() {
    use Ambiguity as A;
    let cases: [(String, &[Ambiguity]); 20] = [
        (get("\r\nContent-Length: 0\r\nContent-Length: 0"), &[A::TwoLengths]),
        (get("\r\nContent-Length: 0, 0"), &[A::TwoLengths, A::OddLength]),
        (get("\r\nContent-Length: 0\r\ncontent-length : 5"), &[A::TwoLengths, A::SpaceBeforeColon]),
        (get("\r\nContent-Length: +1"), &[A::OddLength]),
        (get("\r\nContent-Length: 0x0"), &[A::OddLength]),
        (get("\r\nContent-Length:"), &[A::OddLength]),
        (get("\r\nTransfer-Encoding: chunked\r\nContent-Length: 5"), &[A::LengthAndChunks]),
        (get("\r\nTransfer-Encoding: identity"), &[A::OddEncoding]),
        (get("\r\nTransfer-Encoding: gzip, chunked"), &[A::OddEncoding]),
        (get("\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), &[A::OddEncoding]),
        (get("\r\nA: b\r\n c"), &[A::Folded]),
        (get("\r\nA: b\r\n\tContent-Length: 5"), &[A::Folded]),
        (get("\nA: b"), &[A::BareLineFeed]),
        (get("\r\nA: b\rContent-Length: 5"), &[A::BareReturn]),
        (get("\r\nA : b"), &[A::SpaceBeforeColon]),
        (get("\r\nA"), &[A::NoColon]),
        (get("\r\nA: \u{0}"), &[A::Control]),
        (get("\r\nHOST: y"), &[A::OddHost]),
        ("GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n".into(), &[A::OddRequestLine]),
        ("GET / HTTP/1.0\r\n\r\n".into(), &[A::OddHost, A::OddRequestLine]),
    ];
    let line = Line::open(Settings::default()).await;
    for (head, kinds) in cases {
        line.control.reset_counters();
        let mut talk = line.talk().await;
        talk.say(&head).await;
        talk.finish().await;
        talk.hear_all().await;
        let seen = line.control.ambiguities();
        let [last] = Vec::from(seen.last).try_into().unwrap_or_else(|all| panic!("{head:?}: {all:?}"));
        assert_eq!((last.kinds.as_slice(), last.head), (kinds, head));
        assert!(kinds.iter().all(|kind| seen.counts[kind] == 1));
    }
}

#[tokio::test]
async fn heads_that_leave_no_doubt_are_not_noticed() {
    let line = Line::open(Settings::default()).await;
    let (mut talk, chunked) = (line.talk().await, "\r\nTransfer-Encoding: chunked");
    talk.ask(get("\r\nContent-Length: 3") + "{\n\n").await;
    talk.ask(get(chunked) + "3;a=b\r\n\r\n\r\r\n0\r\nTrailer: a\r\n\r\n").await;
    talk.ask(get("")).await;
    assert!(line.control.ambiguities().last.is_empty(), "{:?}", line.control.ambiguities());
    assert_eq!(line.control.calls().len(), 3);
}

#[tokio::test]
async fn each_call_has_its_own_head_and_place() {
    let line = Line::open(Settings::default()).await;
    let mut talk = line.talk().await;
    // Bodies that look like heads, in pieces and in one.
    let first = get("\r\nX-First: \u{e4}\r\nContent-Length: 26");
    talk.say(&first[..20]).await;
    talk.say(&first[20..]).await;
    talk.say(&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..26]).await;
    assert_eq!(talk.hear().await.unwrap().status(), 401);
    let (second, third) = (get("\r\nTransfer-Encoding: chunked"), get("\r\nX-Third: 1"));
    talk.say(second.clone() + "4\r\n\r\n\r\n\r\n0\r\n\r\n" + &third).await;
    assert_eq!(talk.hear().await.unwrap().status(), 401);
    assert_eq!(talk.hear().await.unwrap().status(), 401);
    let fourth = get("\r\nX-Fourth: 1");
    line.talk().await.ask(&fourth).await;
    let calls = line.control.calls();
    let head = |call: usize| String::from_utf8(calls[call].head.clone().unwrap().to_vec()).unwrap();
    assert_eq!([head(0), head(1), head(2), head(3)], [first, second, third, fourth]);
    let places: Vec<_> = calls.iter().map(|call| (call.connection.unwrap(), call.on_connection)).collect();
    assert_eq!(places, [(1, 1), (1, 2), (1, 3), (2, 1)]);
    assert_eq!((calls[0].body_bytes, calls[1].body_bytes, calls[2].body_bytes), (26, 4, 0));
}

#[tokio::test]
async fn where_heads_are_not_recorded_there_are_none() {
    let line = Line::open(Settings { raw_heads: false, ..Settings::default() }).await;
    line.talk().await.ask(get("\r\nA : b")).await;
    line.talk().await.ask(get("")).await;
    line.control.raw_heads(true);
    line.talk().await.ask(get("")).await;
    let heads: Vec<bool> = line.control.calls().iter().map(|call| call.head.is_some()).collect();
    assert_eq!((heads, line.control.ambiguities().last.len()), (vec![false, true], 0));
}

#[tokio::test]
async fn a_head_without_end_is_not_kept() {
    let line = Line::open(Settings::default()).await;
    let mut talk = line.talk().await;
    let long = format!("\r\nA: {}", "a".repeat(70_000));
    let answer = talk.ask(get(&long)).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(talk.ask(get("")).await.status(), 401);
    assert!(line.control.calls().iter().all(|call| call.head.is_none()));
}
