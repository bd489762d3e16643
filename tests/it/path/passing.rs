//! Answers that a client would act upon and a gateway must not: redirects, and those without a body.

use super::token::uncached;
use crate::support::tap::Tap;
use crate::support::world::{Reply, World};
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;

/// A world whose vendor answers every call with this status and a way elsewhere.
fn world(status: u16) -> (World, Tap) {
    let dress = move |sent: &crate::support::tap::Sent, answer: &mut http::Response<bytes::Bytes>| {
        if !sent.is_grant() {
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            let elsewhere = HeaderValue::from_static("http://elsewhere.example/easemob-demo/chat/chatgroups");
            answer.headers_mut().insert("location", elsewhere);
        }
    };
    World::tapped(1, dress, uncached, |_| {})
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_passed_on_followed_by_nobody_and_not_kept() {
    for status in [300, 301, 302, 303, 307, 308] {
        let (world, tap) = world(status);
        let announcement = format!("/chatgroups/{}/announcement", SAMPLE_GROUPS[0]);
        let asked: [(Method, &str); 4] = [
            (Method::GET, &announcement),
            (Method::GET, &announcement),
            (Method::POST, &announcement),
            (Method::GET, "/elsewhere"),
        ];
        for (at, (method, path)) in asked.into_iter().enumerate() {
            let body = (method == Method::POST).then(|| json!({"announcement": "a"}));
            let reply: Reply = world.call(method, path, body).await;
            assert_eq!((reply.status.as_u16(), reply.refusal()), (status, ""));
            assert!(reply.header("location").starts_with("http://elsewhere.example/"), "as it came");
            assert_eq!(tap.calls().len(), at + 1, "one call each");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_that_nobody_asked_for_is_passed_on_and_not_kept() {
    let (world, tap) = world(304);
    for calls in 1..3 {
        let reply = world.get(&format!("/chatgroups/{}/announcement", SAMPLE_GROUPS[0])).await;
        assert_eq!((reply.status.as_u16(), tap.calls().len()), (304, calls));
    }
}
