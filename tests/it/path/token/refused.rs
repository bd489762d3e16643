//! A token that the vendor refuses on a call: renewed once for all, and the call sent once more as it was.

use super::{any_grant, group, secs, uncached};
use crate::path::refusals::assert_refused;
use crate::support::world::{APP, World};
use easemob_gateway::body::Body;
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_GROUPS};
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

fn unauthorized() -> Fault {
    Fault::status(StatusCode::UNAUTHORIZED)
}

/// 401s that no other token changes.
fn registration_is_closed() -> Fault {
    let says = "registration is not open, please contact the app admin";
    let body = json!({"error": "unauthorized", "error_description": says}).to_string();
    Fault::body(StatusCode::UNAUTHORIZED, body)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_refused_calls_are_one_grant_and_each_is_repeated_with_its_own_body() {
    let world = World::with(|config| config.limits.patience = secs(60), |_| {});
    let users: Vec<String> = (0..100).map(|n| format!("user{n}")).collect();
    let members: Vec<&str> = users.iter().map(String::as_str).collect();
    world.vendor.add_group("7", "owner", &members);
    assert_eq!(world.get("/chatgroups/7").await.status, 200);
    let hold = world.vendor.hold(Matcher::exactly("/chatgroups/7/mute").times(100), HoldAt::Arrival);
    let mute = |user: &String| json!({"usernames": [user], "mute_duration": 3_600_000});
    let calls = join_all(users.iter().map(|user| world.post("/chatgroups/7/mute", mute(user))));
    let meanwhile = async {
        hold.arrived(100).await;
        world.vendor.revoke_tokens();
        hold.release();
    };
    let (replies, ()) = tokio::join!(calls, meanwhile);
    for (reply, user) in replies.iter().zip(&users) {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.data()[0]["user"], json!(user), "each has the answer to his own call");
    }
    assert_eq!(world.grants(), 2);
    let count = world.vendor.counters().get("POST", "/chatgroups/{group_id}/mute");
    assert_eq!((count.statuses[&401], count.statuses[&200], count.total), (100, 100, 200));
    let (_, muted) = world.vendor.behind(Method::GET, "/chatgroups/7/mute", Value::Null);
    let mut muted: Vec<&str> =
        muted["data"].as_array().unwrap().iter().map(|entry| entry["user"].as_str().unwrap()).collect();
    let mut members = members;
    muted.sort_unstable();
    members.sort_unstable();
    assert_eq!(muted, members);
}

