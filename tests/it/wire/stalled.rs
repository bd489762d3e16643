//! Callers who stop in the middle: who does not read his answer, or does not finish his upload, holds up nobody.

use super::vendor::{Raw, house};
use crate::support::frames::{Peer, read};
use crate::support::house::House;
use crate::support::wire::{APP, answer, get, soon};
use tokio::io::AsyncWriteExt;

const SHORT: &str = "connections_max = 1\nconnect_timeout = \"300ms\"\ntotal_timeout = \"500ms\"\n\
                     first_byte_timeout = \"300ms\"";
const GOOD: &str = r#"{"data":[]}"#;

#[tokio::test]
async fn a_caller_who_does_not_read_gives_the_vendors_connection_back() {
    let raw = Raw::start().await;
    let house = house(&raw, SHORT).await;
    let mut lazy = house.talk().await;
    lazy.say(get("/chatgroups/1/share_files/x")).await;
    let vendor = async {
        let mut first = raw.accept().await;
        first.hear().await.expect("the download");
        first.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
        let endless = async {
            let mut stream = first.into_stream();
            while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
        };
        let other = async {
            let (mut talk, _) = raw.call().await;
            talk.say(answer("200 OK", GOOD)).await;
        };
        tokio::join!(endless, other);
    };
    let others = async {
        // At first there is no connection left.
        while house.ask(get("/chatgroups/2")).await.status() != 200 {}
    };
    soon(async { tokio::join!(vendor, others) }).await;
    drop(lazy);
}

#[tokio::test]
async fn a_caller_who_does_not_read_is_cut_off() {
    let raw = Raw::start().await;
    let origin = raw.origin();
    let idle = "head_timeout = \"300ms\"\nidle_timeout = \"1s\"\nconnections_max = 1";
    let (house, ()) = tokio::join!(House::with(&origin, "", idle), raw.grant());
    let mut lazy = house.talk().await;
    lazy.say(get("/chatgroups/1/share_files/x")).await;
    let vendor = async {
        let mut first = raw.accept().await;
        first.hear().await.expect("the download");
        first.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
        let mut stream = first.into_stream();
        while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
    };
    // Its place is the only one: somebody else is answered once it has been given up.
    let other = async { assert_eq!(house.ask(get("/nowhere/;")).await.status(), 400) };
    soon(async { tokio::join!(vendor, other) }).await;
    drop(lazy);
}

/// The time of an idle connection passes in the middle of an answer, over either protocol.
#[tokio::test]
async fn a_vendor_who_pauses_in_an_answer_is_no_caller_who_does_not_read() {
    let raw = Raw::start().await;
    let (origin, short) = (raw.origin(), "head_timeout = \"300ms\"\nidle_timeout = \"1s\"");
    let (house, ()) = tokio::join!(House::with(&origin, "", short), raw.grant());
    let path = "/chatgroups/1/share_files/x";
    let half = async || {
        let mut vendor = raw.accept().await;
        vendor.hear().await.expect("the download");
        // Longer than what is read whole before it is passed on.
        vendor.say("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\nhalf").await;
        vendor
    };
    let mut http1 = house.talk().await;
    http1.say(get(path)).await;
    let mut first = half().await;
    let mut http2 = Peer::to(house.address, &[]).await;
    http2.say(read(1, path)).await;
    let mut second = half().await;
    assert!(http2.hear_until(|frame| frame.payload == b"half").await.is_some());
    // Connections that are idle meanwhile end, one after the other.
    for _ in 0..2 {
        let mut idle = house.talk().await;
        assert_eq!(idle.ask(get("/nowhere/;")).await.status(), 400);
        assert!(idle.hear_all().await.is_empty());
    }
    second.say("more").await;
    assert!(http2.hear_until(|frame| frame.payload == b"more").await.is_some());
    let rest = vec![b'x'; 3_000_000 - 4];
    let (answer, ()) = tokio::join!(http1.hear(), first.say(rest));
    assert!(answer.expect("an answer").whole);
}

#[tokio::test]
async fn an_upload_that_was_answered_before_its_end_holds_up_nobody() {
    let raw = Raw::start().await;
    let house = house(&raw, "connect_timeout = \"2s\"").await;
    let mut stalled = house.talk().await;
    let head = format!(
        "POST {APP}/chatgroups/1/share_files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n"
    );
    stalled.say(head).await;
    stalled.say(vec![b'a'; 2_000_000]).await;
    let vendor = async {
        let mut talk = raw.accept().await;
        talk.hear_only_the_head().await;
        talk.say(answer("403 Forbidden", "{}")).await;
        talk
    };
    let (answered, _open) = tokio::join!(stalled.hear(), vendor);
    assert_eq!(answered.expect("an answer").status(), 403);
    let (answered, ()) = tokio::join!(house.ask(get("/chatgroups/2")), async {
        let (mut talk, _) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
    });
    assert_eq!(answered.status(), 200, "{}", answered.text());
}
