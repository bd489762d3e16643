//! Numbers that come from the parts: fetches under way, answers put out, what the vendor said no with.

use crate::support::world::World;
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_GROUPS};
use easemob_gateway::units::ByteSize;
use http::StatusCode;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn fetches_are_under_way_until_they_have_landed() {
    let world = World::new();
    let hold = world.vendor.hold(Matcher::path("/chatgroups"), HoldAt::Arrival);
    let (one, other) =
        (format!("/chatgroups/{}", SAMPLE_GROUPS[0]), format!("/chatgroups/{}", SAMPLE_GROUPS[1]));
    let looks = async {
        hold.arrived(2).await;
        let seen = world.metric("gateway_flights_under_way");
        hold.release();
        seen
    };
    let (_, _, _, seen) = tokio::join!(world.get(&one), world.get(&one), world.get(&other), looks);
    assert!((seen - 2.0).abs() < f64::EPSILON, "{seen}");
    world.settle().await;
    assert!(world.metric("gateway_flights_under_way") < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_is_told() {
    let world = World::with(|config| config.cache.bytes_max = ByteSize::kib(8), |_| {});
    world.get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0])).await;
    // Fetched anew in the place of itself: nothing is put out by that.
    world.put(&format!("/chatgroups/{}", SAMPLE_GROUPS[0]), json!({"groupname": "x"})).await;
    world.get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0])).await;
    assert!(world.metric("gateway_cache_evictions_total") < f64::EPSILON);
    let mut last = 0.0;
    for user in 0..40 {
        world.get(&format!("/chatgroups/user/u{user}")).await;
        let now = world.metric("gateway_cache_evictions_total");
        assert!(now >= last, "a counter never goes back");
        last = now;
    }
    let kept = world.metric("gateway_cache_entries");
    let stored = world.metric("gateway_cache_answers_total{outcome=\"stored\"}");
    assert!(last > 20.0 && kept > 0.0, "{last} {kept}");
    // One that was stored took the place of itself, or was not: the doubt after the write decides.
    assert!((0.0..=1.0).contains(&(stored - kept - last)), "{stored} {kept} {last}");
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_says_no_with_is_told_apart() {
    let world = World::new();
    let no = |status: u16, error: &str| {
        Fault::body(StatusCode::from_u16(status).unwrap(), json!({"error": error}).to_string())
    };
    let path = format!("/chatgroups/{}/mute", SAMPLE_GROUPS[0]);
    let cases = [
        (no(401, "user_auth"), "other_401"),
        (no(401, "expired_token"), "expired_token"),
        (no(429, "reach_limit"), "reach_limit"),
        (no(429, "resource_limited"), "resource_limited"),
        (no(429, "evil\"} 1\n"), "other_429"),
    ];
    for (fault, kind) in cases {
        world.vendor.next(Matcher::exactly(path.clone()), fault);
        world.get(&path).await;
        // Pools rest after a refusal.
        tokio::time::advance(std::time::Duration::from_secs(120)).await;
        let series = format!("gateway_vendor_refusals_total{{kind=\"{kind}\"}}");
        assert!((world.metric(&series) - 1.0).abs() < f64::EPSILON, "{kind}");
    }
    assert!(!world.metrics().contains("evil"));
}
