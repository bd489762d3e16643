//! The catalogue as people and programs read it: a table, JSON, and which write reaches which read.
//!
//! The documentation is generated from here; nothing on the path of a request uses it.

use super::audit::place;
use super::{Catalogue, Effect, Endpoint, EndpointId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One line per row: name, effect, method and path, pools, freshness; the other spellings below it.
#[must_use]
pub fn text(catalogue: &Catalogue) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<30} {:<6} {:<7} {:<52} {:<18} kept",
        "endpoint", "effect", "method", "path", "pools"
    );
    for (_, row) in catalogue.rows() {
        let endpoint = row.endpoint;
        let pools = pools(catalogue, row).join(" + ");
        let kept = match &endpoint.effect {
            Effect::Read(read) => format!("{}s", read.fresh.as_secs()),
            _ => "-".to_owned(),
        };
        let (effect, verb) = (endpoint.effect.as_str(), endpoint.verb.as_str());
        let line =
            format!("{:<30} {effect:<6} {verb:<7} {:<52} {pools:<18} {kept}", endpoint.name, endpoint.path);
        let _ = writeln!(out, "{}", line.trim_end());
        for (verb, path) in endpoint.also {
            let _ = writeln!(out, "{:<30} {:<6} {:<7} {path}", "", "  also", verb.as_str());
        }
    }
    let operations: usize = catalogue.rows().map(|(_, row)| row.endpoint.operations.len()).sum();
    let _ = writeln!(out, "\n{operations} operations of the vendor in {} rows", catalogue.rows().len());
    out
}

/// Everything there is to know of every row.
#[must_use]
pub fn data(catalogue: &Catalogue) -> Value {
    let rows = catalogue.rows().map(|(_, row)| {
        let endpoint = row.endpoint;
        let mut value = json!({
            "name": endpoint.name,
            "family": endpoint.family(),
            "effect": endpoint.effect.as_str(),
            "method": endpoint.verb.as_str(),
            "path": endpoint.path,
            "also": endpoint.also.iter()
                .map(|(verb, path)| json!({"method": verb.as_str(), "path": path})).collect::<Vec<_>>(),
            "operations": endpoint.operations,
            "pools": row.pools.iter().map(|pool| {
                let pool = &catalogue.pools()[usize::from(*pool)];
                let counts = pool.weighs.map(|weighs| weighs.at);
                json!({"name": pool.name, "rate": pool.rate.to_string(), "counts": counts,
                       "per_call": pool.per_call()})
            }).collect::<Vec<_>>(),
        });
        let more = match &endpoint.effect {
            Effect::Read(read) => json!({
                "tags": read.tags, "fresh_seconds": read.fresh.as_secs(), "query": read.query,
                "changed_by": read.changed_by.as_str(), "stale": !read.strict,
                "body_in_key": read.by_body, "ends_at": read.ends.map(|ends| ends.at),
            }),
            Effect::Write(write) => json!({ "touches": write.touches, "otherwise": write.otherwise }),
            Effect::Relay => json!({}),
        };
        if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
            value.extend(more);
        }
        value
    });
    json!({ "endpoints": rows.collect::<Vec<_>>() })
}

/// How long the answers of each read are kept, and why: a table for the documentation.
#[must_use]
pub fn kept(catalogue: &Catalogue) -> String {
    let mut out = String::from("| read | changed by | kept for | past that |\n|---|---|---|---|\n");
    for (_, row) in catalogue.rows() {
        let Effect::Read(read) = &row.endpoint.effect else {
            continue;
        };
        let ends = if read.ends.is_some() { ", or until the first entry ends" } else { "" };
        let past = if read.strict { "never served" } else { "`stale`" };
        let (name, by, fresh) = (row.endpoint.name, read.changed_by.as_str(), read.fresh.as_secs());
        let _ = writeln!(out, "| `{name}` | {by} | {fresh} s{ends} | {past} |");
    }
    out
}

/// Which write touches which tags, and which reads show them: a table for the documentation.
#[must_use]
pub fn reach(catalogue: &Catalogue) -> String {
    let mut out = String::from("| write | touches | so these reads are fetched anew |\n|---|---|---|\n");
    for (id, row) in catalogue.rows() {
        let Effect::Write(write) = &row.endpoint.effect else {
            continue;
        };
        let tags = write.touches.iter().chain(write.otherwise).map(|tag| format!("`{}`", short(tag)));
        let reads: BTreeSet<&str> = reads_reached(catalogue, id).collect();
        let reads: Vec<String> = reads.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            out,
            "| `{}` | {} | {} |",
            row.endpoint.name,
            tags.collect::<Vec<_>>().join(" "),
            reads.join(" ")
        );
    }
    out
}

/// The names of the reads that carry a tag of the same form as one that this write touches.
pub fn reads_reached(catalogue: &Catalogue, write: EndpointId) -> impl Iterator<Item = &'static str> {
    let touched: BTreeSet<String> = match &catalogue[write].endpoint.effect {
        Effect::Write(write) => write.touches.iter().chain(write.otherwise).map(|tag| place(tag)).collect(),
        _ => BTreeSet::new(),
    };
    let carries = move |endpoint: &Endpoint| match &endpoint.effect {
        Effect::Read(read) => read.tags.iter().any(|tag| touched.contains(&place(tag))),
        _ => false,
    };
    catalogue.rows().map(|(_, row)| row.endpoint).filter(move |row| carries(row)).map(|row| row.name)
}

fn pools(catalogue: &Catalogue, row: &super::Row) -> Vec<String> {
    let name = |pool: &u16| {
        let pool = &catalogue.pools()[usize::from(*pool)];
        let size = match pool.weighs {
            Some(weighs) => format!("{} of {}, {} a call", pool.rate, weighs.at, weighs.per_call),
            None => pool.rate.to_string(),
        };
        if pool.name == row.endpoint.name { size } else { format!("{} {size}", pool.name) }
    };
    row.pools.iter().map(name).collect()
}

/// A template without the place in the body or the answer: `user:{usernames}/groups`.
fn short(tag: &str) -> String {
    let mut out = String::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let name = name.rsplit(['/', ':']).find(|part| !matches!(*part, "*" | "")).unwrap_or(name);
        let _ = write!(out, "{before}{{{name}}}");
        rest = after;
    }
    out + rest
}
