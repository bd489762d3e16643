//! Reads and writes that overtake each other, forced one by one by holding calls at the vendor.
//!
//! `Arrival` holds a call before it looks at the state, `Answer` with the answer in hand. A reader who starts
//! after a write was answered must see it, whatever was under way; what was overtaken is never kept.

use super::oracle::{Ask, assert_true};
use crate::support::world::{Reply, World};
use easemob_gateway::config::Config;
use easemob_gateway::gateway::{Gateway, Outcome};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use futures_util::poll;
use http::Method;
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

const A: &str = SAMPLE_GROUPS[0];

/// Starts a request and runs it until it waits.
async fn started<'w>(world: &'w World, ask: &'w Ask) -> Pin<Box<dyn Future<Output = Reply> + 'w>> {
    let mut sent = Box::pin(ask.through(world));
    assert!(poll!(&mut sent).is_pending(), "{} was answered at once", ask.path);
    world.settle().await;
    sent
}

fn notice() -> Ask {
    Ask::get(format!("/chatgroups/{A}/announcement"))
}

fn announce(text: &str) -> Ask {
    Ask::new(Method::POST, notice().path, json!({ "announcement": text }))
}

fn first(ask: &Ask) -> Matcher {
    Matcher::exactly(ask.path.split('?').next().unwrap()).method(ask.method.clone()).times(1)
}

