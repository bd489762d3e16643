//! Writes that come while a part of a batch is on its way, forced by holding calls at the vendor.

use super::*;
use easemob_gateway::config::EndpointOverride;
use easemob_gateway::simulator::Hold;
use std::future::Future;
use std::pin::Pin;

type Started<'w> = Pin<Box<dyn Future<Output = Reply> + 'w>>;

/// A world that holds two groups, and a read of three whose third is on its way.
async fn begun(world: &World, at: HoldAt) -> (Started<'_>, Hold) {
    world.get(&list(&[A, B])).await;
    let hold = world.vendor.hold(Matcher::exactly(list(&[C])).method(Method::GET).times(1), at);
    let mut read: Started<'_> = Box::pin(async { world.get(&list(&[A, B, C])).await });
    assert!(poll!(&mut read).is_pending());
    hold.arrived(1).await;
    (read, hold)
}

#[tokio::test(start_paused = true)]
async fn a_write_to_what_is_held_is_seen_when_the_rest_comes() {
    for at in [HoldAt::Arrival, HoldAt::Answer] {
        let world = World::new();
        let (early, hold) = begun(&world, at).await;
        assert_eq!(rename(A, "new").through(&world).await.status, 200);
        hold.release();
        let all = list(&[A, B, C]);
        assert_whole(&world, &all, &early.await);
        // Asked whole, once: two, the third alone, the write, and all three.
        assert_eq!(world.calls(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_the_write_sees_it_also_where_he_joins() {
    let world = World::new();
    let all = list(&[A, B, C]);
    let (early, hold) = begun(&world, HoldAt::Answer).await;
    assert_eq!(rename(A, "new").through(&world).await.status, 200);
    let mut late = Box::pin(world.get(&all));
    assert!(poll!(&mut late).is_pending());
    world.settle().await;
    assert_eq!(rename(C, "newer").through(&world).await.status, 200);
    let mut last = Box::pin(world.get(&all));
    assert!(poll!(&mut last).is_pending());
    world.settle().await;
    hold.release();
    assert_whole(&world, &all, &last.await);
    assert_eq!(late.await.data()[0]["name"], "new");
    early.await;
    assert_whole(&world, &all, &world.get(&all).await);
}

#[tokio::test(start_paused = true)]
async fn a_write_elsewhere_disturbs_nothing() {
    let world = World::new();
    let (early, hold) = begun(&world, HoldAt::Answer).await;
    let notice =
        Ask::new(Method::POST, format!("/chatgroups/{A}/announcement"), json!({"announcement": "x"}));
    assert_eq!(notice.through(&world).await.status, 200);
    hold.release();
    assert_whole(&world, &list(&[A, B, C]), &early.await);
    assert_eq!(world.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_write_to_the_missing_one_while_it_is_fetched_leaves_nothing_old() {
    // Without settling, nothing but the stamp speaks against what is on its way.
    for settle in [Duration::ZERO, Duration::from_secs(1)] {
        let world = World::with(|config| config.cache.settle = settle, |_| {});
        let all = list(&[A, B, C]);
        let (early, hold) = begun(&world, HoldAt::Answer).await;
        assert_eq!(rename(C, "new").through(&world).await.status, 200);
        tokio::time::advance(Duration::from_secs(2)).await;
        hold.release();
        early.await;
        for _ in 0..3 {
            assert_whole(&world, &all, &world.get(&all).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_to_one_of_those_that_are_fetched_leaves_nothing_old() {
    let world = World::with(|config| config.cache.settle = Duration::ZERO, |_| {});
    let all = list(&[A, B]);
    let hold = world.vendor.hold(Matcher::exactly(&all).times(1), HoldAt::Answer);
    let mut early = Box::pin(world.get(&all));
    assert!(poll!(&mut early).is_pending());
    hold.arrived(1).await;
    assert_eq!(rename(A, "new").through(&world).await.status, 200);
    hold.release();
    early.await;
    assert_whole(&world, &all, &world.get(&all).await);
}

#[tokio::test(start_paused = true)]
async fn an_element_whose_stamp_is_older_than_a_touch_is_not_saved_by_a_younger_one() {
    let world = World::new();
    // A is fetched, then touched; B and C are fetched after that touch.
    world.get(&list(&[A, B])).await;
    assert_eq!(rename(A, "new").through(&world).await.status, 200);
    world.get(&list(&[B, C])).await;
    let all = list(&[A, B, C]);
    assert_whole(&world, &all, &world.get(&all).await);
}

#[tokio::test(start_paused = true)]
async fn a_write_after_the_look_and_before_the_rest_is_asked_for_is_seen() {
    let slow = |config: &mut Config| {
        let rate = Some("1/s".parse().unwrap());
        config.endpoints.insert("group.read".into(), EndpointOverride { rate, fresh: None, stale: None });
        config.limits.patience = Duration::from_secs(10);
    };
    let world = World::with(slow, |_| {});
    let all = list(&[A, B, C]);
    world.get(&list(&[A, B])).await;
    let mut early = Box::pin(world.get(&all));
    assert!(poll!(&mut early).is_pending());
    world.settle().await;
    assert_eq!(world.calls(), 1, "the rest waits for its turn");
    // What is fetched from now on has a later stamp than this touch; what is held has not.
    assert_eq!(rename(A, "new").through(&world).await.status, 200);
    assert_whole(&world, &all, &early.await);
    assert_eq!(world.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_tag_of_what_was_put_together_does_not_outlive_a_touch_of_one_part() {
    let world = World::new();
    let all = list(&[A, B]);
    world.get(&all).await;
    let tag = world.get(&all).await.header("etag").to_owned();
    assert_eq!(rename(A, "new").through(&world).await.status, 200);
    tokio::time::advance(Duration::from_secs(2)).await;
    // Fetched in part, then from memory: what is around the elements has stayed the same.
    for _ in 0..2 {
        let mut request = crate::support::world::request(Method::GET, &all, None);
        request.headers_mut().insert("if-none-match", tag.parse().unwrap());
        let reply = world.send(request).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_whole(&world, &all, &reply);
        assert_ne!(reply.header("etag"), tag);
    }
}

#[tokio::test(start_paused = true)]
async fn two_who_miss_the_same_share_one_call() {
    let world = World::new();
    let all = list(&[A, B, C]);
    let (early, hold) = begun(&world, HoldAt::Answer).await;
    let mut same = Box::pin(world.get(&all));
    let other_path = list(&[C, A]);
    let mut other = Box::pin(world.get(&other_path));
    assert!(poll!(&mut same).is_pending() && poll!(&mut other).is_pending());
    world.settle().await;
    hold.release();
    assert_whole(&world, &all, &early.await);
    let same = same.await;
    assert_whole(&world, &all, &same);
    assert_eq!(same.header("cache-status"), "easemob-gateway; fwd=partial; collapsed; stored");
    assert_whole(&world, &other_path, &other.await);
    assert_eq!(world.calls(), 2);
    // Whole lists are shared as well.
    let world = World::new();
    let (one, two) = tokio::join!(world.get(&all), world.get(&all));
    assert_eq!((one.status, two.status, world.calls()), (StatusCode::OK, StatusCode::OK, 1));
}

#[tokio::test(start_paused = true)]
async fn in_doubt_about_one_the_others_stay() {
    let (world, tap) = tapped(|_| {}, |_| {});
    let all = list(&[A, B, C]);
    world.get(&all).await;
    world.vendor.next(Matcher::any().method(Method::PUT), Fault::ResetAfter);
    assert_eq!(rename(A, "new").through(&world).await.status, StatusCode::BAD_GATEWAY);
    for calls in [3, 4] {
        let reply = world.get(&all).await;
        assert_whole(&world, &all, &reply);
        assert!(!reply.header("cache-status").contains("stored"));
        assert_eq!((asked(&tap).len(), asked(&tap).last()), (calls, Some(&list(&[A]))));
    }
    assert!(world.get(&list(&[B, C])).await.is_hit());
}

/// A write that makes a group names it in its answer, and in nothing else.
#[tokio::test(start_paused = true)]
async fn one_that_was_not_there_is_asked_for_anew_after_a_creation_that_nobody_answered() {
    let world = World::new();
    let all = list(&[A, "4711"]);
    let hold = world.vendor.hold(Matcher::exactly(&all).times(1), HoldAt::Answer);
    let mut early = Box::pin(world.get(&all));
    assert!(poll!(&mut early).is_pending());
    hold.arrived(1).await;
    world.vendor.add_group("4711", "erin", &[]);
    world.vendor.next(Matcher::any().method(Method::POST), Fault::ResetAfter);
    let body = json!({"groupname": "new", "public": true, "owner": "erin"});
    assert_eq!(world.post("/chatgroups", body).await.status, StatusCode::BAD_GATEWAY);
    let mut late = Box::pin(world.get(&all));
    assert!(poll!(&mut late).is_pending());
    world.settle().await;
    hold.release();
    assert_eq!(early.await.data()[1]["error"], "group id doesn't exist");
    assert_whole(&world, &all, &late.await);
}

#[tokio::test(start_paused = true)]
async fn an_element_that_ends_while_the_rest_is_fetched_is_not_shown_past_its_time() {
    let world = World::new();
    world.get(&list(&[A, B])).await;
    tokio::time::advance(Duration::from_secs(29)).await;
    let hold = world.vendor.hold(Matcher::exactly(list(&[C])).times(1), HoldAt::Answer);
    let all = list(&[A, B, C]);
    let mut read = Box::pin(world.get(&all));
    assert!(poll!(&mut read).is_pending());
    hold.arrived(1).await;
    rename(A, "from a device").behind(&world);
    tokio::time::advance(Duration::from_secs(2)).await;
    hold.release();
    assert_whole(&world, &all, &read.await);
}
