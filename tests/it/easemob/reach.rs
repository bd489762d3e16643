//! Which write reaches which read: what the vendor's event pages say becomes stale, and nothing that does not.
//!
//! Here by the forms of tags alone, for every write; that the right group, user and thread is meant is shown
//! against the stand-in.

use easemob_gateway::catalogue::{Effect, EndpointId, table};
use easemob_gateway::easemob;
use std::collections::BTreeSet;

/// write: the reads that it must reach; after a bar those that it must not.
const STALE: &str = "
group.create: LISTS group.joined.read group.count group.list.public | thread.list
group.delete: GROUP LISTS THREADS
group.update: group.list.public group.read group.members.list group.admins.list LISTS | group.mutes.list group.files.list THREADS
group.disable: group.read LISTS group.list.public
group.enable: group.read LISTS group.list.public
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
attributes.set: ATTRIBUTES | group.read group.members.list LISTS THREADS
attributes.other: ATTRIBUTES | group.read group.members.list LISTS THREADS
thread.create: thread.list thread.list.joined thread.list.joined.group | group.read LISTS
thread.update: thread.list thread.list.joined thread.list.joined.group | thread.members.list group.read LISTS
thread.delete: THREADS | group.read LISTS
thread.members.add: thread.members.list thread.list.joined thread.list.joined.group | thread.list group.read
thread.members.remove: thread.members.list thread.list.joined thread.list.joined.group | thread.list group.read
thread.other: THREADS
group.quit: MEMBERSHIP LEFT | group.blocks.list group.announcement.read group.files.list thread.list ROOM
group.join.apply: MEMBERSHIP | group.mutes.list group.blocks.list group.announcement.read THREADS ROOM
group.join.apply.verify: MEMBERSHIP | group.mutes.list group.blocks.list group.announcement.read THREADS ROOM
group.join.invite: MEMBERSHIP | group.mutes.list group.blocks.list group.announcement.read THREADS ROOM
group.join.invite.verify: MEMBERSHIP | group.mutes.list group.blocks.list group.announcement.read THREADS ROOM
group.shield.set: group.shield.list | group.read group.members.list LISTS
group.shield.clear: group.shield.list | group.read group.members.list LISTS
attributes.set.batch: ATTRIBUTES | group.read group.members.list LISTS THREADS
room.create: ROOMLISTS | room.superadmins.list GROUP LISTS
room.update: room.read room.members.list room.admins.list ROOMLISTS | room.mutes.list room.blocks.list GROUP LISTS
room.delete: ROOM ROOMLISTS | room.superadmins.list GROUP LISTS
room.announcement.set: room.announcement.read | room.read ROOMLISTS group.announcement.read
room.attributes.set: room.attributes.read | room.read ROOMLISTS ATTRIBUTES
room.attributes.set.forced: room.attributes.read | room.read ROOMLISTS ATTRIBUTES
room.attributes.remove: room.attributes.read | room.read ROOMLISTS ATTRIBUTES
room.attributes.remove.forced: room.attributes.read | room.read ROOMLISTS ATTRIBUTES
room.attributes.other: room.attributes.read | room.read ROOMLISTS ATTRIBUTES
room.superadmins.add: room.superadmins.list | ROOM ROOMLISTS
room.superadmins.remove: room.superadmins.list | ROOM ROOMLISTS
room.members.add: ROOMMEMBERSHIP | room.mutes.list room.blocks.list room.announcement.read MEMBERSHIP
room.members.add.batch: ROOMMEMBERSHIP | room.mutes.list room.blocks.list room.announcement.read MEMBERSHIP
room.members.remove: ROOMMEMBERSHIP ROOMLEFT | room.blocks.list room.announcement.read MEMBERSHIP
room.blocks.add: ROOMMEMBERSHIP ROOMLEFT room.blocks.list | room.announcement.read MEMBERSHIP
room.blocks.add.batch: ROOMMEMBERSHIP ROOMLEFT room.blocks.list | room.announcement.read MEMBERSHIP
room.blocks.remove: room.blocks.list | room.read ROOMLISTS group.blocks.list
room.admins.add: room.admins.list room.read room.members.list | room.mutes.list ROOMLISTS group.admins.list
room.admins.remove: room.admins.list room.read room.members.list | room.mutes.list ROOMLISTS group.admins.list
room.allowed.add: room.allowed.list | room.read room.mutes.list group.allowed.list
room.allowed.add.batch: room.allowed.list | room.read room.mutes.list group.allowed.list
room.allowed.remove: room.allowed.list | room.read room.mutes.list group.allowed.list
room.mutes.add: room.mutes.list | room.read group.mutes.list
room.mutes.remove: room.mutes.list | room.read group.mutes.list
room.ban.set: room.read | room.mutes.list group.mutes.list
room.ban.clear: room.read | room.mutes.list group.mutes.list
room.tags.set: room.tags.read | room.read ROOMLISTS
room.tags.mute: room.mutes.list room.tags.read | room.members.list group.mutes.list
room.other: ROOM ROOMLISTS | room.superadmins.list GROUP LISTS
user.activate: group.joined.read group.list.joined user.groups.list room.list.joined
user.disconnect: room.list.joined group.list.joined | room.list group.read group.mutes.list
user.groups.join: MEMBERSHIP
user.create: | LISTS THREADS
user.delete: MEMBERSHIP LEFT group.blocks.list ROOM ROOMLISTS room.superadmins.list group.list.public group.count
user.delete.batch: MEMBERSHIP LEFT group.blocks.list ROOM ROOMLISTS room.superadmins.list group.list.public group.count
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
         group.admins.list group.blocks.list group.allowed.list group.mutes.list group.members.count \
         group.shield.list attributes.read attributes.read.batch attributes.read.sdk",
    ),
    ("ATTRIBUTES", "attributes.read attributes.read.batch attributes.read.sdk"),
    ("ROOMLISTS", "room.list room.list.joined"),
    (
        "ROOM",
        "room.read room.announcement.read room.attributes.read room.members.list room.admins.list \
         room.blocks.list room.allowed.list room.mutes.list room.tags.read",
    ),
    (
        "ROOMMEMBERSHIP",
        "room.members.list room.read room.list room.list.joined room.attributes.read room.tags.read",
    ),
    ("ROOMLEFT", "room.admins.list room.mutes.list room.allowed.list"),
    (
        "MEMBERSHIP",
        "group.members.list group.members.count group.read group.joined.read group.list group.list.joined \
         group.list.public user.groups.list",
    ),
    // Whoever leaves a group leaves its threads; whether his roles and attributes stay is not documented.
    (
        "LEFT",
        "group.admins.list group.mutes.list group.allowed.list attributes.read attributes.read.batch \
         attributes.read.sdk thread.list.joined thread.list.joined.group thread.members.list",
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
