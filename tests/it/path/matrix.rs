//! Every write against every read: what the gateway says after a write is what the vendor would say.
//!
//! Generated from the catalogue: a row without an example fails. All reads are warmed until memory answers them,
//! the write goes through the gateway, and each read is asked again at once. The stand-in's own state is the
//! oracle. Reads that name only another group, room or thread than the write must stay in memory.

pub(super) mod reads;
pub(super) mod scene;
pub(super) mod writes;

use super::oracle::{Ask, untrue};
use crate::support::world::Reply;
use easemob_gateway::catalogue::{Catalogue, Effect, Verb};
use easemob_gateway::easemob::{catalogue, endpoints};
use easemob_gateway::simulator::{Fault, Matcher};
use http::StatusCode;
use reads::reads;
use scene::{A, B, C, OTHER_ROOM, ROOM, Scene, THREAD};
use std::time::Duration;
use writes::{Write, names, writes};

#[tokio::test(start_paused = true)]
async fn after_an_acknowledged_write_every_read_is_true() {
    let mut faults = Faults::default();
    for at in 0..writes(&Scene::new()).len() {
        let (scene, write, warm) = stage(at, &mut faults).await;
        let said = perform(&scene, &write, None).await;
        faults.after = format!("{:?} answered {}", write.ask, said.status);
        for (row, read) in &warm {
            let reply = read.through(&scene.world).await;
            faults.note(untrue(&scene.world, read, &reply));
            let lost = stays(row, read, &write) && is_kept(read, &reply) && !reply.is_hit();
            faults.note(lost.then(|| format!("{} is not concerned and was asked again", read.path)));
        }
        if write.respelt {
            continue;
        }
        // Once the write has settled, what is kept anew is true as well, and is kept.
        tokio::time::advance(Duration::from_millis(1_100)).await;
        faults.after += ", settled";
        may_be_kept(&scene, &warm, &mut faults).await;
    }
    faults.none();
}

#[tokio::test(start_paused = true)]
async fn after_a_refused_write_every_read_is_true_and_may_be_kept_at_once() {
    let mut faults = Faults::default();
    for at in one_of_each() {
        let (scene, write, warm) = stage(at, &mut faults).await;
        let said = perform(&scene, &write, Some(Fault::status(StatusCode::FORBIDDEN))).await;
        faults.after = format!("{:?} refused", write.ask);
        faults.note((said.status != StatusCode::FORBIDDEN).then(|| said.status.to_string()));
        may_be_kept(&scene, &warm, &mut faults).await;
    }
    faults.none();
}

