//! Reloads of the running program: by signal and by itself, of good files and of bad ones, under load, and told to
//! operators and to the service manager.

use crate::support::house::{Vendor, configuration};
use crate::support::program::{Folder, Served};
use crate::support::wire::{Message, Talk, get, soon};
use easemob_gateway::caller::key;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use futures_util::future::join_all;
use serde_json::Value;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A caller's key, and its section.
fn caller(name: &str) -> (String, String) {
    let (key, digest) = key::generate().expect("chance");
    (key, format!("[[callers]]\nname = \"{name}\"\nkeys = [\"{digest}\"]\nallow = [\"*\"]\n"))
}

fn read_group(key: &str) -> String {
    let head = format!("\r\nAuthorization: Bearer {key}\r\n\r\n");
    get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0])).replacen("\r\n\r\n", &head, 1)
}

async fn status(served: &Served) -> Value {
    serde_json::from_str(&served.look("/status").await.1).expect("JSON")
}

async fn metric(served: &Served, series: &str) -> Option<String> {
    let page = served.look("/metrics").await.1;
    page.lines().find_map(|line| line.strip_prefix(&format!("{series} ")).map(str::to_owned))
}

/// Waits until so many have been taken.
async fn applied(served: &Served, count: &str) {
    let series = "gateway_config_reloads_total{outcome=\"applied\"}";
    soon(async { while metric(served, series).await.as_deref() != Some(count) {} }).await;
}

