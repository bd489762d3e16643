//! Batches of groups, kept by element: what is asked of the vendor, and what is put together from memory.
//!
//! The stand-in's own answer is the oracle, whole: every member of it but `timestamp` and `duration`.

use super::oracle::Ask;
use crate::support::tap::Tap;
use crate::support::world::{APP, Reply, World};
use easemob_gateway::config::Config;
use easemob_gateway::simulator::{BatchForm, Fault, HoldAt, Matcher, SAMPLE_GROUPS, Settings};
use futures_util::poll;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

mod forms;
mod odd;
mod races;

const A: &str = SAMPLE_GROUPS[0];
const B: &str = SAMPLE_GROUPS[1];
const C: &str = SAMPLE_GROUPS[2];

fn list(names: &[&str]) -> String {
    format!("/chatgroups/{}", names.join(","))
}

fn tapped(change: impl FnOnce(&mut Config), vendor: impl FnOnce(&mut Settings)) -> (World, Tap) {
    World::tapped(1, |_, _| {}, change, vendor)
}

/// The paths that the vendor was asked for, below the app.
fn asked(tap: &Tap) -> Vec<String> {
    tap.calls().iter().map(|sent| sent.target.strip_prefix(APP).unwrap().to_owned()).collect()
}

/// The answer, whole, but for the two times in it.
fn told(mut said: Value) -> Value {
    let members = said.as_object_mut().expect("an object");
    for time in ["timestamp", "duration"] {
        assert!(members.remove(time).is_some_and(|time| time.is_u64()), "{time}");
    }
    said
}

/// What the vendor would say now to this gateway.
fn truth(world: &World, path: &str) -> Value {
    let (status, mut said) = world.vendor.behind(Method::GET, path, Value::Null);
    assert_eq!(status, StatusCode::OK);
    said["uri"] = json!(format!("http://127.0.0.1:1{APP}{path}"));
    told(said)
}

#[track_caller]
fn assert_whole(world: &World, path: &str, reply: &Reply) {
    assert_eq!(told(reply.json()), truth(world, path), "{path}");
}

