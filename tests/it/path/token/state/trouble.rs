//! A folder with which something is wrong: told, and no reason to stop.

use super::{Life, no_grants, report, trouble};
use crate::path::token::{group, renew, secs};
use easemob_gateway::token::Remembered;
use std::fs;
use std::os::unix::fs::symlink;
use tokio::time::sleep;

/// Something is done to the folder between two processes; the second one starts, says so, and works.
async fn survives(what: &str, spoil: impl Fn(&Life), grants: usize, complaint: &str) {
    let life = Life::new();
    assert!(life.restart().await, "{what}");
    spoil(&life);
    let world = life.process();
    if !complaint.is_empty() {
        assert!(trouble(&world).contains(complaint), "{what}: {}", trouble(&world));
    }
    assert_eq!(world.get(&group()).await.status, 200, "{what}");
    assert_eq!(life.grants(), grants, "{what}");
}

#[tokio::test(start_paused = true)]
async fn whatever_lies_in_the_place_of_the_token_is_a_warning() {
    let put = |bytes: &'static [u8]| move |life: &Life| fs::write(life.path("token"), bytes).unwrap();
    survives("gone", |life| fs::remove_file(life.path("token")).unwrap(), 2, "").await;
    survives("empty", put(b""), 2, "token is damaged").await;
    survives("noise", put(b"\x00\xff\xfe noise"), 2, "token is damaged").await;
    survives(
        "another version",
        put(b"easemob-gateway token 2\nxxxxxxxxxxxxxxxxxxxxxxxxx"),
        2,
        "of another version",
    )
    .await;
    let cut = |life: &Life| {
        let whole = fs::read(life.path("token")).unwrap();
        fs::write(life.path("token"), &whole[..whole.len() / 2]).unwrap();
    };
    survives("cut", cut, 2, "token is damaged").await;
    let folder = |life: &Life| {
        fs::remove_file(life.path("token")).unwrap();
        fs::create_dir(life.path("token")).unwrap();
    };
    survives("a folder", folder, 2, "token cannot be read").await;
    let link = |life: &Life| {
        fs::rename(life.path("token"), life.path("elsewhere")).unwrap();
        symlink(life.path("elsewhere"), life.path("token")).unwrap();
    };
    survives("a link", link, 2, "no plain file").await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_history_counts_for_as_much_as_can_be_read() {
    let life = Life::new();
    no_grants(&life);
    for _ in 0..4 {
        life.restart().await;
        sleep(secs(10)).await;
    }
    assert_eq!(life.grants(), 4);
    let text = fs::read_to_string(life.path("grants")).unwrap();
    let times: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(times.len(), 4, "{text}");
    assert!(times.iter().all(|time| time.parse::<u64>().is_ok()), "times and nothing else: {text}");
    fs::write(life.path("grants"), text.replace(times[0], "noise")).unwrap();
    let world = life.process();
    assert!(trouble(&world).contains("3 times could be read"), "{}", trouble(&world));
    assert_eq!(report(&world).grants_left, 3);
}

#[tokio::test(start_paused = true)]
async fn whatever_lies_in_the_place_of_the_history_is_a_warning() {
    let put = |bytes: &'static [u8]| move |life: &Life| fs::write(life.path("grants"), bytes).unwrap();
    survives("gone", |life| fs::remove_file(life.path("grants")).unwrap(), 1, "").await;
    survives("empty", put(b""), 1, "grants is damaged").await;
    survives("noise", put(b"\x00\xff\xfe\n noise \n99999999999999999999999\n-1"), 1, "0 times").await;
    survives("another version", put(b"easemob-gateway grants 2 crc32=00000000\n12\n"), 1, "another version")
        .await;
    let long = |life: &Life| fs::write(life.path("grants"), vec![b'1'; 1 << 20]).unwrap();
    survives("too long", long, 1, "too long").await;
    let folder = |life: &Life| {
        fs::remove_file(life.path("grants")).unwrap();
        fs::create_dir(life.path("grants")).unwrap();
    };
    survives("a folder", folder, 1, "grants cannot be read").await;
    let lock = |life: &Life| {
        fs::remove_file(life.path("lock")).unwrap();
        fs::create_dir(life.path("lock")).unwrap();
    };
    survives("a folder for a lock", lock, 1, "cannot be locked").await;
    let file = |life: &Life| {
        fs::remove_dir_all(life.folder.path().join("state")).unwrap();
        fs::write(life.folder.path().join("state"), "a file").unwrap();
    };
    survives("a file for the folder", file, 2, "cannot be locked").await;
    let gone = |life: &Life| fs::remove_dir_all(life.folder.path().join("state")).unwrap();
    survives("no folder", gone, 2, "").await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_written_leaves_the_count_to_the_process() {
    // A folder in a file's place stands for a disk that is full or read-only: nothing can be put there.
    let life = Life::new();
    fs::create_dir_all(life.path("grants.new")).unwrap();
    no_grants(&life);
    let world = life.process();
    renew(&world);
    sleep(secs(900)).await;
    assert!(trouble(&world).contains("grants cannot be written"), "{}", trouble(&world));
    assert_eq!(world.metric("gateway_token_state_usable"), 0.0);
    assert_eq!((life.grants(), report(&world).grants_last_hour), (6, 6));
    fs::remove_dir(life.path("grants.new")).unwrap();
    sleep(secs(100)).await;
    assert_eq!(life.grants(), 7);
    assert_eq!(report(&world).remembered, Remembered::Well, "it is as it should be again");
    drop(world);
    assert_eq!(report(&life.process()).grants_last_hour, 7, "and nothing was lost");
}