#[tokio::test]
async fn a_signal_takes_callers_in_and_out_under_an_open_connection() {
    let vendor = Vendor::start().await;
    let ((old, section), (new, other)) = (caller("old"), caller("new"));
    let with = |callers: &str| configuration(&vendor.origin(), "", callers);
    let mut served = Served::start(&with(&section)).await;
    let mut talk = served.talk().await;
    assert_eq!(talk.ask(read_group(&old)).await.status(), 200);
    assert_eq!(talk.ask(read_group(&new)).await.status(), 401);
    served.reconfigure(&with(&other));
    served.program.says("configuration reloaded").await;
    assert_eq!(talk.ask(read_group(&old)).await.status(), 401);
    assert_eq!(talk.ask(read_group(&new)).await.status(), 200);
    let status = status(&served).await;
    assert_eq!(status["callers"], serde_json::json!(["new"]));
    assert_eq!(status["config"]["refused"], Value::Null);
    let applied = metric(&served, "gateway_config_reloads_total{outcome=\"applied\"}").await;
    assert_eq!(applied.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_says_which_why_and_since_when() {
    let vendor = Vendor::start().await;
    let (key, section) = caller("orders");
    let good = configuration(&vendor.origin(), "", &section);
    let mut served = Served::start(&good).await;
    let bad = [
        String::new(),
        good.replace("[vendor]", "[vendor"),
        good.replace("[listen]", "[listen]\nworkerz = 2"),
        good.replace("sha256:", "sha256:zz"),
        good[..good.len() / 2].to_owned(),
    ];
    let mut since = None;
    for text in &bad {
        served.reconfigure(text);
        served.program.says("configuration not reloaded").await;
        let status = status(&served).await;
        let refused = &status["config"]["refused"];
        assert!(refused["why"].as_str().unwrap().contains("gateway.toml"), "{status}");
        // Since the first of them, whatever became of those that followed.
        assert_eq!(since.get_or_insert(refused["since"].clone()), &refused["since"]);
        assert_eq!(served.talk().await.ask(read_group(&key)).await.status(), 200);
    }
    let count = metric(&served, "gateway_config_reloads_total{outcome=\"refused\"}").await;
    assert_eq!(count, Some(bad.len().to_string()));
    assert_eq!(metric(&served, "gateway_config_refused").await.as_deref(), Some("1"));
    served.reconfigure(&good);
    served.program.says("configuration reloaded").await;
    assert_eq!(status(&served).await["config"]["refused"], Value::Null);
    assert_eq!(metric(&served, "gateway_config_refused").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn a_folder_that_is_exchanged_is_noticed_without_a_signal() {
    let vendor = Vendor::start().await;
    let ((old, section), (new, other)) = (caller("old"), caller("new"));
    let text = |callers: &str| {
        let text = configuration(&vendor.origin(), "", callers);
        text.replace("[admin]", "[admin]\nreload_every = \"20ms\"")
    };
    // As Kubernetes mounts a ConfigMap: the file is a link into a folder that is a link.
    let folder = Folder::with("");
    std::fs::remove_file(folder.path("gateway.toml")).unwrap();
    for (name, callers) in [("1", &section), ("2", &other)] {
        std::fs::create_dir(folder.path(name)).unwrap();
        std::fs::write(folder.path(name).join("gateway.toml"), text(callers)).unwrap();
    }
    std::os::unix::fs::symlink("1", folder.path("data")).unwrap();
    std::os::unix::fs::symlink("data/gateway.toml", folder.path("gateway.toml")).unwrap();
    let mut served = Served::start_in(folder, &[]).await;
    assert_eq!(served.talk().await.ask(read_group(&old)).await.status(), 200);
    std::os::unix::fs::symlink("2", served.folder.path("next")).unwrap();
    std::fs::rename(served.folder.path("next"), served.folder.path("data")).unwrap();
    served.program.says("configuration reloaded").await;
    assert_eq!(served.talk().await.ask(read_group(&old)).await.status(), 401);
    assert_eq!(served.talk().await.ask(read_group(&new)).await.status(), 200);
    // Gone altogether: told, and nothing changes.
    std::fs::remove_file(served.folder.path("data")).unwrap();
    served.program.says("configuration not reloaded").await;
    assert_eq!(served.talk().await.ask(read_group(&new)).await.status(), 200);
}

#[tokio::test]
async fn the_level_of_the_log_changes_while_it_is_written() {
    let vendor = Vendor::start().await;
    let text = |level: &str| {
        configuration(&vendor.origin(), "", &format!("[log]\nlevel = \"{level}\"\nhits_one_in = 1"))
    };
    let mut served = Served::start(&text("info")).await;
    served.reconfigure(&text("error"));
    // Not said any more: an error is what is left.
    applied(&served, "1").await;
    assert_eq!(served.talk().await.ask(read_group("none")).await.status(), 200);
    served.reconfigure(&text("info"));
    applied(&served, "2").await;
    assert_eq!(served.talk().await.ask(read_group("none")).await.status(), 200);
    served.program.says("gateway::exchange").await;
    let lines = served.program.said.iter().filter(|line| line.contains("gateway::exchange")).count();
    assert_eq!(lines, 1, "{:?}", served.program.said);
}

/// Asks until the connection ends, with its own say; what was lost, if something was.
async fn ask_on(mut talk: Talk, request: String, answers: &AtomicUsize) -> Result<(), String> {
    loop {
        talk.say(&request).await;
        let answer: Message = talk.hear().await.ok_or("the connection ended under a request")?;
        if answer.status() != 200 || !answer.whole {
            return Err(format!("{answer:?}"));
        }
        answers.fetch_add(1, Ordering::Relaxed);
        if answer.closes() {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn fifty_busy_connections_lose_nothing_through_ten_reloads_and_the_end() {
    let vendor = Vendor::start().await;
    let (key, section) = caller("orders");
    let text = |n: usize| {
        let text =
            configuration(&vendor.origin(), "", &format!("workers = 2\n{}{section}", caller("other").1));
        if n % 3 == 2 { text.replace("[listen]", "[listen") } else { text }
    };
    let mut served = Served::start(&text(0)).await;
    let answers = AtomicUsize::new(0);
    let mut talks = Vec::new();
    for _ in 0..50 {
        talks.push(served.talk().await);
    }
    let asked = join_all(talks.into_iter().map(|talk| ask_on(talk, read_group(&key), &answers)));
    let end = async {
        for n in 0..10 {
            let before = answers.load(Ordering::Relaxed);
            served.reconfigure(&text(n));
            let told = if n % 3 == 2 { "configuration not reloaded" } else { "configuration reloaded" };
            served.program.says(told).await;
            // Each connection has asked again since.
            while answers.load(Ordering::Relaxed) < before + 100 {
                tokio::task::yield_now().await;
            }
        }
        served.program.signal("TERM");
        served.program.ends().await
    };
    let (asked, code) = soon(async { tokio::join!(asked, end) }).await;
    assert_eq!(code, Some(0));
    let lost: Vec<_> = asked.into_iter().filter_map(Result::err).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[tokio::test]
async fn the_service_manager_is_told_what_it_does() {
    let vendor = Vendor::start().await;
    let text = configuration(&vendor.origin(), "", "");
    let unique = format!("easemob-gateway-{}", std::process::id());
    for name in ["a path", "a name"] {
        let folder = Folder::with(&text);
        let path = folder.path("notify").to_string_lossy().into_owned();
        let (socket, address) = if name == "a path" {
            (UnixDatagram::bind(&path).unwrap(), path)
        } else {
            use std::os::linux::net::SocketAddrExt as _;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(&unique).unwrap();
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{unique}"))
        };
        socket.set_nonblocking(true).unwrap();
        let socket = tokio::net::UnixDatagram::from_std(socket).unwrap();
        let mut served = Served::start_in(folder, &[("NOTIFY_SOCKET", &address)]).await;
        let hear = async || {
            let mut told = [0; 256];
            let length = soon(socket.recv(&mut told)).await.unwrap();
            String::from_utf8_lossy(&told[..length]).into_owned()
        };
        assert_eq!(hear().await, "READY=1", "{name}");
        served.reconfigure(&text);
        let reloading = hear().await;
        let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
        assert!(since.parse::<u64>().unwrap() > 0);
        assert_eq!(hear().await, "READY=1", "{name}");
        served.program.signal("TERM");
        assert_eq!(hear().await, "STOPPING=1", "{name}");
        assert_eq!(served.program.ends().await, Some(0));
    }
}

#[tokio::test]
async fn what_it_knows_is_never_dumped_into_a_file() {
    let vendor = Vendor::start().await;
    let served = Served::start(&configuration(&vendor.origin(), "", "")).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", served.program.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{line}");
    // What may not be dumped belongs to root (proc(5)), so that others of the same user cannot look into it.
    let shut = std::fs::metadata(format!("/proc/{}/environ", served.program.id())).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&shut), 0);
}

#[tokio::test]
async fn a_signal_takes_a_new_secret_at_once() {
    let vendor = Vendor::start().await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, "of-last-year").expect("a file");
    let text = configuration(&vendor.origin(), "", "").replace(
        "client_secret = \"demo-secret\"",
        &format!("client_secret = {{ file = {:?} }}", file.display().to_string()),
    );
    let mut served = Served::start(&text).await;
    served.program.says("no token").await;
    assert_eq!(served.look("/readyz").await.0, 503);
    std::fs::write(&file, "demo-secret").expect("a file");
    served.program.signal("HUP");
    soon(async { while served.look("/readyz").await.0 != 200 {} }).await;
    assert_eq!(
        served.talk().await.ask(get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0]))).await.status(),
        200
    );
}
