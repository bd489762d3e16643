//! Any operation after any other: after each write that was acknowledged, every read is asked, and says what the
//! vendor would say.
//!
//! Operations are the matrix's, with other groups, rooms, threads and users in them, drawn with a seed. A read is
//! answered from memory if nothing has concerned it, so each look at all of them compares hundreds of kept answers
//! with the truth. `WALK_OPERATIONS` asks for more than the usual few.

use super::matrix::{reads, scene, writes};
use super::oracle::{Ask, untrue};
use easemob_gateway::config::{Config, PoolOverride};
use easemob_gateway::easemob::{endpoints, pools};
use easemob_gateway::units::ByteSize;
use http::StatusCode;
use scene::{A, B, C, FILE, NEW, OTHER_ROOM, ROOM, Scene, THREAD, USERS};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const OPERATIONS: usize = 400;
/// What was deleted is not made again under its name, so the world is renewed before it is empty.
const OF_ONE_WORLD: usize = 100;

#[tokio::test(start_paused = true)]
async fn after_every_acknowledged_write_every_read_is_true() {
    let operations = std::env::var("WALK_OPERATIONS").ok().and_then(|number| number.parse().ok());
    let mut walk = Walk::new(operations.unwrap_or(OPERATIONS));
    while walk.left > 0 {
        walk.through_a_world().await;
    }
    walk.assert_rich();
}

struct Walk {
    dice: fastrand::Rng,
    left: usize,
    done: usize,
    worlds: usize,
    /// Rows whose turn is still to come.
    bag: Vec<&'static str>,
    /// By the vendor's own names of its operations.
    tried: BTreeMap<&'static str, usize>,
    acknowledged: BTreeSet<&'static str>,
    writes: usize,
    answers: usize,
    hits: usize,
}

/// An operation: its row, how it is asked, and whether its answer is looked at.
struct Operation {
    row: &'static str,
    ask: Ask,
    reads: bool,
}

impl Walk {
    fn new(left: usize) -> Self {
        let dice = fastrand::Rng::with_seed(55);
        let (bag, tried, acknowledged) = Default::default();
        Self { dice, left, done: 0, worlds: 0, bag, tried, acknowledged, writes: 0, answers: 0, hits: 0 }
    }

    async fn through_a_world(&mut self) {
        // Settling or not, with room or without: kept is never untrue.
        let settings: [fn(&mut Config); 3] = [at_once, settling, tiny];
        let scene = Scene::with(settings[self.worlds % 3]);
        self.worlds += 1;
        scene.world.vendor.limits(false);
        let mut newest = NEW.to_owned();
        for _ in 0..OF_ONE_WORLD.min(self.left) {
            let operation = self.draw(&scene, &newest);
            let reply = operation.ask.through(&scene.world).await;
            self.note(operation.row);
            if operation.reads {
                self.assert_true(&operation.ask, untrue(&scene.world, &operation.ask, &reply));
            } else if reply.status == StatusCode::OK {
                self.writes += 1;
                self.acknowledged.insert(operation.row);
                newest = made(&reply.data()).unwrap_or(newest);
                self.look_at_all(&scene, &newest, &operation.ask).await;
            }
            if self.dice.u8(..4) == 0 {
                tokio::time::advance(Duration::from_millis(self.dice.u64(1..2_500))).await;
            }
        }
        self.left = self.left.saturating_sub(OF_ONE_WORLD);
    }

    async fn look_at_all(&mut self, scene: &Scene, newest: &str, after: &Ask) {
        for (_, read) in reads::reads(scene) {
            let read = about(read, &[(NEW, newest)]);
            let reply = read.through(&scene.world).await;
            let untrue = untrue(&scene.world, &read, &reply);
            self.assert_true(after, untrue);
            self.answers += 1;
            self.hits += usize::from(reply.is_hit());
        }
    }

    #[track_caller]
    fn assert_true(&self, after: &Ask, untrue: Option<String>) {
        assert_eq!(untrue, None, "operation {}, after {after:?}", self.done);
    }

