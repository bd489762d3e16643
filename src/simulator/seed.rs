//! The sample data: fixed names and ids, so that documentation and demonstrations can rely on them.
//!
//! Tests make what they need themselves; nothing depends on the sample but what people read.

use bytes::Bytes;

use super::world::{File, Thread, World};

/// Users that exist in the sample data.
pub const SAMPLE_USERS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// Groups of the sample data: alice owns the first, bob the second, carol the third, which is private.
pub const SAMPLE_GROUPS: [&str; 3] = ["66016455491585", "66016455491586", "66016455491587"];

/// The chat room of the sample data, owned by alice.
pub const SAMPLE_ROOM: &str = "662585489219";

/// A thread of the first group, owned by bob.
pub const SAMPLE_THREAD: &str = "179786360094768";

/// A shared file of the first group.
pub const SAMPLE_FILE: &str = "dbd88d20-e1d4-11ea-95fc-638fc2d59a8d";

const SAMPLE_THREAD_NUMBER: u64 = 179_786_360_094_768;

/// Adds the sample data; what has the same ids is replaced.
pub(super) fn plant(world: &mut World) {
    SAMPLE_USERS.iter().for_each(|user| world.add_user(user));
    let [first, second, third] = SAMPLE_GROUPS;

    let group = world.add_group(first, "alice", &["bob", "carol", "dave"]);
    group.name = "book club".into();
    group.description = "one book a month".into();
    group.announcement = "next meeting on Thursday".into();
    group.place.admins.push("bob".into());
    let file = File {
        id: SAMPLE_FILE.into(),
        name: "reading-list.txt".into(),
        owner: "alice".into(),
        content_type: "text/plain".into(),
        bytes: Bytes::from_static(b"Moby-Dick\nMiddlemarch\n"),
        created: group.created,
    };
    group.files.push(file);

    let group = world.add_group(second, "bob", &["alice", "erin"]);
    group.name = "cyclists".into();
    group.description = "rides on Sundays".into();

    let group = world.add_group(third, "carol", &["alice", "bob", "erin", "frank"]);
    group.name = "committee".into();
    group.public = false;
    group.members_only = true;

    world.add_room(SAMPLE_ROOM, "alice", &["bob", "carol", "dave", "erin"]);
    let (bob, carol) = (world.next(), world.next());
    let thread = Thread {
        group: first.into(),
        name: "chapter one".into(),
        owner: "bob".into(),
        message: "1920".into(),
        created: world.now,
        members: vec![("bob".into(), bob), ("carol".into(), carol)],
    };
    world.threads.insert(SAMPLE_THREAD_NUMBER, thread);
}
