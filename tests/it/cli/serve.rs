//! `serve`: it says where it listens, answers operators, and says clearly why it cannot start.

use crate::support::house::{Vendor, configuration};
use crate::support::program::{Folder, Program, Served, run};
use crate::support::wire::{get, request, soon};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const GROUP: &str = SAMPLE_GROUPS[0];

#[tokio::test]
async fn it_says_where_it_listens_and_answers_callers_and_operators() {
    let vendor = Vendor::start().await;
    let mut served = Served::start(&configuration(&vendor.origin(), "", "")).await;
    let said = served.program.said.join("\n");
    assert!(said.contains("token.state_dir is not set"), "{said}");
    let answer = served.talk().await.ask(get(&format!("/chatgroups/{GROUP}"))).await;
    assert_eq!(answer.status(), 200);
    let (status, behind) = vendor.control.behind(Method::GET, &format!("/chatgroups/{GROUP}"), Value::Null);
    assert_eq!((status.as_u16(), &answer.json()["data"]), (200, &behind["data"]));
    assert_eq!(served.look("/livez").await, (200, "alive\n".to_owned()));
    assert_eq!(served.look("/readyz").await, (200, "ready\n".to_owned()));
    let (status, metrics) = served.look("/metrics").await;
    assert!(status == 200 && metrics.contains("\ngateway_"), "{metrics}");
    let (status, state) = served.look("/status").await;
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!((status, &state["ready"], &state["draining"]), (200, &json!(true), &json!(false)));
    assert_eq!(served.look("/nothing").await.0, 404);
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
}

#[tokio::test]
async fn a_log_for_eyes_has_no_colours_where_no_eyes_are() {
    let vendor = Vendor::start().await;
    let configuration = format!("{}\n[log]\nformat = \"text\"\n", configuration(&vendor.origin(), "", ""));
    let folder = Folder::with(&configuration);
    let mut program = Program::start(&["serve", "--config", &folder.config()]);
    let line = program.says("listening on").await;
    assert!(line.contains(" INFO ") && !line.contains('\x1b'), "{line:?}");
}

#[tokio::test]
async fn a_file_of_certificates_with_none_in_it_is_no_start() {
    // The configuration itself: a file that can be read, and no PEM.
    let folder = Folder::with(&configuration("https://127.0.0.1:1", "ca_file = \"gateway.toml\"", ""));
    let done = run(&["serve", "--config", &folder.config()]).await;
    assert_eq!(done.code, Some(1), "{}", done.err);
    assert!(done.err.contains("vendor.ca_file") && done.err.contains("no certificate"), "{}", done.err);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for section in ["[listen]", "[admin]"] {
        let text = configuration("http://127.0.0.1:1", "", "");
        let free = format!("{section}\naddress = \"127.0.0.1:0\"");
        let text = text.replace(&free, &format!("{section}\naddress = \"{address}\""));
        let folder = Folder::with(&text);
        let done = run(&["serve", "--config", &folder.config()]).await;
        assert_eq!(done.code, Some(1), "{section}: {}", done.err);
        let last = done.err.lines().last().unwrap_or_default();
        assert!(last.contains(&format!("cannot listen on {address}")), "{section}: {last}");
    }
}

#[tokio::test]
async fn a_broken_configuration_is_explained_mistake_by_mistake() {
    let text = configuration(
        "http://127.0.0.1:1",
        "connect_timeot = \"3s\"",
        "workers = -1\nhead_timeout = \"soon\"",
    );
    let folder = Folder::with(&text);
    for command in ["serve", "check"] {
        let done = run(&[command, "--config", &folder.config()]).await;
        assert_eq!((done.code, &*done.out), (Some(2), ""), "{command}: {}", done.err);
        for mistake in ["connect_timeot", "workers = -1", "head_timeout = \"soon\""] {
            let line = text.lines().position(|line| line.contains(mistake)).unwrap() + 1;
            let place = format!("gateway.toml:{line}:");
            assert!(
                done.err.contains(&place) && done.err.contains(mistake),
                "{command} {place}: {}",
                done.err
            );
        }
        assert_eq!(
            done.err.lines().filter(|line| line.trim_start_matches([' ', '|']).starts_with('^')).count(),
            3
        );
    }
}

