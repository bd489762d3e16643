//! The vendor's side of the wire: connections that are used again, that close in the wrong instant, that break.

use crate::support::house::{House, Vendor};
use crate::support::program::look;
use crate::support::wire::{APP, Message, Talk, answer, get, grant, request, soon};
use easemob_gateway::simulator::SAMPLE_GROUPS;
use tokio::net::TcpListener;

const GROUP: &str = SAMPLE_GROUPS[0];
const GOOD: &str = r#"{"data":[]}"#;

/// A vendor that a test plays itself.
pub(super) struct Raw {
    listener: TcpListener,
}

impl Raw {
    pub(super) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    pub(super) async fn accept(&self) -> Talk {
        Talk::on(soon(self.listener.accept()).await.unwrap().0)
    }

    /// The connection on which a call arrives, with that call; a token request before it is answered.
    pub(super) async fn call(&self) -> (Talk, Message) {
        let mut talk = self.accept().await;
        loop {
            match talk.hear().await {
                Some(request) if grant(&mut talk, &request).await => {}
                Some(request) => return (talk, request),
                None => talk = self.accept().await,
            }
        }
    }

    /// Grants the token, on the connection that is opened for it.
    pub(super) async fn grant(&self) {
        let mut talk = self.accept().await;
        let asked = talk.hear().await.unwrap();
        assert!(grant(&mut talk, &asked).await);
    }
}

/// A house in front of this vendor, which has its token already.
pub(super) async fn house(raw: &Raw, vendor: &str) -> House {
    let origin = raw.origin();
    let (house, ()) = tokio::join!(House::with(&origin, vendor, ""), raw.grant());
    house
}

#[tokio::test]
async fn one_connection_serves_calls_that_come_one_after_another() {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let caller = async {
        let mut talk = house.talk().await;
        for n in 0..20 {
            assert_eq!(talk.ask(get(&format!("/chatgroups/{n}"))).await.status(), 200);
        }
    };
    let vendor = async {
        let mut talk = raw.accept().await;
        for _ in 0..20 {
            talk.hear().await.expect("the same connection");
            talk.say(answer("200 OK", GOOD)).await;
        }
        talk
    };
    let ((), _open) = tokio::join!(caller, vendor);
    let (_, page) = look(house.admin, "/metrics").await;
    assert!(page.contains("\ngateway_vendor_connections_opened_total 1\n"), "{page}");
    assert!(page.contains("\ngateway_vendor_connections{state=\"idle\"} 1\n"), "{page}");
}

/// Whatever it is: nothing of it had been read when the connection closed, so it goes again, once.
async fn is_sent_again_once(second: String) {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut caller = house.talk().await;
    let (first, ()) = tokio::join!(caller.ask(get("/chatgroups/1")), async {
        let (mut talk, _) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
        // Closed with the answer: the connection waits in the pool, and is dead.
    });
    assert_eq!(first.status(), 200);
    let (answered, call) = tokio::join!(caller.ask(second), async {
        let (mut talk, call) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
        call
    });
    assert_eq!(answered.status(), 200);
    assert!(call.whole);
    let (third, other) = tokio::join!(caller.ask(get("/chatgroups/3")), async {
        let (mut talk, call) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
        call
    });
    assert_eq!((third.status(), other.start.contains("/chatgroups/3")), (200, true), "{other:?}");
}

#[tokio::test]
async fn a_read_on_a_connection_that_has_closed_is_sent_again() {
    is_sent_again_once(get("/chatgroups/2")).await;
}

