//! The commands that end by themselves, the demonstration, and the stand-in.

use crate::support::house::{Vendor, configuration};
use crate::support::program::{Folder, Program, Served, look, run};
use crate::support::wire::{Talk, soon};
use easemob_gateway::simulator::SAMPLE_GROUPS;
use serde_json::{Value, json};
use std::net::SocketAddr;

const GROUP: &str = SAMPLE_GROUPS[0];

#[tokio::test]
async fn check_prints_what_it_would_load_itself_and_no_secret() {
    let text = configuration("http://127.0.0.1:1", "total_timeout = \"2m\"", "workers = 3");
    let folder = Folder::with(&text);
    let done = run(&["check", "--config", &folder.config()]).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(!done.out.contains("demo-secret") && !done.err.contains("demo-secret"), "{}", done.out);
    assert!(done.out.contains("workers = 3"), "{}", done.out);
    // A hidden secret is not taken for one.
    let hidden = Folder::with(&done.out);
    assert_eq!(run(&["check", "--config", &hidden.config()]).await.code, Some(2));
    // With the secret put back it loads, and comes out the same: everything that was said, and what was not.
    let placeholder = "\"<hidden: from the configuration file>\"";
    assert_eq!(done.out.matches(placeholder).count(), 1);
    let again = Folder::with(&done.out.replace(placeholder, "\"demo-secret\""));
    let second = run(&["check", "--config", &again.config()]).await;
    assert_eq!((second.code, &second.out), (Some(0), &done.out), "{}", second.err);
}

#[tokio::test]
async fn the_shipped_configurations_pass() {
    for name in ["config/gateway.toml", "config/minimal.toml", "deploy/compose/gateway.toml"] {
        let text = std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let text = text.replace("{ env = \"EASEMOB_CLIENT_SECRET\" }", "\"a-secret\"");
        let folder = Folder::with(&text);
        let done = run(&["check", "--config", &folder.config()]).await;
        assert_eq!(done.code, Some(0), "{name}: {}", done.err);
    }
}

#[tokio::test]
async fn endpoints_come_as_a_table_as_data_and_as_what_writes_reach() {
    let (table, data) = (run(&["endpoints"]).await, run(&["endpoints", "--json"]).await);
    let reach = run(&["endpoints", "--reach"]).await;
    assert_eq!((table.code, data.code, reach.code), (Some(0), Some(0), Some(0)));
    let data: Value = serde_json::from_str(&data.out).expect("JSON");
    let rows = data.as_array().or(data["endpoints"].as_array()).expect("rows").clone();
    assert!(rows.len() >= 55, "{}", rows.len());
    for name in ["group.mutes.add", "group.read"] {
        assert!(table.out.contains(name) && rows.iter().any(|row| row["name"] == name), "{name}");
    }
    assert!(reach.out.contains("group.mutes.add") && reach.out.contains('|'), "{}", reach.out);
    assert_eq!(run(&["endpoints", "--json", "--reach"]).await.code, Some(2));
}

#[tokio::test]
async fn a_generated_key_opens_the_gateway_that_knows_its_digest_and_no_other() {
    let (ours, theirs) = (run(&["keygen"]).await, run(&["keygen"]).await);
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).expect(name).to_owned();
        line[name.len()..].trim().to_owned()
    };
    let (key, digest, other) =
        (value(&ours.out, "key"), value(&ours.out, "digest"), value(&theirs.out, "key"));
    assert_ne!(key, other);
    let vendor = Vendor::start().await;
    let callers = format!("[[callers]]\nname = \"orders\"\nkeys = [\"{digest}\"]\nallow = [\"*.read\"]");
    let mut served = Served::start(&configuration(&vendor.origin(), "", &callers)).await;
    let ask = |key: &str, method: &str| {
        format!(
            "{method} /easemob-demo/chat/chatgroups/{GROUP} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
        )
    };
    let mut talk = served.talk().await;
    assert_eq!(talk.ask(ask(&key, "GET")).await.status(), 200);
    assert_eq!(talk.ask(ask(&other, "GET")).await.status(), 401);
    assert_eq!(talk.ask(ask(&format!("{key}x"), "GET")).await.status(), 401);
    assert_eq!(talk.ask(ask(&key, "DELETE")).await.header("gateway-error"), "forbidden");
    served.program.signal("TERM");
    served.program.ends().await;
    let said = served.program.said.join("\n");
    assert!(!said.contains(&key) && !said.contains("demo-secret"), "{said}");
}