#[tokio::test]
async fn a_file_or_a_secret_that_cannot_be_read_is_named() {
    let text = configuration("http://127.0.0.1:1", "", "")
        .replace("client_secret = \"demo-secret\"", "client_secret = { file = \"secret\" }");
    let folder = Folder::with(&text);
    let missing = run(&["serve", "--config", &folder.config()]).await;
    std::fs::write(folder.path("secret"), "\n").unwrap();
    let empty = run(&["serve", "--config", &folder.config()]).await;
    std::fs::remove_file(folder.path("secret")).unwrap();
    std::fs::create_dir(folder.path("secret")).unwrap();
    let no_file = run(&["serve", "--config", &folder.config()]).await;
    for done in [missing, empty, no_file] {
        assert_eq!(done.code, Some(2), "{}", done.err);
        assert!(done.err.contains("secret"), "{}", done.err);
    }
    let nowhere = run(&["serve", "--config", "/nowhere/gateway.toml"]).await;
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.err.contains("/nowhere/gateway.toml"), "{}", nowhere.err);
}

#[tokio::test]
async fn with_the_vendor_down_it_starts_waits_and_becomes_ready() {
    let vendor = Vendor::start().await;
    let (address, origin) = (vendor.address, vendor.origin());
    vendor.stop().await;
    let text =
        configuration(&origin, "", "[token]\npatience = \"100ms\"\nretry_min = \"1s\"\nretry_max = \"1s\"");
    let mut served = Served::start(&text).await;
    assert_eq!(served.look("/livez").await.0, 200);
    assert_eq!(served.look("/readyz").await.0, 503);
    let answer = served.talk().await.ask(get(&format!("/chatgroups/{GROUP}"))).await;
    assert_eq!((answer.status(), answer.header("gateway-error")), (503, "no_token"));
    assert!(answer.has("retry-after"));
    let vendor = Vendor::start_at(address).await;
    let held = vendor.control.hold(Matcher::exactly("/token"), HoldAt::Answer);
    // Nobody calls: it asks again by itself.
    soon(held.arrived(1)).await;
    held.release();
    soon(async { while served.look("/readyz").await.0 != 200 {} }).await;
    assert_eq!(served.talk().await.ask(get(&format!("/chatgroups/{GROUP}"))).await.status(), 200);
    served.program.signal("INT");
    assert_eq!(served.program.ends().await, Some(0));
}

#[tokio::test]
async fn a_wrong_secret_is_no_loop() {
    let vendor = Vendor::start().await;
    let text = configuration(&vendor.origin(), "", "[token]\npatience = \"100ms\"");
    let served = Served::start(&text.replace("\"demo-secret\"", "\"wrong-secret\"")).await;
    for _ in 0..20 {
        let answer = served.talk().await.ask(get(&format!("/chatgroups/{GROUP}"))).await;
        assert_eq!((answer.status(), answer.header("gateway-error")), (503, "no_token"));
    }
    assert_eq!(served.look("/readyz").await.0, 503);
    assert_eq!(vendor.control.counters().token_requests.len(), 1);
    let said = served.program.said.join("\n");
    assert!(!said.contains("wrong-secret"), "{said}");
}

#[tokio::test]
async fn a_secret_file_that_is_corrected_is_picked_up_by_itself() {
    let (vendor, folder) = (Vendor::start().await, tempfile::TempDir::new().unwrap());
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "wrong-secret").unwrap();
    let file = format!("client_secret = {{ file = {secret:?} }}");
    let text = configuration(&vendor.origin(), "", "").replace("client_secret = \"demo-secret\"", &file);
    let mut served = Served::start(&text).await;
    served.program.says("no token").await;
    std::fs::write(&secret, "demo-secret\n").unwrap();
    served.program.says("the client secret was replaced").await;
    served.program.says("token granted").await;
    assert_eq!(served.look("/readyz").await.0, 200);
    assert_eq!(vendor.control.counters().token_requests.len(), 2);
    let said = served.program.said.join("\n");
    assert!(!said.contains("wrong-secret") && !said.contains("demo-secret"), "{said}");
}

