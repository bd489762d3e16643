//! Answers about several things: taken apart and put together they are what they were. Input: a line that is a list of
//! names, and an answer.

use super::first_line;
use easemob_gateway::easemob::batch::Batch;
use serde_json::Value;
use std::collections::BTreeSet;

/// Elements are what was asked for, each once; with its envelope around them the answer is the one that came.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (list, answer) = first_line(&text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let names: Vec<&str> = list.split(',').collect();
    let all: BTreeSet<&str> = names.iter().copied().collect();
    if all.len() < names.len() || names.iter().any(|name| name.is_empty() || !name.bytes().all(plain)) {
        return;
    }
    let Some(batch) = Batch::take_apart(answer.as_bytes(), &names, list) else { return };
    // What is passed over may be what others cannot read: a number too large for them.
    let Ok(said) = serde_json::from_str::<Value>(answer) else { return };
    let mut seen = BTreeSet::new();
    for (name, text) in &batch.elements {
        assert!(all.contains(name) && seen.insert(*name), "{name}");
        let element: Value = serde_json::from_str(text).expect("JSON");
        let id = &element["id"];
        assert!(id.as_str().map_or_else(|| id.to_string(), str::to_owned) == *name, "{text} is not {name}");
        assert!(element["error"].is_null());
        assert!(said["data"].as_array().is_some_and(|data| data.contains(&element)));
    }
    let Some(envelope) = &batch.envelope else { return };
    assert_eq!(seen, all, "something is missing");
    let texts = batch.elements.iter().map(|(_, text)| text.as_bytes());
    let again: Value = serde_json::from_slice(&envelope.around(list, texts)).expect("JSON");
    assert_eq!(again, said);
    // In another order it has its elements in that order, and the rest as it was.
    let mut turned = batch.elements.clone();
    turned.reverse();
    let texts = turned.iter().map(|(_, text)| text.as_bytes());
    let mut again: Value = serde_json::from_slice(&envelope.around(list, texts)).expect("JSON");
    again["data"].as_array_mut().expect("a list").reverse();
    assert_eq!(again, said);
}
