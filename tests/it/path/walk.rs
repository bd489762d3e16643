//! A long random walk: whatever was done before, a read after an acknowledged write is true.
//!
//! Three thousand steps of reads, writes and pauses over the matrix's own requests, drawn with a seed. Nothing
//! changes behind the gateway's back, so every answer at every step must be the vendor's own, kept or not; and
//! some must come from memory, or nothing would be proved.

use super::matrix::{reads, scene::Scene, writes};
use super::oracle::{Ask, untrue};
use easemob_gateway::config::Config;
use easemob_gateway::simulator::{Fault, Matcher};
use easemob_gateway::units::ByteSize;
use http::{Method, StatusCode};
use std::time::Duration;

const STEPS: usize = 3_000;

#[tokio::test(start_paused = true)]
async fn a_long_random_walk_never_meets_an_old_answer() {
    for seed in [1, 2] {
        let hits = walk(seed, STEPS / 2, |_| {}).await;
        assert!(hits > 200, "seed {seed}: {hits} hits prove little");
    }
}

/// What is pushed out, too large or about too many things is fetched again, and never old.
#[tokio::test(start_paused = true)]
async fn nor_does_one_in_a_memory_that_is_too_small() {
    let tiny = |config: &mut Config| {
        config.cache.bytes_max = ByteSize::kib(20);
        (config.cache.slots, config.cache.tags_max) = (1_024, 6);
        config.cache.stale_refresh = Duration::from_secs(2);
    };
    let hits = walk(3, STEPS / 3, tiny).await;
    assert!(hits > 20, "{hits} hits prove little");
}

async fn walk(seed: u64, steps: usize, change: fn(&mut Config)) -> usize {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut scene = Scene::with(change);
    let (mut hits, mut done) = (0, 0);
    for step in 0..steps {
        // What has been deleted is not made again, so the world is renewed before it is empty.
        if step % 150 == 0 {
            scene = Scene::with(change);
        }
        let (reads, writes) = (reads::reads(&scene), known_writes(&scene));
        match dice.u8(..100) {
            0..60 => {
                let (_, read) = &reads[dice.usize(..reads.len())];
                let reply = read.through(&scene.world).await;
                assert_eq!(untrue(&scene.world, read, &reply), None, "seed {seed}, step {step}");
                hits += usize::from(reply.is_hit());
            }
            60..75 => {
                // Several at once: some join, some come from memory.
                let some: Vec<&Ask> = (0..8).map(|_| &reads[dice.usize(..reads.len())].1).collect();
                let replies = some.iter().map(|read| read.through(&scene.world));
                let replies = futures_util::future::join_all(replies).await;
                for (read, reply) in some.iter().zip(&replies) {
                    assert_eq!(untrue(&scene.world, read, reply), None, "seed {seed}, step {step}");
                    hits += usize::from(reply.is_hit());
                }
            }
            75..90 => {
                let write = &writes[dice.usize(..writes.len())];
                if dice.u8(..10) == 0 {
                    let lost = [Fault::ResetAfter, Fault::ResetBefore, failed()];
                    let matcher = Matcher::any().method(write.method.clone());
                    scene.world.vendor.next(matcher, lost[dice.usize(..3)].clone());
                }
                done += usize::from(write.through(&scene.world).await.status == StatusCode::OK);
                // A fault that met nothing (no body, no call) must not meet a later read.
                scene.world.vendor.clear_faults();
            }
            _ => tokio::time::advance(Duration::from_millis(dice.u64(1..3_000))).await,
        }
    }
    assert!(done > 50, "seed {seed}: {done} writes prove little");
    hits
}

fn failed() -> Fault {
    Fault::status(StatusCode::SERVICE_UNAVAILABLE).after_effect()
}

/// The writes that the stand-in can do; users and groups go rarely, or nothing is left to change.
fn known_writes(scene: &Scene) -> Vec<Ask> {
    let all = writes::writes(scene).into_iter().filter(|write| write.effect.is_none());
    let known = all.filter(|write| !write.row.starts_with("user.") && write.row != "group.delete");
    let mut known: Vec<Ask> = known.map(|write| write.ask).collect();
    known.push(Ask::new(Method::DELETE, "/users/frank", serde_json::Value::Null));
    known
}
