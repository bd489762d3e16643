//! Sockets in the file system: who may open them, what they replace and what they never do, and their end.

use super::tls::Authority;
use crate::support::house::{Vendor, configuration};
use crate::support::program::{Folder, Program, Served, run};
use crate::support::wire::{APP, Message, Talk, get, soon};
use bytes::Bytes;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use tokio::net::UnixStream;

/// A configuration with these addresses.
fn listening(origin: &str, addresses: &str, listen: &str) -> String {
    let text = configuration(origin, "", listen);
    text.replace("[listen]\naddress = \"127.0.0.1:0\"", &format!("[listen]\naddress = {addresses}"))
}

const BOTH: &str = "[\"127.0.0.1:0\", \"unix:gateway.sock\"]";

async fn ask(socket: &Path) -> Message {
    let stream = soon(UnixStream::connect(socket)).await.expect("somebody listens");
    Talk::on(stream).ask(get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0]))).await
}

#[tokio::test]
async fn it_answers_on_a_socket_and_on_tcp_with_one_memory() {
    let vendor = Vendor::start().await;
    let mut served = Served::start(&listening(&vendor.origin(), BOTH, "workers = 2")).await;
    let socket = served.folder.path("gateway.sock");
    assert_eq!(ask(&socket).await.status(), 200);
    let answer = served.talk().await.ask(get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0]))).await;
    assert_eq!(answer.header("cache-status"), "easemob-gateway; hit");
    // No browser comes through a socket, so its host may be any; of TCP it may not.
    let elsewhere = get("/chatgroups/7").replace("Host: localhost", "Host: gateway.example");
    assert_ne!(Talk::on(UnixStream::connect(&socket).await.unwrap()).ask(&*elsewhere).await.status(), 403);
    assert_eq!(served.talk().await.ask(&*elsewhere).await.header("gateway-error"), "host");
    // HTTP/2 is told by its first bytes here as well.
    let stream = TokioIo::new(UnixStream::connect(&socket).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let tasks = easemob_gateway::tasks::Tasks::new();
    tasks.spawn("http2", async move {
        let _ = connection.await;
    });
    let uri = format!("http://gateway{APP}/chatgroups/{}", SAMPLE_GROUPS[0]);
    let request = Request::get(uri).body(Full::<Bytes>::default()).unwrap();
    let answer = soon(sender.send_request(request)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!soon(answer.into_body().collect()).await.unwrap().to_bytes().is_empty());
    drop(sender);
    // Half a greeting is cut off like any other.
    let mut begun = Talk::on(UnixStream::connect(&socket).await.unwrap());
    begun.say("PRI").await;
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
    assert!(!socket.exists(), "it takes its socket away");
}

#[tokio::test]
async fn a_socket_alone_needs_no_callers_and_has_the_mode_and_the_owner_that_were_asked_for() {
    let folder = Folder::with("");
    let facts = std::fs::metadata(folder.path("")).unwrap();
    let owner = format!("{}:{}", facts.uid(), facts.gid());
    let listen = format!("unix_mode = \"0600\"\nunix_owner = \"{owner}\"");
    let text = listening("http://127.0.0.1:1", "\"unix:gateway.sock\"", &listen);
    std::fs::write(folder.path("gateway.toml"), text).unwrap();
    let mut program = Program::start(&["serve", "--config", &folder.config()]);
    program.says("listening on unix:").await;
    let facts = std::fs::symlink_metadata(folder.path("gateway.sock")).unwrap();
    assert!(facts.file_type().is_socket());
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    assert_eq!(format!("{}:{}", facts.uid(), facts.gid()), owner);
    // Nothing else is left of how it was made.
    let names: Vec<_> =
        std::fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn an_owner_that_nobody_is_is_no_start_and_leaves_nothing() {
    let text = listening("http://127.0.0.1:1", "\"unix:gateway.sock\"", "unix_owner = \"no-such-user-here\"");
    let folder = Folder::with(&text);
    let done = run(&["serve", "--config", &folder.config()]).await;
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("no-such-user-here"), "{}", done.err);
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 1);
}

#[tokio::test]
async fn what_a_killed_gateway_left_is_replaced_and_what_a_living_one_holds_is_not() {
    let vendor = Vendor::start().await;
    let text = listening(&vendor.origin(), BOTH, "");
    let mut first = Served::start(&text).await;
    let socket = first.folder.path("gateway.sock");
    let second = Folder::with(&text.replace("unix:gateway.sock", &format!("unix:{}", socket.display())));
    let done = run(&["serve", "--config", &second.config()]).await;
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("gateway.sock") && done.err.contains("somebody listens on it"), "{}", done.err);
    assert_eq!(ask(&socket).await.status(), 200);
    first.program.signal("KILL");
    first.program.ends().await;
    assert!(socket.exists(), "nobody could take it away");
    let mut second = Served::start_in(second, &[]).await;
    assert_eq!(ask(&socket).await.status(), 200);
    // A third one has its place meanwhile: what is not its own it leaves.
    std::fs::remove_file(&socket).unwrap();
    let other = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    second.program.signal("TERM");
    assert_eq!(second.program.ends().await, Some(0));
    assert!(socket.exists());
    drop(other);
}

