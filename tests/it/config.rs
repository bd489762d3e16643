//! The configuration: that good files load, that bad ones are explained, and that the file of all
//! settings tells the truth.
//!
//! Bad files stand in `config/invalid`, each beside the exact words expected. `REWRITE=1` in the
//! environment writes those words anew, to be read as a diff.

#![allow(clippy::expect_used, reason = "a test ends where its helper fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use easemob_gateway::config::{Config, Known, Loaded, Mistakes, load};
use proptest::prelude::*;

mod changes;
mod secrets;

const RECIPIENTS: &str = "message.users.recipients";

/// `group.create` spends from a pool of another name.
fn known() -> Known {
    Known {
        endpoints: vec![
            "group.read",
            "group.create",
            "group.mute.add",
            "room.read",
            "message.send",
            "token.user",
        ],
        by_name: vec!["token.user"],
        pools: vec!["group.read", "group.mute.add", "room.read", "groups", "message.send", RECIPIENTS],
        weighed: vec![RECIPIENTS],
    }
}

const SECRET: &str = "hunter2-do-not-show";

fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let secret = [("EASEMOB_CLIENT_SECRET", SECRET), ("EASEMOB_CALLBACK_SECRET", SECRET)];
    let pairs: Vec<_> =
        secret.iter().chain(pairs).map(|(name, value)| ((*name).into(), (*value).into())).collect();
    pairs.into_iter()
}

fn load_file(path: impl AsRef<Path>) -> Result<Loaded, Mistakes> {
    load(path.as_ref(), environment(&[]), &known())
}

fn minimal_with(pairs: &[(&str, &str)]) -> Result<Loaded, Mistakes> {
    load(Path::new("config/minimal.toml"), environment(pairs), &known())
}

/// Loads a text as a file of its own folder, which is gone afterwards.
fn load_text(text: &str) -> Result<Loaded, Mistakes> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).expect("written");
    load_file(path)
}

fn files(folder: &str) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).expect(folder);
    let mut paths: Vec<_> = listed.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    assert!(!paths.is_empty(), "{folder} has no files");
    paths
}

/// `section.key` for every setting that a text names, whether it is set or stands behind a `# `.
fn named_settings(text: &str) -> Vec<String> {
    let is_key = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let mut section = String::new();
    let mut names = Vec::new();
    for line in text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)) {
        if line.starts_with('[') {
            let heading = line.trim_matches(['[', ']']);
            section = heading.split('.').next().expect("a first part").to_owned();
        } else if let Some((key, _)) = line.split_once(" = ").or_else(|| line.split_once(" is not set"))
            && is_key(key)
        {
            names.push(format!("{section}.{key}"));
        }
    }
    names
}

/// The text with its commented-out settings and sections set.
fn everything_set(text: &str) -> String {
    let set = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || !named_settings(rest).is_empty() => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(set).collect()
}

#[test]
fn good_files_load() {
    for path in files("tests/it/config/valid") {
        if let Err(mistakes) = load_file(&path) {
            panic!("{}:\n{mistakes}", path.display());
        }
    }
}

#[test]
fn bad_files_are_explained() {
    for path in files("tests/it/config/invalid") {
        let shown = load_file(&path).expect_err(&path.display().to_string()).to_string() + "\n";
        assert!(!shown.contains("hunter2"), "a secret is shown:\n{shown}");
        let words = path.with_extension("txt");
        if std::env::var_os("REWRITE").is_some() {
            std::fs::write(&words, &shown).expect("written");
        }
        let expected = std::fs::read_to_string(&words).unwrap_or_default();
        assert_eq!(shown, expected, "{}", path.display());
    }
}

#[test]
fn the_file_of_all_settings_has_the_true_defaults() {
    let all = load_file("config/gateway.toml").expect("gateway.toml loads").config;
    let least = load_file("config/minimal.toml").expect("minimal.toml loads").config;
    assert_eq!(all, least);
    assert_eq!(all.print(), least.print());
}

#[test]
fn the_file_of_all_settings_names_each_exactly_once() {
    let text = std::fs::read_to_string("config/gateway.toml").expect("gateway.toml");
    let named = named_settings(&text);
    let mut set = everything_set(&text);
    for file in ["company-ca.pem", "gateway.crt", "gateway.key", "services-ca.pem"] {
        set = set.replace(file, "gateway.toml");
    }
    let set = load_text(&set.replace("address = \"127.0.0.1:8080\"", "address = \"tls:127.0.0.1:8080\""));
    let exist = named_settings(&set.expect("its examples are good").config.print());
    let [named_once, exist_once] = [&named, &exist].map(|names| names.iter().collect::<BTreeSet<_>>());
    assert_eq!(named_once, exist_once);
    assert_eq!(named.len(), named_once.len(), "a setting stands there twice");
    assert!(named.len() > 50, "only {} were found", named.len());
}

