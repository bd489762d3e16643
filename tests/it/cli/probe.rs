//! `probe`: what it says of a gateway, and of whatever else may answer in its place. It never hangs.

use crate::support::house::{Vendor, configuration};
use crate::support::program::{Done, Served, run};
use crate::support::wire::Talk;
use easemob_gateway::tasks::Tasks;
use tokio::net::TcpListener;

/// Probes somebody who says this to whoever asks, and then listens on, or closes.
async fn before(says: &'static str, closes: bool, timeout: &str) -> Done {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/livez", listener.local_addr().unwrap());
    let tasks = Tasks::new();
    tasks.spawn("somebody", async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut talk = Talk::on(stream);
            let asked = talk.hear().await.expect("a question");
            assert_eq!(asked.start, "GET /livez HTTP/1.1");
            assert!(asked.header("host").starts_with("127.0.0.1:"), "{asked:?}");
            talk.say(says).await;
            if !closes {
                // Until the other end has had enough.
                let _ = talk.hear().await;
            }
        }
    });
    run(&["probe", "--timeout", timeout, &url]).await
}

#[tokio::test]
async fn a_gateway_is_alive_and_then_ready_and_then_gone() {
    let vendor = Vendor::start().await;
    let (address, origin) = (vendor.address, vendor.origin());
    vendor.stop().await;
    let waits = "[token]\npatience = \"100ms\"\nretry_min = \"1s\"\nretry_max = \"1s\"";
    let mut served = Served::start(&configuration(&origin, "", waits)).await;
    let (livez, readyz) =
        (format!("http://{}/livez", served.admin), format!("http://{}/readyz", served.admin));
    let alive = run(&["probe", &livez]).await;
    assert_eq!((alive.code, &*alive.out, &*alive.err), (Some(0), "", ""));
    let unready = run(&["probe", &readyz]).await;
    assert_eq!(unready.code, Some(1));
    assert!(unready.err.contains("503") && unready.err.contains("no app token yet"), "{}", unready.err);
    let _vendor = Vendor::start_at(address).await;
    while run(&["probe", &readyz]).await.code != Some(0) {}
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
    let gone = run(&["probe", &livez]).await;
    assert!(gone.code == Some(1) && gone.err.contains(&livez), "{}", gone.err);
}

#[tokio::test]
async fn only_a_success_is_one() {
    for (says, closes) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nalive\n", false),
        ("HTTP/1.1 204 No Content\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nalive\n", true),
        ("HTTP/1.0 200 OK\r\n\r\n", true),
    ] {
        let done = before(says, closes, "1m").await;
        assert_eq!(done.code, Some(0), "{says:?}: {}", done.err);
    }
    for (says, closes, why) in [
        ("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nno\n", false, "500"),
        (
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nnot \u{1b}[2Jready\n",
            true,
            "not \\u{1b}[2Jready",
        ),
        ("HTTP/1.1 301 Moved Permanently\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", false, "301"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", true, "404"),
        ("", true, ""),
        ("HTTP/1.1 200", true, ""),
        ("SSH-2.0-OpenSSH_9.2\r\n", false, ""),
    ] {
        let done = before(says, closes, "1m").await;
        assert!(done.code == Some(1) && done.err.contains(why), "{says:?}: {:?} {}", done.code, done.err);
        assert!(!done.err.contains('\u{1b}') && done.err.lines().count() == 1, "{:?}", done.err);
    }
}

#[tokio::test]
async fn whoever_does_not_answer_is_given_up() {
    for says in ["", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let done = before(says, false, "50ms").await;
        assert_eq!(done.code, Some(1), "{says:?}");
        assert!(done.err.contains("no answer within 50ms"), "{says:?}: {}", done.err);
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_asked_is_an_argument_that_cannot_be_used() {
    for url in [
        "https://127.0.0.1/livez",
        "127.0.0.1:9090",
        "/livez",
        "http://",
        "http:///livez",
        "http://127.0.0.1:99999/livez",
        "http://someone:secret@127.0.0.1/livez",
        "unix:/run/gateway.sock",
        "",
    ] {
        let done = run(&["probe", url]).await;
        assert!(
            done.code == Some(2) && done.err.contains("http://127.0.0.1:9090/livez"),
            "{url}: {}",
            done.err
        );
    }
    let done = run(&["probe", "--timeout", "soon"]).await;
    assert!(done.code == Some(2) && done.err.contains("soon"), "{}", done.err);
    // A name that nobody has is a failure like any other.
    let nobody = run(&["probe", "--timeout", "10s", "http://nobody.invalid/livez"]).await;
    assert_eq!(nobody.code, Some(1), "{}", nobody.err);
}
