//! Alerts: on metrics, labels and values that exist, each tested, each with a row that says what to do.

use super::yaml;
use crate::documentation::{quoted, rows};
use crate::support::promtool;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Name and rule of each.
fn alerts() -> BTreeMap<String, Value> {
    let rules = &yaml("deploy/prometheus/alerts.yml")[0]["groups"][0]["rules"];
    let named = |rule: &Value| (rule["alert"].as_str().expect("a name").to_owned(), rule.clone());
    rules.as_array().unwrap().iter().map(named).collect()
}

/// A label, and the values that are asked for.
type Label = (String, Vec<String>);

/// The selectors in an expression: metric and labels.
fn selectors(expression: &str) -> Vec<(String, Vec<Label>)> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in expression.match_indices("gateway_") {
        let rest = &expression[at..];
        let (name, after) = rest.split_at(rest.find(|c| !in_name(c)).unwrap_or(rest.len()));
        let labels =
            after.strip_prefix('{').and_then(|after| after.split_once('}')).map_or("", |(labels, _)| labels);
        let label = |label: &str| {
            let (name, value) = label.split_once('=').unwrap();
            let values =
                value.trim_start_matches('~').trim_matches('"').split('|').map(str::to_owned).collect();
            (name.trim_end_matches('!').to_owned(), values)
        };
        found.push((name.to_owned(), labels.split(',').filter(|text| !text.is_empty()).map(label).collect()));
    }
    found
}

#[test]
fn they_ask_for_metrics_labels_and_values_that_exist() {
    let metrics: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = rows("### Metrics")
        .iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), (quoted(&row[1]), quoted(&row[2]))))
        .collect();
    let reasons: BTreeSet<String> =
        rows("## Refusals").iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let mut asked = 0;
    for (alert, rule) in alerts() {
        for (metric, labels) in selectors(rule["expr"].as_str().unwrap()) {
            let whole = metric.strip_suffix("_bucket").unwrap_or(&metric);
            let (names, values) = metrics.get(whole).unwrap_or_else(|| panic!("{alert}: {metric}"));
            for (label, wanted) in labels {
                assert!(names.contains(&label), "{alert}: {metric} has no {label}");
                let known = if whole == "gateway_refusals_total" { &reasons } else { values };
                wanted
                    .iter()
                    .for_each(|value| assert!(known.contains(value), "{alert}: {label} is never {value}"));
            }
            asked += 1;
        }
    }
    assert!(asked >= 15, "{asked}");
}

#[test]
fn each_says_what_is_wrong_and_what_to_do_here_and_in_the_readme() {
    let table = rows("### What to alert on, and what to do");
    let told: BTreeSet<&str> = table.iter().map(|row| row[0].trim_matches('`')).collect();
    let alerts = alerts();
    assert_eq!(told, alerts.keys().map(String::as_str).collect());
    for (name, rule) in &alerts {
        for what in ["summary", "description"] {
            assert!(rule["annotations"][what].as_str().is_some_and(|text| text.len() > 20), "{name}: {what}");
        }
        let row = table.iter().find(|row| row[0].trim_matches('`') == name).unwrap();
        assert_eq!(row[1], rule["labels"]["severity"].as_str().unwrap(), "{name}");
        assert!(row[2..].len() == 2 && row[2..].iter().all(|cell| !cell.is_empty()), "{name}");
    }
}

#[test]
fn each_fires_in_a_test() {
    let tests = serde_json::to_string(&yaml("deploy/prometheus/alerts_test.yml")[0]["tests"]).unwrap();
    for name in alerts().keys() {
        let fires = tests.contains(&format!("alertname=\\\"{name}\\\", instance=\\\"a:9090\\\"}}"));
        let fires = fires || tests.contains(&format!("\"alertname\":\"{name}\",\"eval_time\":\"3m\""));
        assert!(fires, "{name}");
    }
}

#[test]
fn promtool_accepts_them_and_their_tests_pass() {
    for arguments in [
        ["check", "config", "deploy/prometheus/prometheus.yml"],
        ["test", "rules", "deploy/prometheus/alerts_test.yml"],
    ] {
        let Some(said) = promtool::run(&arguments) else { return };
        assert!(said.ok && said.words.contains("SUCCESS"), "{arguments:?}: {}", said.words);
    }
}