#[tokio::test]
async fn two_workers_see_each_others_writes() {
    let vendor = Vendor::start().await;
    let served = Served::start(&configuration(&vendor.origin(), "", "workers = 2")).await;
    // Connections are handed out in turn.
    let (mut one, mut other) = (served.talk().await, served.talk().await);
    let path = format!("/chatgroups/{GROUP}");
    for n in 0..10 {
        let name = format!("name {n}");
        let body = json!({"groupname": name}).to_string();
        let (writer, reader) = if n % 2 == 0 { (&mut one, &mut other) } else { (&mut other, &mut one) };
        assert_eq!(reader.ask(get(&path)).await.status(), 200);
        let written = writer.ask(request("PUT", &path, &body)).await;
        assert_eq!(written.status(), 200, "{}", written.text());
        assert_eq!(reader.ask(get(&path)).await.json()["data"][0]["name"], name);
        assert_eq!(writer.ask(get(&path)).await.json()["data"][0]["name"], name);
    }
}

/// The lines of exchanges are put together by hand where they are JSON: the same fields as those that `tracing`
/// writes (which `path::telling` reads), in the same form, none lost at the end.
#[tokio::test]
async fn the_lines_of_exchanges_are_whole_and_well_formed() {
    let vendor = Vendor::start().await;
    let configuration = format!("{}\n[log]\nhits_one_in = 1\n", configuration(&vendor.origin(), "", ""));
    let mut served = Served::start(&configuration).await;
    let mut talk = served.talk().await;
    let paths = [format!("/chatgroups/{GROUP}"), "/a\"b".to_owned(), "/caf%C3%A9%22%0A".to_owned()];
    for path in &paths {
        talk.ask(get(path)).await;
    }
    talk.ask(get(&format!("/chatgroups/{GROUP}?secret=1"))).await;
    drop(talk);
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
    let lines: Vec<Value> =
        served.program.said.iter().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let told: Vec<&Value> = lines.iter().filter(|line| line["target"] == "gateway::exchange").collect();
    assert_eq!(told.len(), 4, "{}", served.program.said.join("\n"));
    let first = told[0];
    assert_eq!(first["message"], "GET group.read 200 miss");
    assert_eq!(
        (&first["level"], &first["http.status"], &first["gateway.calls"]),
        (&json!("INFO"), &json!(200), &json!(1))
    );
    assert_eq!(told[0]["http.path"], paths[0].as_str());
    assert_eq!(told[3]["http.path"], paths[0].as_str(), "no query");
    // As `tracing` writes it: both kinds of lines sort together.
    let own = lines.iter().find(|line| line["target"] != "gateway::exchange").unwrap();
    for (at, byte) in first["timestamp"].as_str().unwrap().bytes().enumerate().take(19) {
        let other = own["timestamp"].as_str().unwrap().as_bytes()[at];
        assert_eq!(byte.is_ascii_digit(), other.is_ascii_digit(), "{first:?} {own}");
    }
    let year = |line: &Value| line["timestamp"].as_str().unwrap()[..13].to_owned();
    assert!(year(told[0]) >= year(&lines[0]) && year(told[0]) <= year(&lines[lines.len() - 1]), "{lines:?}");
}

#[tokio::test]
async fn proxies_that_the_environment_names_are_not_asked() {
    let (vendor, proxy) = (Vendor::start().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let variables = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let variables = variables.map(|name| (name, url.as_str()));
    let served = Served::start_in(Folder::with(&configuration(&vendor.origin(), "", "")), &variables).await;
    assert_eq!(served.talk().await.ask(get(&format!("/chatgroups/{GROUP}"))).await.status(), 200);
    let asked = proxy.into_std().unwrap().accept();
    assert!(asked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
}