/// Renames a group, of which the gateway hears only if it is done through it.
fn rename(group: &str, name: &str) -> Ask {
    Ask::new(Method::PUT, format!("/chatgroups/{group}"), json!({ "groupname": name }))
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_comes_from_memory_and_the_rest_in_one_call() {
    let (world, tap) = tapped(|_| {}, |_| {});
    world.get(&list(&[A, B])).await;
    let all = list(&[C, A, B]);
    let reply = world.get(&all).await;
    assert_whole(&world, &all, &reply);
    assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=partial; stored");
    assert_eq!(asked(&tap), [list(&[A, B]), list(&[C])]);
    // From now on every selection in every order is a hit.
    for names in [&[A, B][..], &[B, A], &[C, B, A], &[A, C]] {
        for path in [list(names), format!("/chatgroups/{}", names.join("%2C"))] {
            let reply = world.get(&path).await;
            assert!(reply.is_hit(), "{path}");
            assert_whole(&world, &path, &reply);
        }
    }
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_takes_its_own_element_and_no_other() {
    let (world, tap) = tapped(|_| {}, |_| {});
    let all = list(&[A, B, C]);
    world.get(&all).await;
    assert_eq!(rename(B, "new").through(&world).await.status, 200);
    let reply = world.get(&all).await;
    assert_whole(&world, &all, &reply);
    assert!(reply.header("cache-status").starts_with("easemob-gateway; fwd=partial"));
    assert!(world.get(&list(&[A, C])).await.is_hit());
    assert_eq!(asked(&tap)[2], list(&[B]));
    // It is kept again once it has settled.
    tokio::time::advance(Duration::from_millis(1_100)).await;
    for hit in [false, true] {
        let reply = world.get(&all).await;
        assert_eq!(reply.is_hit(), hit);
        assert_whole(&world, &all, &reply);
    }
}

#[tokio::test(start_paused = true)]
async fn each_element_has_its_own_deadline_and_the_answer_is_as_old_as_its_oldest() {
    let (world, tap) = tapped(|_| {}, |_| {});
    world.get(&list(&[A, B])).await;
    tokio::time::advance(Duration::from_secs(20)).await;
    let all = list(&[A, B, C]);
    assert_eq!(world.get(&all).await.header("age"), "20", "a part of it was fetched now");
    tokio::time::advance(Duration::from_millis(9_999)).await;
    let hit = world.get(&all).await;
    assert_eq!((hit.is_hit(), hit.header("age")), (true, "29"));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(world.get(&all).await.header("age"), "10");
    assert_eq!(asked(&tap).last(), Some(&list(&[A, B])), "and the one that came later stays");
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_say_what_he_wants_of_it() {
    let (world, tap) = tapped(|_| {}, |_| {});
    let all = list(&[A, B]);
    let ask = |method: Method, name: &'static str, value: &str| {
        let mut request = crate::support::world::request(method, &all, None);
        request.headers_mut().insert(name, value.parse().unwrap());
        world.send(request)
    };
    assert_eq!(ask(Method::GET, "cache-control", "only-if-cached").await.refusal(), "not_kept");
    world.get(&all).await;
    let hit = world.get(&all).await;
    assert!(ask(Method::GET, "cache-control", "only-if-cached").await.is_hit());
    let same = ask(Method::GET, "if-none-match", hit.header("etag")).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let head = ask(Method::HEAD, "accept", "*/*").await;
    assert_eq!((head.is_hit(), head.header("content-length")), (true, hit.body.len().to_string().as_str()));
    // The whole list, not what would be missing.
    rename(A, "new").behind(&world);
    assert_whole(&world, &all, &ask(Method::GET, "cache-control", "no-cache").await);
    let now = world.get(&all).await;
    assert!(now.is_hit());
    assert_whole(&world, &all, &now);
    assert_ne!(now.header("etag"), hit.header("etag"));
    assert_eq!(ask(Method::GET, "if-none-match", hit.header("etag")).await.status, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(5)).await;
    ask(Method::GET, "cache-control", "max-age=4").await;
    assert_eq!(asked(&tap), [all.as_str(), &all, &all]);
    assert_eq!(
        ask(Method::GET, "cache-control", "no-store").await.header("cache-status"),
        "easemob-gateway; fwd=bypass"
    );
}

/// Random selections, orders and spellings, with changes between them: always the direct answer, whole.
#[tokio::test(start_paused = true)]
async fn what_is_put_together_equals_the_direct_answer() {
    let (whole, less) =
        (BatchForm::default(), BatchForm { without: vec!["owner".into()], ..Default::default() });
    for (seed, batch, forms_equal) in [(1, whole.clone(), false), (2, less, false), (3, whole, true)] {
        let mut dice = fastrand::Rng::with_seed(seed);
        let equal = |config: &mut Config| config.vendor.group_forms_equal = forms_equal;
        let world = World::with(equal, |vendor| (vendor.batch, vendor.limits) = (batch, false));
        let groups: Vec<String> = (0..12).map(|number| format!("g-{number}")).collect();
        for group in &groups {
            world.vendor.add_group(group, "erin", &["bob"]);
        }
        let (mut hits, mut parts) = (0, 0);
        for step in 0..600 {
            let group = &groups[dice.usize(..groups.len())];
            match dice.u8(..10) {
                0 => assert_eq!(rename(group, &format!("n{step}")).through(&world).await.status, 200),
                1 => drop(world.post(&format!("/chatgroups/{group}/users/carol"), Value::Null).await),
                2 => tokio::time::advance(Duration::from_millis(dice.u64(1..4_000))).await,
                _ => {
                    let mut names: Vec<&str> = groups.iter().map(String::as_str).collect();
                    dice.shuffle(&mut names);
                    names.truncate(dice.usize(1..6));
                    let path = format!("/chatgroups/{}", names.join(if dice.bool() { "," } else { "%2C" }));
                    let reply = world.get(&path).await;
                    assert_whole(&world, &path, &reply);
                    hits += usize::from(reply.is_hit() && names.len() > 1);
                    parts += usize::from(reply.header("cache-status").contains("partial"));
                }
            }
        }
        assert!(hits > 30 && parts > 50, "seed {seed}: {hits} hits, {parts} parts prove little");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_are_one_call_and_then_none() {
    let (world, tap) = tapped(|_| {}, |_| {});
    let groups: Vec<String> = (0..100).map(|number| format!("g-{number}")).collect();
    groups.iter().for_each(|group| world.vendor.add_group(group, "erin", &[]));
    let mut names: Vec<&str> = groups.iter().map(String::as_str).collect();
    world.get(&list(&names)).await;
    names.reverse();
    let hit = world.get(&list(&names)).await;
    assert!(hit.is_hit());
    assert_whole(&world, &list(&names), &hit);
    assert_eq!(tap.calls().len(), 1);
    names.push(A);
    assert_eq!(world.get(&list(&names)).await.status, StatusCode::BAD_REQUEST, "the vendor's own word");
}