#[test]
fn every_setting_of_the_file_says_why() {
    let text = std::fs::read_to_string("config/gateway.toml").expect("gateway.toml");
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        if !named_settings(pair[1]).is_empty() {
            let comment = pair[0].starts_with("# ") && named_settings(pair[0]).is_empty();
            assert!(comment, "nothing is said about {:?}", pair[1]);
        }
    }
}

#[test]
fn every_flat_setting_can_come_from_the_environment() {
    let printed = load_file("config/minimal.toml").expect("loads").config.print();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, ca_file) = (folder.path().join("empty.toml"), folder.path().join("ca.pem"));
    for path in [&path, &ca_file] {
        std::fs::write(path, "").expect("written");
    }
    let mut section = "";
    let mut pairs = Vec::new();
    for line in printed.lines() {
        if let Some((key, value)) = line.split_once(" = ") {
            // A list stands in a variable with commas.
            let value = if key == "client_secret" { SECRET } else { value.trim_matches(['[', ']', '"']) };
            pairs.push((format!("EASEMOB_GATEWAY_{section}_{key}").to_uppercase(), value.to_owned()));
        } else if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        }
    }
    assert!(pairs.len() > 50, "only {} were found", pairs.len());
    pairs.push(("EASEMOB_GATEWAY_VENDOR_CA_FILE".to_owned(), "ca.pem".to_owned()));
    let loaded = load(&path, pairs.into_iter(), &known()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let again =
        loaded.config.print().replace("EASEMOB_GATEWAY_VENDOR_CLIENT_SECRET", "EASEMOB_CLIENT_SECRET");
    assert_eq!(again.replace(&format!("ca_file = {ca_file:?}"), "# ca_file is not set"), printed);
}

#[test]
fn a_list_in_the_environment_has_commas() {
    let (one, other) = (format!("sha256:{:064}", 1), format!("sha256:{:064}", 2));
    let keys = |text: &str| {
        minimal_with(&[("EASEMOB_GATEWAY_ADMIN_KEYS", text)]).map(|loaded| loaded.config.admin.keys)
    };
    assert_eq!(keys("").expect("no key").len(), 0);
    let both = keys(&format!(" {one}, {other} ,")).expect("two keys");
    assert_eq!(both.iter().map(ToString::to_string).collect::<Vec<_>>(), [one.clone(), other]);
    for bad in [format!("{one},{one}"), format!("{one},egk_nothing"), one[1..].to_owned()] {
        let mistakes = keys(&bad).expect_err("no digests").to_string();
        assert!(mistakes.contains("admin.keys") && !mistakes.contains("egk_nothing"), "{mistakes}");
    }
}

#[test]
fn keys_are_an_operators_or_a_callers() {
    let key = format!("sha256:{:064}", 1);
    let text = std::fs::read_to_string("config/minimal.toml").expect("the file");
    let callers = format!("[[callers]]\nname = \"a\"\nkeys = [\"{key}\"]\nallow = [\"*\"]\n");
    let text = format!("{text}\n[admin]\nkeys = [\"{key}\"]\n{callers}");
    let mistakes = load_text(&text).expect_err("one key for both").to_string();
    assert!(mistakes.contains("admin.keys[0]: \"a\" has the same key"), "{mistakes}");
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let shown = minimal_with(&[
        ("EASEMOB_GATEWAY_LISTEN_WORKERS", "many"),
        ("EASEMOB_GATEWAY_LISTEN_HEAD_TIMEOUT", "10"),
        ("EASEMOB_GATEWAY_LISTEN_ADRESS", "127.0.0.1:1"),
        ("EASEMOB_GATEWAY_CACHE_BYTES_MAX", "1MB"),
    ])
    .expect_err("four mistakes")
    .to_string();
    let expected = r#"
environment variable EASEMOB_GATEWAY_CACHE_BYTES_MAX: cache.bytes_max: "1MB" is not allowed
expected "1MiB" to "64GiB"

environment variable EASEMOB_GATEWAY_LISTEN_ADRESS: no setting has this name
did you mean EASEMOB_GATEWAY_LISTEN_ADDRESS?

environment variable EASEMOB_GATEWAY_LISTEN_HEAD_TIMEOUT: listen.head_timeout: "10" is not a duration
expected a whole number and ms, s, m, h or d, as in "30s"

environment variable EASEMOB_GATEWAY_LISTEN_WORKERS: listen.workers: "many" will not do
expected a whole number, as in 100

4 mistakes in the configuration config/minimal.toml"#;
    assert_eq!(shown, expected.trim_start());
}

