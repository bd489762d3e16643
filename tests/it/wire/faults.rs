//! What comes of every way in which an answer can break on a wire, for every kind of request.
//!
//! The same table as without a wire (`path/faults.rs`), where bytes and connections matter: a connection that was
//! used before, framing that says one thing and does another, bytes behind an answer.

use crate::support::faults::{Score, Table, cell, got, matcher, scripted};
use crate::support::house::{House, Vendor};
use crate::support::program::look;
use crate::support::wire::{Message, get, request, soon};
use easemob_gateway::simulator::{Breakage, Fault, Matcher, SAMPLE_FILE, SAMPLE_GROUPS};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use http::{Method, StatusCode};
use serde_json::Value;

const A: &str = SAMPLE_GROUPS[0];

/// Notation: see `support/faults.rs`. Everything but `read` goes over a connection that was used before.
const EXPECTED: &str = "
 fault                                               | read                 | read again           | write                   | relay              | relayed write      | token
 reset, close, half_head, garbage, two_lengths       | 502:unreachable 1 -  | 200 2 kept           | 502:unreachable 1 doubt | 200 2              | 502:unreachable 1  | 503:no_token 0
 reset applied, close applied, half_head applied     | 502:unreachable 1 -  | 200 2 kept           | 502:unreachable 1 doubt | 200 2              | 502:unreachable 1  | 503:no_token 0
 half_body, reset_in_body, too_long                  | 502:unreachable 1 -  | 200 2 kept           | 502:unreachable 1 doubt | 200 2              | 502:unreachable 1  | 503:no_token 0
 half_body applied, too_long applied                 | 502:unreachable 1 -  | 200 2 kept           | 502:unreachable 1 doubt | 200 2              | 502:unreachable 1  | 503:no_token 0
 reset always, half_body always, garbage always      | 502:unreachable 1 -  | 502:unreachable 2 -  | 502:unreachable 1 doubt | 502:unreachable 2  | 502:unreachable 1  | 503:no_token 0
 half_chunk, half_chunk applied                      | 502:unreachable 1 -  | 200 2 kept           | 502:unreachable 1 doubt | 200~ 1             | 200~ 1             | 503:no_token 0
 too_short, half_unframed, too_short applied         | 200 1 -              | 200 1 -              | 200 1 touched           | 200 1              | 200 1              | 503:no_token 0
 stall_before_head, stall_before_head applied        | 504:timed_out 1 -    | 504:timed_out 1 -    | 504:timed_out 1 doubt   | 504:timed_out 1    | 504:timed_out 1    | 503:no_token 0
 stall_after_head, stall_in_body, stall_in_body applied, slow_drip | 504:timed_out 1 - | 504:timed_out 1 - | 504:timed_out 1 doubt | 504:timed_out 1    | 504:timed_out 1    | 503:no_token 0
 drip, informational, second_answer                  | 200 1 kept           | 200 1 kept           | 200 1 touched           | 200 1              | 200 1              | 503:no_token 0
 drip applied, informational applied                 | 200 1 kept           | 200 1 kept           | 200 1 touched           | 200 1              | 200 1              | 200 1
 second_answer applied, length_and_chunks applied    | 200 1 kept           | 200 1 kept           | 200 1 touched           | 200 1              | 200 1              | 200 1
 length_and_chunks                                   | 200 1 kept           | 200 1 kept           | 200 1 touched           | 200 1              | 200 1              | 503:no_token 0
";

#[tokio::test]
async fn every_break_has_the_outcome_that_was_promised() {
    let (table, mut score) = (Table::read(EXPECTED), Score::default());
    table.assert_complete();
    // Some wait for the end of a timeout: several at once.
    let found = stream::iter(table.cells()).map(async |at| (at, found(at.0, at.1).await)).buffered(16);
    let found: Vec<_> = found.collect().await;
    found.iter().for_each(|(at, found)| score.note(*at, found));
    score.assert_all(table.cells().count());
}

