//! Answers that break where there is no wire: what a client would see of them.

use std::time::Duration;

use bytes::Bytes;
use easemob_gateway::simulator::{Breakage, Dropped, Fault, Matcher};
use futures_util::poll;
use http::{Method, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Vendor, group};

const TEXT: &str = "0123456789";

/// What a client sees of an answer whose body is [`TEXT`].
#[derive(Debug, PartialEq)]
enum Seen {
    Nothing,
    /// The body, the length that was announced, and whether it came to its end.
    Body(String, Option<u64>, bool),
}

async fn seen(vendor: &Vendor, how: Breakage) -> Seen {
    vendor.control().next(Matcher::any(), Fault::body(StatusCode::OK, TEXT).breaking(how));
    let request = vendor.request(Method::GET, &group("")).body(Full::new(Bytes::new())).unwrap();
    let Ok(response) = vendor.simulator.answer(request).await else { return Seen::Nothing };
    let (mut body, mut text) = (response.into_body(), String::new());
    let length = body.size_hint().exact();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap(),
            Err(Dropped) => return Seen::Body(text, length, false),
        }
    }
    assert!(body.is_end_stream());
    Seen::Body(text, length, true)
}

#[tokio::test(start_paused = true)]
async fn each_kind_shows_as_it_would_behind_a_wire() {
    let vendor = Vendor::new().await;
    let body = |text: &str, length: Option<u64>, whole| Seen::Body(text.to_owned(), length, whole);
    let mut ways = 0;
    for (name, how) in Breakage::ALL {
        let expected = match name {
            "reset" | "close" | "half_head" | "garbage" | "two_lengths" => Seen::Nothing,
            "half_body" | "reset_in_body" => body("01234", Some(10), false),
            "half_chunk" => body("01234", None, false),
            "half_unframed" => body("01234", None, true),
            "too_long" => body(TEXT, Some(17), false),
            "too_short" => body("01234", Some(5), true),
            "stall_before_head" | "stall_after_head" | "stall_in_body" => continue,
            _ => body(TEXT, Some(10), true),
        };
        assert_eq!(seen(&vendor, how).await, expected, "{name}");
        ways += 1;
    }
    assert_eq!(ways, 15);
}

#[tokio::test(start_paused = true)]
async fn a_stall_lasts_until_it_is_released() {
    let vendor = Vendor::new().await;
    for how in [Breakage::StallBeforeHead, Breakage::StallAfterHead, Breakage::StallInBody] {
        let mut waiting = Box::pin(seen(&vendor, how));
        assert!(poll!(&mut waiting).is_pending());
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert!(poll!(&mut waiting).is_pending());
        vendor.control().release_stalls();
        assert_eq!(waiting.await, Seen::Body(TEXT.to_owned(), Some(10), true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_drip_takes_its_time_for_each_byte() {
    let vendor = Vendor::new().await;
    let start = Instant::now();
    let drip = seen(&vendor, Breakage::Drip(Duration::from_secs(2))).await;
    assert_eq!((drip, start.elapsed().as_secs()), (Seen::Body(TEXT.to_owned(), Some(10), true), 20));
}

#[tokio::test(start_paused = true)]
async fn a_broken_answer_is_that_of_a_call_that_took_effect_or_of_one_that_did_not() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    let name = || control.behind(Method::GET, &group(""), Value::Null).1["data"][0]["name"].clone();
    for (fault, after) in [
        (Fault::broken(Breakage::HalfUnframed), "book club"),
        (Fault::broken(Breakage::HalfUnframed).after_effect(), "new"),
    ] {
        control.next(Matcher::any(), fault);
        let (status, body) = vendor.call(Method::PUT, &group(""), json!({"groupname": "new"})).await;
        assert_eq!((status, body, name()), (StatusCode::OK, Value::Null, json!(after)));
    }
    // A read's own answer is what breaks, token and limits included.
    control.next(Matcher::any(), Fault::broken(Breakage::Informational));
    assert_eq!(vendor.get(&group("")).await["data"][0]["name"], "new");
    control.next(Matcher::any(), Fault::broken(Breakage::Informational));
    control.revoke_tokens();
    vendor.fails(Method::GET, &group(""), Value::Null, 401, "unauthorized").await;
}

#[tokio::test(start_paused = true)]
async fn only_answers_that_show_their_status_are_counted_with_one() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    control.reset_counters();
    for how in [Breakage::Close, Breakage::HalfBody] {
        seen(&vendor, how).await;
    }
    let count = control.counters().get("GET", "/chatgroups/{group_id}");
    assert_eq!((count.total, count.dropped, count.statuses.get(&200)), (2, 1, Some(&1)));
}
