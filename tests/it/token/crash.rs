//! A process that dies between any two steps, on a disk that keeps only what it was made to keep.
//!
//! The model: what is written is in memory until it is synced; so are names. When the process and its machine die,
//! any of that may be lost, and the worst is tried: nothing that was not synced stays; or the names stay and what
//! the files held does not; or all stays. Whatever happens, the vendor is asked no more often than the budget says.

use bytes::Bytes;
use easemob_gateway::body::Body;
use easemob_gateway::clock::Wall;
use easemob_gateway::easemob::grant::Unit;
use easemob_gateway::tasks::Tasks;
use easemob_gateway::token::ask::Asker;
use easemob_gateway::token::files::{Draft, Files};
use easemob_gateway::token::seal::Owner;
use easemob_gateway::token::state::StateDir;
use easemob_gateway::token::{Settings, TokenKeeper};
use easemob_gateway::upstream::{SendError, Upstream};
use http::{Request, Response, StatusCode};
use secrecy::SecretString;
use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a disk has after the power was cut.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// What was synced, and nothing else.
    AllUnsynced,
    /// Names as they were, without what the files held.
    UnsyncedData,
    /// Nothing is lost: only the process died.
    Nothing,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug, Default)]
struct Machine {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// Steps until the process dies.
    steps_left: Option<usize>,
    dead: bool,
    /// What every step was.
    steps: Vec<String>,
    /// The vendor was asked, in seconds of the test's clock.
    asked: Vec<u64>,
    answers_well: bool,
}

#[derive(Clone, Debug, Default)]
struct Model(Arc<Mutex<Machine>>);

impl Model {
    /// A step that may be the last: the process dies before it.
    fn step(&self, what: String) -> io::Result<std::sync::MutexGuard<'_, Machine>> {
        let mut machine = self.0.lock().unwrap();
        if machine.steps_left == Some(0) {
            machine.dead = true;
        }
        if machine.dead {
            return Err(io::Error::other("the process is dead"));
        }
        machine.steps_left = machine.steps_left.map(|left| left - 1);
        machine.steps.push(what);
        Ok(machine)
    }

    /// The machine begins anew with what is left on the disk, and the next process dies after so many steps.
    fn boot(&self, loss: Loss, steps_left: Option<usize>) {
        let mut machine = self.0.lock().unwrap();
        match loss {
            Loss::Nothing => {}
            Loss::UnsyncedData => {
                machine.inodes.iter_mut().for_each(|inode| inode.now = inode.synced.clone())
            }
            Loss::AllUnsynced => {
                machine.inodes.iter_mut().for_each(|inode| inode.now = inode.synced.clone());
                machine.names = machine.synced_names.clone();
            }
        }
        machine.inodes.iter_mut().for_each(|inode| inode.synced = inode.now.clone());
        machine.synced_names = machine.names.clone();
        (machine.steps_left, machine.dead) = (steps_left, false);
    }
}

impl Files for Model {
    fn lock(&self) -> io::Result<Box<dyn Send>> {
        self.step("lock".to_owned()).map(|_| Box::new(()) as Box<dyn Send>)
    }

