//! Admins, block list, allow list and mutes of groups.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{GROUP, Vendor, group};

#[tokio::test(start_paused = true)]
async fn admins_come_and_go() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/admin"), json!({"newadmin": "Carol"})).await;
    assert_eq!(reply["data"], json!({"result": "success", "newadmin": "carol"}));
    let list = vendor.get(&group("/admin")).await;
    assert_eq!((&list["data"], &list["count"]), (&json!(["bob", "carol"]), &json!(2)));
    let text = vendor
        .fails(Method::POST, &group("/admin"), json!({"newadmin": "erin"}), 404, "resource_not_found")
        .await;
    assert_eq!(text, format!("user: erin doesn't exist in group: {GROUP}"));
    let reply = vendor.delete(&group("/admin/bob")).await;
    assert_eq!(reply["data"], json!({"result": "success", "oldadmin": "bob"}));
    let text = vendor.fails(Method::DELETE, &group("/admin/bob"), Value::Null, 403, "forbidden_op").await;
    assert_eq!(text, format!("user:bob is not admin of group:{GROUP}"));
}

#[tokio::test(start_paused = true)]
async fn blocking_ends_membership_and_unblocking_does_not_restore_it() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/blocks/users/bob"), Value::Null).await;
    let expected = json!({"result": true, "action": "add_blocks", "user": "bob", "groupid": GROUP});
    assert_eq!(reply["data"], expected);
    assert_eq!(vendor.get(&group("/blocks/users")).await["data"], json!(["bob"]));
    assert_eq!(vendor.get(&group("/user/bob/is_joined")).await["data"], false);
    vendor.fails(Method::POST, &group("/users/bob"), Value::Null, 403, "forbidden_op").await;
    vendor.delete(&group("/blocks/users/bob")).await;
    assert_eq!(vendor.get(&group("/blocks/users")).await["count"], 0);
    assert_eq!(vendor.get(&group("/user/bob/is_joined")).await["data"], false);
    vendor.fails(Method::POST, &group("/blocks/users/alice"), Value::Null, 403, "forbidden_op").await;
}

#[tokio::test(start_paused = true)]
async fn batch_blocks_have_a_result_for_each_even_for_one() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/blocks/users"), json!({"usernames": ["erin", "bob"]})).await;
    assert_eq!(reply["data"][0]["reason"], format!("user: erin doesn't exist in group: {GROUP}"));
    assert_eq!(reply["data"][1]["result"], true);
    let reply = vendor.post(&group("/blocks/users"), json!({"usernames": ["carol"]})).await;
    assert_eq!(reply["data"][0]["result"], true);
    let reply = vendor.delete(&group("/blocks/users/bob%2Ccarol")).await;
    assert_eq!(reply["data"][1]["action"], "remove_blocks");
}

#[tokio::test(start_paused = true)]
async fn the_allow_list_takes_members_only() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/white/users/bob"), Value::Null).await;
    assert_eq!(reply["data"]["action"], "add_user_whitelist");
    let reply = vendor.post(&group("/white/users"), json!({"usernames": ["carol", "erin"]})).await;
    assert_eq!((&reply["data"][0]["result"], &reply["data"][1]["result"]), (&json!(true), &json!(false)));
    let list = vendor.get(&group("/white/users")).await;
    assert_eq!((&list["data"], &list["count"]), (&json!(["bob", "carol"]), &json!(2)));
    let reply = vendor.delete(&group("/white/users/bob,carol")).await;
    assert_eq!(reply["data"][0]["action"], "remove_user_whitelist");
    assert_eq!(vendor.get(&group("/white/users")).await["count"], 0);
    vendor.fails(Method::DELETE, &group("/white/users/bob"), Value::Null, 403, "forbidden_op").await;
}

#[tokio::test(start_paused = true)]
async fn mutes_end_by_the_clock() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/mute"), json!({"usernames": ["bob"], "mute_duration": 60_000})).await;
    let expire = vendor.control().now_ms() + 60_000;
    assert_eq!(reply["data"], json!([{"result": true, "expire": expire, "user": "bob"}]));
    vendor.post(&group("/mute"), json!({"usernames": ["carol"], "mute_duration": -1})).await;
    let list = vendor.get(&group("/mute")).await;
    let both = json!([{"expire": expire, "user": "bob"}, {"expire": -1, "user": "carol"}]);
    assert_eq!(list["data"], both);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(vendor.get(&group("/mute")).await["data"], json!([{"expire": -1, "user": "carol"}]));
    let reply = vendor.delete(&group("/mute/carol,bob")).await;
    assert_eq!(reply["data"][0], json!({"result": true, "user": "carol"}));
    assert_eq!(reply["data"][1]["result"], false);
}

#[tokio::test(start_paused = true)]
async fn a_mute_of_no_time_ends_one() {
    let vendor = Vendor::new().await;
    vendor.post(&group("/mute"), json!({"usernames": ["bob"], "mute_duration": 60_000})).await;
    vendor.post(&group("/mute"), json!({"usernames": ["bob"], "mute_duration": 0})).await;
    assert_eq!(vendor.get(&group("/mute")).await["data"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn strangers_cannot_be_muted() {
    let vendor = Vendor::new().await;
    let body = json!({"usernames": ["bob", "erin"], "mute_duration": 1});
    let text = vendor.fails(Method::POST, &group("/mute"), body, 403, "forbidden_op").await;
    assert_eq!(text, "users [erin] are not members of this group!");
    assert_eq!(vendor.get(&group("/mute")).await["data"], json!([]));
    let path = group(&format!("/mute/{}", vec!["u"; 61].join(",")));
    let text = vendor.fails(Method::DELETE, &path, Value::Null, 400, "invalid_parameter").await;
    assert_eq!(text, "removeMute member size more than max limit : 60");
}

#[tokio::test(start_paused = true)]
async fn muting_all_leaves_the_list_alone() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/ban"), Value::Null).await;
    assert_eq!((&reply["data"], &reply["action"]), (&json!({"mute": true}), &json!("post")));
    assert_eq!(vendor.get(&group("")).await["data"][0]["mute"], true);
    assert_eq!(vendor.get(&group("/mute")).await["data"], json!([]));
    assert_eq!(vendor.delete(&group("/ban")).await["data"], json!({"mute": false}));
}