#[test]
fn what_kubernetes_tells_of_a_service_is_no_mistake() {
    let told = [
        ("EASEMOB_GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("EASEMOB_GATEWAY_SERVICE_PORT", "8080"),
        ("EASEMOB_GATEWAY_SERVICE_PORT_HTTP", "8080"),
        ("EASEMOB_GATEWAY_PORT", "tcp://10.0.0.1:8080"),
        ("EASEMOB_GATEWAY_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("EASEMOB_GATEWAY_PORT_8080_TCP_PROTO", "tcp"),
        ("EASEMOB_GATEWAY_ADMIN_PORT_9090_TCP_ADDR", "10.0.0.1"),
    ];
    assert!(minimal_with(&told).is_ok());
    assert!(minimal_with(&[("EASEMOB_GATEWAY_LISTEN_PORT", "8081")]).is_err(), "a mistake of a person");
}

#[test]
fn the_environment_goes_before_the_file() {
    let pairs = [("EASEMOB_GATEWAY_VENDOR_ORG", "other"), ("EASEMOB_GATEWAY_LISTEN_WORKERS", "3")];
    let Config { vendor, listen, .. } = minimal_with(&pairs).expect("loads").config;
    assert_eq!((vendor.org.as_str(), listen.workers), ("other", 3));
}

#[test]
fn what_is_printed_loads_as_the_same() {
    let path = Path::new("tests/it/config/valid/everything.toml");
    let printed = load_file(path).expect("loads").config.print();
    assert!(load_text(&printed).is_err(), "the place of a hidden secret is taken for a secret");
    let hidden = r#""<hidden: from environment variable EASEMOB_CLIENT_SECRET>""#;
    let again = load_text(&printed.replace(hidden, r#"{ env = "EASEMOB_CLIENT_SECRET" }"#));
    assert_eq!(again.unwrap_or_else(|mistakes| panic!("{mistakes}")).config.print(), printed);
}

#[test]
fn patterns_match_by_beginning_end_or_whole() {
    let config = load_file("tests/it/config/valid/everything.toml").expect("loads").config;
    let matched = |index: usize| {
        let allow = &config.callers[index].allow;
        let known = known();
        let matching =
            known.endpoints.iter().filter(|name| allow.iter().any(|pattern| pattern.matches(name)));
        matching.copied().collect::<Vec<_>>()
    };
    assert_eq!(matched(0), ["group.read", "group.create", "group.mute.add", "room.read"]);
    assert!(matched(1).is_empty(), "who has no rule may nothing");
    assert_eq!(matched(2), ["message.send"]);
}

#[test]
fn origins_are_taken_apart() {
    for (text, authority, host, port) in [
        ("https://A1.easemob.com/", "a1.easemob.com", "a1.easemob.com", 443),
        ("https://a1.easemob.com:8443", "a1.easemob.com:8443", "a1.easemob.com", 8443),
        ("http://[::1]:8000", "[::1]:8000", "::1", 8000),
        ("http://127.0.0.1", "127.0.0.1", "127.0.0.1", 80),
        ("https://[2001:db8::1]", "[2001:db8::1]", "2001:db8::1", 443),
    ] {
        let origin =
            minimal_with(&[("EASEMOB_GATEWAY_VENDOR_ORIGIN", text)]).expect(text).config.vendor.origin;
        assert_eq!((origin.authority().as_str(), origin.host.as_str(), origin.port), (authority, host, port));
    }
    for text in [
        "",
        "a1.easemob.com",
        "ftp://a1.easemob.com",
        "https://",
        "https://u:p@a1.easemob.com",
        "https://a1.easemob.com/x",
        "https://a1.easemob.com?x",
        "https://a1.easemob.com#x",
        "https://a1.easemob.com:0",
        "https://a1.easemob.com:99999",
        "http://a1.easemob.com",
    ] {
        assert!(minimal_with(&[("EASEMOB_GATEWAY_VENDOR_ORIGIN", text)]).is_err(), "{text:?} is no origin");
    }
}

#[test]
fn what_is_dangerous_but_meant_is_a_warning() {
    let loaded = minimal_with(&[
        ("EASEMOB_GATEWAY_ADMIN_ADDRESS", "0.0.0.0:9090"),
        ("EASEMOB_GATEWAY_ADMIN_OPEN", "true"),
        ("EASEMOB_GATEWAY_VENDOR_ORIGIN", "http://vendor.example"),
        ("EASEMOB_GATEWAY_VENDOR_ALLOW_PLAIN_HTTP", "true"),
    ]);
    assert_eq!(loaded.expect("loads").warnings.len(), 2);
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_like_others() {
    let shown = load_file("nowhere.toml").expect_err("not there").to_string();
    assert!(shown.starts_with("nowhere.toml: No such file"), "{shown}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, b"[vendor]\norg = \"\xff\"").expect("written");
    assert!(load_file(path).expect_err("not UTF-8").to_string().contains("byte 16 is not UTF-8"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r##"([\[\]{}='"#.\n\r\t a-c0-9\u{e4}\u{1F600}]|vendor|callers|keys|limits|endpoints){0,60}"##) {
        let _ = load_text(&text).map_err(|mistakes| mistakes.to_string());
    }
}
