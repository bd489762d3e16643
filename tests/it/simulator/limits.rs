//! Call limits and what is counted.

use std::time::Duration;

use easemob_gateway::simulator::Settings;
use http::{Method, StatusCode};
use serde_json::Value;

use super::{Vendor, credentials, group};

const DETAILS: &str = "/chatgroups/{group_id}";

async fn statuses(vendor: &Vendor, path: &str, calls: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..calls {
        statuses.push(vendor.call(Method::GET, path, Value::Null).await.0.as_u16());
    }
    statuses
}

fn passed(statuses: &[u16]) -> usize {
    statuses.iter().filter(|status| **status == 200).count()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_fit_into_any_second() {
    let vendor = Vendor::new().await;
    assert_eq!(passed(&statuses(&vendor, &group(""), 60).await), 60);
    tokio::time::advance(Duration::from_millis(600)).await;
    assert_eq!(passed(&statuses(&vendor, &group(""), 60).await), 40);
    let text = vendor.fails(Method::GET, &group(""), Value::Null, 429, "reach_limit").await;
    assert_eq!(text, "This request has reached api limit");
    // The first 60 leave the window exactly one second after they came, not a millisecond before.
    tokio::time::advance(Duration::from_millis(399)).await;
    assert_eq!(passed(&statuses(&vendor, &group(""), 1).await), 0);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(passed(&statuses(&vendor, &group(""), 100).await), 60);
}

#[tokio::test(start_paused = true)]
async fn shapes_have_limits_of_their_own() {
    let vendor = Vendor::new().await;
    assert_eq!(passed(&statuses(&vendor, "/chatgroups/user/bob", 60).await), 50);
    assert_eq!(passed(&statuses(&vendor, "/chatgroups/users/bob", 60).await), 0);
    assert_eq!(passed(&statuses(&vendor, "/users/bob/joined_chatgroups", 60).await), 50);
    assert_eq!(passed(&statuses(&vendor, &group(""), 60).await), 60);
    vendor.put(&group(""), serde_json::json!({"groupname": "x"})).await;
}

#[tokio::test(start_paused = true)]
async fn limits_can_be_scaled_and_switched_off() {
    let vendor = Vendor::with(Settings { limit_factor: 0.1, seed: true, ..Settings::default() }).await;
    assert_eq!(passed(&statuses(&vendor, &group(""), 20).await), 10);
    vendor.control().limit_factor(2.0);
    assert_eq!(passed(&statuses(&vendor, &group(""), 200).await), 190);
    vendor.control().limits(false);
    assert_eq!(passed(&statuses(&vendor, &group(""), 500).await), 500);
}

#[tokio::test(start_paused = true)]
async fn refused_calls_may_use_up_the_window_too() {
    let vendor = Vendor::with(Settings { refused_count: true, seed: true, ..Settings::default() }).await;
    statuses(&vendor, &group(""), 100).await;
    for _ in 0..3 {
        tokio::time::advance(Duration::from_millis(500)).await;
        statuses(&vendor, &group(""), 100).await;
    }
    assert_eq!(passed(&statuses(&vendor, &group(""), 10).await), 0);
}

#[tokio::test(start_paused = true)]
async fn counters_know_the_busiest_second() {
    let vendor = Vendor::new().await;
    statuses(&vendor, &group(""), 30).await;
    tokio::time::advance(Duration::from_millis(999)).await;
    statuses(&vendor, &group(""), 90).await;
    tokio::time::advance(Duration::from_millis(500)).await;
    statuses(&vendor, &group(""), 10).await;
    let count = vendor.control().counters().get("GET", DETAILS);
    assert_eq!((count.total, count.busiest_second), (130, 120));
    assert_eq!((count.statuses[&200], count.statuses[&429]), (110, 20));
}

#[tokio::test(start_paused = true)]
async fn a_reset_forgets_counts_but_not_the_running_second() {
    let vendor = Vendor::new().await;
    statuses(&vendor, &group(""), 100).await;
    vendor.control().reset_counters();
    assert_eq!(vendor.control().counters().total(), 0);
    assert_eq!(passed(&statuses(&vendor, &group(""), 1).await), 0);
    assert_eq!(vendor.control().counters().get("GET", DETAILS).statuses[&429], 1);
    assert_eq!(vendor.control().calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn token_requests_are_counted_with_their_times() {
    let vendor = Vendor::new().await;
    let first = vendor.control().now_ms();
    tokio::time::advance(Duration::from_secs(5)).await;
    vendor.post("/token", credentials()).await;
    let counters = vendor.control().counters();
    assert_eq!(counters.token_requests, [first, first + 5_000]);
    assert_eq!(counters.get("POST", "/token").total, 2);
    for _ in 0..300 {
        vendor.call(Method::POST, "/token", credentials()).await;
    }
    let (status, _) = vendor.call(Method::POST, "/token", credentials()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn the_log_names_calls_in_order_and_keeps_the_last() {
    let vendor = Vendor::with(Settings { log_size: 2, ..Settings::default() }).await;
    vendor.get("/chatgroups?limit=1").await;
    vendor.call(Method::GET, "/chatgroups/1%2C2", Value::Null).await;
    let calls = vendor.control().calls();
    let targets: Vec<&str> = calls.iter().map(|call| call.target.as_str()).collect();
    let expected = ["/easemob-demo/chat/chatgroups?limit=1", "/easemob-demo/chat/chatgroups/1%2C2"];
    assert_eq!(targets, expected);
    assert_eq!((calls[1].shape, calls[1].status), (DETAILS, Some(200)));
}
