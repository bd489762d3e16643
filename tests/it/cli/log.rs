//! The log against the README: every documented field is written, and nothing else; one line is one line.

use crate::documentation::rows;
use crate::support::house::{Vendor, configuration};
use crate::support::program::{Folder, Program, Served};
use crate::support::wire::{Talk, get, request};
use easemob_gateway::simulator::{Fault, Matcher, SAMPLE_GROUPS};
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;

const GROUP: &str = SAMPLE_GROUPS[0];

/// The fields of a line and what each is.
fn shape(line: &Value) -> BTreeMap<String, &'static str> {
    let kind = |value: &Value| match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        _ => "something else",
    };
    line.as_object().unwrap().iter().map(|(name, value)| (name.clone(), kind(value))).collect()
}

/// The same of the table under this heading, whose examples are what their type says.
fn documented(heading: &str) -> BTreeMap<String, &'static str> {
    let row = |row: &Vec<String>| {
        let [name, kind, example, meaning] = &row[..] else { panic!("{row:?}") };
        let example: Value = serde_json::from_str(example.trim_matches('`')).expect(name);
        let shape = shape(&json!({ name.trim_matches('`'): example })).pop_first().unwrap();
        assert_eq!(shape.1, kind, "{name}");
        assert!(!meaning.is_empty(), "{name}");
        shape
    };
    rows(heading).iter().map(row).collect()
}

#[tokio::test]
async fn each_line_has_the_fields_that_are_documented_and_no_other() {
    let vendor = Vendor::start().await;
    let text = format!("{}\n[log]\nhits_one_in = 1\n", configuration(&vendor.origin(), "", ""));
    let mut served = Served::start(&text).await;
    let mut talk = served.talk().await;
    let path = format!("/chatgroups/{GROUP}");
    vendor.control.next(Matcher::path("/chatgroups/9"), Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
    for path in [&*path, &path, "/elsewhere", "/chatgroups/9", "/a//b"] {
        talk.ask(get(path)).await;
    }
    let mute = json!({"usernames": ["carol"], "mute_duration": 60_000}).to_string();
    talk.ask(request("POST", &format!("{path}/mute"), &mute)).await;
    talk.ask(request("POST", "/token", "{}")).await;
    drop(talk);
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
    let lines: Vec<Value> =
        served.program.said.iter().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    for (heading, target, count) in
        [("### Log lines", "gateway::exchange", 7), ("### Audit lines", "gateway::audit", 2)]
    {
        let told: Vec<&Value> = lines.iter().filter(|line| line["target"] == target).collect();
        assert_eq!(told.len(), count, "{}", served.program.said.join("\n"));
        for line in told {
            assert_eq!(shape(line), documented(heading), "{line}");
        }
    }
}

#[tokio::test]
async fn what_others_say_begins_no_line() {
    let vendor = Vendor::start().await;
    let forged = "no\n2026-01-31T23:59:59Z  INFO forged\r\u{1b}[2K\u{85}forged\u{2028}forged";
    let body = json!({"error": "x", "error_description": forged}).to_string();
    vendor.control.next(Matcher::exactly("/token"), Fault::body(StatusCode::BAD_REQUEST, body));
    let text = configuration(&vendor.origin(), "", "[token]\npatience = \"1ms\"\n[log]\nformat = \"text\"\n");
    let folder = Folder::with(&text);
    let mut program = Program::start(&["serve", "--config", &folder.config()]);
    let line = program.says("listening on").await;
    let address: SocketAddr = line
        .split("listen.address=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .trim_matches('"')
        .parse()
        .unwrap();
    let no = program.says("no token").await;
    assert!(no.contains("forged"), "the vendor's words are there: {no}");
    // What a caller could try: refused, and not repeated in the line.
    let mut talk = Talk::to(address).await;
    talk.ask(get("/chatgroups/1%0A2026-01-31T23:59:59Z%20%20INFO%20forged")).await;
    talk.ask(get("/chatgroups/1")).await;
    drop(talk);
    program.signal("TERM");
    assert_eq!(program.ends().await, Some(0));
    for line in &program.said {
        assert!(!line.starts_with("2026-01-31") && !line.starts_with("forged"), "{line:?}");
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
    }
    // The same fields as in JSON, each by name.
    let told = program.said.iter().find(|line| line.contains("http.status=503")).expect("a refusal's line");
    for field in
        documented("### Log lines").keys().filter(|field| field.contains('.') || *field == "duration_us")
    {
        assert!(told.contains(&format!(" {field}=")), "{field} in {told}");
    }
}
