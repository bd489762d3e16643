//! Asking for a token: the question as documented, and every answer that has been seen or must be feared.

use easemob_gateway::easemob::grant::{Granted, Unit, read, request};
use serde_json::{Value, json};
use std::time::Duration;

fn granted(expires_in: &Value, unit: Unit) -> Granted {
    let body = json!({"access_token": "YWMtx", "expires_in": expires_in, "application": "uuid"});
    read(body.to_string().as_bytes(), unit).unwrap()
}

#[test]
fn the_question_is_the_documented_one_and_survives_any_secret() {
    let body: Value = serde_json::from_str(&request("id\"", "se\\cret\n")).unwrap();
    let asked =
        json!({"grant_type": "client_credentials", "client_id": "id\"", "client_secret": "se\\cret\n"});
    assert_eq!(body, asked);
}

#[test]
fn a_life_is_read_as_it_is_written() {
    let lives = |expires_in, unit| granted(&expires_in, unit).lives;
    assert_eq!(lives(json!(5_184_000), Unit::Seconds), Some(Duration::from_secs(5_184_000)));
    assert_eq!(lives(json!("3600"), Unit::Seconds), Some(Duration::from_secs(3_600)));
    assert_eq!(lives(json!(5_184_000_000_u64), Unit::Milliseconds), Some(Duration::from_secs(5_184_000)));
    // Beyond 32 bits, as one client library cannot read it.
    assert_eq!(lives(json!(3_000_000_000_u64), Unit::Seconds), Some(Duration::from_secs(3_000_000_000)));
}

#[test]
fn no_life_and_every_impossible_one_mean_that_no_end_is_known() {
    for expires_in in [
        Value::Null,
        json!(0),
        json!(-1),
        json!("soon"),
        json!(""),
        json!(u64::MAX),
        json!(1e300),
        json!("NaN"),
        json!("inf"),
        json!("-inf"),
        json!([]),
    ] {
        assert_eq!(granted(&expires_in, Unit::Seconds).lives, None, "{expires_in}");
    }
    assert_eq!(read(br#"{"access_token":"a"}"#, Unit::Seconds).unwrap().lives, None);
}

#[test]
fn an_answer_without_a_token_that_can_be_sent_is_none() {
    for body in [
        &b""[..],
        b"{}",
        b"null",
        b"<html>",
        br#"{"access_token":""}"#,
        br#"{"access_token":null}"#,
        br#"{"access_token":7}"#,
        br#"{"access_token":"a b"}"#,
        br#"{"access_token":"a\r\nx: y"}"#,
        "{\"access_token\":\"t\u{e9}\"}".as_bytes(),
    ] {
        assert!(read(body, Unit::Seconds).is_none(), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn a_granted_token_is_not_printed() {
    assert!(!format!("{:?}", granted(&json!(1), Unit::Seconds)).contains("YWMtx"));
}
