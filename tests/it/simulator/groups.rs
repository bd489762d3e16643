//! Groups: creation, change, listings, details, announcement, files, attributes.

use bytes::Bytes;
use easemob_gateway::simulator::{BatchForm, SAMPLE_FILE, SAMPLE_GROUPS, SAMPLE_THREAD, Settings};
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{GROUP, Vendor, group};

fn new_group() -> Value {
    json!({"groupname": "n", "description": "d", "public": true, "maxusers": 3, "owner": "Alice",
           "members": ["bob"]})
}

#[tokio::test(start_paused = true)]
async fn a_created_group_is_found_everywhere() {
    let vendor = Vendor::new().await;
    let reply = vendor.post("/chatgroups", new_group()).await;
    let id = reply["data"]["groupid"].as_str().unwrap();
    assert_eq!(reply["entities"], json!([]));
    assert_eq!(reply["uri"], "http://vendor.example/easemob-demo/chat/chatgroups");
    assert_eq!((&reply["organization"], &reply["applicationName"]), (&json!("easemob-demo"), &json!("chat")));

    let detail = &vendor.get(&format!("/chatgroups/{id}")).await["data"][0];
    assert_eq!((&detail["owner"], &detail["maxusers"]), (&json!("alice"), &json!(3)));
    assert_eq!(detail["affiliations"], json!([{"member": "bob"}, {"owner": "alice"}]));
    let newest = &vendor.get("/chatgroups?limit=1").await["data"][0];
    assert_eq!((&newest["groupid"], &newest["owner"]), (&json!(id), &json!("easemob-demo#chat_alice")));
    assert_eq!(vendor.get("/chatgroups/user/bob").await["entities"][0]["id"], id);
    let joined = vendor.get("/users/bob/joined_chatgroups").await;
    assert_eq!(joined["data"][0], json!({"groupid": id, "groupname": "n"}));
}

#[tokio::test(start_paused = true)]
async fn creation_wants_its_fields() {
    let vendor = Vendor::new().await;
    for (field, text) in [("public", "group must contain public field!"), ("owner", "owner must be provided")]
    {
        let mut body = new_group();
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(vendor.fails(Method::POST, "/chatgroups", body, 400, "invalid_parameter").await, text);
    }
    let mut body = new_group();
    body["members"] = json!(["a", "b", "c"]);
    vendor.fails(Method::POST, "/chatgroups", body, 403, "forbidden_op").await;
}

#[tokio::test(start_paused = true)]
async fn strangers_cannot_own_groups_when_users_are_known() {
    let vendor = Vendor::with(Settings { open_users: false, seed: true, ..Settings::default() }).await;
    let mut body = new_group();
    body["owner"] = json!("nobody");
    let text = vendor.fails(Method::POST, "/chatgroups", body, 404, "resource_not_found").await;
    assert_eq!(text, "username nobody doesn't exist!");
}

