//! What is shipped for operators: configurations that pass `check`, manifests that can be read and ask for no more
//! than is needed, alerts on metrics that exist and that `promtool` and their own tests accept. No image is built here.

mod alerts;

use crate::documentation::text;
use crate::support::program::{Folder, run};
use easemob_gateway::config;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The documents of a YAML file. A key that stands twice is a mistake.
fn yaml(name: &str) -> Vec<Value> {
    let text = text(name);
    let read = |document| -> Result<Value, Box<dyn std::error::Error>> {
        Ok(serde_json::to_value(serde_yaml_ng::Value::deserialize(document)?)?)
    };
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    documents.map(|document| read(document).unwrap_or_else(|why| panic!("{name}: {why}"))).collect()
}

/// The probe's path on the operators' listener, which exists.
fn assert_is_answered(path: &str) {
    assert!(["/livez", "/readyz"].contains(&path), "{path}");
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|item| item.as_str().expect("text")).collect()
}

/// From the signal to the end at the latest, with the settings' defaults.
fn drains_in() -> Duration {
    let minimal = text("config/minimal.toml").replace("{ env = \"EASEMOB_CLIENT_SECRET\" }", "\"s\"");
    let listen =
        config::parse(&minimal, std::iter::empty(), &easemob_gateway::app::known()).unwrap().config.listen;
    listen.drain_delay + listen.drain_timeout
}

fn assert_has(command: &[&str], configuration: &str) {
    assert_eq!(command, ["serve", "--config", configuration]);
}

#[test]
fn manifests_can_be_read() {
    for (name, documents) in [
        ("deploy/kubernetes/sidecar.yaml", 2),
        ("deploy/compose/compose.yaml", 1),
        ("deploy/prometheus/prometheus.yml", 1),
        ("deploy/prometheus/alerts.yml", 1),
        ("deploy/prometheus/alerts_test.yml", 1),
    ] {
        assert_eq!(yaml(name).len(), documents, "{name}");
    }
}

#[tokio::test]
async fn the_configuration_in_the_manifest_passes() {
    let map = &yaml("deploy/kubernetes/sidecar.yaml")[0];
    let configuration = map["data"]["gateway.toml"].as_str().expect("a configuration");
    let folder = Folder::with(&configuration.replace("/run/secrets/easemob/client-secret", "client-secret"));
    std::fs::write(folder.path("client-secret"), "a-secret\n").unwrap();
    let done = run(&["check", "--config", &folder.config()]).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
}

/// A native sidecar: up before the service, down after it, and with nothing that it does not need.
#[test]
fn the_sidecar_is_one_and_may_do_little() {
    let manifest = yaml("deploy/kubernetes/sidecar.yaml");
    let (map, pod) = (&manifest[0], &manifest[1]["spec"]["template"]["spec"]);
    let sidecar = &pod["initContainers"][0];
    assert_eq!(sidecar["restartPolicy"], "Always");
    assert_has(&strings(&sidecar["args"]), "/etc/easemob-gateway/gateway.toml");
    let allowed = json!({
        "runAsNonRoot": true, "runAsUser": 65532, "readOnlyRootFilesystem": true,
        "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    assert_eq!(sidecar["securityContext"], allowed);
    assert!(sidecar["resources"]["limits"]["memory"].is_string());
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_is_answered(sidecar[probe]["httpGet"]["path"].as_str().expect(probe));
        assert_eq!(sidecar[probe]["httpGet"]["port"], sidecar["ports"][0]["name"], "{probe}");
    }
    // A vendor that is down must neither keep the service from starting nor end the gateway.
    for probe in ["startupProbe", "livenessProbe"] {
        assert_eq!(sidecar[probe]["httpGet"]["path"], "/livez", "{probe}");
    }
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > drains_in().as_secs());
    // What is mounted is there; the secret is a file that others cannot read.
    let volumes = pod["volumes"].as_array().unwrap();
    for mount in sidecar["volumeMounts"].as_array().unwrap() {
        assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{mount}");
    }
    let secret = volumes.iter().find(|volume| volume["secret"].is_object()).expect("a secret");
    let mount =
        sidecar["volumeMounts"].as_array().unwrap().iter().find(|mount| mount["name"] == secret["name"]);
    let folder = mount.unwrap()["mountPath"].as_str().unwrap();
    assert!(map["data"]["gateway.toml"].as_str().unwrap().contains(&format!("file = \"{folder}/")));
    assert!(volumes.iter().any(|volume| volume["configMap"]["name"] == map["metadata"]["name"]));
}

