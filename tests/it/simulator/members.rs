//! Members of groups, and what relayed user operations do to them.

use easemob_gateway::simulator::{SAMPLE_GROUPS, SAMPLE_THREAD, Settings};
use http::Method;
use serde_json::{Value, json};

use super::{GROUP, Vendor, group};

#[tokio::test(start_paused = true)]
async fn the_member_list_has_pages() {
    let vendor = Vendor::new().await;
    let all = vendor.get(&group("/users")).await;
    assert_eq!(all["count"], 4);
    assert_eq!(all["data"][3], json!({"owner": "alice"}));
    let page = vendor.get(&group("/users?pagenum=2&pagesize=1")).await;
    assert_eq!((&page["data"], &page["count"]), (&json!([{"member": "carol"}]), &json!(1)));
    vendor.fails(Method::GET, "/chatgroups/1/users", Value::Null, 404, "resource_not_found").await;
}

#[tokio::test(start_paused = true)]
async fn a_single_user_is_added_once_whatever_his_case() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/users/Erin"), Value::Null).await;
    let expected = json!({"result": true, "groupid": GROUP, "action": "add_member", "user": "erin"});
    assert_eq!(reply["data"], expected);
    let text = vendor.fails(Method::POST, &group("/users/ERIN"), Value::Null, 403, "forbidden_op").await;
    assert!(text.contains("already in group"));
    assert_eq!(vendor.get("/chatgroups/user/erin").await["entities"][0]["id"], GROUP);
}

#[tokio::test(start_paused = true)]
async fn a_batch_adds_those_who_are_new() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/users"), json!({"usernames": ["bob", "erin"]})).await;
    assert_eq!(reply["data"]["newmembers"], json!(["erin"]));
    let again = json!({"usernames": ["bob", "erin"]});
    vendor.fails(Method::POST, &group("/users"), again, 403, "forbidden_op").await;
    let many: Vec<String> = (0..61).map(|number| format!("u{number}")).collect();
    let text = vendor
        .fails(Method::POST, &group("/users"), json!({"usernames": many}), 400, "invalid_parameter")
        .await;
    assert_eq!(text, "userNames size is more than max limit : 60");
}

#[tokio::test(start_paused = true)]
async fn a_full_group_takes_nobody() {
    let vendor = Vendor::new().await;
    vendor.put(&group(""), json!({"maxusers": 4})).await;
    vendor.fails(Method::POST, &group("/users/erin"), Value::Null, 403, "forbidden_op").await;
}

#[tokio::test(start_paused = true)]
async fn unknown_users_are_not_found_when_users_are_known() {
    let vendor = Vendor::with(Settings { open_users: false, seed: true, ..Settings::default() }).await;
    vendor.fails(Method::POST, &group("/users/nobody"), Value::Null, 404, "resource_not_found").await;
    vendor.control().add_user("nobody");
    vendor.post(&group("/users/nobody"), Value::Null).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_removed_leaves_threads_and_joined_list() {
    let vendor = Vendor::new().await;
    let reply = vendor.delete(&group("/users/bob")).await;
    assert_eq!(reply["data"]["action"], "remove_member");
    assert_eq!(vendor.get("/chatgroups/user/bob").await["total"], 2);
    assert_eq!(vendor.get("/threads/user/bob").await["entities"], json!([]));
    let members = vendor.get(&format!("/thread/{SAMPLE_THREAD}/users")).await;
    assert_eq!(members["data"]["affiliations"], json!(["carol"]));
    let text = vendor.fails(Method::DELETE, &group("/users/bob"), Value::Null, 403, "forbidden_op").await;
    assert_eq!(text, "users [bob] are not members of this group!");
    vendor.fails(Method::DELETE, &group("/users/alice"), Value::Null, 403, "forbidden_op").await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_removal_has_a_result_for_each() {
    let vendor = Vendor::new().await;
    let reply = vendor.delete(&group("/users/erin%2Cbob,alice")).await;
    let results: Vec<_> = reply["data"].as_array().unwrap().iter().map(|item| &item["result"]).collect();
    assert_eq!(results, [false, true, false]);
    assert!(reply["data"][0]["reason"].as_str().unwrap().contains("erin"));
    let many = vec!["u"; 61].join(",");
    let path = group(&format!("/users/{many}"));
    let text = vendor.fails(Method::DELETE, &path, Value::Null, 400, "invalid_parameter").await;
    assert_eq!(text, "kickMember: kickMembers number more than maxSize : 60");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_user_takes_his_groups_along() {
    let vendor = Vendor::new().await;
    assert_eq!(vendor.get("/users/bob").await["entities"][0]["username"], "bob");
    vendor.delete("/users/bob").await;
    assert_eq!(vendor.get(&group("/user/bob/is_joined")).await["data"], false);
    let owned = format!("/chatgroups/{}", SAMPLE_GROUPS[1]);
    vendor.fails(Method::GET, &owned, Value::Null, 404, "resource_not_found").await;
    vendor.fails(Method::GET, "/users/bob", Value::Null, 404, "service_resource_not_found").await;
    vendor.fails(Method::POST, &group("/users/bob"), Value::Null, 404, "resource_not_found").await;
}

#[tokio::test(start_paused = true)]
async fn messages_get_an_id_per_recipient() {
    let vendor = Vendor::new().await;
    let body = json!({"from": "alice", "to": ["bob", "carol"], "type": "txt", "body": {"msg": "hi"}});
    let reply = vendor.post("/messages/users", body).await;
    assert_eq!(reply["data"].as_object().unwrap().len(), 2);
    assert_ne!(reply["data"]["bob"], reply["data"]["carol"]);
}