    /// An operation about things of this world: of each row once, in any order, and then again.
    fn draw(&mut self, scene: &Scene, newest: &str) -> Operation {
        let download = Ask::get(format!("/chatgroups/{A}/share_files/{FILE}"));
        let reads = reads::reads(scene).into_iter().map(|(row, ask)| Operation { row, ask, reads: true });
        let writes = writes::writes(scene).into_iter().filter(|write| write.effect.is_none());
        let writes = writes.map(|write| Operation { row: write.row, ask: write.ask, reads: false });
        let mut all: Vec<Operation> = reads.chain(writes).collect();
        all.push(Operation { row: "group.files.download", ask: download, reads: false });
        if self.bag.is_empty() {
            let rows: BTreeSet<&str> = all.iter().map(|operation| operation.row).collect();
            self.bag = rows.into_iter().collect();
            self.dice.shuffle(&mut self.bag);
        }
        let row = self.bag.pop().expect("a row");
        let of_row: Vec<usize> = (0..all.len()).filter(|at| all[*at].row == row).collect();
        let operation = all.swap_remove(of_row[self.dice.usize(..of_row.len())]);
        let ask = self.elsewhere(operation.ask, scene, newest);
        Operation { ask, ..operation }
    }

    /// The same of another group, room, thread and other users.
    fn elsewhere(&mut self, ask: Ask, scene: &Scene, newest: &str) -> Ask {
        let one = |dice: &mut fastrand::Rng, of: &[&str]| of[dice.usize(..of.len())].to_owned();
        let group = one(&mut self.dice, &[A, A, B, C, newest]);
        let room = one(&mut self.dice, &[ROOM, ROOM, OTHER_ROOM]);
        let thread = one(&mut self.dice, &[THREAD, &scene.thread_b]);
        let mut users = USERS;
        self.dice.shuffle(&mut users);
        let mut names = vec![(A, group), (ROOM, room), (THREAD, thread)];
        // Half of the time as it was written: then it is most often possible.
        if self.dice.bool() {
            names.extend(USERS.into_iter().zip(users.map(str::to_owned)));
        }
        let names: Vec<_> = names.iter().map(|(from, to)| (*from, to.as_str())).collect();
        about(ask, &names)
    }

    fn note(&mut self, row: &'static str) {
        self.done += 1;
        let row = endpoints().iter().find(|endpoint| endpoint.name == row).expect("a row");
        // Two operations of one row are told apart by their body; the row is tried either way.
        row.operations.iter().for_each(|operation| *self.tried.entry(operation).or_default() += 1);
    }

    fn assert_rich(&self) {
        let all: BTreeSet<&str> = endpoints().iter().flat_map(|row| row.operations).copied().collect();
        let missing: Vec<_> = all.iter().filter(|operation| !self.tried.contains_key(*operation)).collect();
        assert!(missing.is_empty(), "never tried: {missing:?}");
        let Self { done, writes, answers, hits, .. } = self;
        let rows = self.acknowledged.len();
        println!(
            "{done} operations, {writes} writes of {rows} rows acknowledged, {answers} answers after them, {hits} kept"
        );
        assert!(*writes > done / 5, "{writes} writes in {done} operations prove little");
        assert!(*hits > answers / 4, "{hits} hits in {answers} answers prove little");
    }
}

/// The same request with other names in it.
fn about(ask: Ask, names: &[(&str, &str)]) -> Ask {
    let change = |text: &str| {
        // By places first, so that what has been put in is not changed again.
        let marks = names.iter().enumerate().fold(text.to_owned(), |text, (at, (from, _))| {
            let upper = from.to_uppercase();
            let text = text.replace(from, &format!("\u{1}{at}\u{2}"));
            if upper == **from { text } else { text.replace(&upper, &format!("\u{1}{at}\u{3}")) }
        });
        names.iter().enumerate().fold(marks, |text, (at, (_, to))| {
            let text = text.replace(&format!("\u{1}{at}\u{2}"), to);
            text.replace(&format!("\u{1}{at}\u{3}"), &to.to_uppercase())
        })
    };
    let body = ask.body.map(|body| serde_json::from_str::<Value>(&change(&body.to_string())).expect("JSON"));
    Ask { path: change(&ask.path), body, ..ask }
}

/// The id of a group that was made.
fn made(data: &Value) -> Option<String> {
    data.get("groupid").and_then(Value::as_str).filter(|_| data.get("success").is_none()).map(str::to_owned)
}

fn at_once(config: &mut Config) {
    config.cache.settle = Duration::ZERO;
    config.cache.slots = 4_096;
    for pool in pools() {
        let rate = Some("1000000/s".parse().expect("a rate"));
        config.pools.insert(pool.name.into(), PoolOverride { rate, per_call: None });
    }
}

fn settling(config: &mut Config) {
    at_once(config);
    config.cache.settle = Duration::from_secs(1);
}

fn tiny(config: &mut Config) {
    at_once(config);
    (config.cache.bytes_max, config.cache.tags_max) = (ByteSize::kib(20), 8);
}
