//! Every operation that the vendor reports, in both formats, against every read: once it is told, what the gateway
//! says is what the vendor would say.

use super::effects::{Change, changes, take};
use super::hear;
use crate::path::matrix::reads::reads;
use crate::path::matrix::scene::Scene;
use crate::path::oracle::untrue;
use crate::support::report::{believing, signed};
use easemob_gateway::telemetry::cells::Heard;
use serde_json::Value;
use std::collections::BTreeSet;

#[tokio::test(start_paused = true)]
async fn after_every_report_every_read_is_true() {
    let mut wrong = Vec::new();
    for change in changes() {
        for report in change.reports() {
            wrong.extend(told(&change, report).await);
        }
    }
    let some = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} faults, of which\n{some}", wrong.len());
}

/// What is untrue after this change and this report of it, with everything kept before.
async fn told(change: &Change, report: Value) -> Vec<String> {
    let scene = Scene::with(|config| config.callbacks = believing("secret = \"s3cr3t\""));
    let world = &scene.world;
    change.before.iter().for_each(|step| take(world, step));
    let all = reads(&scene);
    for (_, read) in &all {
        assert_eq!(untrue(world, read, &read.through(world).await), None);
    }
    change.happens(world);
    let mut stale = 0;
    for (_, read) in &all {
        let reply = read.through(world).await;
        stale += usize::from(untrue(world, read, &reply).is_some());
    }
    assert!(stale > 0, "nothing shows this, so it proves nothing: {report}");
    assert_eq!(hear(world, &signed(report.clone())), Heard::Touched, "{report}");
    let mut wrong = Vec::new();
    for (_, read) in &all {
        let found = untrue(world, read, &read.through(world).await);
        wrong.extend(found.map(|fault| format!("after {report}: {fault}")));
    }
    wrong
}

/// The tables of the code name nothing that is not tried here.
#[test]
fn every_operation_that_is_known_is_tried() {
    let tried: BTreeSet<String> = changes().iter().flat_map(Change::names).collect();
    let code = include_str!("../../../../src/easemob/callback.rs");
    let (tables, older) = code.split_once("const LEGACY").unwrap();
    let older = older.split_once("];").unwrap().0;
    let mut known: BTreeSet<String> = older
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix("(\"")?.split('"').next()?.to_owned()))
        .collect();
    for change in tables.replace("ADD_REMOVE,", "&[\"ADD\", \"REMOVE\"],").split("Change(").skip(2) {
        let Some((operation, rest)) =
            change.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'))
        else {
            continue;
        };
        let kinds = rest.split(['[', ']']).nth(1).unwrap();
        // The newer format has no event for attributes.
        known.extend((kinds.is_empty() && operation != "ATTRIBUTES").then(|| format!("{operation} ")));
        known.extend(kinds.split('"').skip(1).step_by(2).map(|kind| format!("{operation} {kind}")));
    }
    assert!(known.len() > 50, "the tables were not found: {known:?}");
    let missing: Vec<&String> = known.difference(&tried).collect();
    assert_eq!(missing, Vec::<&String>::new());
}
