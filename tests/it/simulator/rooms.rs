//! Mutes of chat rooms.

use std::time::Duration;

use easemob_gateway::simulator::SAMPLE_ROOM;
use http::Method;
use serde_json::{Value, json};

use super::Vendor;

#[tokio::test(start_paused = true)]
async fn room_mutes_work_like_group_mutes() {
    let vendor = Vendor::new().await;
    let path = format!("/chatrooms/{SAMPLE_ROOM}/mute");
    let reply = vendor.post(&path, json!({"usernames": ["bob", "carol"], "mute_duration": 1_000})).await;
    assert_eq!(reply["data"][1]["user"], "carol");
    assert_eq!(vendor.delete(&format!("{path}/bob%2Cdave")).await["data"][0]["result"], true);
    assert_eq!(vendor.get(&path).await["data"][0]["user"], "carol");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(vendor.get(&path).await["data"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn rooms_refuse_strangers_as_a_bad_request() {
    let vendor = Vendor::new().await;
    let path = format!("/chatrooms/{SAMPLE_ROOM}/mute");
    let body = json!({"usernames": ["frank"], "mute_duration": 1});
    let text = vendor.fails(Method::POST, &path, body, 400, "forbidden_op").await;
    assert_eq!(text, "users [frank] are not members of this group!");
    vendor.fails(Method::GET, "/chatrooms/1/mute", Value::Null, 404, "resource_not_found").await;
}

#[tokio::test(start_paused = true)]
async fn muting_a_room_calls_itself_a_put() {
    let vendor = Vendor::new().await;
    vendor.control().add_room("77", "Alice", &["bob"]);
    let reply = vendor.post("/chatrooms/77/ban", json!({"mute_duration": -1})).await;
    assert_eq!((&reply["data"], &reply["action"]), (&json!({"mute": true}), &json!("put")));
    let reply = vendor.delete("/chatrooms/77/ban").await;
    assert_eq!((&reply["data"], &reply["action"]), (&json!({"mute": false}), &json!("delete")));
}
