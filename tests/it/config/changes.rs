//! A configuration that changes: when a file counts as changed, and what a change may touch.

use easemob_gateway::config::Files;

use super::load_text;

#[test]
fn a_file_has_changed_when_two_looks_have_seen_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, other) = (folder.path().join("gateway.toml"), folder.path().join("key"));
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    write("first");
    std::fs::write(&other, "key").expect("written");
    let mut files = Files::new(vec![file.clone(), other.clone()]);
    assert!(!files.changed());
    // Somebody is writing: half of it, all of it, and then it stays.
    write("sec");
    assert!(!files.changed());
    write("second");
    assert!(!files.changed() && files.changed() && !files.changed());
    // Written again as it is, or changed and taken back between two looks.
    write("second");
    assert!(!files.changed() && !files.changed());
    write("third");
    assert!(!files.changed());
    write("second");
    assert!(!files.changed() && !files.changed());
    // Gone, and emptied, are changes; and so is any of the other files.
    std::fs::remove_file(&file).expect("removed");
    assert!(!files.changed() && files.changed() && !files.changed());
    write("");
    assert!(!files.changed() && files.changed());
    std::fs::write(&other, "another").expect("written");
    assert!(!files.changed() && files.changed());
    // What was read on request is no change any more.
    write("fourth");
    files.reread();
    assert!(!files.changed() && !files.changed());
}

#[test]
fn every_setting_is_taken_or_named() {
    let first = load_text(&std::fs::read_to_string("config/minimal.toml").expect("minimal.toml"))
        .expect("loads")
        .config;
    let second = load_text(
        &std::fs::read_to_string("tests/it/config/valid/everything.toml")
            .expect("a file")
            .replace("ca_file = \"everything.toml\"", ""),
    )
    .expect("loads")
    .config;
    let (next, restart) = first.changed_to(&second);
    for taken in ["endpoints", "callers", "log.level", "vendor.unlisted"] {
        assert!(!restart.iter().any(|name| name.starts_with(taken)), "{taken}: {restart:?}");
    }
    for named in
        ["vendor.origin", "vendor.client_id", "listen.address", "admin.address", "cache.slots", "log.format"]
    {
        assert!(restart.iter().any(|name| name == named), "{named}: {restart:?}");
    }
    // With what was taken, nothing else differs but what was named.
    let (mut ours, mut theirs) = (next.print(), second.print());
    for name in &restart {
        let key = name.split('.').nth(1).expect("a key");
        let without =
            |text: &str| text.lines().filter(|line| !line.contains(key)).collect::<Vec<_>>().join("\n");
        (ours, theirs) = (without(&ours), without(&theirs));
    }
    assert_eq!(ours, theirs);
    let (same, nothing) = next.changed_to(&next);
    assert_eq!((same, nothing), (next, Vec::new()));
}