#[tokio::test]
async fn the_demonstrations_curl_lines_work() {
    let mut demo = Program::start(&["demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    demo.says("curl -s").await;
    let lines: Vec<String> = demo
        .said
        .iter()
        .map(|line| line.trim().to_owned())
        .filter(|line| line.starts_with("curl "))
        .collect();
    let auth = demo.said.iter().find(|line| line.contains("AUTH=")).expect("the key").trim().to_owned();
    assert_eq!(lines.len(), 5, "{lines:?}");
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: no curl on this machine");
        return;
    }
    let mut answers = Vec::new();
    for line in &lines {
        let mut shell = tokio::process::Command::new("sh");
        let output = soon(shell.args(["-c", &format!("{auth}\n{line}")]).output()).await.unwrap();
        assert!(output.status.success(), "{line}");
        answers.push(String::from_utf8(output.stdout).unwrap());
    }
    for (line, answer) in lines.iter().zip(&answers).take(4) {
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{line}\n{answer}");
    }
    assert!(answers[1].contains("\"data\":[]"), "nobody is muted: {}", answers[1]);
    assert!(answers[3].contains("carol"), "the read after the write shows it: {}", answers[3]);
    assert!(answers[4].lines().all(|line| line.starts_with("gateway_")) && !answers[4].is_empty());
    demo.signal("INT");
    assert_eq!(demo.ends().await, Some(0));
}

#[tokio::test]
async fn the_stand_in_runs_alone_and_can_be_steered() {
    let mut vendor = Program::start(&["simulate", "--listen", "127.0.0.1:0"]);
    let line = vendor.says("http://").await;
    let url = line.split("http://").nth(1).unwrap();
    let (address, app) = url.split_once('/').expect("an app");
    let address: SocketAddr = address.parse().unwrap();
    vendor.says("client secret").await;
    let body = json!({"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"});
    let body = body.to_string();
    let grant = format!(
        "POST /{app}/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = Talk::to(address).await.ask(grant).await;
    assert!(answer.json()["access_token"].is_string(), "{}", answer.text());
    assert_eq!(look(address, "/_control/counters").await.0, 200);
    vendor.signal("TERM");
    assert_eq!(vendor.ends().await, Some(0));
}

#[tokio::test]
async fn the_stand_in_speaks_tls_if_it_is_given_a_certificate() {
    let folder = Folder::with("");
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path("certificate.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(folder.path("key.pem"), key.serialize_pem()).unwrap();
    let file = |name: &str| folder.path(name).to_string_lossy().into_owned();
    let with = |certificate: String, key: String| {
        ["simulate", "--listen", "127.0.0.1:0", "--tls-certificate", &certificate, "--tls-key", &key]
            .map(str::to_owned)
    };
    let arguments = with(file("certificate.pem"), file("key.pem"));
    let mut vendor = Program::start(&arguments.each_ref().map(String::as_str));
    vendor.says("https://").await;
    vendor.signal("TERM");
    assert_eq!(vendor.ends().await, Some(0));
    let arguments = with(file("certificate.pem"), file("no-key.pem"));
    let done = run(&arguments.each_ref().map(String::as_str)).await;
    assert!(done.code == Some(1) && done.err.contains("no-key.pem"), "{}", done.err);
    assert_eq!(run(&["simulate", "--tls-key", "key.pem"]).await.code, Some(2));
}

#[tokio::test]
async fn every_command_says_what_it_is_for_and_a_wrong_one_is_refused() {
    let help = run(&["--help"]).await;
    assert_eq!(help.code, Some(0));
    for command in ["serve", "demo", "simulate", "check", "endpoints", "keygen"] {
        assert!(
            help.out.lines().any(|line| line.trim_start().starts_with(command) && line.len() > 20),
            "{}",
            help.out
        );
        let own = run(&[command, "--help"]).await;
        assert!(own.code == Some(0) && own.out.contains("Usage: easemob-gateway"), "{command}: {}", own.out);
        let options =
            own.out.lines().filter(|line| line.trim_start().starts_with("--") && !line.contains("--help"));
        assert!(
            options.clone().all(|line| !line.trim_end().ends_with('>')),
            "{command} has options without a word: {}",
            own.out
        );
    }
    let unasked =
        [&["probe", "https://127.0.0.1/livez"][..], &["probe", "127.0.0.1:9090"], &["probe", "/livez"]];
    let wrongs = [&["srve"][..], &[], &["serve"], &["serve", "--config"], &["check", "--verbose"]];
    for wrong in wrongs.into_iter().chain(unasked) {
        let done = run(wrong).await;
        assert!(done.code == Some(2) && !done.err.is_empty(), "{wrong:?}");
    }
    let version = run(&["--version"]).await;
    assert_eq!(version.out.trim(), format!("easemob-gateway {}", env!("CARGO_PKG_VERSION")));
}
