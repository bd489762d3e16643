//! The cache's own parts, without a gateway around them: when a kept answer may be served, and when it is kept.

mod doubt;
mod entry;
mod epoch;
mod key;
mod skew;

use easemob_gateway::cache::{Cache, Entry, Key, Secret, Settings, Slot, Stamp};
use easemob_gateway::catalogue::lookup::Spans;
use easemob_gateway::catalogue::{ChangedBy, EndpointId, Read};
use easemob_gateway::clock;
use std::sync::Arc;
use std::time::Duration;

const SETTLE: Duration = Duration::from_secs(1);
const DOUBT: Duration = Duration::from_secs(60);

fn secret() -> Secret {
    Secret::new([7; 16])
}

fn cache() -> Cache {
    let settings = Settings {
        bytes_max: 1 << 20,
        slots: 1 << 16,
        tags_max: 1_024,
        settle: SETTLE,
        doubt: DOUBT,
        fetch_max: Duration::from_secs(100),
    };
    Cache::new(settings, &secret())
}

fn a_read(query: &'static [&'static str]) -> Read {
    Read {
        tags: &["a"],
        fresh: Duration::from_secs(30),
        query,
        by_body: false,
        ends: None,
        flaws: None,
        by_entity: None,
        changed_by: ChangedBy::Devices,
        strict: false,
    }
}

/// A key of its own for each name.
fn key(name: &str) -> Key {
    let query = format!("name={name}");
    Key::new(&secret(), EndpointId(1), &a_read(&["name"]), ("", &Spans::default()), Some(&query), None)
        .unwrap()
}

/// An answer that shows these, fetched now and good for half a minute.
fn entry(key: &Key, slots: &[Slot], body: &str, stamp: Stamp) -> Arc<Entry> {
    let now = clock::now();
    let times = (now, now + Duration::from_secs(30));
    Arc::new(Entry::new(key, slots, (200, body.as_bytes()), stamp, times).unwrap())
}

fn tags(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
