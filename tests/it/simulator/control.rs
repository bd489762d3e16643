//! Faults, holds, delays, and changes behind the caller's back.

use std::time::Duration;

use bytes::Bytes;
use easemob_gateway::simulator::{Dropped, Fault, HoldAt, Matcher};
use http::{Method, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{GROUP, Vendor, group};

async fn rename(vendor: &Vendor, name: &str) -> Result<StatusCode, Dropped> {
    let body = Full::new(Bytes::from(json!({ "groupname": name }).to_string()));
    let request = vendor.request(Method::PUT, &group("")).body(body).unwrap();
    vendor.simulator.answer(request).await.map(|response| response.status())
}

fn name(vendor: &Vendor) -> Value {
    vendor.control().behind(Method::GET, &group(""), Value::Null).1["data"][0]["name"].clone()
}

#[tokio::test(start_paused = true)]
async fn scripted_answers_are_given_in_order_and_then_used_up() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    let matcher = Matcher::path("/chatgroups").method(Method::GET);
    control.next(matcher.clone().times(2), Fault::status(StatusCode::SERVICE_UNAVAILABLE).retry_after(7));
    control.next(matcher, Fault::body(StatusCode::BAD_GATEWAY, "<html>"));
    let request = vendor.request(Method::GET, &group("")).body(Full::new(Bytes::new())).unwrap();
    let response = vendor.simulator.answer(request).await.unwrap();
    assert_eq!(response.headers()["retry-after"], "7");
    vendor.fails(Method::GET, &group(""), Value::Null, 503, "service_unavailable").await;
    assert_eq!(
        vendor.call(Method::GET, &group(""), Value::Null).await,
        (StatusCode::BAD_GATEWAY, Value::Null)
    );
    vendor.get(&group("")).await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_may_come_before_or_after_the_effect() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    let cases = [
        (Fault::ResetBefore, Err(Dropped), "book club"),
        (Fault::ResetAfter, Err(Dropped), "one"),
        (Fault::status(StatusCode::GATEWAY_TIMEOUT), Ok(StatusCode::GATEWAY_TIMEOUT), "one"),
        (Fault::status(StatusCode::GATEWAY_TIMEOUT).after_effect(), Ok(StatusCode::GATEWAY_TIMEOUT), "two"),
    ];
    for ((fault, outcome, after), new) in cases.into_iter().zip(["one", "one", "two", "two"]) {
        control.next(Matcher::any(), fault);
        assert_eq!(rename(&vendor, new).await, outcome);
        assert_eq!(name(&vendor), after);
    }
    assert_eq!(control.counters().get("PUT", "/chatgroups/{group_id}").dropped, 2);
}