#[tokio::test(start_paused = true)]
async fn every_documented_refusal_of_a_token_renews_it() {
    let errors = [
        ("unauthorized", "Unable to authenticate (OAuth)"),
        ("unauthorized", "Unable to authenticate due to expired access token"),
        ("auth_bad_access_token", "Unable to authenticate due to corrupt access token"),
        ("auth_bad_access_token", "Unable to authenticate"),
        ("expired_token", "Unable to authenticate due to expired access token"),
        ("group_authorization", "token is blank!"),
    ];
    for (error, text) in errors {
        let world = World::with(uncached, |_| {});
        let body = json!({"error": error, "error_description": text}).to_string();
        world.vendor.next(Matcher::path("/chatgroups"), Fault::body(StatusCode::UNAUTHORIZED, body));
        assert_eq!(world.get(&group()).await.status, 200, "{error} {text}");
        assert_eq!((world.grants(), world.calls()), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_is_no_answer_for_the_caller() {
    let world = World::with(uncached, |_| {});
    world.vendor.next(Matcher::path("/chatgroups").times(2), unauthorized());
    assert_refused(&world.get(&group()).await, 502, "bad_gateway", "token_refused");
    assert_eq!((world.grants(), world.calls()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_about_something_else_is_passed_on() {
    let world = World::with(uncached, |_| {});
    world.vendor.next(Matcher::path("/chatgroups"), unauthorized());
    world.vendor.next(Matcher::path("/chatgroups"), registration_is_closed());
    let reply = world.get(&group()).await;
    assert_eq!((reply.status.as_u16(), reply.refusal()), (401, ""));
}

#[tokio::test(start_paused = true)]
async fn a_401_about_something_else_is_passed_on_and_burns_no_grant() {
    let world = World::new();
    world.vendor.next(Matcher::path("/users"), registration_is_closed());
    let reply = world.post("/users", json!({"username": "zoe", "password": "1"})).await;
    assert_eq!((reply.status.as_u16(), reply.refusal()), (401, ""));
    assert!(reply.json()["error_description"].as_str().unwrap().starts_with("registration"));
    assert_eq!((world.grants(), world.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_401_proves_nothing_against_a_token_that_has_been_good_since() {
    let world = World::with(uncached, |_| {});
    let slow = "/chatgroups/1/announcement";
    world.vendor.next(Matcher::exactly(slow), unauthorized());
    let hold = world.vendor.hold(Matcher::exactly(slow), HoldAt::Arrival);
    let meanwhile = async {
        hold.arrived(1).await;
        sleep(secs(1)).await;
        assert_eq!(world.get(&group()).await.status, 200);
        hold.release();
    };
    let (reply, ()) = tokio::join!(world.get(slow), meanwhile);
    assert_eq!((reply.status.as_u16(), reply.refusal()), (401, ""));
    assert_eq!(world.grants(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_401_counts_against_a_token_that_was_good_before_only() {
    let world = World::with(uncached, |_| {});
    assert_eq!(world.get(&group()).await.status, 200);
    sleep(secs(1)).await;
    world.vendor.revoke_tokens();
    assert_eq!(world.get(&group()).await.status, 200);
    assert_eq!(world.grants(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_upload_too_large_to_repeat_is_asked_for_again_once_there_is_a_token() {
    let world = World::new();
    assert_eq!(world.get(&group()).await.status, 200);
    world.vendor.revoke_tokens();
    let target = format!("{APP}/chatgroups/{}/share_files", SAMPLE_GROUPS[0]);
    let upload = || {
        let request = Request::post(target.as_str())
            .header("host", "localhost")
            .header("content-type", "multipart/form-data; boundary=xx");
        let head = "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
        let body = format!("{head}{}\r\n--xx--\r\n", "a".repeat(2 << 20));
        request.body(Body::Kept(body.into())).unwrap()
    };
    let reply = world.send(upload()).await;
    assert_refused(&reply, 503, "service_unavailable", "send_again");
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!((world.grants(), world.calls()), (2, 2), "the token has been renewed already");
    assert_eq!(world.send(upload()).await.status, 200);
    assert_eq!((world.grants(), world.calls()), (2, 3));
}

/// Reads of other endpoints than the group's own, none of which is kept.
fn other(n: usize) -> String {
    let parts = ["users", "admin", "blocks/users", "white/users", "mute", "announcement"];
    format!("/chatgroups/{}/{}?_={n}", SAMPLE_GROUPS[0], parts[n % parts.len()])
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_refuses_a_new_token_too_causes_no_renewal_for_ten_minutes() {
    let change = |config: &mut _| {
        uncached(config);
        config.token.grants_per_hour = 10;
    };
    let world = World::with(change, |_| {});
    let exactly = Matcher::exactly(group());
    world.vendor.next(exactly.times(1_000_000), unauthorized());
    let mut renewed_at = Vec::new();
    for second in 0..1_300 {
        let before = world.grants();
        assert_refused(&world.get(&group()).await, 502, "bad_gateway", "token_refused");
        if second > 0 && world.grants() > before {
            renewed_at.push(second);
        }
        sleep(secs(1)).await;
    }
    assert_eq!(renewed_at, [600, 1_200], "the first was renewed at once");
    // Others are not held to account for it, and are believed.
    world.vendor.revoke_tokens();
    assert_eq!(world.get(&other(0)).await.status, 200);
    assert_eq!(world.grants(), 5);
}

#[tokio::test(start_paused = true)]
async fn renewals_for_refusals_are_a_minute_apart_whichever_endpoint_is_refused() {
    let world = World::with(uncached, |_| {});
    world.vendor.next(Matcher::path("/chatgroups").times(1_000_000), unauthorized());
    for n in 0..200 {
        assert_refused(&world.get(&other(n)).await, 502, "bad_gateway", "token_refused");
        sleep(secs(1)).await;
    }
    let gaps = super::gaps(&world);
    assert_eq!(gaps.len(), 3, "{gaps:?}");
    // The first is the first token's own; what follows are renewals.
    assert!(gaps.iter().skip(1).all(|gap| (60.0..62.0).contains(gap)), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn renewals_for_refusals_use_at_most_half_of_the_budget() {
    for (budget, half) in [(6, 3), (1, 1), (20, 10)] {
        let change = |config: &mut _| {
            uncached(config);
            config.token.grants_per_hour = budget;
        };
        let world = World::with(change, |vendor| vendor.limits = false);
        assert_eq!(world.get(&other(0)).await.status, 200);
        // So that the first token is no part of this hour's budget.
        sleep(secs(3_600)).await;
        let before = world.grants();
        for n in 0..1_100 {
            // Refused once, and good with the new token: no endpoint is quiet.
            world.vendor.next(Matcher::path("/chatgroups"), unauthorized());
            let reply = world.get(&other(n)).await;
            assert!(matches!(reply.status.as_u16(), 200 | 502), "{}", reply.status);
            sleep(secs(3)).await;
        }
        assert_eq!(world.grants() - before, half, "of {budget}: {:?}", super::gaps(&world));
        world.vendor.clear_faults();
        assert_eq!(
            world.get(&other(0)).await.status,
            200,
            "once the vendor means it well, it is believed at once"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_stays_when_no_other_can_be_had() {
    let world = World::with(uncached, |_| {});
    assert_eq!(world.get(&group()).await.status, 200);
    world.vendor.next(Matcher::path("/chatgroups").times(3), unauthorized());
    // Its own renewal, refused again; then there is none to be had for a minute.
    assert_refused(&world.get(&other(1)).await, 502, "bad_gateway", "token_refused");
    assert_refused(&world.get(&other(2)).await, 502, "bad_gateway", "token_refused");
    world.vendor.clear_faults();
    assert_eq!(world.get(&other(3)).await.status, 200, "the token is good, and was not thrown away");
    assert_eq!(world.grants(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_stays_when_the_budget_is_spent() {
    let change = |config: &mut _| {
        uncached(config);
        config.token.grants_per_hour = 1;
    };
    let world = World::with(change, |_| {});
    assert_eq!(world.get(&group()).await.status, 200);
    sleep(secs(60)).await;
    world.vendor.next(Matcher::path("/chatgroups"), unauthorized());
    assert_refused(&world.get(&other(1)).await, 502, "bad_gateway", "token_refused");
    assert_eq!(world.get(&group()).await.status, 200, "others go on with it");
    assert_eq!((world.grants(), world.calls()), (1, 3), "and the call was not sent twice");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_while_the_vendor_grants_nothing_backs_off() {
    let world = World::with(uncached, |_| {});
    assert_eq!(world.get(&group()).await.status, 200);
    world.vendor.revoke_tokens();
    world.vendor.next(any_grant().times(1_000_000), Fault::ResetBefore);
    for _ in 0..60 {
        assert_refused(&world.get(&group()).await, 503, "service_unavailable", "no_token");
        sleep(secs(1)).await;
    }
    assert!((4..=9).contains(&world.grants()), "{}", world.grants());
    let seen = world.vendor.counters().get("GET", "/chatgroups/{group_id}").statuses;
    assert_eq!(seen[&401], 1, "a refused token is not sent again");
}
