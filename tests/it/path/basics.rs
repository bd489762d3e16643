//! What a newcomer tries first: a read, the same again, a write, and the read after it.

use crate::support::world::World;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use futures_util::future::join_all;
use serde_json::json;

const GROUP: &str = SAMPLE_GROUPS[0];

#[tokio::test(start_paused = true)]
async fn a_second_read_costs_the_vendor_nothing() {
    let world = World::new();
    let path = format!("/chatgroups/{GROUP}");
    let first = world.get(&path).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("cache-status"), "easemob-gateway; fwd=miss; stored");
    let second = world.get(&path).await;
    assert!(second.is_hit());
    assert_eq!(second.body, first.body);
    assert_eq!((world.calls(), world.grants()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_read_after_a_write_shows_it() {
    let world = World::new();
    let path = format!("/chatgroups/{GROUP}/mute");
    assert_eq!(world.get(&path).await.data(), json!([]));
    let mute = json!({"usernames": ["carol"], "mute_duration": 60_000});
    assert_eq!(world.post(&path, mute).await.status, 200);
    let muted = world.get(&path).await;
    assert_eq!(muted.data()[0]["user"], "carol");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_first_reads_are_one_grant_and_one_call() {
    let world = World::new();
    let path = format!("/chatgroups/{GROUP}");
    let replies = join_all((0..1_000).map(|_| world.get(&path))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!((world.calls(), world.grants()), (1, 1));
}
