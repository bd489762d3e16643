//! The vendor's door on a socket: what it answers, and that it cannot be held open or flooded.

use crate::support::house::{House, Vendor};
use crate::support::report::{event, signed};
use crate::support::wire::{Message, Talk, get};
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::Method;
use serde_json::json;

const GROUP: &str = SAMPLE_GROUPS[0];
const DOOR: &str = "[callbacks]\naddress = \"127.0.0.1:0\"\nsecret = \"s3cr3t\"\nbody_bytes_max = \"4KiB\"\ntimeout = \"300ms\"";

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

async fn say(house: &House, request: &str) -> Message {
    Talk::to(house.callbacks.expect("a door")).await.ask(request).await
}

async fn count(house: &House, outcome: &str) -> u64 {
    let page =
        Talk::to(house.admin).await.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.text();
    let series = format!("gateway_callbacks_total{{outcome=\"{outcome}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&series)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn a_signed_report_on_a_socket_makes_the_next_read_fresh() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", DOOR).await;
    let path = format!("/chatgroups/{GROUP}/announcement");
    house.ask(get(&path)).await;
    vendor.control.behind(Method::POST, &path, json!({"announcement": "by the console"}));
    assert!(!house.ask(get(&path)).await.text().contains("by the console"));
    let report = signed(event("GROUP", GROUP, "UPDATE", json!({"type": "ANNOUNCEMENT"}))).to_string();
    let answer = say(&house, &post("/callbacks", &report)).await;
    assert_eq!((answer.status(), answer.text().as_str()), (200, ""));
    assert!(house.ask(get(&path)).await.text().contains("by the console"));
}

#[tokio::test]
async fn whatever_is_posted_is_answered_with_200_and_counted() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", DOOR).await;
    let forged = event("GROUP", GROUP, "DELETE", json!({})).to_string();
    for (body, outcome) in [(forged, "unsigned"), ("{\"muc\"".into(), "garbage"), ("hello".into(), "ignored")]
    {
        assert_eq!(say(&house, &post("/callbacks", &body)).await.status(), 200);
        assert_eq!(count(&house, outcome).await, 1, "{outcome}");
    }
    // Too long, told by its length and not; and one that stops in the middle.
    let huge = "x".repeat(5000);
    let answer = say(&house, &post("/callbacks", &huge)).await;
    assert!(answer.status() == 200 && answer.closes());
    let chunked = format!(
        "POST /callbacks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n{huge}\r\n"
    );
    assert_eq!(say(&house, &chunked).await.status(), 200);
    assert_eq!(count(&house, "too_large").await, 2);
    let half = "POST /callbacks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{";
    assert_eq!(say(&house, half).await.status(), 200);
    assert_eq!(count(&house, "cut").await, 1);
}

#[tokio::test]
async fn there_is_one_path_and_one_method() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", DOOR).await;
    assert_eq!(say(&house, &post("/", "{}")).await.status(), 404);
    assert_eq!(say(&house, "GET /callbacks HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status(), 405);
    assert_eq!(say(&house, &post("/easemob-demo/chat/chatgroups", "{}")).await.status(), 404);
    assert!(vendor.targets().is_empty());
}

#[tokio::test]
async fn who_says_nothing_is_cut_off() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "", DOOR).await;
    for begun in ["", "POST /callb", "POST /callbacks HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut talk = Talk::to(house.callbacks.unwrap()).await;
        talk.say(begun).await;
        let heard = talk.hear_all().await;
        assert!(heard.is_empty() || heard.starts_with(b"HTTP/1.1 408"), "{begun:?}");
    }
    let mut talk = Talk::to(house.callbacks.unwrap()).await;
    assert_eq!(talk.ask(post("/callbacks", "{}")).await.status(), 200);
    talk.hear_all().await;
}