#[test]
fn the_compose_file_mounts_what_is_there() {
    let compose = &yaml("deploy/compose/compose.yaml")[0];
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let [from, _, mode] = volume.as_str().unwrap().split(':').collect::<Vec<_>>()[..] else {
                panic!("{volume}")
            };
            assert!(
                Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/compose").join(from).exists(),
                "{name}: {from}"
            );
            assert_eq!(mode, "ro", "{name}: {from}");
        }
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port} is open to everybody");
        }
        if service["build"].is_object() {
            assert_eq!(service["build"]["dockerfile"], "deploy/Dockerfile", "{name}");
            assert_eq!(
                (&service["read_only"], &service["cap_drop"]),
                (&json!(true), &json!(["ALL"])),
                "{name}"
            );
        } else {
            assert!(service["image"].as_str().unwrap().contains(':'), "{name}: of no version");
        }
    }
    let grace = compose["services"]["gateway"]["stop_grace_period"].as_str().unwrap().trim_end_matches('s');
    assert!(grace.parse::<u64>().unwrap() > drains_in().as_secs());
    // They find each other by name.
    assert!(
        text("deploy/compose/gateway.toml").contains("\"http://vendor:8090\"")
            && services.contains_key("vendor")
    );
    let prometheus = &yaml("deploy/prometheus/prometheus.yml")[0];
    assert_eq!(prometheus["scrape_configs"][0]["static_configs"][0]["targets"], json!(["gateway:9090"]));
}

/// An image without a shell and without root.
#[test]
fn the_image_is_empty_but_for_the_program() {
    let image = text("deploy/Dockerfile");
    let (build, last) = image.rsplit_once("\nFROM scratch\n").expect("an empty image at the end");
    let line = |name: &str| {
        let line = last.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.trim().to_owned()
    };
    assert_eq!(line("USER "), "65532:65532");
    assert_eq!(line("ENTRYPOINT "), "[\"/easemob-gateway\"]");
    let command: Vec<String> = serde_json::from_str(&line("CMD ")).unwrap();
    assert_has(&command.iter().map(String::as_str).collect::<Vec<_>>(), "/etc/easemob-gateway/gateway.toml");
    let (_, asks) =
        line("HEALTHCHECK ").split_once(" CMD ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let asks: Vec<String> = serde_json::from_str(&asks).expect("no shell");
    assert_eq!(asks[..2], ["/easemob-gateway", "probe"]);
    assert_is_answered(asks[2].strip_prefix("http://127.0.0.1:9090").expect("the default of [admin]"));
    assert_eq!(last.lines().filter(|line| line.starts_with("COPY ")).count(), 1, "the program alone");
    // It has been started in there, by nobody in particular, before there is an image.
    assert_eq!(line("RUN "), "[\"/easemob-gateway\", \"--version\"]");
    assert!(last.find("USER ") < last.find("RUN "));
    // What the build copies is there, and is let through.
    let let_through = text(".dockerignore");
    for line in build.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        for name in line.split_whitespace().rev().skip(1) {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(name).exists(), "{name}");
            assert!(let_through.lines().any(|line| line == format!("!{name}")), "{name}");
        }
    }
}

#[test]
fn the_unit_may_do_little_and_ends_in_time() {
    let unit = text("deploy/systemd/easemob-gateway.service");
    let lines: BTreeSet<&str> =
        unit.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    for line in &lines {
        let is = line.starts_with('[')
            || line.split_once('=').is_some_and(|(key, _)| key.chars().all(char::is_alphanumeric));
        assert!(is, "{line}");
    }
    for line in [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateDevices=yes",
        "PrivateTmp=yes",
        "MemoryDenyWriteExecute=yes",
        "CapabilityBoundingSet=",
        "RestrictNamespaces=yes",
        "SystemCallFilter=@system-service",
        "RestartPreventExitStatus=2",
        "LoadCredential=client-secret:/etc/easemob-gateway/client-secret",
    ] {
        assert!(lines.contains(line), "{line}");
    }
    let stop = lines.iter().find_map(|line| line.strip_prefix("TimeoutStopSec=")).expect("an end");
    assert!(stop.parse::<u64>().unwrap() > drains_in().as_secs());
}