#[tokio::test]
async fn a_write_on_a_connection_that_has_closed_is_sent_again_too() {
    is_sent_again_once(request("PUT", "/chatgroups/2", r#"{"name":"a"}"#)).await;
}

#[tokio::test]
async fn a_write_whose_connection_closes_while_it_waits_for_its_moment_is_sent_once() {
    let raw = Raw::start().await;
    let origin = raw.origin();
    // One at once, the next about half a second later, with its connection in hand.
    let slow = "[limits]\npatience = \"10s\"\n[endpoints.\"group.update\"]\nrate = \"2/s\"";
    let (house, ()) = tokio::join!(House::with(&origin, "", slow), raw.grant());
    let mut caller = house.talk().await;
    let write = request("PUT", "/chatgroups/2", r#"{"groupname":"a"}"#);
    let (first, used) = tokio::join!(caller.ask(&write), async {
        let (mut talk, _) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
        talk
    });
    assert_eq!(first.status(), 200);
    let (second, call) = tokio::join!(caller.ask(&write), async {
        soon(async { while !look(house.admin, "/status").await.1.contains("\"waiting\": 1") {} }).await;
        drop(used);
        let (mut talk, call) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
        call
    });
    assert_eq!((second.status(), call.whole), (200, true), "{}", second.text());
}

#[tokio::test]
async fn an_answer_that_changes_the_protocol_is_none() {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut caller = house.talk().await;
    let (answered, ()) =
        tokio::join!(caller.ask(request("PUT", "/chatgroups/1", r#"{"groupname":"a"}"#)), async {
            let (mut talk, _) = raw.call().await;
            talk.say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n")
                .await;
        });
    assert_eq!((answered.status(), answered.header("gateway-error")), (502, "unreachable"));
}

/// How an answer can break.
const BREAKS: [&str; 4] = [
    "",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"da",
    "rubbish\r\n\r\n",
];

/// A call on a connection that has been used before, whose answer breaks; then what arrives next is answered well.
async fn breaks_on_a_used_connection(half: &str, asked: &str, then: Option<&str>) -> (Message, String) {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut caller = house.talk().await;
    let (first, mut used) = tokio::join!(caller.ask(get("/chatgroups/1")), async {
        let (mut talk, _) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
        talk
    });
    assert_eq!(first.status(), 200);
    let callers = async {
        let answered = caller.ask(asked).await;
        if let Some(then) = then {
            assert_eq!(caller.ask(then).await.status(), 200);
        }
        answered
    };
    let (answered, next) = tokio::join!(callers, async {
        used.hear().await.expect("the same connection");
        used.say(half).await;
        drop(used);
        let (mut talk, call) = raw.call().await;
        talk.say(answer("200 OK", GOOD)).await;
        call.start
    });
    (answered, next)
}

#[tokio::test]
async fn a_write_whose_answer_breaks_is_never_sent_again() {
    let write = request("PUT", "/chatgroups/2", r#"{"groupname":"a"}"#);
    for half in BREAKS {
        let (answered, next) = breaks_on_a_used_connection(half, &write, Some(&get("/chatgroups/3"))).await;
        assert_eq!((answered.status(), answered.header("gateway-error")), (502, "unreachable"), "{half:?}");
        assert!(next.contains("/chatgroups/3"), "{half:?}: {next}");
    }
}

#[tokio::test]
async fn a_read_whose_answer_breaks_on_a_used_connection_is_sent_again_once() {
    for half in BREAKS {
        let (answered, next) = breaks_on_a_used_connection(half, &get("/chatgroups/2"), None).await;
        assert_eq!((answered.status(), next.contains("/chatgroups/2")), (200, true), "{half:?}: {next}");
    }
}

#[tokio::test]
async fn answers_of_any_framing_are_passed_on_whole() {
    let answers = [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{\"dat\r\n6\r\na\":1}\n\r\n0\r\nX-Trailer: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"data\":1}\n",
        "HTTP/1.0 200 OK\r\n\r\n{\"data\":1}\n",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":1}\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":1}\n",
        "HTTP/1.1 200 OK\r\nConnection: X-Own\r\nX-Own: 1\r\nContent-Length: 11\r\n\r\n{\"data\":1}\n",
    ];
    for path in ["/chatgroups/1", "/chatgroups/1/share_files/x"] {
        for said in answers {
            let raw = Raw::start().await;
            let house = house(&raw, "").await;
            let mut caller = house.talk().await;
            let (answered, ()) = tokio::join!(caller.ask(get(path)), async {
                let (mut talk, _) = raw.call().await;
                talk.say(said).await;
            });
            assert_eq!((answered.status(), &*answered.text()), (200, "{\"data\":1}\n"), "{path} {said:?}");
            assert!(answered.whole && !answered.has("x-own") && !answered.closes(), "{path} {answered:?}");
        }
    }
}

#[tokio::test]
async fn a_vendor_who_refuses_an_upload_before_its_end_is_heard() {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut caller = house.talk().await;
    caller
        .say(format!(
            "POST {APP}/chatgroups/1/share_files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n"
        ))
        .await;
    caller.say(vec![b'a'; 2_000_000]).await;
    let vendor = async {
        let mut talk = raw.accept().await;
        talk.hear_only_the_head().await;
        talk.say("HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}").await;
        talk
    };
    let (answered, _talk) = tokio::join!(caller.hear(), vendor);
    let answered = answered.expect("an answer");
    assert_eq!((answered.status(), answered.header("gateway-error"), &*answered.text()), (413, "", "{}"));
}

#[tokio::test]
async fn an_answer_that_breaks_while_it_streams_ends_short_for_the_caller() {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut caller = house.talk().await;
    // A download: it is passed on as it comes.
    let (answered, ()) = tokio::join!(caller.ask(get("/chatgroups/1/share_files/x")), async {
        let (mut talk, _) = raw.call().await;
        talk.say("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99999\r\n\r\nhalf").await;
    });
    assert!(!answered.whole && answered.text() == "half", "{answered:?}");
}

#[tokio::test]
async fn a_short_answer_that_breaks_is_told_instead_of_cut() {
    let raw = Raw::start().await;
    let house = house(&raw, "").await;
    let mut caller = house.talk().await;
    let (answered, ()) = tokio::join!(caller.ask(get("/chatgroups/1/share_files/x")), async {
        let (mut talk, _) = raw.call().await;
        talk.say("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\nhalf").await;
    });
    assert_eq!((answered.status(), answered.header("gateway-error")), (502, "unreachable"));
}

#[tokio::test]
async fn a_vendor_without_an_answer_is_given_up() {
    let raw = Raw::start().await;
    let house = house(&raw, "first_byte_timeout = \"200ms\"").await;
    let mut caller = house.talk().await;
    let (answered, _silent) = tokio::join!(caller.ask(get("/chatgroups/1")), raw.call());
    assert_eq!((answered.status(), answered.header("gateway-error")), (504, "timed_out"));
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_given_up() {
    for path in ["/chatgroups/1", "/chatgroups/1/share_files/x"] {
        let raw = Raw::start().await;
        let house = house(
            &raw,
            "connect_timeout = \"300ms\"\ntotal_timeout = \"500ms\"\nfirst_byte_timeout = \"300ms\"",
        )
        .await;
        let mut caller = house.talk().await;
        let (answered, _stalled) = tokio::join!(caller.ask(get(path)), async {
            let (mut talk, _) = raw.call().await;
            talk.say("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf").await;
            talk
        });
        assert!(answered.status() == 504 || !answered.whole, "{path}: {answered:?}");
    }
}

#[tokio::test]
async fn a_vendor_who_goes_away_is_unreachable_and_comes_back() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let mut caller = house.talk().await;
    let path = format!("/chatgroups/{GROUP}/mute");
    assert_eq!(caller.ask(get(&path)).await.status(), 200);
    let address = vendor.address;
    vendor.stop().await;
    let mute = r#"{"usernames":["carol"],"mute_duration":60000}"#;
    let answered = caller.ask(request("POST", &path, mute)).await;
    assert_eq!((answered.status(), answered.header("gateway-error")), (502, "unreachable"));
    let vendor = Vendor::start_at(address).await;
    let answered = caller.ask(request("POST", &path, mute)).await;
    // The new vendor knows nothing of the old one's token: it is renewed on the way.
    assert_eq!(answered.status(), 200, "{}", answered.text());
    assert_eq!(
        vendor.control.behind(http::Method::GET, &path, serde_json::Value::Null).1["data"][0]["user"],
        "carol"
    );
}

#[tokio::test]
async fn a_connection_that_cannot_be_had_in_time_is_unreachable() {
    let raw = Raw::start().await;
    let house = house(&raw, "connections_max = 1\nconnect_timeout = \"300ms\"").await;
    let (mut first, mut second) = (house.talk().await, house.talk().await);
    first.say(get("/chatgroups/1")).await;
    let (mut held, _) = raw.call().await;
    // The only one is lent, and the vendor takes as long as it may.
    let answered = second.ask(get("/chatgroups/2")).await;
    assert_eq!((answered.status(), answered.header("gateway-error")), (502, "unreachable"));
    assert!(answered.text().contains("within 300ms"), "{}", answered.text());
    held.say(answer("200 OK", GOOD)).await;
    assert_eq!(first.hear().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn what_follows_an_answer_that_has_no_body_is_no_answer() {
    for said in [
        "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nhalf",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nhalf",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9999\r\n\r\n",
    ] {
        for method in ["GET", "DELETE"] {
            let raw = Raw::start().await;
            let house = house(&raw, "").await;
            let mut caller = house.talk().await;
            let (answered, ()) = tokio::join!(caller.ask(request(method, "/elsewhere", "")), async {
                let (mut talk, _) = raw.call().await;
                talk.say(said).await;
            });
            assert!([204, 304].contains(&answered.status()) && answered.body.is_empty(), "{answered:?}");
            assert!(!answered.has("content-length") && !answered.has("transfer-encoding"), "{answered:?}");
            let (next, ()) = tokio::join!(caller.ask(get("/chatgroups/1")), async {
                let (mut talk, _) = raw.call().await;
                talk.say(answer("200 OK", GOOD)).await;
            });
            assert_eq!((next.status(), &*next.text()), (200, GOOD), "{method} {said:?}");
        }
    }
}