#[tokio::test(start_paused = true)]
async fn a_change_reports_its_fields_and_refuses_others() {
    let vendor = Vendor::new().await;
    let reply = vendor.put(&group(""), json!({"groupname": "x", "membersonly": true})).await;
    assert_eq!(reply["data"], json!({"groupname": true, "membersonly": true}));
    let detail = &vendor.get(&group("")).await["data"][0];
    assert_eq!((&detail["name"], &detail["membersonly"]), (&json!("x"), &json!(true)));

    let body = json!({"groupname": "y", "groupid": 1});
    let text = vendor.fails(Method::PUT, &group(""), body, 400, "invalid_parameter").await;
    assert_eq!(text, "some of [groupid] are not valid fields");
    vendor.fails(Method::PUT, &group(""), json!({"maxusers": 1}), 403, "forbidden_op").await;
    let body = json!({"custom": "kept out", "groupname": "y".repeat(129)});
    vendor.fails(Method::PUT, &group(""), body, 403, "exceed_limit").await;
    assert_eq!(vendor.get(&group("")).await["data"][0]["custom"], "");
    assert_eq!(vendor.get(&group("")).await["data"][0]["name"], "x");
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_swaps_places_with_the_old_one() {
    let vendor = Vendor::new().await;
    let body = json!({"newowner": "alice"});
    vendor.fails(Method::PUT, &group(""), body, 403, "forbidden_op").await;
    vendor.fails(Method::PUT, &group(""), json!({"newowner": "erin"}), 403, "forbidden_op").await;
    assert_eq!(vendor.put(&group(""), json!({"newowner": "bob"})).await["data"], json!({"newowner": true}));
    let detail = &vendor.get(&group("")).await["data"][0];
    assert_eq!(detail["owner"], "bob");
    assert_eq!(detail["affiliations_count"], 4);
    assert_eq!(vendor.get(&group("/admin")).await["data"], json!([]));
    assert_eq!(vendor.get(&group("/user/alice/is_joined")).await["data"], true);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_group_refuses_management() {
    let vendor = Vendor::new().await;
    assert_eq!(vendor.post(&group("/disable"), Value::Null).await["data"], json!({"disabled": true}));
    assert_eq!(vendor.get(&group("")).await["data"][0]["disabled"], true);
    let thread = format!("/thread/{SAMPLE_THREAD}");
    for (method, path, body) in [
        (Method::POST, group("/users/erin"), Value::Null),
        (Method::POST, group("/ban"), Value::Null),
        (Method::POST, group("/announcement"), json!({"announcement": "x"})),
        (Method::PUT, group(""), json!({"groupname": "x"})),
        (Method::PUT, thread, json!({"name": "x"})),
    ] {
        vendor.fails(method, &path, body, 403, "forbidden_op").await;
    }
    assert_eq!(vendor.post(&group("/enable"), Value::Null).await["data"], json!({"disabled": false}));
    vendor.post(&group("/ban"), Value::Null).await;
}

#[tokio::test(start_paused = true)]
async fn deletion_takes_threads_and_joined_entries_along() {
    let vendor = Vendor::new().await;
    let reply = vendor.delete(&group("")).await;
    assert_eq!(reply["data"], json!({"success": true, "groupid": GROUP}));
    let text = vendor.fails(Method::GET, &group(""), Value::Null, 404, "resource_not_found").await;
    assert_eq!(text, format!("grpID {GROUP} does not exist!"));
    vendor.fails(Method::DELETE, &group(""), Value::Null, 404, "resource_not_found").await;
    assert_eq!(vendor.get("/thread").await["entities"], json!([]));
    assert_eq!(vendor.get("/chatgroups/user/dave").await["total"], 0);
}

#[tokio::test(start_paused = true)]
async fn the_list_goes_from_new_to_old_by_cursor() {
    let vendor = Vendor::new().await;
    let first = vendor.get("/chatgroups?limit=2").await;
    assert_eq!((&first["count"], &first["params"]), (&json!(2), &json!({"limit": ["2"]})));
    assert_eq!(first["data"][0]["groupid"], SAMPLE_GROUPS[2]);
    let cursor = first["cursor"].as_str().unwrap();
    let last = vendor.get(&format!("/chatgroups?limit=2&cursor={cursor}")).await;
    assert_eq!(last["data"][0]["groupid"], GROUP);
    assert_eq!((&last["count"], last.get("cursor")), (&json!(1), None));
    assert_eq!(vendor.get("/chatgroups?cursor=").await["count"], 3);
}

#[tokio::test(start_paused = true)]
async fn details_of_several_groups_survive_a_missing_one() {
    let vendor = Vendor::new().await;
    for separator in [",", "%2C"] {
        let ids = [SAMPLE_GROUPS[1], "1", SAMPLE_GROUPS[0]].join(separator);
        let reply = vendor.get(&format!("/chatgroups/{ids}")).await;
        assert_eq!(reply["count"], 3);
        assert_eq!(reply["data"][0]["id"], SAMPLE_GROUPS[1]);
        assert_eq!(reply["data"][1]["error"], "group id doesn't exist");
        assert_eq!(reply["data"][2]["owner"], "alice");
    }
    let many: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    let path = format!("/chatgroups/{}", many.join(","));
    vendor.fails(Method::GET, &path, Value::Null, 400, "invalid_parameter").await;
}

#[tokio::test(start_paused = true)]
async fn batches_of_details_may_leave_the_owner_out() {
    let batch = BatchForm { without: vec!["owner".into()], ..BatchForm::default() };
    let vendor = Vendor::with(Settings { batch, seed: true, ..Settings::default() }).await;
    let ids = SAMPLE_GROUPS.join(",");
    assert_eq!(vendor.get(&format!("/chatgroups/{ids}")).await["data"][0].get("owner"), None);
    assert_eq!(vendor.get(&group("")).await["data"][0]["owner"], "alice");
}

#[tokio::test(start_paused = true)]
async fn joined_lists_have_pages_and_two_spellings() {
    let vendor = Vendor::new().await;
    let all = vendor.get("/chatgroups/user/alice").await;
    assert_eq!(all["total"], 3);
    assert_eq!(all["entities"][0]["groupId"], SAMPLE_GROUPS[2]);
    let page = vendor.get("/chatgroups/users/ALICE?pagenum=1&pagesize=2").await;
    assert_eq!(page["entities"].as_array().unwrap().len(), 1);
    assert_eq!(page["entities"][0]["id"], GROUP);
    let page = vendor.get("/users/alice/joined_chatgroups?pagenum=1&pagesize=2").await;
    assert_eq!(page["count"], 2);
}

#[tokio::test(start_paused = true)]
async fn membership_is_a_bare_boolean_under_either_method() {
    let vendor = Vendor::new().await;
    let reply = vendor.get(&group("/user/Bob/is_joined")).await;
    assert_eq!(reply["data"], true);
    assert_eq!(reply.get("uri"), None);
    assert_eq!(vendor.post(&group("/user/erin/is_joined"), Value::Null).await["data"], false);
    vendor
        .fails(Method::GET, "/chatgroups/1/user/bob/is_joined", Value::Null, 404, "resource_not_found")
        .await;
}

#[tokio::test(start_paused = true)]
async fn announcements_can_be_changed() {
    let vendor = Vendor::new().await;
    let reply = vendor.post(&group("/announcement"), json!({"announcement": "new"})).await;
    assert_eq!(reply["data"], json!({"id": GROUP, "result": true}));
    assert_eq!(vendor.get(&group("/announcement")).await["data"], json!({"announcement": "new"}));
    let long = json!({"announcement": "x".repeat(513)});
    vendor.fails(Method::POST, &group("/announcement"), long, 403, "exceed_limit").await;
}

#[tokio::test(start_paused = true)]
async fn shared_files_come_back_byte_for_byte() {
    let vendor = Vendor::new().await;
    let content = b"line\r\n--not the boundary\r\n\x00\xff";
    let mut body = b"--b0\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b0\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\nContent-Type: image/png\r\n\r\n"
        .to_vec();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--b0--\r\n");
    let request = vendor.request(Method::POST, &group("/share_files"));
    let request = request.header("content-type", "multipart/form-data; boundary=b0");
    let response =
        vendor.simulator.answer(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
    let reply: Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let data = &reply["data"];
    assert_eq!((&data["file_name"], &data["file_size"]), (&json!("a.bin"), &json!(content.len())));

    let path = group(&format!("/share_files/{}", data["file_id"].as_str().unwrap()));
    assert!(data["file_url"].as_str().unwrap().ends_with(&path));
    let request = vendor.request(Method::GET, &path).body(Full::new(Bytes::new())).unwrap();
    let response = vendor.simulator.answer(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/png");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), content.as_slice());

    let listed = vendor.get(&group("/share_files?pagesize=1")).await;
    assert_eq!(listed["data"][0]["file_id"], data["file_id"]);
    assert_eq!(vendor.delete(&path).await["data"]["result"], true);
    vendor.fails(Method::GET, &path, Value::Null, 404, "storage_object_not_found").await;
    let rest = vendor.get(&group("/share_files")).await;
    assert_eq!(rest["data"][0]["file_id"], SAMPLE_FILE);
}

#[tokio::test(start_paused = true)]
async fn an_upload_without_a_file_is_refused() {
    let vendor = Vendor::new().await;
    let (status, _) = vendor.call(Method::POST, &group("/share_files"), json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn attributes_are_set_merged_and_taken_away() {
    let vendor = Vendor::new().await;
    let path = format!("/metadata/chatgroup/{GROUP}/user/bob");
    let reply = vendor.put(&path, json!({"metaData": {"k1": "v1", "k2": "v2"}})).await;
    assert_eq!(reply["data"], json!({"k1": "v1", "k2": "v2"}));
    assert_eq!(reply.as_object().unwrap().len(), 3);
    vendor.put(&path, json!({"metaData": {"k1": "", "k3": "v3"}})).await;
    assert_eq!(vendor.get(&path).await["data"], json!({"k2": "v2", "k3": "v3"}));

    let batch = format!("/metadata/chatgroup/{GROUP}/get");
    let reply = vendor.post(&batch, json!({"targets": ["bob", "carol"], "properties": ["k3"]})).await;
    assert_eq!(reply["data"], json!({"bob": {"k3": "v3"}, "carol": {}}));
    let reply = vendor.post(&batch, json!({"targets": ["bob"]})).await;
    assert_eq!(reply["data"], json!({"bob": {"k2": "v2", "k3": "v3"}}));

    let stranger = format!("/metadata/chatgroup/{GROUP}/user/erin");
    vendor.fails(Method::PUT, &stranger, json!({"metaData": {"k": "v"}}), 403, "forbidden_op").await;
    let long = json!({"metaData": {"k".repeat(17): "v"}});
    vendor.fails(Method::PUT, &path, long, 403, "exceed_limit").await;
}
