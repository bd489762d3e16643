//! The token endpoint, and what happens to callers without a good token.

use std::time::Duration;

use easemob_gateway::simulator::{ExpiresIn, Fault, Matcher, Settings, TokenAnswer, TokenForm, Unauthorized};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{Vendor, credentials, group};

#[tokio::test(start_paused = true)]
async fn a_grant_names_token_life_and_application() {
    let vendor = Vendor::new().await;
    let body = vendor.post("/token", credentials()).await;
    assert!(body["access_token"].as_str().unwrap().starts_with("YWMt"));
    assert_eq!(body["expires_in"], 5_184_000);
    assert_eq!(body["application"], Settings::default().application);
    assert_eq!(body.as_object().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_lifetime_may_be_asked_for_as_number_or_text() {
    let vendor = Vendor::new().await;
    for ttl in [json!(90), json!("90")] {
        let mut body = credentials();
        body["ttl"] = ttl;
        assert_eq!(vendor.post("/token", body).await["expires_in"], 90);
    }
}

#[tokio::test(start_paused = true)]
async fn json_is_read_whatever_its_label_says() {
    let vendor = Vendor::new().await;
    let request = Request::post("/easemob-demo/chat/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(bytes::Bytes::from(credentials().to_string())))
        .unwrap();
    let response = vendor.simulator.answer(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_a_bad_request() {
    let vendor = Vendor::new().await;
    let cases = [
        (json!({"grant_type": "client_credentials"}), "illegal_argument", "client_id must be provided."),
        (
            json!({"grant_type": "client_credentials", "client_id": "demo-client"}),
            "illegal_argument",
            "client_secret must be provided",
        ),
        (
            json!({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}),
            "invalid_grant",
            "client_id does not match",
        ),
        (
            json!({"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "y"}),
            "invalid_grant",
            "client_secret does not match",
        ),
    ];
    for (body, error, text) in cases {
        assert_eq!(vendor.fails(Method::POST, "/token", body, 400, error).await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn several_tokens_are_valid_at_once_and_each_ends_by_itself() {
    let vendor = Vendor::new().await;
    vendor.control().token_ttl(Duration::from_secs(60));
    let mut short = Vendor { simulator: vendor.simulator.clone(), token: vendor.fresh_token().await };
    short.get(&group("")).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    let text = short.fails(Method::GET, &group(""), Value::Null, 401, "unauthorized").await;
    assert_eq!(text, "Unable to authenticate due to expired access token");
    vendor.get(&group("")).await;
    short.token = short.fresh_token().await;
    short.get(&group("")).await;
}

#[tokio::test(start_paused = true)]
async fn a_life_of_zero_is_for_ever() {
    let mut vendor = Vendor::new().await;
    vendor.control().token_ttl(Duration::ZERO);
    vendor.token = vendor.fresh_token().await;
    tokio::time::advance(Duration::from_secs(100 * 365 * 86_400)).await;
    vendor.get(&group("")).await;
}

#[tokio::test(start_paused = true)]
async fn every_bad_token_has_its_own_refusal() {
    let mut vendor = Vendor::new().await;
    let cases = [
        ("garbage", "auth_bad_access_token", "Unable to authenticate due to corrupt access token"),
        ("YWMtb3RoZXItYXBwLWhlcmU_-abc", "auth_bad_access_token", "Unable to authenticate"),
        ("", "unauthorized", "Unable to authenticate due to expired access token"),
    ];
    for (token, error, text) in cases {
        vendor.token = token.to_owned();
        assert_eq!(vendor.fails(Method::GET, "/chatgroups", Value::Null, 401, error).await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn revoked_tokens_end_at_once() {
    let mut vendor = Vendor::new().await;
    vendor.control().revoke_tokens();
    let text = vendor.fails(Method::GET, "/chatgroups", Value::Null, 401, "unauthorized").await;
    assert_eq!(text, "Unable to authenticate (OAuth)");
    vendor.token = vendor.fresh_token().await;
    vendor.get("/chatgroups").await;
}

#[tokio::test(start_paused = true)]
async fn a_user_token_is_inherited_from_the_app_token() {
    let vendor = Vendor::with(Settings { open_users: false, seed: true, ..Settings::default() }).await;
    let ask = |user: &str, create: bool| json!({"grant_type": "inherit", "username": user, "autoCreateUser": create, "ttl": 10});
    let body = vendor.post("/token", ask("alice", false)).await;
    assert_eq!((body["user"]["username"].as_str(), body["expires_in"].as_u64()), (Some("alice"), Some(10)));
    vendor.fails(Method::POST, "/token", ask("nobody", false), 404, "resource_not_found").await;
    vendor.post("/token", ask("nobody", true)).await;
    vendor.control().revoke_tokens();
    vendor.fails(Method::POST, "/token", ask("alice", false), 401, "unauthorized").await;
}

#[tokio::test(start_paused = true)]
async fn one_cluster_reckons_in_milliseconds() {
    let vendor = Vendor::with(Settings { token_millis: true, ..Settings::default() }).await;
    assert_eq!(vendor.post("/token", credentials()).await["expires_in"], 5_184_000_000_u64);
}

#[tokio::test(start_paused = true)]
async fn another_app_is_not_found() {
    let vendor = Vendor::new().await;
    let request = Request::post("/easemob-demo/other/token").body(Full::new(bytes::Bytes::new())).unwrap();
    let response = vendor.simulator.answer(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body: Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(body["error"], "organization_application_not_found");
    let text = "Could not find application for easemob-demo/other from URI: easemob-demo/other/token";
    assert_eq!(body["error_description"], text);
}

#[tokio::test(start_paused = true)]
async fn wrong_methods_and_paths_are_told_apart() {
    let vendor = Vendor::new().await;
    vendor.fails(Method::PATCH, &group(""), Value::Null, 500, "unsupported_service_operation").await;
    vendor.fails(Method::GET, "/token", Value::Null, 500, "unsupported_service_operation").await;
    vendor.fails(Method::POST, &group("/quit"), Value::Null, 404, "service_resource_not_found").await;
    vendor.fails(Method::POST, "/chatgroups", Value::Null, 400, "json_parse").await;
}

#[tokio::test(start_paused = true)]
async fn a_token_may_die_before_its_time() {
    let mut vendor = Vendor::new().await;
    let form = TokenForm { dies_after: Some(Duration::from_secs(5)), ..TokenForm::default() };
    vendor.control().token_form(form);
    assert_eq!(vendor.post("/token", credentials()).await["expires_in"], 5_184_000);
    vendor.token = vendor.fresh_token().await;
    vendor.get(&group("")).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    vendor.fails(Method::GET, &group(""), Value::Null, 401, "unauthorized").await;
}

#[tokio::test(start_paused = true)]
async fn a_life_may_be_told_in_any_way() {
    let vendor = Vendor::new().await;
    let told = async |expires_in: ExpiresIn| {
        vendor.control().token_form(TokenForm { expires_in, ..TokenForm::default() });
        vendor.post("/token", credentials()).await.get("expires_in").cloned()
    };
    assert_eq!(told(ExpiresIn::Missing).await, None);
    assert_eq!(told(ExpiresIn::Milliseconds).await, Some(json!(5_184_000_000_u64)));
    for odd in
        [json!(0), json!(-1), json!(0.5), json!(1_u64 << 33), json!(u64::MAX), json!(1e30), json!("60")]
    {
        assert_eq!(told(ExpiresIn::As(odd.clone())).await, Some(odd));
    }
    vendor.control().token_form(TokenForm::default());
    assert_eq!(told(ExpiresIn::Life).await, Some(json!(5_184_000)));
}

#[tokio::test(start_paused = true)]
async fn a_grant_may_be_no_grant() {
    let vendor = Vendor::new().await;
    let cases = [
        (TokenAnswer::Empty, "application/json", ""),
        (TokenAnswer::Page, "text/html", "<html>"),
        (TokenAnswer::WithoutToken, "application/json;charset=UTF-8", "{\"application\""),
    ];
    for (answer, kind, begins) in cases {
        vendor.control().token_form(TokenForm { answer, ..TokenForm::default() });
        let body = Full::new(bytes::Bytes::from(credentials().to_string()));
        let answer =
            vendor.simulator.answer(vendor.request(Method::POST, "/token").body(body).unwrap()).await;
        let (head, body) = answer.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!((head.status, head.headers["content-type"].to_str().unwrap()), (StatusCode::OK, kind));
        assert!(body.starts_with(begins.as_bytes()) && !String::from_utf8_lossy(&body).contains("YWMt"));
    }
}

#[tokio::test(start_paused = true)]
async fn every_documented_401_can_be_asked_for() {
    let vendor = Vendor::new().await;
    let mut said = Vec::new();
    for (name, kind) in Unauthorized::ALL {
        vendor.control().next(Matcher::any(), Fault::unauthorized(kind));
        let (status, body) = vendor.call(Method::GET, &group(""), Value::Null).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        said.push(format!("{name}: {} / {}", body["error"].as_str().unwrap(), body["error_description"]));
    }
    assert_eq!(
        said.join("\n"),
        r#"expired: unauthorized / "Unable to authenticate due to expired access token"
expired_code: expired_token / "Unable to authenticate due to expired access token"
unauthenticated: unauthorized / "Unable to authenticate (OAuth)"
corrupt: auth_bad_access_token / "Unable to authenticate due to corrupt access token"
foreign: auth_bad_access_token / "Unable to authenticate"
blank: group_authorization / "token is blank!"
registration_closed: unauthorized / "registration is not open, please contact the app admin""#
    );
}