    fn claim(&self) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        Ok(Some(Box::new(())))
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let machine = self.step(format!("read {name}"))?;
        Ok(machine.names.get(name).map(|inode| machine.inodes[*inode].now.clone()))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Draft>> {
        let mut machine = self.step(format!("create {name}"))?;
        machine.inodes.push(Inode::default());
        let inode = machine.inodes.len() - 1;
        machine.names.insert(name.to_owned(), inode);
        Ok(Box::new(Writing { model: self.clone(), name: name.to_owned(), inode }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut machine = self.step(format!("rename {from} {to}"))?;
        let inode = machine.names.remove(from).expect("it was made");
        machine.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut machine = self.step("sync names".to_owned())?;
        machine.synced_names = machine.names.clone();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step(format!("remove {name}"))?.names.remove(name);
        Ok(())
    }
}

struct Writing {
    model: Model,
    name: String,
    inode: usize,
}

impl Draft for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A file that is written in two halves can be found with one.
        for half in [&bytes[..bytes.len() / 2], &bytes[bytes.len() / 2..]] {
            let mut machine = self.model.step(format!("write {}", self.name))?;
            machine.inodes[self.inode].now.extend_from_slice(half);
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut machine = self.model.step(format!("sync {}", self.name))?;
        machine.inodes[self.inode].synced = machine.inodes[self.inode].now.clone();
        Ok(())
    }
}

/// A vendor that is asked by a process that may be dead: then nothing leaves.
fn vendor(model: &Model, began: tokio::time::Instant) -> Upstream {
    let model = model.clone();
    Upstream::service(tower::service_fn(move |_: Request<Body>| {
        let model = model.clone();
        async move {
            let Ok(mut machine) = model.step("ask the vendor".to_owned()) else {
                return Err(SendError::Broken("the process is dead".to_owned()));
            };
            machine.asked.push(began.elapsed().as_secs());
            let body = if machine.answers_well {
                r#"{"access_token":"YWMtx","expires_in":864000,"application":"a"}"#
            } else {
                "{}"
            };
            let mut response = Response::new(Body::Kept(Bytes::from_static(body.as_bytes())));
            *response.status_mut() =
                if machine.answers_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            Ok(response)
        }
    }))
}

const BUDGET: usize = 3;

/// A process that begins, wants a token, and dies or goes on without anybody.
async fn live(model: &Model, began: tokio::time::Instant) -> bool {
    let secret = SecretString::from("secret");
    let [origin, org, app, client_id] = ["o", "org", "app", "id"].map(str::to_owned);
    let state = StateDir::new(Arc::new(model.clone()), Owner { origin, org, app, client_id }, &secret);
    let asker = Asker {
        upstream: vendor(model, began),
        path: "/org/app/token".parse().unwrap(),
        host: "vendor".parse().unwrap(),
        client_id: "id".to_owned(),
        client_secret: arc_swap::ArcSwap::from_pointee(secret),
        unit: Unit::Seconds,
        timeout: Duration::from_secs(1),
    };
    let second = Duration::from_secs(1);
    let settings = Settings {
        patience: second,
        renew_after_max: second * 1_000_000,
        retry_min: second,
        retry_max: second,
        refused_retry_min: second,
        refused_retry_max: second,
        grants_per_hour: BUDGET,
    };
    let wall = Wall::of(move || 1_790_000_000_000 + began.elapsed().as_millis() as u64);
    let tasks = Tasks::new();
    let dice = fastrand::Rng::with_seed(1);
    let keeper = TokenKeeper::new(asker, settings, tasks.clone(), dice, wall, Some(Arc::new(state)));
    let got = keeper.get().await.is_ok();
    tasks.settled().await;
    got
}

/// In any hour no more than the budget; the test stays within its first ten minutes.
fn assert_within(model: &Model, what: &str) {
    let machine = model.0.lock().unwrap();
    assert!(
        machine.asked.len() <= BUDGET,
        "{what}: asked at {:?}\n{}",
        machine.asked,
        machine.steps.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn whatever_step_is_the_last_and_whatever_is_lost_the_budget_holds() {
    let mut died = 0;
    for answers_well in [false, true] {
        for loss in [Loss::AllUnsynced, Loss::UnsyncedData, Loss::Nothing] {
            // Each process of a crash loop dies at the same step; or every other one, and those between ask in peace.
            for (steps, all) in (0..40).flat_map(|steps| [(steps, true), (steps, false)]) {
                let (model, began) = (Model::default(), tokio::time::Instant::now());
                model.0.lock().unwrap().answers_well = answers_well;
                for n in 0..12 {
                    model.boot(loss, (all || n % 2 == 1).then_some(steps));
                    live(&model, began).await;
                    died += usize::from(model.0.lock().unwrap().dead);
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
                assert_within(
                    &model,
                    &format!("at step {steps} {all}, {loss:?}, answers well: {answers_well}"),
                );
            }
        }
    }
    assert!(died > 500, "most of them died: {died}");
}

#[tokio::test(start_paused = true)]
async fn after_any_crash_the_next_process_has_a_token_while_the_budget_lasts() {
    for loss in [Loss::AllUnsynced, Loss::UnsyncedData, Loss::Nothing] {
        for steps in 0..40 {
            let (model, began) = (Model::default(), tokio::time::Instant::now());
            model.0.lock().unwrap().answers_well = true;
            model.boot(loss, Some(steps));
            live(&model, began).await;
            model.boot(loss, None);
            assert!(live(&model, began).await, "after step {steps}, {loss:?}");
            let asked = model.0.lock().unwrap().asked.len();
            model.boot(loss, None);
            assert!(live(&model, began).await, "after step {steps}, {loss:?}");
            assert_eq!(model.0.lock().unwrap().asked.len(), asked, "the second restart asks for nothing");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_on_the_disk_before_it_leaves() {
    let (model, began) = (Model::default(), tokio::time::Instant::now());
    live(&model, began).await;
    let steps = &model.0.lock().unwrap().steps;
    let at = |what: &str| {
        steps.iter().position(|step| step == what).unwrap_or_else(|| panic!("{what}: {steps:?}"))
    };
    let order = [
        "create grants.new",
        "write grants.new",
        "sync grants.new",
        "rename grants.new grants",
        "sync names",
    ];
    let places: Vec<usize> = order.iter().map(|step| at(step)).chain([at("ask the vendor")]).collect();
    assert!(places.is_sorted(), "{steps:?}");
}
