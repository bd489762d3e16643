//! Changes behind the gateway's back, and the vendor's reports of them: believed ones make the next read fresh.

mod effects;
mod truth;

use crate::support::report::{SECRET, believing, event, legacy, sealed, signature, signed};
use crate::support::world::World;
use easemob_gateway::clock;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use easemob_gateway::telemetry::cells::Heard;
use http::Method;
use serde_json::{Value, json};

const GROUP: &str = SAMPLE_GROUPS[0];

fn world() -> World {
    World::with(
        |config| config.callbacks = believing("secret = \"s3cr3t\"\nformer_secret = \"0ther\""),
        |_| {},
    )
}

fn hear(world: &World, body: &Value) -> Heard {
    world.parts.hear.hear(body.to_string().as_bytes())
}

fn announcement() -> String {
    format!("/chatgroups/{GROUP}/announcement")
}

/// Reads the announcement, and changes it as the console would.
async fn changed(world: &World) {
    let was = world.get(&announcement()).await;
    assert!(world.get(&announcement()).await.is_hit());
    let (status, _) =
        world.vendor.behind(Method::POST, &announcement(), json!({"announcement": "by the console"}));
    assert_eq!(status, 200);
    assert_eq!(world.get(&announcement()).await.data(), was.data(), "nobody has told");
}

fn told() -> Value {
    event("GROUP", GROUP, "UPDATE", json!({"type": "ANNOUNCEMENT", "announcement": "ignored"}))
}

async fn is_fresh(world: &World) -> bool {
    let read = world.get(&announcement()).await;
    read.data()["announcement"] == "by the console"
}

#[test]
fn the_signature_is_the_vendors() {
    let call_id = "org1#app1_c0ffee00-0000-4000-8000-000000000001";
    assert_eq!(signature(call_id, "s3cr3t", 1_700_000_000_000), "945e84a55240066450eacc3b56bd1659");
}

#[tokio::test(start_paused = true)]
async fn a_report_makes_the_next_read_fresh() {
    for secret in [SECRET, "0ther"] {
        let world = world();
        changed(&world).await;
        assert_eq!(hear(&world, &sealed(told(), secret, clock::unix_ms())), Heard::Touched);
        assert!(is_fresh(&world).await, "{secret}");
        assert_eq!(world.metric("gateway_callbacks_total{outcome=\"touched\"}"), 1.0);
        assert_eq!(world.metric("gateway_invalidations_total{cause=\"callback\"}"), 1.0);
    }
    let world = world();
    changed(&world).await;
    assert_eq!(hear(&world, &signed(legacy(GROUP, false, "update_announcement", "ok"))), Heard::Touched);
    assert!(is_fresh(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_report_settles_as_a_write_does() {
    let world = world();
    changed(&world).await;
    hear(&world, &signed(told()));
    let asked = world.calls();
    // The vendor's own copies may lag: what is fetched now is not kept yet.
    world.get(&announcement()).await;
    world.get(&announcement()).await;
    assert_eq!(world.calls(), asked + 2);
    tokio::time::advance(world_settle()).await;
    world.get(&announcement()).await;
    assert!(world.get(&announcement()).await.is_hit());
}

fn world_settle() -> std::time::Duration {
    crate::support::world::base_config().cache.settle
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_believed_touches_nothing() {
    let (now, day) = (clock::unix_ms(), 86_400_000);
    let with = |name: &str, value: Value| {
        let mut body = signed(told());
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = signed(told());
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let upper = signed(told())["security"].as_str().unwrap().to_uppercase() + "x";
    let cases = [
        (Heard::Forged, sealed(told(), "guessed", now)),
        (Heard::Forged, sealed(told(), "", now)),
        (Heard::Forged, with("security", json!(upper))),
        (Heard::Forged, with("timestamp", json!(now + 60_000))),
        (Heard::Forged, with("callId", json!("easemob-demo#chat_other"))),
        (Heard::Unsigned, with("security", json!(""))),
        (Heard::Unsigned, without("security")),
        (Heard::Unsigned, without("callId")),
        (Heard::Unsigned, without("timestamp")),
        (Heard::Foreign, with("appkey", json!("easemob-demo#chat2"))),
        (Heard::Old, sealed(told(), SECRET, now - day)),
        (Heard::Old, sealed(told(), SECRET, now + day)),
        (Heard::Old, sealed(told(), SECRET, 0)),
        (Heard::Ignored, signed(legacy(GROUP, false, "update_announcement", "forbidden"))),
        (Heard::Ignored, signed(json!({"chat_type": "groupchat", "payload": {}}))),
    ];
    let world = world();
    changed(&world).await;
    for (expected, body) in &cases {
        assert_eq!(hear(&world, body), *expected, "{body}");
        assert!(!is_fresh(&world).await, "{body}");
    }
    for garbage in [
        "",
        "null",
        "[]",
        "\"muc\"",
        "{\"event\":\"group_op_event\"",
        "{\"chat_type\":\"muc\"}",
        "\u{0}\"muc\"",
    ] {
        assert_ne!(world.parts.hear.hear(garbage.as_bytes()), Heard::Touched, "{garbage}");
    }
    assert_ne!(world.parts.hear.hear(&[b"\"muc\"".as_slice(), &[0xff, 0xfe]].concat()), Heard::Touched);
    assert!(!is_fresh(&world).await);
    assert_eq!(hear(&world, &signed(told())), Heard::Touched, "and then somebody who can");
    assert!(is_fresh(&world).await);
}

#[tokio::test(start_paused = true)]
async fn without_an_app_key_the_call_id_names_the_app() {
    let world = world();
    changed(&world).await;
    let mut body = told();
    body.as_object_mut().unwrap().remove("appkey");
    let now = clock::unix_ms();
    for (app, expected) in [("easemob-demo#chatter", Heard::Foreign), ("easemob-demo#chat", Heard::Touched)] {
        let call_id = format!("{app}_1");
        body["security"] = signature(&call_id, SECRET, now).into();
        body["callId"] = call_id.into();
        body["timestamp"] = now.into();
        assert_eq!(hear(&world, &body), expected, "{app}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_sent_again_touches_once() {
    let world = world();
    let report = signed(told());
    assert_eq!(hear(&world, &report), Heard::Touched);
    let mut altered = report.clone();
    altered["id"] = "somebody else's".into();
    assert_eq!([hear(&world, &report), hear(&world, &altered)], [Heard::Repeated; 2]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_believed_while_no_secret_is_set() {
    let world = World::new();
    changed(&world).await;
    assert_eq!(hear(&world, &sealed(told(), "", clock::unix_ms())), Heard::Forged);
    assert!(!is_fresh(&world).await);
}
