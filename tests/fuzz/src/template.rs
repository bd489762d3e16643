//! Rows and their tags: what a path is matched with gives the path back. Input: a method, a blank, a path.

use super::path;
use easemob_gateway::catalogue::template::Values;
use easemob_gateway::catalogue::{Catalogue, Endpoint, Found, NotFound, Tags, Verb};
use easemob_gateway::easemob;
use http::Method;
use std::sync::LazyLock;

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| easemob::catalogue("easemob-demo", "chat").expect("no mistakes"));

/// A match names the right row, gives its path back, and has the same tags in every spelling.
pub fn check(data: &[u8]) {
    path::check(data);
    let text = String::from_utf8_lossy(data);
    let (method, path) = text.split_once(' ').unwrap_or(("GET", &text));
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let path = format!("/{}", path.trim_start_matches('/'));
    let found = match CATALOGUE.look_up(&method, &path) {
        Ok(found) => found,
        Err(NotFound::Method(verbs)) => {
            assert!(!verbs.is_empty() && Verb::of(&method).is_none_or(|own| !verbs.contains(&own)));
            return;
        }
        Err(NotFound::TooLong) => return assert!(path.len() > usize::from(u16::MAX)),
        Err(NotFound::Ambiguous(why)) => return assert!(!why.as_str().is_empty()),
    };
    let matched = found.canonical.as_deref().unwrap_or(&path);
    let row = CATALOGUE[found.endpoint].endpoint;
    if found.endpoint != CATALOGUE.unlisted() {
        let values: Vec<&str> = found.spans.values(matched).collect();
        assert!(gives_back(row, &method, &values, matched), "{}: {values:?}", row.name);
        assert!(values.iter().all(|value| !value.is_empty() && matched.contains(value)));
    }
    let own = tags(&found, matched);
    // The same path with its commas and letters escaped.
    let escaped = matched.replace(',', "%2c").replace('a', "%61");
    if matched.contains('%') || escaped.len() > usize::from(u16::MAX) {
        return;
    }
    let other = CATALOGUE.look_up(&method, &escaped).expect("the same path");
    let as_matched = other.canonical.as_deref().unwrap_or(&escaped);
    assert_eq!((other.endpoint, as_matched), (found.endpoint, matched));
    assert_eq!(tags(&other, as_matched), own, "{escaped}");
    upper_case(&method, &found, matched, &own);
}

/// Whether one of the row's spellings is this path, with these values in it.
fn gives_back(row: &Endpoint, method: &Method, values: &[&str], path: &str) -> bool {
    let wanted = if *method == Method::HEAD { Some(Verb::Get) } else { Verb::of(method) };
    let fits = |verb: &Verb| *verb == Verb::Any || Some(*verb) == wanted;
    let mut all = std::iter::once((row.verb, row.path)).chain(row.also.iter().copied());
    all.any(|(verb, template)| {
        let mut values = values.iter();
        let filled = template.split('/').map(|segment| match segment.starts_with('{') {
            true => values.next().copied().unwrap_or("(nothing)"),
            false => segment,
        });
        let filled: Vec<&str> = filled.collect();
        fits(&verb) && filled.join("/") == path && values.next().is_none()
    })
}

/// What it shows and what it changes: at most as many as were foreseen, each a word of one line.
fn tags(found: &Found, path: &str) -> (Tags, Tags) {
    let values = Values { path, spans: found.spans, body: None, answer: None };
    let all = (CATALOGUE.tags(found.endpoint, &values), CATALOGUE.touches(found.endpoint, &values));
    let foreseen = CATALOGUE[found.endpoint].tags.count(&values);
    assert!(all.0.names.len() <= foreseen, "{} of {foreseen}", all.0.names.len());
    assert!(all.0.names.iter().all(|tag| all.1.names.contains(tag)));
    all
}

/// Names are the same in capitals.
fn upper_case(method: &Method, found: &Found, matched: &str, own: &(Tags, Tags)) {
    let mut capitals = matched.to_owned();
    for value in found.spans.values(matched) {
        let from = value.as_ptr() as usize - matched.as_ptr() as usize;
        capitals.replace_range(from..from + value.len(), &value.to_ascii_uppercase());
    }
    // Another row may know that word.
    let other = CATALOGUE.look_up(method, &capitals).expect("as good a path");
    if other.endpoint == found.endpoint {
        assert_eq!(tags(&other, &capitals), *own, "{capitals}");
    }
}
