//! The program killed where it hurts, again and again: what it has asked for is not forgotten.

use crate::support::house::{Vendor, configuration};
use crate::support::program::Served;
use crate::support::wire::{get, soon};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use serde_json::{Value, json};
use tempfile::TempDir;

fn with_state(vendor: &Vendor, folder: &TempDir) -> String {
    let state = format!("[token]\nstate_dir = {:?}\n", folder.path().join("state"));
    configuration(&vendor.origin(), "", &state)
}

async fn token_state(served: &Served) -> Value {
    let (_, text) = served.look("/status").await;
    serde_json::from_str::<Value>(&text).unwrap()["token"].clone()
}

async fn kill(mut served: Served) {
    served.program.signal("KILL");
    assert_eq!(served.program.ends().await, None, "a signal ended it");
}

#[tokio::test]
async fn killed_while_the_vendor_is_asked_it_asks_no_more_often_than_the_budget() {
    let (vendor, folder) = (Vendor::start().await, TempDir::new().unwrap());
    let held = vendor.control.hold(Matcher::exactly("/token"), HoldAt::Answer);
    for asked in 1..=6 {
        let served = Served::start(&with_state(&vendor, &folder)).await;
        assert!(!served.program.said.join("\n").contains("state_dir"), "{:?}", served.program.said);
        soon(held.arrived(asked)).await;
        kill(served).await;
    }
    for _ in 0..4 {
        let served = Served::start(&with_state(&vendor, &folder)).await;
        // It answers, so it has read what was written down.
        let answer = served.talk().await.ask(get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0]))).await;
        assert_eq!((answer.status(), answer.header("gateway-error")), (503, "no_token"));
        let token = token_state(&served).await;
        assert_eq!((&token["grants_left"], &token["grants_last_hour"]), (&json!(0), &json!(6)));
        let next = token["next_grant_in_seconds"].as_u64().unwrap();
        assert!((500..=600).contains(&next), "{token}");
        assert_eq!((&token["usable"], &token["state_directory"]), (&json!(false), &json!("ok")));
        assert_eq!(served.look("/readyz").await.0, 503);
        kill(served).await;
    }
    assert_eq!(vendor.control.counters().token_requests.len(), 6);
}

#[tokio::test]
async fn killed_with_a_token_it_goes_on_with_it() {
    let (vendor, folder) = (Vendor::start().await, TempDir::new().unwrap());
    for _ in 0..3 {
        let served = Served::start(&with_state(&vendor, &folder)).await;
        soon(async { while served.look("/readyz").await.0 != 200 {} }).await;
        // It is written down a moment after it is in use.
        soon(async { while !folder.path().join("state/token").exists() {} }).await;
        kill(served).await;
    }
    let served = Served::start(&with_state(&vendor, &folder)).await;
    let token = token_state(&served).await;
    assert_eq!(
        (&token["usable"], &token["last_grant"]["outcome"]),
        (&json!(true), &json!("found")),
        "{token}"
    );
    assert_eq!(vendor.control.counters().token_requests.len(), 1);
}
