//! What is shipped for operators: configurations that pass `check`, alerts on metrics that exist, and rules that
//! `promtool` accepts and whose own tests pass. Images are not built here.

use crate::documentation::rows;
use crate::support::program::{Folder, run};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).expect(name)
}

#[test]
fn alerts_ask_for_metrics_that_exist() {
    let exist: BTreeSet<String> =
        rows("### Metrics").iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let mut asked = 0;
    for line in text("prometheus/alerts.yml").lines().filter(|line| !line.trim_start().starts_with('#')) {
        let words = line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for word in words.filter(|word| word.starts_with("gateway_")) {
            assert!(exist.contains(word), "{word} in {line}");
            asked += 1;
        }
    }
    assert!(asked >= 8, "{asked}");
}

#[test]
fn promtool_accepts_the_rules_and_their_tests_pass() {
    // As they stand beside each other in the container.
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["compose/prometheus.yml", "prometheus/alerts.yml"] {
        std::fs::copy(path(name), folder.path().join(path(name).file_name().unwrap())).unwrap();
    }
    let config = folder.path().join("prometheus.yml").display().to_string();
    let tests = path("prometheus/alerts_test.yml").display().to_string();
    for arguments in [["check", "config", &config], ["test", "rules", &tests]] {
        let Ok(done) = Command::new("promtool").args(arguments).output() else {
            println!("skipped: promtool is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        assert!(done.status.success() && said.contains("SUCCESS"), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn the_configuration_in_the_manifest_passes() {
    let manifest = text("kubernetes/sidecar.yaml");
    let (_, after) = manifest.split_once("gateway.toml: |\n").expect("a configuration");
    let lines = after.lines().take_while(|line| line.starts_with("    "));
    let configuration: String = lines.map(|line| format!("{}\n", &line[4..])).collect();
    let folder = Folder::with(&configuration.replace("/run/secrets/easemob/client-secret", "client-secret"));
    std::fs::write(folder.path("client-secret"), "a-secret\n").unwrap();
    let done = run(&["check", "--config", &folder.config()]).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
}

/// An image without a shell and without root: what the files promise, as far as their words show it.
#[test]
fn nothing_runs_as_root_or_with_more_than_it_needs() {
    let image = text("Dockerfile");
    let (_, last) = image.rsplit_once("\nFROM scratch\n").expect("an empty image at the end");
    for line in ["USER 65532:65532", "ENTRYPOINT [\"/easemob-gateway\"]"] {
        assert!(last.lines().any(|other| other == line), "{line}");
    }
    let manifest = text("kubernetes/sidecar.yaml");
    for line in [
        "restartPolicy: Always",
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "capabilities: { drop: [\"ALL\"] }",
    ] {
        assert!(manifest.lines().any(|other| other.trim() == line), "{line}");
    }
    // What the build copies is there.
    for line in
        image.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.contains("--from"))
    {
        for name in line.split_whitespace().rev().skip(1) {
            assert!(path("..").join(name).exists(), "{name}");
        }
    }
}
