//! Which write reaches which read: what the vendor's event pages say becomes stale, and nothing that does not.
//!
//! Here by the forms of tags alone, for every write; that the right group, user and thread is meant is shown
//! against the stand-in.

use easemob_gateway::catalogue::{Effect, EndpointId, table};
use easemob_gateway::easemob;
use std::collections::BTreeSet;

/// write: the reads that it must reach; after a bar those that it must not.
const STALE: &str = "
group.create: LISTS group.joined.read | thread.list
group.delete: GROUP LISTS THREADS
group.update: group.read group.members.list group.admins.list LISTS | group.mutes.list group.files.list THREADS
group.disable: group.read LISTS
group.enable: group.read LISTS
group.announcement.set: group.announcement.read | group.read group.members.list LISTS THREADS
group.ban.set: group.read | group.mutes.list group.members.list THREADS
group.ban.clear: group.read | group.mutes.list group.members.list THREADS
group.members.add: MEMBERSHIP | group.mutes.list group.blocks.list group.announcement.read THREADS
group.members.add.batch: MEMBERSHIP | group.mutes.list group.blocks.list group.announcement.read THREADS
group.members.remove: MEMBERSHIP LEFT | group.blocks.list group.announcement.read group.files.list thread.list
group.blocks.add: MEMBERSHIP LEFT group.blocks.list | group.announcement.read group.files.list thread.list
group.blocks.add.batch: MEMBERSHIP LEFT group.blocks.list | group.announcement.read group.files.list thread.list
group.blocks.remove: group.blocks.list | group.read group.members.list LISTS THREADS
group.admins.add: group.admins.list group.read group.members.list | group.mutes.list THREADS
group.admins.remove: group.admins.list group.read group.members.list | group.mutes.list THREADS
group.admins.remove.bare: group.admins.list group.read group.members.list | group.mutes.list THREADS
group.allowed.add: group.allowed.list | group.read group.mutes.list LISTS THREADS
group.allowed.add.batch: group.allowed.list | group.read group.mutes.list LISTS THREADS
group.allowed.remove: group.allowed.list | group.read group.mutes.list LISTS THREADS
group.mutes.add: group.mutes.list | group.read group.members.list LISTS THREADS
group.mutes.remove: group.mutes.list | group.read group.members.list LISTS THREADS
group.mutes.remove.role: group.mutes.list | group.read group.members.list LISTS THREADS
group.files.upload: group.files.list | group.read LISTS THREADS
group.files.delete: group.files.list | group.read LISTS THREADS
group.other: GROUP LISTS MEMBERSHIP LEFT
attributes.set: attributes.read attributes.read.batch | group.read group.members.list LISTS THREADS
attributes.other: attributes.read attributes.read.batch | group.read group.members.list LISTS THREADS
thread.create: thread.list thread.list.joined thread.list.joined.group | group.read LISTS
thread.update: thread.list thread.list.joined thread.list.joined.group | thread.members.list group.read LISTS
thread.delete: THREADS | group.read LISTS
thread.members.add: thread.members.list thread.list.joined thread.list.joined.group | thread.list group.read
thread.members.remove: thread.members.list thread.list.joined thread.list.joined.group | thread.list group.read
thread.other: THREADS
room.mutes.add: room.mutes.list | group.mutes.list
room.mutes.remove: room.mutes.list | group.mutes.list
room.ban.set:| room.mutes.list group.mutes.list
room.ban.clear: | room.mutes.list group.mutes.list
room.self: room.mutes.list
room.other: room.mutes.list
room.create: | room.mutes.list LISTS
user.groups.join: MEMBERSHIP
user.create: | LISTS THREADS
user.delete: MEMBERSHIP LEFT group.blocks.list room.mutes.list
user.delete.batch: MEMBERSHIP LEFT group.blocks.list room.mutes.list
user.deactivate: group.joined.read group.list.joined user.groups.list
user.self: group.joined.read group.list.joined user.groups.list
user.other: group.joined.read group.list.joined user.groups.list
";

/// What the capitals stand for.
const WORDS: &[(&str, &str)] = &[
    ("LISTS", "group.list group.list.joined user.groups.list"),
    ("THREADS", "thread.list thread.list.joined thread.list.joined.group thread.members.list"),
    (
        "GROUP",
        "group.read group.joined.read group.announcement.read group.files.list group.members.list \
         group.admins.list group.blocks.list group.allowed.list group.mutes.list attributes.read \
         attributes.read.batch",
    ),
    (
        "MEMBERSHIP",
        "group.members.list group.read group.joined.read group.list group.list.joined user.groups.list",
    ),
    // Whoever leaves a group leaves its threads; whether his roles and attributes stay is not documented.
    (
        "LEFT",
        "group.admins.list group.mutes.list group.allowed.list attributes.read attributes.read.batch \
         thread.list.joined thread.list.joined.group thread.members.list",
    ),
];

fn named(text: &str) -> Vec<&str> {
    let expand = |word: &'static str| word.split_whitespace();
    text.split_whitespace()
        .flat_map(|name| match WORDS.iter().find(|(word, _)| *word == name) {
            Some((_, names)) => expand(names).collect(),
            None => vec![name],
        })
        .collect()
}

#[test]
fn every_write_reaches_the_reads_that_it_makes_stale_and_no_others() {
    let catalogue = easemob::catalogue("org", "app").unwrap();
    let ids: Vec<(EndpointId, &str, &Effect)> =
        catalogue.rows().map(|(id, row)| (id, row.endpoint.name, &row.endpoint.effect)).collect();
    let reads: BTreeSet<&str> = ids
        .iter()
        .filter(|(_, _, effect)| matches!(effect, Effect::Read(_)))
        .map(|(_, name, _)| *name)
        .collect();
    let mut wrong = String::new();
    let mut seen = BTreeSet::new();
    for line in STALE.lines().skip(1) {
        let (write, rest) = line.split_once(':').expect(line);
        let (stale, stays) = rest.split_once('|').unwrap_or((rest, ""));
        let (id, _, _) = ids.iter().find(|(_, name, _)| *name == write).expect(line);
        let reached: BTreeSet<&str> = table::reads_reached(&catalogue, *id).collect();
        seen.insert(write);
        for (names, must) in [(stale, true), (stays, false)] {
            for read in named(names) {
                assert!(reads.contains(read), "{read} in {line}");
                if reached.contains(read) != must {
                    wrong +=
                        &format!("{write} {} {read}\n", if must { "must reach" } else { "must not reach" });
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    for (_, name, effect) in ids {
        assert!(!matches!(effect, Effect::Write(_)) || seen.contains(name), "{name} is not judged here");
    }
}