async fn found(fault: &'static str, column: &'static str) -> String {
    let vendor = Vendor::start().await;
    let (matcher, scripted) = scripted(fault, matcher(column));
    if column == "token" {
        vendor.control.next(matcher, scripted);
        let scene = Scene::new(vendor, fault).await;
        let answer = scene.ask(&read()).await;
        let grants = scene.vendor.control.counters().token_requests.len();
        return cell(&what(&answer), scene.vendor.targets().len(), "", grants - 1);
    }
    let scene = Scene::new(vendor, fault).await;
    soon(async { while look(scene.house.admin, "/readyz").await.0 != 200 {} }).await;
    if column != "read" {
        // The connection is used then; and for a write there is something to touch.
        let first = if column == "read again" { get("/chatgroups") } else { read() };
        assert_eq!(scene.ask(&first).await.status(), 200);
    }
    scene.vendor.control.reset_counters();
    scene.vendor.control.next(matcher, scripted);
    let asked = match column {
        "write" => request("POST", &notice(), r#"{"announcement":"new"}"#),
        "relay" => get(&format!("/chatgroups/{A}/share_files/{SAMPLE_FILE}")),
        "relayed write" => {
            let body = r#"{"from":"alice","to":["bob"],"type":"txt","body":{"msg":"hello"}}"#;
            request("POST", "/messages/users", body)
        }
        _ => read(),
    };
    let (got, calls) = (what(&scene.ask(&asked).await), scene.vendor.targets().len());
    scene.vendor.control.clear_faults();
    let (one, two) = (scene.next().await, scene.next().await);
    let known = match (column, one, two) {
        (_, Next::Untrue, _) | (_, _, Next::Untrue) => "untrue",
        ("read" | "read again", Next::Hit, _) => "kept",
        ("read" | "read again", Next::Miss, _) => "-",
        (_, Next::Miss, Next::Hit) => "touched",
        (_, Next::Miss, Next::Miss) => "doubt",
        ("write", Next::Hit, _) => "the same",
        (_, Next::Hit, _) => "",
    };
    assert!(scene.vendor.control.ambiguities().last.is_empty(), "{:?}", scene.vendor.control.ambiguities());
    cell(&got, calls, known, scene.vendor.control.counters().token_requests.len())
}

/// A house before a vendor, and a fault that is to come.
struct Scene {
    vendor: Vendor,
    house: House,
}

impl Scene {
    async fn new(vendor: Vendor, fault: &str) -> Self {
        let waits = fault.starts_with("stall") || fault.starts_with("slow");
        let short = "connect_timeout = \"1s\"\nfirst_byte_timeout = \"1s\"\ntotal_timeout = \"1s\"";
        let (times, settle) = (if waits { short } else { "" }, "[cache]\nsettle = \"0s\"");
        let house = House::with(&vendor.origin(), times, settle).await;
        Self { vendor, house }
    }

    async fn ask(&self, request: &str) -> Message {
        self.house.ask(request).await
    }

    /// What the next reader gets.
    async fn next(&self) -> Next {
        let answer = self.ask(&read()).await;
        let truth = self.vendor.control.behind(Method::GET, &notice(), Value::Null).1;
        match answer.header("cache-status") {
            _ if (answer.status(), &answer.json()["data"]) != (200, &truth["data"]) => Next::Untrue,
            "easemob-gateway; hit" => Next::Hit,
            _ => Next::Miss,
        }
    }
}

/// What a reader gets after the fault.
enum Next {
    Hit,
    Miss,
    /// Something that the vendor would not say.
    Untrue,
}

fn notice() -> String {
    format!("/chatgroups/{A}/announcement")
}

fn read() -> String {
    get(&notice())
}

fn what(answer: &Message) -> String {
    got(answer.status(), answer.header("gateway-error"), answer.whole)
}

#[tokio::test]
async fn what_comes_behind_an_answer_is_the_answer_to_nothing() {
    let vendor = Vendor::start().await;
    vendor.control.limits(false);
    let one = "connections_max = 1\nfirst_byte_timeout = \"10s\"";
    let house = House::with(&vendor.origin(), one, "[limits]\npatience = \"10s\"").await;
    let path = |number: usize| format!("/chatgroups/{A}/users?pagenum={number}&pagesize=1");
    // All wait for the one connection: the next is on it as soon as the one before has come.
    let calls = (0..100).map(|number| {
        let house = &house;
        async move {
            house
                .ask(if number % 2 == 0 { get(&path(number)) } else { get(&format!("/passed/{number}")) })
                .await
        }
    });
    let second = Fault::broken(Breakage::SecondAnswer).after_effect();
    vendor.control.next(Matcher::path("/chatgroups").times(usize::MAX), second.clone());
    vendor.control.next(Matcher::path("/passed").times(usize::MAX), second);
    for (number, answer) in join_all(calls).await.iter().enumerate() {
        let expected = if number % 2 == 0 { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(answer.status(), expected.as_u16(), "{number}: {}", answer.text());
        assert!(!answer.text().contains("smuggled"), "{number}: {}", answer.text());
    }
    let calls = vendor.control.calls();
    let reused = calls.iter().filter(|call| call.on_connection > 1).count();
    assert_eq!(
        (calls.len(), reused),
        (101, 0),
        "a connection with bytes behind an answer carries nothing more"
    );
}
