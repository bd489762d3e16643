//! Mute lists: their entries end by themselves, by the vendor's clock.

use super::{at, ok, twice};
use crate::path::oracle::{Ask, assert_true};
use crate::support::world::World;
use easemob_gateway::simulator::{HoldAt, Matcher};
use futures_util::poll;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_mute_list_is_not_served_past_its_earliest_end() {
    let world = World::new();
    let read = Ask::get(at("/mute"));
    for (user, ms) in [("bob", 20_000), ("carol", 4_321), ("dave", -1)] {
        let body = json!({"usernames": [user], "mute_duration": ms});
        assert_eq!(Ask::new(Method::POST, &read.path, body).behind(&world).0, 200);
    }
    for (step, hit) in [(0, false), (4_320, true), (1, false), (15_678, true), (1, false), (29_999, true)] {
        tokio::time::advance(Duration::from_millis(step)).await;
        let reply = read.through(&world).await;
        assert_true(&world, &read, &reply);
        assert_eq!(reply.is_hit(), hit, "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_an_end_is_not_given_a_list_from_before_it() {
    let world = World::new();
    let read = Ask::get(at("/mute"));
    let mute = json!({"usernames": ["bob"], "mute_duration": 2_000});
    assert_eq!(Ask::new(Method::POST, &read.path, mute).behind(&world).0, 200);
    let hold = world.vendor.hold(Matcher::exactly(&read.path).times(1), HoldAt::Answer);
    let mut early = Box::pin(read.through(&world));
    assert!(poll!(&mut early).is_pending());
    hold.arrived(1).await;
    // Nothing was touched, so he might join; but what is on its way has ended before he came.
    tokio::time::advance(Duration::from_millis(2_001)).await;
    let mut late = Box::pin(read.through(&world));
    assert!(poll!(&mut late).is_pending());
    world.settle().await;
    hold.release();
    assert_true(&world, &read, &late.await);
    assert_eq!(early.await.data()[0]["user"], "bob");
    assert_true(&world, &read, &read.through(&world).await);
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mute_list_whose_ends_cannot_be_told_is_not_kept() {
    let now = 1_700_000_000_000_i64;
    let list = |expire: Value, clock: Value| {
        ok(json!({"data": [{"user": "a", "expire": -1}, {"user": "b", "expire": expire}], "timestamp": clock})
            .to_string())
    };
    let never = [
        list(Value::Null, json!(now)),
        list(json!("soon"), json!(now)),
        list(json!(now as f64 + 0.5), json!(now)),
        list(json!(now + 60_000), Value::Null),
        list(json!(now + 60_000), json!("now")),
        // Over already, or written in seconds by one of the two.
        list(json!(now - 1), json!(now)),
        list(json!(0), json!(now)),
        list(json!(now / 1_000 + 60), json!(now)),
        list(json!(now + 60_000), json!(now / 1_000)),
        list(json!(now + 60_000), json!(0)),
        ok(json!({"data": [{"user": "b"}], "timestamp": now}).to_string()),
        ok(json!({"data": {"user": "b", "expire": now + 9}, "timestamp": now}).to_string()),
        // Two clocks, and the entry ends sooner by the second.
        ok(format!(
            r#"{{"timestamp":{now},"data":[{{"user":"b","expire":{}}}],"timestamp":{}}}"#,
            now + 9_000,
            now + 8_000
        )),
        ok(format!(
            r#"{{"timestamp":{now},"data":[{{"user":"b","expire":{}}}],"timestamp":{now}.5}}"#,
            now + 9_000
        )),
    ];
    for answer in never {
        let (world, what) = (World::new(), format!("{answer:?}"));
        assert!(!twice(&world, &at("/mute"), answer).await.1.is_hit(), "{what}");
    }
    let world = World::new();
    assert!(twice(&world, &at("/mute"), list(json!(-1), json!(now))).await.1.is_hit(), "for ever");
    // The vendor's clock counts, however wrong, and an end far away is no longer than the usual.
    let world = World::new();
    assert!(twice(&world, &at("/mute"), list(json!(now + 5_000), json!(now))).await.1.is_hit());
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(!world.get(&at("/mute")).await.is_hit());
    let world = World::new();
    assert!(twice(&world, &at("/mute"), list(json!(now + 86_400_000), json!(now))).await.1.is_hit());
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(!world.get(&at("/mute")).await.is_hit());
}
