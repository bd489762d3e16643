//! Chat rooms: themselves, who is in them, their attributes, and who is muted.

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

/// A path under the sample room: of alice, with bob, carol, dave and erin.
fn room(rest: &str) -> String {
    format!("/chatrooms/{SAMPLE_ROOM}{rest}")
}

#[tokio::test(start_paused = true)]
async fn rooms_come_and_go_and_lists_say_so() {
    let vendor = Vendor::new().await;
    let body = json!({"name": "salon", "owner": "Erin", "members": ["frank"], "maxusers": 3});
    let id = vendor.post("/chatrooms", body).await["data"]["id"].as_str().unwrap().to_owned();
    let list = vendor.get("/chatrooms?limit=1").await;
    assert_eq!((&list["data"][0]["id"], &list["data"][0]["affiliations_count"]), (&json!(id), &json!(2)));
    let next = vendor.get(&format!("/chatrooms?cursor={}", list["cursor"].as_str().unwrap())).await;
    assert_eq!(next["data"][0]["id"], SAMPLE_ROOM);
    let joined = vendor.get("/users/erin/joined_chatrooms").await;
    assert_eq!(joined["data"], json!([{"id": id, "name": "salon"}, {"id": SAMPLE_ROOM, "name": ""}]));
    vendor.put(&format!("/chatrooms/{id}"), json!({"name": "parlour"})).await;
    vendor.put(&format!("/chatrooms/{id}"), json!({"newowner": "frank"})).await;
    let both = vendor.get(&format!("/chatrooms/{id}%2C1")).await;
    assert_eq!((&both["data"][0]["name"], &both["data"][0]["owner"]), (&json!("parlour"), &json!("frank")));
    assert_eq!(both["data"][1]["error"], "room id doesn't exist");
    let path = format!("/chatrooms/{id}");
    vendor.fails(Method::PUT, &path, json!({"maxusers": 1}), 403, "forbidden_op").await;
    vendor.fails(Method::PUT, &path, json!({"colour": "red"}), 400, "invalid_parameter").await;
    vendor.delete(&path).await;
    vendor.fails(Method::GET, &path, Value::Null, 404, "resource_not_found").await;
    assert_eq!(vendor.get("/users/frank/joined_chatrooms").await["data"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn members_of_rooms_and_their_roles() {
    let vendor = Vendor::new().await;
    vendor.post(&room("/users/Frank"), Value::Null).await;
    let text = vendor.fails(Method::POST, &room("/users/frank"), Value::Null, 403, "forbidden_op").await;
    assert!(text.contains("already in room"), "{text}");
    vendor.post(&room("/blocks/users/frank"), Value::Null).await;
    assert_eq!(vendor.get(&room("/blocks/users")).await["data"], json!(["frank"]));
    vendor.fails(Method::POST, &room("/users/frank"), Value::Null, 403, "forbidden_op").await;
    vendor.delete(&room("/blocks/users/frank")).await;
    let added = vendor.post(&room("/users"), json!({"usernames": ["bob", "frank"]})).await;
    assert_eq!(added["data"]["newmembers"], json!(["frank"]));
    let removed = vendor.delete(&room("/users/frank,zoe")).await;
    let results: Vec<bool> =
        removed["data"].as_array().unwrap().iter().map(|one| one["result"] == true).collect();
    assert_eq!(results, [true, false]);
    vendor.post(&room("/admin"), json!({"newadmin": "bob"})).await;
    assert_eq!(vendor.get(&room("/admin")).await["data"], json!(["bob"]));
    vendor.delete(&room("/admin/bob")).await;
    vendor.post(&room("/white/users"), json!({"usernames": ["bob", "carol"]})).await;
    vendor.delete(&room("/white/users/bob")).await;
    assert_eq!(vendor.get(&room("/white/users")).await["data"], json!(["carol"]));
    let page = vendor.get(&room("/users?pagenum=2&pagesize=3")).await;
    assert_eq!(page["data"], json!([{"member": "erin"}, {"owner": "alice"}]));
}

#[tokio::test(start_paused = true)]
async fn an_attribute_of_a_room_is_his_who_set_it() {
    let vendor = Vendor::new().await;
    let path = |rest: &str| format!("/metadata/chatroom/{SAMPLE_ROOM}{rest}");
    let mood = |word: &str| json!({"metaData": {"mood": word}});
    vendor.put(&path("/user/bob"), mood("calm")).await;
    let refused = vendor.put(&path("/user/carol"), mood("glad")).await;
    assert_eq!(refused["data"]["errorKeys"], json!({"mood": "set by another user"}));
    vendor.put(&path("/user/carol/forced"), mood("glad")).await;
    assert_eq!(vendor.post(&path(""), json!({"keys": []})).await["data"], json!({"mood": "glad"}));
    assert_eq!(vendor.post(&path(""), json!({"keys": ["x"]})).await["data"], json!({}));
    for (rest, erased) in [("/user/bob", json!([])), ("/user/bob/forced", json!(["mood"]))] {
        let reply = vendor.ok(Method::DELETE, &path(rest), json!({"keys": ["mood"]})).await;
        assert_eq!(reply["data"]["successKeys"], erased);
    }
    vendor.fails(Method::PUT, &path("/user/frank"), mood("x"), 403, "forbidden_op").await;
}

#[tokio::test(start_paused = true)]
async fn super_admins_tags_and_announcements() {
    let vendor = Vendor::new().await;
    vendor.post("/chatrooms/super_admin", json!({"superadmin": "Bob"})).await;
    assert_eq!(vendor.get("/chatrooms/super_admin").await["data"], json!(["bob"]));
    vendor.delete("/chatrooms/super_admin/bob").await;
    vendor.fails(Method::DELETE, "/chatrooms/super_admin/bob", Value::Null, 403, "forbidden_op").await;
    vendor.put(&room("/users/carol/tag"), json!({"tag": "host"})).await;
    assert_eq!(vendor.get(&room("/users/carol/tag")).await["data"]["tag"], "host");
    vendor.put(&room("/tag/mute"), json!({"tag": "host"})).await;
    assert_eq!(vendor.get(&room("/mute")).await["data"][0], json!({"expire": -1, "user": "carol"}));
    vendor.post(&room("/announcement"), json!({"announcement": "hear"})).await;
    assert_eq!(vendor.get(&room("/announcement")).await["data"]["announcement"], "hear");
    // A user who goes takes his rooms with him.
    vendor.delete("/users/alice").await;
    vendor.fails(Method::GET, &room(""), Value::Null, 404, "resource_not_found").await;
}
