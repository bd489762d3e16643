//! Callers who are slow, silent or gone: each is cut off in time, and only he.
//!
//! The timeouts are small, and what is asserted is that a connection ends, never when.

use super::floods::assert_counted;
use crate::support::frames;
use crate::support::house::{House, Vendor};
use crate::support::wire::{APP, Mirror, get, request, soon};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GROUP: &str = SAMPLE_GROUPS[0];
const SHORT: &str = "head_timeout = \"300ms\"\nidle_timeout = \"1s\"\nbody_timeout = \"300ms\"";

#[tokio::test]
async fn a_head_that_never_completes_is_cut_off_unanswered() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", "head_timeout = \"300ms\"\nidle_timeout = \"10m\"").await;
    // Nothing at all; the first letter of either protocol; a request line; a head without its last line.
    for begun in
        ["", "P", "GET ", "PRI * HTTP", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n"]
    {
        let mut talk = house.talk().await;
        talk.say(begun).await;
        assert!(talk.hear_all().await.is_empty(), "{begun:?}");
    }
    assert!(vendor.targets().is_empty());
}

#[tokio::test]
async fn a_second_head_that_never_completes_is_cut_off_too() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", "head_timeout = \"300ms\"\nidle_timeout = \"10m\"").await;
    let mut talk = house.talk().await;
    let path = format!("/chatgroups/{GROUP}");
    assert_eq!(talk.ask(get(&path)).await.status(), 200);
    talk.say("GET / HTTP/1.1\r\nHost").await;
    assert!(talk.hear_all().await.is_empty());
}

#[tokio::test]
async fn a_head_that_goes_on_for_ever_is_cut_off_too() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", "head_timeout = \"300ms\"\nidle_timeout = \"10m\"").await;
    let path = format!("/chatgroups/{GROUP}");
    let half = frames::frame(frames::HEADERS, 0, 1, &frames::head("GET", &path));
    let rest = frames::frame(frames::CONTINUATION, 0, 1, &[0; 16_000]);
    let http2 = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &frames::frame(frames::SETTINGS, 0, 0, &[])[..],
        &half,
        &rest[..9],
    ];
    for begun in [b"GET / HTTP/1.1\r\nX: ".to_vec(), http2.concat()] {
        let (mut reads, mut writes) = tokio::io::split(house.talk().await.into_stream());
        writes.write_all(&begun).await.unwrap();
        // A byte more whenever somebody else has been answered.
        let goes_on = async {
            while writes.write_all(b"a").await.is_ok() {
                assert_eq!(house.ask(get(&path)).await.status(), 200);
            }
        };
        let mut heard = Vec::new();
        let ((), heard) = soon(async {
            tokio::join!(goes_on, async {
                let _ = reads.read_to_end(&mut heard).await;
                heard
            })
        })
        .await;
        assert!(!heard.starts_with(b"HTTP"), "{heard:?}");
    }
    // For that, and not for what came.
    assert_counted(&house, "late_head", 2).await;
}

#[tokio::test]
async fn a_connection_that_was_answered_has_the_time_of_an_idle_one() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", "head_timeout = \"300ms\"\nidle_timeout = \"10m\"").await;
    let mut idle = house.talk().await;
    let path = format!("/chatgroups/{GROUP}");
    assert_eq!(idle.ask(get(&path)).await.status(), 200);
    // A head that began later is cut off meanwhile: so long has passed.
    let mut late = house.talk().await;
    late.say("GET").await;
    assert!(late.hear_all().await.is_empty());
    assert_eq!(idle.ask(get(&path)).await.status(), 200);
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_is_closed() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", SHORT).await;
    let mut talk = house.talk().await;
    assert_eq!(talk.ask(get(&format!("/chatgroups/{GROUP}"))).await.status(), 200);
    assert!(talk.hear_all().await.is_empty());
}

#[tokio::test]
async fn a_body_that_never_completes_is_refused_and_costs_nothing() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", SHORT).await;
    let half = format!(
        "POST /easemob-demo/chat/chatgroups/{GROUP}/mute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{{"
    );
    let mut waiting = house.talk().await;
    let answer = waiting.ask(&half).await;
    assert_eq!((answer.status(), answer.header("gateway-error")), (400, "body_cut"));
    assert!(waiting.hear_all().await.is_empty(), "what comes after half a body is no request");
    let mut finished = house.talk().await;
    finished.say(&half).await;
    finished.finish().await;
    // Whether it is told is up to the connection; it must end, and nothing may have been sent.
    let told = finished.hear().await;
    assert!(told.is_none_or(|answer| answer.status() == 400));
    assert!(vendor.targets().is_empty());
}

#[tokio::test]
async fn a_long_body_that_never_completes_is_refused_in_time_too() {
    let mirror = Mirror::start().await;
    let house = House::with(&format!("http://{}", mirror.address), "", SHORT).await;
    for framing in ["Content-Length: 10000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n989680\r\n"] {
        for path in [format!("/chatgroups/{GROUP}/share_files"), "/elsewhere".to_owned()] {
            let mut talk = house.talk().await;
            talk.say(format!("POST {APP}{path} HTTP/1.1\r\nHost: localhost\r\n{framing}")).await;
            // More than is kept to be sent again, so that it is on its way.
            talk.say(vec![b'a'; 0x0020_0000]).await;
            let answer = talk.hear().await.expect("an answer");
            assert_eq!((answer.status(), answer.header("gateway-error")), (400, "body_cut"), "{path}");
            assert!(talk.hear_all().await.is_empty(), "what comes after half a body is no request");
        }
    }
    assert!(mirror.seen().iter().all(|call| !call.whole), "half a body must not look whole");
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_but_in_time_is_answered() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let mut talk = house.talk().await;
    for byte in get(&format!("/chatgroups/{GROUP}")).bytes() {
        talk.say([byte]).await;
    }
    assert_eq!(talk.hear().await.expect("an answer").status(), 200);
    assert_eq!(vendor.targets().len(), 1);
}

#[tokio::test]
async fn one_connection_carries_any_number_of_requests() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", SHORT).await;
    let mut talk = house.talk().await;
    let path = format!("/chatgroups/{GROUP}");
    for _ in 0..500 {
        let answer = talk.ask(get(&path)).await;
        assert!(answer.status() == 200 && !answer.closes());
    }
    assert_eq!(vendor.targets().len(), 1);
}

#[tokio::test]
async fn a_slow_vendor_is_not_a_slow_caller() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", SHORT).await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let mut waiting = house.talk().await;
    waiting.say(get(&format!("/chatgroups/{GROUP}"))).await;
    held.arrived(1).await;
    // A connection that is idle meanwhile ends: so long has passed.
    let mut idle = house.talk().await;
    assert_eq!(idle.ask(request("GET", "/token", "")).await.status(), 400);
    assert!(idle.hear_all().await.is_empty());
    held.release();
    assert_eq!(waiting.hear().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", "connections_max = 1").await;
    let path = format!("/chatgroups/{GROUP}");
    let mut first = house.talk().await;
    assert_eq!(first.ask(get(&path)).await.status(), 200);
    let mut second = house.talk().await;
    second.say(get(&path)).await;
    assert_eq!(first.ask(get(&path)).await.status(), 200);
    drop(first);
    assert_eq!(second.hear().await.expect("an answer").status(), 200);
}
