//! The vendor's reports: nothing is touched without a good signature of our app and of now, and nothing twice. Input:
//! a report; `sign` and a new line before it has it signed first.

use easemob_gateway::cache::{Cache, Secret, Settings};
use easemob_gateway::clock::Wall;
use easemob_gateway::gateway::hear::{self, Hear};
use easemob_gateway::telemetry::cells::Heard;
use md5::{Digest as _, Md5};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const APP_KEY: &str = "easemob-demo#chat";
const SECRET: &str = "s3cr3t";
/// The moment of every corpus.
const NOW_MS: u64 = 1_700_000_000_000;
const AGE_MAX: Duration = Duration::from_secs(300);

/// What touches is signed, ours, of now and new; what does not leaves everything as it was.
pub fn check(data: &[u8]) {
    let signed = data.strip_prefix(b"sign\n").map(sign);
    let body = signed.as_deref().unwrap_or(data);
    let cache = cache();
    let ours = hear(&cache, SECRET);
    let before = cache.epochs.now();
    let heard = ours.hear(body);
    assert_eq!(heard == Heard::Touched, cache.epochs.now() != before, "{heard:?}");
    if heard == Heard::Touched {
        assert!(is_good(body), "nobody signed this");
    }
    // Again it touches nothing, and for another secret it never did.
    let before = cache.epochs.now();
    assert_ne!(ours.hear(body), Heard::Touched);
    assert_ne!(hear(&cache, "another").hear(body), Heard::Touched);
    assert_eq!(cache.epochs.now(), before);
}

fn cache() -> Arc<Cache> {
    let settings = Settings {
        bytes_max: 1 << 16,
        slots: 1 << 10,
        tags_max: 64,
        settle: Duration::ZERO,
        doubt: Duration::ZERO,
        fetch_max: Duration::from_secs(1),
    };
    Arc::new(Cache::new(settings, &Secret::new([7; 16])))
}

fn hear(cache: &Arc<Cache>, secret: &str) -> Hear {
    let settings =
        hear::Settings { app_key: APP_KEY.to_owned(), secrets: vec![secret.into()], age_max: AGE_MAX };
    let wall = Wall::of(|| NOW_MS);
    Hear::new(settings, "easemob-demo#chat_", Arc::clone(cache), Secret::new([7; 16]), wall)
}

fn signature(call_id: &str, timestamp: u64) -> String {
    let digest = Md5::digest(format!("{call_id}{SECRET}{timestamp}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same report with a call id, a time and a signature; as it is if it is no object.
fn sign(body: &[u8]) -> Vec<u8> {
    let Ok(mut report @ Value::Object(_)) = serde_json::from_slice(body) else { return body.to_vec() };
    let call_id = format!("{APP_KEY}_1");
    report["security"] = signature(&call_id, NOW_MS).into();
    report["callId"] = call_id.into();
    report["timestamp"] = NOW_MS.into();
    report.to_string().into_bytes()
}

/// The same question, asked by another hand.
fn is_good(body: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(body).expect("it was read");
    let text = |name: &str| said[name].as_str().unwrap_or_default();
    let time = said["timestamp"].as_u64().or_else(|| text("timestamp").parse().ok());
    let Some(time) = time else { return false };
    let own = format!("{APP_KEY}_");
    let call_id = text("callId").to_lowercase();
    let of_us = text("appkey").eq_ignore_ascii_case(APP_KEY) || call_id.starts_with(&own);
    let in_time = u128::from(time.abs_diff(NOW_MS)) <= AGE_MAX.as_millis();
    of_us && in_time && text("security") == signature(text("callId"), time)
}
