//! Lists of mutes: nothing in one is served past its end. Input: an answer.

use easemob_gateway::catalogue::pointer::{Collected, Pointers};
use easemob_gateway::gateway::keep::earliest_end;
use serde_json::{Value, json};
use std::time::Duration;

/// The deadline is never later than any end in the list, and one that cannot be read makes none.
pub fn check(data: &[u8]) {
    let Some((left, said)) = ends(data) else { return };
    let now = clock(&said);
    // There was a list; said twice, the other time there may be nothing.
    let Some(list) = said["data"].as_array() else { return assert!(said["data"].is_null()) };
    let all: Vec<i64> = list.iter().flat_map(|entry| numbers(&entry["expire"])).collect();
    assert!(all.len() >= list.len(), "an entry without an end");
    for end in all.iter().filter(|end| **end >= 0) {
        let own = end.saturating_sub(now.expect("a clock, since it is needed"));
        assert!(own >= 0 && left <= Duration::from_millis(own.unsigned_abs()), "{end}");
    }
    assert!(left < Duration::MAX || all.iter().all(|end| *end < 0));
    with_another(said);
}

/// One entry more makes it earlier or leaves it; one without an end, none.
fn with_another(mut said: Value) {
    let Some((left, _)) = ends(said.to_string().as_bytes()) else { return };
    let has_room = |now: &i64| !said["timestamp"].is_null() && (0..i64::MAX - 1_000).contains(now);
    let Some(now) = clock(&said).filter(has_room) else { return };
    let list = said["data"].as_array_mut().expect("a list");
    list.push(json!({"user": "x", "expire": now + 1_000}));
    let (sooner, _) = ends(said.to_string().as_bytes()).expect("still a deadline");
    assert_eq!(sooner, left.min(Duration::from_secs(1)));
    said["data"].as_array_mut().expect("a list").push(json!({"user": "y"}));
    assert!(ends(said.to_string().as_bytes()).is_none(), "an entry without an end");
}

/// The vendor's clock in it; any, if none is needed.
fn clock(said: &Value) -> Option<i64> {
    if said["timestamp"].is_null() { Some(0) } else { numbers(&said["timestamp"]).first().copied() }
}

/// A number, one in quotes, or several of them.
fn numbers(value: &Value) -> Vec<i64> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        Value::String(text) => text.parse().into_iter().collect(),
        other => other.as_i64().into_iter().collect(),
    }
}

fn ends(body: &[u8]) -> Option<(Duration, Value)> {
    let shown: Collected = Pointers::new(&["/timestamp", "/data/*/expire"]).collect(body).ok()?;
    let left = earliest_end(shown.at(0), shown.at(1))?;
    // What is passed over may be what others cannot read: a number too large for them, or bytes that are no text.
    Some((left, serde_json::from_slice(body).ok()?))
}
