//! A vendor that says more than it was asked, or what nobody expects: no caller gets another's answer, none hangs.

use super::vendor::{Raw, house};
use crate::support::wire::{answer, get, grant, request, soon};

/// What follows a good answer in the same breath.
const EXTRA: [&str; 4] = [
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"data\":\"old\"}",
    "HTTP/1.1 200 OK\r\n",
    "rubbish",
    "\r\n\r\n",
];

#[tokio::test]
async fn what_nobody_asked_for_is_nobodys_answer() {
    for extra in EXTRA {
        let raw = Raw::start().await;
        let house = house(&raw, "").await;
        let mut caller = house.talk().await;
        let callers = async {
            let mut said = Vec::new();
            for n in 0..4 {
                said.push(caller.ask(get(&format!("/chatgroups/{n}/share_files"))).await.text());
            }
            said
        };
        let vendor = async {
            let mut answered = 0;
            while answered < 4 {
                let mut talk = raw.accept().await;
                while let Some(asked) = talk.hear().await {
                    if !grant(&mut talk, &asked).await {
                        let number = asked.start.split('/').nth(4).unwrap().to_owned();
                        let good = answer("200 OK", &format!("{{\"data\":[\"{number}\"]}}"));
                        talk.say(format!("{good}{extra}")).await;
                        answered += 1;
                    }
                    if answered == 4 {
                        break;
                    }
                }
            }
        };
        let (said, ()) = soon(async { tokio::join!(callers, vendor) }).await;
        for (n, said) in said.iter().enumerate() {
            assert!(
                !said.contains("old") && (said.contains(&format!("[\"{n}\"]")) || said.contains("error")),
                "{extra:?}: {n} {said}"
            );
        }
    }
}

#[tokio::test]
async fn statuses_that_nobody_expects_are_answers_and_leave_the_door_open() {
    let statuses = [
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nrubbish",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n12345",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 429 No\r\nRetry-After: 1e30\r\nContent-Length: 0\r\n\r\n",
    ];
    for said in statuses {
        for asked in [get("/chatgroups/1"), request("PUT", "/chatgroups/1", "{}"), get("/elsewhere/1")] {
            let raw = Raw::start().await;
            let house = house(&raw, "first_byte_timeout = \"300ms\"").await;
            let mut caller = house.talk().await;
            let callers = async {
                caller.say(&asked).await;
                let first = caller.hear().await.map_or(0, |answer| answer.status());
                drop(caller);
                let next = house.ask(get("/chatgroups/2/share_files")).await;
                (first, next.status())
            };
            let vendor = async {
                let (mut talk, _) = raw.call().await;
                talk.say(said).await;
                let (mut next, mut call) = match talk.hear().await {
                    Some(call) => (talk, call),
                    None => raw.call().await,
                };
                while !call.start.contains("share_files") {
                    next.say(answer("200 OK", "{\"data\":[]}")).await;
                    (next, call) = match next.hear().await {
                        Some(call) => (next, call),
                        None => raw.call().await,
                    };
                }
                next.say(answer("200 OK", "{\"data\":[]}")).await;
            };
            let ((first, next), ()) = soon(async { tokio::join!(callers, vendor) }).await;
            assert_eq!(next, 200, "{said:?} {asked}: {first}");
        }
    }
}