/// After the write has settled: what is kept is true, and something is kept at all.
async fn assert_kept_and_true(world: &World, read: &Ask) {
    tokio::time::advance(Duration::from_millis(1_100)).await;
    assert_true(world, read, &read.through(world).await);
    let hit = read.through(world).await;
    assert!(hit.is_hit(), "{} is kept again", read.path);
    assert_true(world, read, &hit);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_in_flight_is_neither_shared_nor_kept_after_a_write() {
    let (world, read, write) = (World::new(), notice(), announce("new"));
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let early = started(&world, &read).await;
    hold.arrived(1).await;
    assert_eq!(write.through(&world).await.status, 200);
    // While the old answer is still under way, and after it has landed.
    assert_true(&world, &read, &read.through(&world).await);
    hold.release();
    let early = early.await;
    assert_eq!(early.data()["announcement"], "next meeting on Thursday", "he asked before the write");
    assert_true(&world, &read, &read.through(&world).await);
    assert_kept_and_true(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_that_lands_after_the_write_is_not_kept() {
    // Without settling, nothing but the stamp speaks against it.
    let at_once = |config: &mut Config| config.cache.settle = Duration::ZERO;
    let (world, read, write) = (World::with(at_once, |_| {}), notice(), announce("new"));
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let early = started(&world, &read).await;
    hold.arrived(1).await;
    write.through(&world).await;
    hold.release();
    assert_ne!(early.await.header("cache-status"), "easemob-gateway; fwd=miss; stored");
    assert_true(&world, &read, &read.through(&world).await);
}

#[tokio::test(start_paused = true)]
async fn readers_who_come_during_a_flight_share_it_while_nothing_changes() {
    let (world, read) = (World::new(), notice());
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let early = started(&world, &read).await;
    hold.arrived(1).await;
    let late = started(&world, &read).await;
    // A write elsewhere overtakes nothing here.
    let elsewhere = Ask::new(Method::POST, format!("/chatgroups/{A}/ban"), Value::Null);
    assert_eq!(elsewhere.through(&world).await.status, 200);
    let later = started(&world, &read).await;
    hold.release();
    assert_eq!(early.await.header("cache-status"), "easemob-gateway; fwd=miss; stored");
    for reply in [late.await, later.await] {
        assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=miss; collapsed; stored");
        assert_true(&world, &read, &reply);
    }
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_only_the_answer_can_tell_of_reaches_who_came_after_it() {
    let world = World::new();
    let read = Ask::get("/chatgroups/user/dave");
    let rename = Ask::new(Method::PUT, format!("/chatgroups/{A}"), json!({"groupname": "novels"}));
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let early = started(&world, &read).await;
    hold.arrived(1).await;
    let joined = started(&world, &read).await;
    assert_eq!(rename.through(&world).await.status, 200);
    let late = started(&world, &read).await;
    hold.release();
    assert_true(&world, &read, &late.await);
    for reply in [early.await, joined.await] {
        assert_eq!(reply.json()["entities"][0]["name"], "book club", "he asked before the rename");
    }
    assert_true(&world, &read, &read.through(&world).await);
    assert_kept_and_true(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_content_cannot_be_read_is_not_shared_across_a_touch() {
    let world = World::new();
    let read = Ask::get("/chatgroups/user/dave");
    let rename = Ask::new(Method::PUT, format!("/chatgroups/{A}"), json!({"groupname": "novels"}));
    let old =
        easemob_gateway::simulator::Fault::body(http::StatusCode::OK, "packed, so nobody knows of what");
    world.vendor.next(first(&read), old);
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let early = started(&world, &read).await;
    hold.arrived(1).await;
    rename.through(&world).await;
    let late = started(&world, &read).await;
    hold.release();
    assert_true(&world, &read, &late.await);
    assert_eq!(early.await.json(), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_shows_the_write_but_left_before_it_is_given_and_not_kept() {
    let (world, read, write) = (World::new(), notice(), announce("new"));
    let hold = world.vendor.hold(first(&read), HoldAt::Arrival);
    let early = started(&world, &read).await;
    hold.arrived(1).await;
    write.through(&world).await;
    let late = read.through(&world).await;
    hold.release();
    assert_true(&world, &read, &late);
    let early = early.await;
    assert_true(&world, &read, &early);
    assert_eq!(early.header("cache-status"), "easemob-gateway; fwd=miss; detail=overtaken");
}

#[tokio::test(start_paused = true)]
async fn of_two_writes_with_a_read_between_the_last_one_is_seen() {
    let (world, read) = (World::new(), notice());
    announce("one").through(&world).await;
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let between = started(&world, &read).await;
    hold.arrived(1).await;
    announce("two").through(&world).await;
    let late = started(&world, &read).await;
    hold.release();
    assert_eq!(between.await.data()["announcement"], "one");
    assert_eq!(late.await.data()["announcement"], "two");
    assert_kept_and_true(&world, &read).await;
}

#[tokio::test(start_paused = true)]
async fn who_began_a_fetch_may_leave_and_the_others_are_served_by_one_call() {
    let (world, read) = (World::new(), notice());
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let leader = started(&world, &read).await;
    hold.arrived(1).await;
    let follower = started(&world, &read).await;
    drop(leader);
    world.settle().await;
    hold.release();
    assert_true(&world, &read, &follower.await);
    assert!(read.through(&world).await.is_hit());
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_everybody_left_is_kept_all_the_same() {
    let (world, read) = (World::new(), notice());
    let hold = world.vendor.hold(first(&read), HoldAt::Answer);
    let only = started(&world, &read).await;
    hold.arrived(1).await;
    drop(only);
    hold.release();
    world.settle().await;
    assert!(read.through(&world).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn a_read_and_a_write_whose_answers_come_together_leave_nothing_old() {
    for read_first in [true, false] {
        let (world, read, write) = (World::new(), notice(), announce("new"));
        let reading = world.vendor.hold(first(&read), HoldAt::Answer);
        let early = started(&world, &read).await;
        reading.arrived(1).await;
        let writing = world.vendor.hold(first(&write), HoldAt::Answer);
        let written = started(&world, &write).await;
        writing.arrived(1).await;
        let holds = if read_first { [reading, writing] } else { [writing, reading] };
        holds.into_iter().for_each(easemob_gateway::simulator::Hold::release);
        assert_eq!(written.await.status, 200);
        assert_true(&world, &read, &read.through(&world).await);
        early.await;
        assert_true(&world, &read, &read.through(&world).await);
        assert_kept_and_true(&world, &read).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_does_not_say_whom_it_concerns_may_concern_anybody() {
    let (world, read) = (World::new(), Ask::get("/chatgroups/user/erin"));
    assert_kept_and_true(&world, &read).await;
    // No list: what the vendor makes of it, nobody knows.
    let write =
        Ask::new(Method::POST, format!("/chatgroups/{A}/users"), json!({"usernames": {"erin": true}}));
    let done = easemob_gateway::simulator::Fault::body(http::StatusCode::OK, r#"{"data":{}}"#);
    world.vendor.next(first(&write), done);
    Ask::new(Method::POST, format!("/chatgroups/{A}/users/erin"), Value::Null).behind(&world);
    assert_eq!(write.through(&world).await.status, 200);
    assert_true(&world, &read, &read.through(&world).await);
}

/// A writer who reads in the very moment in which his answer is there, whoever's turn it is.
struct Hasty {
    gateway: Gateway,
    from_memory: Mutex<Option<bool>>,
}

impl Wake for Hasty {
    fn wake(self: Arc<Self>) {
        let outcome = self.gateway.call(notice().request());
        self.from_memory.lock().unwrap().get_or_insert(matches!(outcome, Outcome::Ready(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_write_changed_is_touched_before_its_caller_can_know() {
    let (world, read, write) = (World::new(), notice(), announce("new"));
    assert_kept_and_true(&world, &read).await;
    let hasty = Arc::new(Hasty { gateway: world.gateway.clone(), from_memory: Mutex::default() });
    let waker = Waker::from(Arc::clone(&hasty));
    let mut written = world.gateway.call(write.request());
    assert!(Pin::new(&mut written).poll(&mut Context::from_waker(&waker)).is_pending());
    world.settle().await;
    assert_eq!(*hasty.from_memory.lock().unwrap(), Some(false));
    assert_eq!(written.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn both_spellings_of_a_batch_are_one_and_another_order_is_put_together() {
    let world = World::new();
    let [a, b, _] = SAMPLE_GROUPS;
    let raw = Ask::get(format!("/chatgroups/{a},{b}"));
    let escaped = Ask::get(format!("/chatgroups/{a}%2c{b}"));
    let hold = world.vendor.hold(first(&raw), HoldAt::Answer);
    let one = started(&world, &raw).await;
    hold.arrived(1).await;
    let two = started(&world, &escaped).await;
    hold.release();
    assert_true(&world, &raw, &one.await);
    assert_true(&world, &escaped, &two.await);
    assert!(escaped.through(&world).await.is_hit());
    let turned = Ask::get(format!("/chatgroups/{b},{a}"));
    let reply = turned.through(&world).await;
    assert!(reply.is_hit());
    assert_true(&world, &turned, &reply);
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn readers_who_ask_by_body_share_what_the_body_asks() {
    let world = World::new();
    let ask = |user| {
        let body = json!({"targets": [user], "properties": ["colour"]});
        Ask::new(Method::POST, format!("/metadata/chatgroup/{A}/get"), body)
    };
    let (bob, carol) = (ask("bob"), ask("carol"));
    let hold = world.vendor.hold(first(&bob), HoldAt::Answer);
    let one = started(&world, &bob).await;
    hold.arrived(1).await;
    let same = started(&world, &bob).await;
    let other = carol.through(&world).await;
    hold.release();
    assert_true(&world, &carol, &other);
    assert_true(&world, &bob, &one.await);
    assert_eq!(same.await.header("cache-status"), "easemob-gateway; fwd=miss; collapsed; stored");
    assert_true(&world, &bob, &bob.through(&world).await);
    assert!(bob.through(&world).await.is_hit() && carol.through(&world).await.is_hit());
    let colour = json!({"metaData": {"colour": "red"}});
    let write = Ask::new(Method::PUT, format!("/metadata/chatgroup/{A}/user/BOB"), colour);
    assert_eq!(write.through(&world).await.status, 200);
    assert_true(&world, &bob, &bob.through(&world).await);
    assert!(carol.through(&world).await.is_hit(), "another member's attributes have not changed");
}
