//! The vendor's answer to a token request: what is taken for a token can be sent, and is told nowhere. Input: a line
//! that is `s` or `ms`, and a body.

use super::first_line;
use easemob_gateway::easemob::grant::{Unit, read, request};
use http::HeaderValue;
use serde_json::Value;
use std::time::Duration;

/// A token is what the body says, can be sent, lives for a time that can be waited for, and is not in `Debug`.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (unit, body) = first_line(&text);
    let unit = if unit == "ms" { Unit::Milliseconds } else { Unit::Seconds };
    asked(unit, body);
    let Some(granted) = read(body.as_bytes(), unit) else { return };
    let token = &*granted.access_token;
    // What is passed over may be what others cannot read: a number too large for them.
    let said: Value = serde_json::from_str(body).unwrap_or_default();
    assert!(said.is_null() || said["access_token"] == token);
    assert!(!token.is_empty() && HeaderValue::from_str(&format!("Bearer {token}")).is_ok());
    assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
    let century = Duration::from_secs(101 * 365 * 24 * 3_600);
    assert!(granted.lives.is_none_or(|lives| lives <= century), "{:?}", granted.lives);
    if let (Some(seconds), Unit::Seconds) = (said["expires_in"].as_u64(), unit) {
        let expected =
            Some(Duration::from_secs(seconds)).filter(|lives| !lives.is_zero() && *lives < century);
        assert!(granted.lives == expected || seconds >= 3_000_000_000);
    }
    let told = format!("{granted:?}");
    assert!(token.len() < 12 || !told.contains(token), "{told}");
}

/// What is asked for, whatever id and secret are, is what they are.
fn asked(unit: Unit, body: &str) {
    let (id, secret) = first_line(body);
    let said: Value = serde_json::from_str(&request(id, secret)).expect("JSON");
    assert_eq!((said["client_id"].as_str(), said["client_secret"].as_str()), (Some(id), Some(secret)));
    assert_eq!(said["grant_type"], "client_credentials");
    assert!(read(request(id, secret).as_bytes(), unit).is_none(), "a request is no answer");
}