#[tokio::test(start_paused = true)]
async fn matchers_tell_prefix_method_and_exact_path_apart() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    control.next(Matcher::exactly(group("")), Fault::status(StatusCode::BAD_GATEWAY));
    vendor.get(&group("/users")).await;
    control.next(Matcher::path("/chatgroups").method(Method::POST), Fault::status(StatusCode::BAD_GATEWAY));
    assert_eq!(vendor.call(Method::GET, &group(""), Value::Null).await.0, StatusCode::BAD_GATEWAY);
    vendor.get(&group("")).await;
    control.clear_faults();
    vendor.post(&group("/ban"), Value::Null).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_held_at_arrival_has_no_effect_yet() {
    let vendor = Vendor::new().await;
    let hold = vendor.control().hold(Matcher::path("/chatgroups").method(Method::PUT), HoldAt::Arrival);
    let check = async {
        hold.arrived(1).await;
        assert_eq!(name(&vendor), "book club");
        assert_eq!(vendor.control().counters().get("PUT", "/chatgroups/{group_id}").total, 1);
        hold.release();
    };
    let (renamed, ()) = tokio::join!(rename(&vendor, "new"), check);
    assert_eq!((renamed, name(&vendor)), (Ok(StatusCode::OK), json!("new")));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_held_shows_the_state_it_saw() {
    let vendor = Vendor::new().await;
    let hold =
        vendor.control().hold(Matcher::exactly(group("")).method(Method::GET).times(1), HoldAt::Answer);
    let path = group("");
    let check = async {
        hold.arrived(1).await;
        rename(&vendor, "new").await.unwrap();
        assert_eq!(vendor.get(&path).await["data"][0]["name"], "new");
        assert_eq!(hold.count(), 1);
        drop(hold);
    };
    let (old, ()) = tokio::join!(vendor.get(&path), check);
    assert_eq!(old["data"][0]["name"], "book club");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_a_hold_leaves_the_state_alone() {
    let vendor = Vendor::new().await;
    let hold = vendor.control().hold(Matcher::any(), HoldAt::Arrival);
    tokio::select! {
        _ = rename(&vendor, "new") => panic!("the call was held"),
        () = hold.arrived(1) => {}
    }
    hold.release();
    assert_eq!(name(&vendor), "book club");
    let calls = vendor.control().calls();
    assert_eq!(calls.last().unwrap().status, None);
}

#[tokio::test(start_paused = true)]
async fn latency_moves_the_clock_by_its_whole_length() {
    let vendor = Vendor::new().await;
    vendor.control().latency(Duration::from_millis(50));
    let start = Instant::now();
    vendor.get(&group("")).await;
    assert_eq!(start.elapsed(), Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn changes_behind_the_back_pass_every_guard() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    control.revoke_tokens();
    control.reset_counters();
    control.next(Matcher::any(), Fault::ResetBefore);
    let _hold = control.hold(Matcher::any(), HoldAt::Arrival);
    let (status, _) = control.behind(Method::POST, &group("/users/erin"), Value::Null);
    assert_eq!(status, StatusCode::OK);
    let (_, joined) = control.behind(Method::GET, "/chatgroups/user/erin?pagesize=1", Value::Null);
    assert_eq!(joined["total"], 3);
    assert_eq!(control.counters().total(), 0);
    let file = group(&format!("/share_files/{}", easemob_gateway::simulator::SAMPLE_FILE));
    let (_, text) = control.behind(Method::GET, &file, Value::Null);
    assert!(text.as_str().unwrap().starts_with("Moby-Dick"));
}

#[tokio::test(start_paused = true)]
async fn sample_data_and_own_groups_can_be_added_later() {
    let vendor = Vendor::with(easemob_gateway::simulator::Settings::default()).await;
    assert_eq!(vendor.get("/chatgroups").await["count"], 0);
    vendor.control().seed();
    vendor.control().seed();
    assert_eq!(vendor.get("/chatgroups").await["count"], 3);
    vendor.control().add_group("my-group", "Zoe", &["bob"]);
    assert_eq!(vendor.get("/chatgroups/my-group").await["data"][0]["owner"], "zoe");
    assert_eq!(vendor.get("/chatgroups/user/alice").await["total"], 3);
    vendor.get(&format!("/chatgroups/{GROUP}")).await;
}

#[tokio::test(start_paused = true)]
async fn faults_may_come_by_shape_and_by_chance() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    control.limits(false);
    let fault = || Fault::status(StatusCode::BAD_GATEWAY);
    control.next(Matcher::shape("/chatgroups/{group_id}"), fault());
    vendor.get(&group("/users")).await;
    vendor.fails(Method::GET, &group(""), Value::Null, 502, "web_application").await;
    let failures = async |seed| {
        control.clear_faults();
        control.next(Matcher::any().chance(0.25, seed), fault());
        let mut failed = Vec::new();
        for _ in 0..400 {
            failed.push(vendor.call(Method::GET, &group(""), Value::Null).await.0 != StatusCode::OK);
        }
        failed
    };
    let (first, again, other) = (failures(1).await, failures(1).await, failures(2).await);
    let count = first.iter().filter(|failed| **failed).count();
    assert!((70..130).contains(&count) && first == again && first != other, "{count}");
    // A number of calls ends it.
    control.clear_faults();
    control.next(Matcher::any().chance(1.0, 0).times(2), fault());
    for status in [502, 502, 200] {
        assert_eq!(vendor.call(Method::GET, &group(""), Value::Null).await.0, status);
    }
}

#[tokio::test(start_paused = true)]
async fn the_most_in_any_window_is_told() {
    let vendor = Vendor::new().await;
    let control = vendor.control();
    control.reset_counters();
    // At 0, 400, 800, 1200 … ms, and three at once in the end.
    for _ in 0..6 {
        vendor.get(&group("")).await;
        tokio::time::advance(Duration::from_millis(400)).await;
    }
    for _ in 0..3 {
        vendor.get(&group("")).await;
    }
    vendor.get(&group("/users")).await;
    let most = |ms| control.max_in_window("GET", "/chatgroups/{group_id}", Duration::from_millis(ms));
    assert_eq!([most(1), most(400), most(401), most(1_000), most(1_200), most(10_000)], [3, 3, 4, 5, 5, 9]);
    let users = control.windows(Duration::from_secs(1)).remove("GET /chatgroups/{group_id}/users");
    assert_eq!(users, Some(1));
}

#[tokio::test(start_paused = true)]
async fn bodies_are_remembered_by_length_and_digest() {
    let vendor = Vendor::new().await;
    vendor.control().reset_counters();
    vendor.get(&group("")).await;
    let body = Full::new(Bytes::from_static(b"{}"));
    vendor.simulator.answer(vendor.request(Method::PUT, &group("")).body(body).unwrap()).await.unwrap();
    let [read, write] = vendor.control().calls().try_into().unwrap();
    assert_eq!((read.body_bytes, read.body_sha256, read.connection, read.head), (0, None, None, None));
    let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!((write.body_bytes, write.body_sha256.as_deref()), (2, Some(digest)));
}