#[tokio::test(start_paused = true)]
async fn after_a_write_that_was_done_but_cut_off_every_read_is_true() {
    after_an_unknown_outcome(&Fault::ResetAfter, StatusCode::BAD_GATEWAY).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_write_that_was_done_but_answered_500_every_read_is_true() {
    let fault = Fault::status(StatusCode::INTERNAL_SERVER_ERROR).after_effect();
    after_an_unknown_outcome(&fault, StatusCode::INTERNAL_SERVER_ERROR).await;
}

async fn after_an_unknown_outcome(fault: &Fault, status: StatusCode) {
    let mut faults = Faults::default();
    for at in one_of_each() {
        let (scene, write, warm) = stage(at, &mut faults).await;
        let before: Vec<_> = warm.iter().map(|(_, read)| read.behind(&scene.world)).collect();
        let said = perform(&scene, &write, Some(fault.clone())).await;
        faults.after = format!("{:?} unknown", write.ask);
        faults.note((said.status != status).then(|| said.status.to_string()));
        for ((_, read), before) in warm.iter().zip(before) {
            // What was not there before may be kept once it has been seen: it cannot be made twice.
            let made = before.0 == 404 || before.1.to_string().contains("doesn't exist");
            let changed = !made && read.behind(&scene.world) != before;
            for _ in 0..2 {
                let reply = read.through(&scene.world).await;
                faults.note(untrue(&scene.world, read, &reply));
                let kept = changed && reply.is_hit();
                faults.note(kept.then(|| format!("{} is in doubt and was kept", read.path)));
            }
        }
    }
    faults.none();
}

#[test]
fn every_row_has_an_example_in_every_spelling() {
    let scene = Scene::new();
    let catalogue = catalogue("easemob-demo", "chat").unwrap();
    let examples: Vec<(&str, Ask)> = reads(&scene)
        .into_iter()
        .chain(writes(&scene).into_iter().map(|write| (write.row, write.ask)))
        .collect();
    for (row, ask) in &examples {
        assert_eq!(row_of(&catalogue, ask), *row, "{} {}", ask.method, ask.path);
    }
    for row in endpoints().iter().filter(|row| !matches!(row.effect, Effect::Relay)) {
        for (verb, path) in std::iter::once(&(row.verb, row.path)).chain(row.also) {
            let spelt = |ask: &Ask| {
                (*verb == Verb::Any || Verb::of(&ask.method) == Some(*verb)) && has_form(&ask.path, path)
            };
            let found = examples.iter().any(|(name, ask)| *name == row.name && spelt(ask));
            assert!(found, "{} has no example of {} {path}", row.name, verb.as_str());
        }
    }
}

/// The writes, each in its first spelling only: how names are read is shown where all are acknowledged.
fn one_of_each() -> Vec<usize> {
    let all = writes(&Scene::new());
    (0..all.len()).filter(|at| !all[*at].respelt).collect()
}

/// A scene of its own for each write, with everything asked until memory answers it.
async fn stage(at: usize, faults: &mut Faults) -> (Scene, Write, Vec<(&'static str, Ask)>) {
    let scene = Scene::new();
    let write = writes(&scene).swap_remove(at);
    let warm = reads(&scene);
    faults.after = "nothing was done".to_owned();
    may_be_kept(&scene, &warm, faults).await;
    (scene, write, warm)
}

/// Asks each twice: both answers are true, and the second comes from memory if the contract lets it.
async fn may_be_kept(scene: &Scene, reads: &[(&str, Ask)], faults: &mut Faults) {
    for (_, read) in reads {
        let first = read.through(&scene.world).await;
        faults.note(untrue(&scene.world, read, &first));
        let second = read.through(&scene.world).await;
        faults.note(untrue(&scene.world, read, &second));
        let wrong = second.is_hit() != is_kept(read, &second);
        faults.note(wrong.then(|| format!("{} kept: {}", read.path, second.is_hit())));
    }
}

/// What went wrong, all of it: one missing tag shows in many pairs.
#[derive(Default)]
struct Faults {
    after: String,
    found: Vec<String>,
}

impl Faults {
    fn note(&mut self, fault: Option<String>) {
        self.found.extend(fault.map(|fault| format!("after {}: {fault}", self.after)));
    }

    #[track_caller]
    fn none(&self) {
        let some = self.found.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.found.is_empty(), "{} faults, of which\n{some}", self.found.len());
    }
}

async fn perform(scene: &Scene, write: &Write, fault: Option<Fault>) -> Reply {
    let world = &scene.world;
    let (fault, effect) = match (fault, &write.effect) {
        (None, Some((effect, answer))) => {
            (Some(Fault::body(StatusCode::OK, answer.to_string())), Some(effect))
        }
        (Some(fault), Some((effect, _))) if !is_refusal(&fault) => (Some(fault), Some(effect)),
        (fault, _) => (fault, None),
    };
    if let Some(fault) = fault {
        world.vendor.next(Matcher::any().method(write.ask.method.clone()), fault);
    }
    if let Some(effect) = effect {
        effect(world);
    }
    write.ask.through(world).await
}

fn is_refusal(fault: &Fault) -> bool {
    fault.status_said().is_some_and(|status| status.is_client_error())
}

/// Whether the contract lets this answer be kept: successes that are all there, and "not found" by its code.
fn is_kept(read: &Ask, reply: &Reply) -> bool {
    let said = reply.json();
    match reply.status.as_u16() {
        // A batch with an element that is missing is passed through.
        200 => {
            !(is_batch(read) && reply.data().as_array().unwrap().iter().any(|one| one.get("error").is_some()))
        }
        404 => said["error"] == "resource_not_found" || said["error"] == "service_resource_not_found",
        _ => false,
    }
}

/// Whether a read is about several things.
fn is_batch(read: &Ask) -> bool {
    read.path.contains(',') || read.path.contains("%2C")
}

/// Whether the write cannot concern this read: it names one place, and the write others. Lists over all groups,
/// of one user or of one thread's members change with many writes that do not name them, so they need not stay;
/// nor need anything when a user goes, since any list may name him.
fn stays(row: &str, read: &Ask, write: &Write) -> bool {
    const LISTS: [&str; 6] = [
        "group.list",
        "group.list.joined",
        "user.groups.list",
        "thread.list",
        "thread.list.joined",
        "thread.list.joined.group",
    ];
    let of_a_place = !LISTS.contains(&row) && row != "group.joined.read" && row != "thread.members.list";
    let places = [A, B, C, ROOM, OTHER_ROOM];
    let place = places.iter().find(|place| names(read, place));
    let one = !is_batch(read) && place.is_some();
    let other_thread = row == "thread.members.list"
        && write.row.starts_with("thread.")
        && write.row != "thread.other"
        && !names(read, THREAD)
        && names(&write.ask, THREAD);
    let elsewhere = !write.row.starts_with("user.") && place.is_some_and(|place| !names(&write.ask, place));
    (of_a_place && one && elsewhere) || other_thread
}

/// The name of the row that a request belongs to.
fn row_of(catalogue: &Catalogue, ask: &Ask) -> &'static str {
    let path = ask.path.split('?').next().unwrap();
    let found = catalogue.look_up(&ask.method, path).unwrap();
    catalogue[found.endpoint].endpoint.name
}

/// Whether a path could be written by this template.
fn has_form(path: &str, template: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (mut parts, mut forms) = (path.split('/'), template.split('/'));
    loop {
        match (parts.next(), forms.next()) {
            (None, None) => return true,
            (Some(_), Some(form)) if form.starts_with("{*") => return true,
            (Some(part), Some(form)) if form.starts_with('{') || part == form => {}
            _ => return false,
        }
    }
}
