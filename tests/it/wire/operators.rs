//! What operators may do, on a socket: who may, and what a browser's page or a stranger gets.

use crate::support::house::{House, Vendor};
use crate::support::wire::{Message, Talk, get};
use easemob_gateway::caller::key::{digest_text, with_check};
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::Method;
use serde_json::json;

fn key() -> String {
    with_check("egk_ooooooooooooooooooooooooooooooooooooooooooo")
}

fn keyed() -> String {
    format!("[admin]\nkeys = [\"{}\"]\n", digest_text(key().as_bytes()))
}

/// A house whose operators need a key; its tables stand in the order that its configuration wants.
async fn house(vendor: &Vendor, admin: &str) -> House {
    House::with_admin(&vendor.origin(), admin).await
}

async fn post(house: &House, path: &str, headers: &str, body: &str) -> Message {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n");
    Talk::to(house.admin).await.ask(head + body).await
}

#[tokio::test]
async fn a_purge_on_loopback_makes_the_next_read_fresh() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, "").await;
    let path = format!("/chatgroups/{}/announcement", SAMPLE_GROUPS[0]);
    house.ask(get(&path)).await;
    vendor.control.behind(Method::POST, &path, json!({"announcement": "by the console"}));
    assert!(!house.ask(get(&path)).await.text().contains("by the console"));
    let tag = format!("group:{}/announcement", SAMPLE_GROUPS[0]);
    let done = post(&house, "/purge", "", &json!({ "tags": [tag] }).to_string()).await;
    assert_eq!((done.status(), done.json()), (200, json!({ "tags": 1 })));
    assert!(house.ask(get(&path)).await.text().contains("by the console"));
    assert_eq!(post(&house, "/purge", "", "{\"all\":true}").await.json(), json!({ "all": true }));
    let told =
        post(&house, "/explain", "", &json!({ "path": format!("/easemob-demo/chat{path}") }).to_string())
            .await;
    assert_eq!(told.json()["endpoint"], json!("group.announcement.read"));
}

#[tokio::test]
async fn who_may_not_changes_nothing() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, &keyed()).await;
    let path = format!("/chatgroups/{}", SAMPLE_GROUPS[0]);
    house.ask(get(&path)).await;
    let good = format!("Authorization: Bearer {}\r\n", key());
    let other = with_check("egk_ppppppppppppppppppppppppppppppppppppppppppp");
    let cases = [
        (String::new(), 401, "unauthorized"),
        (format!("Authorization: Bearer {other}\r\n"), 401, "unauthorized"),
        ("Authorization: Bearer egk_short\r\n".to_owned(), 401, "unauthorized"),
        (format!("{good}{good}"), 401, "unauthorized"),
        ("Origin: http://x\r\n".to_owned(), 403, "forbidden_op"),
        (format!("{good}Origin: null\r\n"), 403, "forbidden_op"),
    ];
    for (headers, status, word) in cases {
        for deed in ["/purge", "/explain"] {
            let answer = post(&house, deed, &headers, "{\"all\":true}").await;
            assert_eq!(
                (answer.status(), &answer.json()["error"]),
                (status, &json!(word)),
                "{deed} {headers}"
            );
        }
    }
    let calls = vendor.targets().len();
    house.ask(get(&path)).await;
    assert_eq!(vendor.targets().len(), calls, "it was kept all the time");
    assert_eq!(post(&house, "/purge", &good, "{\"all\":true}").await.status(), 200);
    house.ask(get(&path)).await;
    assert_eq!(vendor.targets().len(), calls + 1);
    // Looking needs no key.
    let look = Talk::to(house.admin).await.ask("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(look.status(), 200);
}

#[tokio::test]
async fn off_loopback_nobody_purges_without_a_key() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, "[admin]\naddress = \"0.0.0.0:0\"\nopen = true\n").await;
    let answer = post(&house, "/purge", "", "{\"all\":true}").await;
    assert_eq!((answer.status(), &answer.json()["error"]), (403, &json!("forbidden_op")));
    let asked = json!({ "path": "/easemob-demo/chat/chatgroups" }).to_string();
    assert_eq!(post(&house, "/explain", "", &asked).await.status(), 200);
}

/// Asks the operators' listener for this, with these lines.
async fn look(house: &House, path: &str, host: &str, headers: &str) -> u16 {
    let asked = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
    Talk::to(house.admin).await.ask(asked).await.status()
}

#[tokio::test]
async fn a_page_in_a_browser_sees_nothing_of_what_is_on_loopback() {
    let vendor = Vendor::start().await;
    for admin in [String::new(), keyed()] {
        let house = house(&vendor, &admin).await;
        for path in ["/metrics", "/status", "/endpoints", "/livez", "/purge"] {
            assert_eq!(look(&house, path, "evil.example", "").await, 403, "{path}");
            for said in ["Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"] {
                assert_eq!(
                    look(&house, path, "localhost", &format!("{said}\r\n")).await,
                    403,
                    "{path} {said}"
                );
            }
        }
        // Whoever types the address, and what is loaded from there.
        for site in ["none", "same-origin"] {
            let said = format!("Sec-Fetch-Site: {site}\r\n");
            assert_eq!(look(&house, "/metrics", "127.0.0.1:9090", &said).await, 200);
        }
    }
}

#[tokio::test]
async fn off_loopback_a_scraper_may_use_any_name_and_a_page_may_do_nothing() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, "[admin]\naddress = \"0.0.0.0:0\"\nopen = true\n").await;
    assert_eq!(look(&house, "/metrics", "gateway.prod.svc:9090", "").await, 200);
    let asked = json!({ "path": "/easemob-demo/chat/chatgroups" }).to_string();
    for said in ["Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        assert_eq!(post(&house, "/explain", said, &asked).await.status(), 403, "{said}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_usual_shape() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, "").await;
    for (path, body, status, word) in [
        ("/purge", "{", 400, "illegal_argument"),
        ("/purge", "{\"tags\":[\"gruop:7\"]}", 400, "illegal_argument"),
        ("/purge", &"x".repeat(70_000), 413, "request_too_large"),
        ("/explain", "{\"method\":\"GET\"}", 400, "illegal_argument"),
        ("/status", "", 405, "method_not_allowed"),
        ("/what", "", 405, "method_not_allowed"),
    ] {
        let answer = post(&house, path, "", body).await;
        assert_eq!((answer.status(), &answer.json()["error"]), (status, &json!(word)), "{path}");
    }
    let answer = Talk::to(house.admin).await.ask("GET /purge HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((answer.status(), answer.header("allow")), (405, "POST"));
}