#[tokio::test]
async fn of_two_that_start_in_one_instant_one_has_the_place() {
    let vendor = Vendor::start().await;
    let folder = Folder::with(&listening(&vendor.origin(), BOTH, ""));
    let socket = folder.path("gateway.sock");
    // What a killed gateway leaves: nobody listens any more.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let lock = std::fs::File::open(folder.path("")).unwrap();
    lock.lock().unwrap();
    let arguments = ["serve", "--config", &folder.config()];
    let (mut first, mut second) = (Program::start(&arguments), Program::start(&arguments));
    // Both are at the door, and neither has looked whether the place is free.
    for program in [&first, &second] {
        let opened = format!("/proc/{}/fd", program.id());
        let at_the_door = || {
            let links = std::fs::read_dir(&opened).into_iter().flatten().flatten();
            let links = links.filter_map(|link| std::fs::read_link(link.path()).ok());
            links.collect::<Vec<_>>().contains(&std::fs::canonicalize(folder.path("")).unwrap())
        };
        soon(async {
            while !at_the_door() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    lock.unlock().unwrap();
    let (one, other) = tokio::join!(started(&mut first), started(&mut second));
    assert!(one != other, "one of them: {one} {other}");
    let refused = if one { &mut second } else { &mut first };
    assert_eq!(refused.ends().await, Some(1));
    assert!(refused.said.join("\n").contains("somebody listens on it"), "{:?}", refused.said);
    assert_eq!(ask(&socket).await.status(), 200);
}

#[tokio::test]
async fn a_folder_that_stays_locked_is_no_start() {
    let folder = Folder::with(&listening("http://127.0.0.1:1", "\"unix:gateway.sock\"", ""));
    let lock = std::fs::File::open(folder.path("")).unwrap();
    lock.lock().unwrap();
    let done = run(&["serve", "--config", &folder.config()]).await;
    assert_eq!(done.code, Some(1), "{}", done.err);
    assert!(done.err.contains("somebody has locked its folder"), "{}", done.err);
}

/// Whether it listens in the end.
async fn started(program: &mut Program) -> bool {
    soon(async {
        loop {
            match program.line().await {
                Some(line) if line.contains("listening on") => return true,
                Some(_) => {}
                None => return false,
            }
        }
    })
    .await
}

#[tokio::test]
async fn what_is_no_socket_is_never_removed() {
    for what in ["a file", "a folder", "a link"] {
        let folder = Folder::with(&listening("http://127.0.0.1:1", "\"unix:place\"", ""));
        let place = folder.path("place");
        match what {
            "a file" => std::fs::write(&place, "precious").unwrap(),
            "a folder" => std::fs::create_dir(&place).unwrap(),
            _ => std::os::unix::fs::symlink("gateway.toml", &place).unwrap(),
        }
        let before = std::fs::symlink_metadata(&place).unwrap();
        let done = run(&["serve", "--config", &folder.config()]).await;
        assert_eq!(done.code, Some(1), "{what}: {}", done.err);
        assert!(done.err.contains("something else than a socket"), "{what}: {}", done.err);
        let after = std::fs::symlink_metadata(&place).unwrap();
        assert_eq!((before.ino(), before.len()), (after.ino(), after.len()), "{what}");
    }
}

#[test]
fn an_open_door_is_for_this_machine_alone() {
    let with = |address: &str| {
        let text = listening("http://127.0.0.1:1", address, "");
        let endpoints = easemob_gateway::app::known();
        easemob_gateway::config::parse(&text, std::iter::empty(), &endpoints).map(|_| ())
    };
    for address in
        ["\"127.0.0.1:1\"", "\"127.9.9.9:1\"", "\"[::1]:1\"", "\"[::ffff:127.0.0.1]:1\"", "\"unix:/x\""]
    {
        assert!(with(address).is_ok(), "{address}: {}", with(address).unwrap_err());
    }
    for address in [
        "\"0.0.0.0:1\"",
        "\"[::]:1\"",
        "\"10.0.0.1:1\"",
        "\"[::ffff:10.0.0.1]:1\"",
        "\"[::ffff:0.0.0.0]:1\"",
        "\"[fe80::1]:1\"",
        "[\"unix:/x\", \"127.0.0.1:1\", \"0.0.0.0:2\"]",
    ] {
        let said = with(address).expect_err(address).to_string();
        assert!(said.contains("anybody could call"), "{address}: {said}");
    }
    for address in
        ["\"localhost:1\"", "\"gateway.example:1\"", "\"unix:\"", "\"tcp:127.0.0.1:1\"", "[]", "\":1\""]
    {
        assert!(with(address).is_err(), "{address} is none");
    }
    // TLS does not say who calls.
    let folder = Folder::with("");
    let (certificate, key) = Authority::new().pair("gateway");
    std::fs::write(folder.path("c.pem"), certificate).unwrap();
    std::fs::write(folder.path("k.pem"), key).unwrap();
    let pair = format!("tls_certificate = {:?}\ntls_key = {:?}", folder.path("c.pem"), folder.path("k.pem"));
    let text = listening("http://127.0.0.1:1", "\"tls:0.0.0.0:1\"", &pair);
    let loaded = easemob_gateway::config::parse(&text, std::iter::empty(), &easemob_gateway::app::known());
    assert!(loaded.unwrap_err().to_string().contains("anybody could call"));
}
