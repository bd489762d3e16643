//! Threads and their members.

use easemob_gateway::simulator::{SAMPLE_GROUPS, SAMPLE_THREAD};
use http::Method;
use serde_json::{Value, json};

use super::{GROUP, Vendor};

fn new_thread(owner: &str) -> Value {
    let group: u64 = GROUP.parse().unwrap();
    json!({"group_id": group, "name": "n", "owner": owner, "msg_id": 1234})
}

#[tokio::test(start_paused = true)]
async fn a_thread_lives_from_creation_to_deletion() {
    let vendor = Vendor::new().await;
    let reply = vendor.post("/thread", new_thread("Dave")).await;
    assert_eq!((reply.get("application"), reply.get("entities")), (None, None));
    let id = reply["data"]["thread_id"].as_str().unwrap();
    let joined = vendor.get("/threads/user/dave").await;
    let entity = &joined["entities"][0];
    assert_eq!(
        (&entity["id"], &entity["msgId"], &entity["groupId"]),
        (&json!(id), &json!("1234"), &json!(GROUP))
    );
    let path = format!("/thread/{id}");
    assert_eq!(vendor.put(&path, json!({"name": "m"})).await["data"], json!({"name": "m"}));
    assert_eq!(vendor.get("/threads/user/dave").await["entities"][0]["name"], "m");
    assert_eq!(vendor.delete(&path).await["data"], json!({"status": "ok"}));
    vendor.fails(Method::PUT, &path, json!({"name": "m"}), 404, "group_error").await;
}

#[tokio::test(start_paused = true)]
async fn creation_is_refused_in_the_words_of_this_service() {
    let vendor = Vendor::new().await;
    let post = Method::POST;
    vendor.fails(post.clone(), "/thread", new_thread("erin"), 403, "group_error").await;
    let mut body = new_thread("dave");
    body["group_id"] = json!("1");
    assert_eq!(vendor.fails(post.clone(), "/thread", body, 404, "group_error").await, "group not found.");
    let mut body = new_thread("dave");
    body["name"] = json!("x".repeat(65));
    vendor.fails(post.clone(), "/thread", body, 400, "group_error").await;
    vendor.fails(post, "/thread", Value::Null, 400, "param_illegal").await;
}

#[tokio::test(start_paused = true)]
async fn thread_lists_have_pages_in_both_directions() {
    let vendor = Vendor::new().await;
    let new = vendor.post("/thread", new_thread("carol")).await["data"]["thread_id"].clone();
    let first = vendor.get("/thread?limit=1").await;
    assert_eq!(first["entities"], json!([{"id": new}]));
    let cursor = first["properties"]["cursor"].as_str().unwrap();
    let second = vendor.get(&format!("/thread?limit=1&cursor={cursor}")).await;
    assert_eq!(second["entities"], json!([{"id": SAMPLE_THREAD}]));
    assert_eq!(second["properties"], json!({}));
    assert_eq!(vendor.get("/thread?limit=1&sort=asc").await["entities"], second["entities"]);

    let path = format!("/threads/chatgroups/{GROUP}/user/carol");
    assert_eq!(vendor.get(&path).await["entities"][0]["id"], new);
    let elsewhere = format!("/threads/chatgroups/{}/user/carol", SAMPLE_GROUPS[2]);
    assert_eq!(vendor.get(&elsewhere).await["entities"], json!([]));
    vendor.fails(Method::GET, "/threads/chatgroups/1/user/carol", Value::Null, 404, "group_error").await;
}

#[tokio::test(start_paused = true)]
async fn members_join_together_and_leave_under_either_spelling() {
    let vendor = Vendor::new().await;
    let path = format!("/thread/{SAMPLE_THREAD}/users");
    let reply = vendor.post(&path, json!({"usernames": ["dave", "alice"]})).await;
    assert_eq!(reply["data"], json!({"status": "ok"}));
    assert!(reply["uri"].as_str().unwrap().ends_with("/joined_thread"));
    let first = vendor.get(&format!("{path}?limit=3&sort=asc")).await;
    assert_eq!(first["data"]["affiliations"], json!(["bob", "carol", "dave"]));
    vendor.fails(Method::POST, &path, json!({"usernames": ["erin"]}), 403, "group_error").await;

    let body = json!({"usernames": ["dave", "erin"]});
    let plural = format!("/threads/{SAMPLE_THREAD}/users");
    let reply = vendor.ok(Method::DELETE, &plural, body).await;
    let expected = json!([{"result": true, "user": "dave"}, {"result": false, "user": "erin"}]);
    assert_eq!(reply["entities"], expected);
    assert_eq!(reply.get("data"), None);
    vendor.ok(Method::DELETE, &path, json!({"usernames": ["alice"]})).await;
    let counters = vendor.control().counters();
    assert_eq!(counters.get("DELETE", "/threads/{thread_id}/users").total, 2);
    let many: Vec<String> = (0..11).map(|number| format!("u{number}")).collect();
    vendor.fails(Method::POST, &path, json!({"usernames": many}), 400, "invalid_parameter").await;
}
