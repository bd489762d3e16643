//! Requests as bytes: what is answered to each, and that what goes on to the vendor can be read in one way only.
//!
//! The table is the contract (RFC 9112, 3 and 6 and 11.2; RFC 9110, 7). A reason of `-` is a head that cannot be
//! parsed: it gets a bare status, and the connection ends. Where a call is passed on, it arrives exactly once, with
//! one host, one token, and one length.

use crate::support::house::House;
use crate::support::wire::{Message, Mirror, Talk};

type Case = (&'static str, u16, &'static str, Option<(&'static str, &'static str)>);

/// What is said (`G`: a group of its own, `|`: CR LF) → status, reason, and what the vendor gets: nothing, or the
/// request line and the body.
const CASES: &[Case] = &[
    // targets and hosts
    ("GET /A/chatgroups/G HTTP/1.1|Host: x||", 200, "", Some(("GET /A/chatgroups/G HTTP/1.1", ""))),
    ("GET /A/chatgroups/G HTTP/1.1||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|Host: x||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|Host: y||", 400, "bad_target", None),
    ("GET http://x/A/chatgroups/G HTTP/1.1|Host: x||", 400, "bad_target", None),
    ("GET http://evil/A/chatgroups/G HTTP/1.1|Host: x||", 400, "bad_target", None),
    ("GET http://x/A/chatgroups/G HTTP/1.1||", 400, "bad_target", None),
    ("CONNECT a1.easemob.com:443 HTTP/1.1|Host: x||", 400, "bad_target", None),
    ("OPTIONS * HTTP/1.1|Host: x||", 400, "bad_target", None),
    ("TRACE /A/chatgroups/G HTTP/1.1|Host: x||", 400, "bad_target", None),
    ("GET A/chatgroups/G HTTP/1.1|Host: x||", 400, "-", None),
    ("GET /A/chatgroups/G,7 HTTP/1.1|Host: x||", 200, "", Some(("GET /A/chatgroups/G,7 HTTP/1.1", ""))),
    ("GET /A/chatgroups/G%2C7 HTTP/1.1|Host: x||", 200, "", Some(("GET /A/chatgroups/G%2C7 HTTP/1.1", ""))),
    // request lines
    ("get /A/chatgroups/G HTTP/1.1|Host: x||", 405, "wrong_method", None),
    ("GET /A/chatgroups/G|Host: x||", 400, "-", None),
    ("GET  /A/chatgroups/G HTTP/1.1|Host: x||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.2|Host: x||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/2.0|Host: x||", 400, "-", None),
    ("PRI * HTTP/1.1|Host: x||", 400, "bad_target", None),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03||", 400, "-", None),
    // HTTP/1.0
    ("GET /A/chatgroups/G HTTP/1.0|Host: x||", 200, "", Some(("GET /A/chatgroups/G HTTP/1.1", ""))),
    ("GET /A/chatgroups/G HTTP/1.0||", 400, "bad_target", None),
    ("POST /A/chatgroups/G HTTP/1.0|Host: x|Transfer-Encoding: chunked||2|{}|0||", 400, "-", None),
    // lines of the head
    ("GET /A/chatgroups/G HTTP/1.1\nHost: x\n\n", 200, "", Some(("GET /A/chatgroups/G HTTP/1.1", ""))),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|X-A: 1| folded||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host : x||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|X-A: 1\x002||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|X A: 1||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|no colon||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.1| Host: x||", 400, "-", None),
    // lengths
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 12||{\"name\":\"a\"}",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{\"name\":\"a\"}")),
    ),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||7;a=\"b\"|{\"name\"|5|:\"a\"}|0|X-T: 1||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{\"name\":\"a\"}")),
    ),
    (
        // chunks win over a length (RFC 9112, 6.3), and what goes on has one length
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 9|Transfer-Encoding: chunked||2|{}|0||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked|Content-Length: 9||2|{}|0||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 2|Content-Length: 3||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 2, 3||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: +2||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: -2||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 0x2||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 99999999999999999999||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 99999999999||{}", 413, "body_too_large", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: xchunked||2|{}|0||", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked, identity||2|{}|0||", 400, "-", None),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: gzip, chunked||2|{}|0||",
        400,
        "bad_target",
        None,
    ),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||zz|{}|0||", 400, "body_cut", None),
    // hosts that are more than a host, and none
    ("GET /A/chatgroups/G HTTP/1.1|Host: ||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: u@x||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x/y||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x y||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x,y||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x?y||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x#y||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x%2fy||", 400, "bad_target", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: [::1]:80||", 200, "", Some(("GET /A/chatgroups/G HTTP/1.1", ""))),
    // paths with two readings
    ("GET /A/chatgroups/%2e%2e/G HTTP/1.1|Host: x||", 400, "ambiguous_path", None),
    ("GET /A/chatgroups/../G HTTP/1.1|Host: x||", 400, "ambiguous_path", None),
    ("GET /A/chatgroups/G%2fusers HTTP/1.1|Host: x||", 400, "ambiguous_path", None),
    ("GET /A/chatgroups/G%00 HTTP/1.1|Host: x||", 400, "ambiguous_path", None),
    ("GET /A/chatgroups//G HTTP/1.1|Host: x||", 400, "ambiguous_path", None),
    ("GET /A/chatgroups/G%5c HTTP/1.1|Host: x||", 400, "ambiguous_path", None),
    ("GET /A/chatgroups/G/ HTTP/1.1|Host: x||", 200, "", Some(("GET /A/chatgroups/G/ HTTP/1.1", ""))),
    ("GET /A/chatgroups/G// HTTP/1.1|Host: x||", 400, "ambiguous_path", None),
    // bare CR, controls, and empty lines before a request
    ("||GET /A/chatgroups/G HTTP/1.1|Host: x||", 200, "", Some(("GET /A/chatgroups/G HTTP/1.1", ""))),
    ("GET /A/chatgroups/G\r HTTP/1.1|Host: x||", 400, "-", None),
    ("GET /A/chatgroups/G\x01 HTTP/1.1|Host: x||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|X-A: 1\rX-B: 2||", 400, "-", None),
    ("GET /A/chatgroups/G HTTP/1.1|Host: x|X-A: 1\x0b2||", 400, "-", None),
    // codings and lengths in odd spellings
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 2|Content-Length: 2||{}",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 2, 2||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 2 2||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length:||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding : chunked||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked\x0b||{}", 400, "-", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: \"chunked\"||{}", 400, "-", None),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: Chunked||2|{}|0||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding:\tchunked\t||2|{}|0||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked|Transfer-Encoding: chunked||2|{}|0||",
        400,
        "bad_target",
        None,
    ),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked, chunked||2|{}|0||",
        400,
        "bad_target",
        None,
    ),
    // sizes of chunks, and what follows a body
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||0002|{}|000||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||2;a=\"b\";c|{}|0||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||+2|{}|0||", 400, "body_cut", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||-2|{}|0||", 400, "body_cut", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||0x2|{}|0||", 400, "body_cut", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked|||{}|0||", 400, "body_cut", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||2\n{}|0||", 400, "body_cut", None),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||2;a\nb|{}|0||", 400, "body_cut", None),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||fffffffffffffffff|{}|0||",
        400,
        "body_cut",
        None,
    ),
    ("PUT /A/chatgroups/G HTTP/1.1|Host: x|Transfer-Encoding: chunked||2|{}}|0||", 400, "body_cut", None),
    (
        "PUT /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 2||{}rubbish||",
        200,
        "",
        Some(("PUT /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    // bodies where none is expected, none where one is, and labels that lie
    (
        "DELETE /A/chatgroups/G HTTP/1.1|Host: x|Content-Length: 2||{}",
        200,
        "",
        Some(("DELETE /A/chatgroups/G HTTP/1.1", "{}")),
    ),
    (
        "POST /A/chatgroups/G/users/bob HTTP/1.1|Host: x||",
        200,
        "",
        Some(("POST /A/chatgroups/G/users/bob HTTP/1.1", "")),
    ),
    ("POST /A/chatgroups HTTP/1.1|Host: x|Content-Length: 3||{\"a", 400, "malformed_body", None),
    (
        "POST /A/chatgroups/G/mute HTTP/1.1|Host: x||",
        200,
        "",
        Some(("POST /A/chatgroups/G/mute HTTP/1.1", "")),
    ),
    (
        "POST /A/chatgroups/G/mute HTTP/1.1|Host: x|Content-Type: application/x-www-form-urlencoded|\
         Content-Length: 37||{\"usernames\":[\"b\"],\"mute_duration\":1}",
        200,
        "",
        Some(("POST /A/chatgroups/G/mute HTTP/1.1", "{\"usernames\":[\"b\"],\"mute_duration\":1}")),
    ),
];

#[tokio::test]
async fn every_way_to_frame_a_request_has_one_answer_and_arrives_as_one_call() {
    let mirror = Mirror::start().await;
    let house = House::before(&format!("http://{}", mirror.address)).await;
    let mut wrong = String::new();
    for (number, (said, status, reason, expected)) in CASES.iter().enumerate() {
        let group = format!("9{number:05}");
        let fill = |text: &str| {
            text.replace("A/chatgroups", "easemob-demo/chat/chatgroups").replace("/G", &format!("/{group}"))
        };
        let mut talk = house.talk().await;
        talk.say(fill(said).replace('|', "\r\n")).await;
        let answer = talk.hear().await.unwrap_or_default();
        let is_bare = *reason == "-";
        let told = if is_bare && answer.body.is_empty() { "-" } else { answer.header("gateway-error") };
        let seen = mirror.seen();
        let arrived: Vec<_> = seen.iter().map(|call| (call.start.clone(), call.text())).collect();
        let expected: Vec<_> =
            expected.iter().map(|(start, body)| (fill(start), (*body).to_owned())).collect();
        if (answer.status(), told) != (*status, reason) || arrived != expected {
            wrong += &format!("\n{said:?}\n  {} {told}, {} {arrived:?}", answer.start, answer.text());
        }
        seen.iter().for_each(|call| is_unambiguous(call, &mirror));
        if is_bare && !talk.hear_all().await.is_empty() {
            wrong += &format!("\n{said:?}\n  goes on after a head that could not be read");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
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
    assert!(!call.has("trailer") && !call.has("te") && !call.has("expect"), "{call:?}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_costs_nothing() {
    let mirror = Mirror::start().await;
    let house = House::before(&format!("http://{}", mirror.address)).await;
    // The longest head is 32 KiB, but what comes in one piece is read in one piece.
    let long = "a".repeat(100 * 1024);
    let many: String = (0..300).map(|n| format!("X-{n}: 1\r\n")).collect();
    let cases = [
        (format!("GET /easemob-demo/chat/x HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"), 431),
        (format!("GET /easemob-demo/chat/x HTTP/1.1\r\nHost: x\r\n{many}\r\n"), 431),
        (format!("GET /easemob-demo/chat/{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 414),
    ];
    for (said, status) in cases {
        let answer = house.ask(&said).await;
        // Where a line ends is not known before its end has come: a head that does not fit is a 431, too.
        assert!(answer.status() == status || answer.status() == 431, "{} for {status}", answer.start);
        assert!(answer.body.is_empty());
    }
    assert!(mirror.seen().is_empty());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_each_arrives_once() {
    let mirror = Mirror::start().await;
    let house = House::before(&format!("http://{}", mirror.address)).await;
    let mut talk = house.talk().await;
    let all: String = (0..8)
        .map(|n| {
            let body = format!("{{\"name\":\"{n}\"}}");
            format!("PUT /easemob-demo/chat/chatgroups/{n} HTTP/1.1\r\nHost: x\r\nX-N: {n}\r\nContent-Length: 12\r\n\r\n{body}")
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
    let inner = "DELETE /easemob-demo/chat/chatgroups/7 HTTP/1.1\r\nHost: x\r\n\r\n";
    let heads = [
        "PUT /easemob-demo/chat/chatgroups/8 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PUT /easemob-demo/chat/chatgroups/8 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 61\r\n\r\n",
        "PUT /easemob-demo/chat/chatgroups/8 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
    ];
    for head in heads {
        let mut talk: Talk = house.talk().await;
        talk.say(format!("{head}{inner}")).await;
        assert_eq!(talk.hear().await.expect("an answer").status(), 400, "{head}");
        assert!(talk.hear_all().await.is_empty(), "{head}");
    }
    assert!(mirror.seen().is_empty());
}
