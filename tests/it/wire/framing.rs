//! Requests as bytes: what is answered to each, and that what goes on to the vendor can be read in one way only.
//!
//! The rows are the contract (RFC 9112, 2 and 3 and 5 to 7 and 11.2; RFC 9110, 7), and the README shows them. Where a
//! call is passed on, it arrives exactly once, with one host, one token, and one length.

mod bodies;
mod heads;

use crate::documentation::rows as readme;
use crate::support::house::House;
use crate::support::wire::{Message, Mirror, Talk, get};
use bodies::BODIES;
use heads::HEADS;

/// As the README says it; the bytes; what is answered; `open` or `closed`; what the vendor gets of each.
///
/// In the bytes `|` is CR LF, `G` a group of its own, and `/A` the app's path; `GET|` and `PUT|` stand for a plain
/// request line and its host, `LONG` for 100 KiB, `MANY` for 300 fields.
type Row = (&'static str, &'static [&'static str], &'static str, &'static str, Vendor);

fn every_row() -> impl Iterator<Item = &'static Row> {
    HEADS.iter().chain(BODIES)
}

/// What the vendor gets.
#[derive(Clone, Copy)]
enum Vendor {
    Nothing,
    /// The request line as it came, and no body.
    Same,
    /// The request line as it came, and this body with its length.
    Body(&'static str),
    /// Another request line, and no body.
    Line(&'static str),
}

impl Vendor {
    /// As the README says it.
    fn told(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Same => "one call, as it came",
            Self::Body(_) => "one call, with one `Content-Length`",
            Self::Line(_) => "one call, without that",
        }
    }

    /// The calls that come of these bytes.
    fn expected(self, said: &str, group: &str) -> Vec<(String, String)> {
        let line = || {
            let said = fill(said, group);
            let line = said.trim_start().split(['\r', '\n']).next().unwrap_or_default();
            line.replace("HTTP/1.0", "HTTP/1.1")
        };
        match self {
            Self::Nothing => Vec::new(),
            Self::Same => vec![(line(), String::new())],
            Self::Body(body) => vec![(line(), body.to_owned())],
            Self::Line(line) => vec![(fill(line, group), String::new())],
        }
    }
}

/// Writes out what the rows abbreviate.
fn fill(said: &str, group: &str) -> String {
    let many: String = (0..300).map(|n| format!("X-{n}: 1|")).collect();
    let long = "a".repeat(100 * 1024);
    let said = said.replace("GET|", "GET /A/chatgroups/G HTTP/1.1|Host: localhost|");
    let said = said.replace("PUT|", "PUT /A/chatgroups/G HTTP/1.1|Host: localhost|");
    let said =
        said.replace("A/chatgroups", "easemob-demo/chat/chatgroups").replace("/G", &format!("/{group}"));
    said.replace("LONG", &long).replace("MANY", &many).replace('|', "\r\n")
}

/// As the README says it: the status, and the reason if it is one of ours.
fn told(answer: Option<&Message>) -> String {
    let Some(answer) = answer else { return "none".to_owned() };
    match (answer.status(), answer.header("gateway-error")) {
        (status, "") if answer.body.is_empty() => format!("bare {status}"),
        (status, "") => status.to_string(),
        (status, reason) => format!("{status} `{reason}`"),
    }
}

#[tokio::test]
async fn every_way_to_frame_a_request_has_one_answer_and_arrives_as_one_call() {
    let mirror = Mirror::start().await;
    let house = House::before(&format!("http://{}", mirror.address)).await;
    let (mut wrong, mut number) = (String::new(), 0);
    for (about, all, expected, then, vendor) in every_row() {
        for said in *all {
            number += 1;
            let group = format!("9{number:05}");
            let bytes = fill(said, &group);
            let mut talk = house.talk().await;
            talk.say(&bytes).await;
            let answer = talk.hear().await;
            let seen = mirror.seen();
            // Whatever it was, a request behind it is either answered, or neither answered nor passed on.
            talk.say(get("/chatgroups/behind")).await;
            let behind = if talk.hear().await.is_some_and(|answer| answer.status() == 200) {
                "open"
            } else {
                "closed"
            };
            let calls: Vec<_> = seen.iter().map(|call| (call.start.clone(), call.text())).collect();
            let line = vendor.expected(said, &group);
            let answer = told(answer.as_ref());
            if (&*answer, behind) != (expected, then) || calls != line {
                wrong += &format!("\n{about}: {said:?}\n  {answer}, {behind}, {calls:?}");
            }
            seen.iter().for_each(|call| is_unambiguous(call, &mirror));
            let after = mirror.seen();
            if behind == "closed" && !after.is_empty() {
                wrong += &format!("\n{about}: {said:?}\n  passed on what came behind it: {after:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_readme_shows_what_is_answered_to_odd_requests() {
    let shown = readme("### Requests that others might read differently");
    let held: Vec<_> = every_row()
        .map(|(about, _, answer, then, vendor)| {
            [*about, *answer, *then, vendor.told()].map(str::to_owned).to_vec()
        })
        .collect();
    assert_eq!(shown, held);
}

/// One host, the vendor's; one token; a body that is framed once; nothing of the caller's connection.
fn is_unambiguous(call: &Message, mirror: &Mirror) {
    assert_eq!((call.count("host"), call.header("host")), (1, &*mirror.address.to_string()), "{call:?}");
    assert_eq!(
        (call.count("authorization"), call.header("authorization")),
        (1, "Bearer YWMt-raw"),
        "{call:?}"
    );
    assert!(call.count("content-length") + call.count("transfer-encoding") <= 1, "{call:?}");
    assert!(call.body.is_empty() || call.has("content-length"), "{call:?}");
    for name in ["connection", "expect", "http2-settings", "keep-alive", "te", "trailer", "upgrade", "x-t"] {
        assert!(!call.has(name), "{call:?}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_each_arrives_once() {
    let mirror = Mirror::start().await;
    let house = House::before(&format!("http://{}", mirror.address)).await;
    let mut talk = house.talk().await;
    let all: String = (0..8)
        .map(|n| {
            let body = format!("{{\"name\":\"{n}\"}}");
            format!("PUT /easemob-demo/chat/chatgroups/{n} HTTP/1.1\r\nHost: localhost\r\nX-N: {n}\r\nContent-Length: 12\r\n\r\n{body}")
        })
        .collect();
    talk.say(all).await;
    for _ in 0..8 {
        assert_eq!(talk.hear().await.expect("an answer").status(), 200);
    }
    let seen: Vec<(String, String)> =
        mirror.seen().iter().map(|call| (call.header("x-n").to_owned(), call.text())).collect();
    let expected: Vec<_> = (0..8).map(|n| (n.to_string(), format!("{{\"name\":\"{n}\"}}"))).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_request_smuggled_in_a_refused_one_is_never_answered() {
    let mirror = Mirror::start().await;
    let house = House::before(&format!("http://{}", mirror.address)).await;
    let inner = "DELETE /easemob-demo/chat/chatgroups/7 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let heads = [
        "PUT /easemob-demo/chat/chatgroups/8 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PUT /easemob-demo/chat/chatgroups/8 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 61\r\n\r\n",
        "PUT /easemob-demo/chat/chatgroups/8 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n",
    ];
    for head in heads {
        let mut talk: Talk = house.talk().await;
        talk.say(format!("{head}{inner}")).await;
        assert_eq!(talk.hear().await.expect("an answer").status(), 400, "{head}");
        assert!(talk.hear_all().await.is_empty(), "{head}");
    }
    assert!(mirror.seen().is_empty());
}
