//! Answers about several things at once, taken apart and put together: `GET /chatgroups/{id},{id}`.
//!
//! An answer is its elements (`data`, each with its `id`) in an envelope. What of the envelope depends on what was
//! asked is known by name (`uri`, `path`, `count`); a member that nobody has seen there may depend on it too, so
//! with one such nothing is put together. An element is named by its `id`; one with an `error` is none.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;

/// An answer, taken apart.
#[derive(Debug)]
pub struct Batch<'a> {
    /// What was asked for and is there, in the order of the answer: its name as it was asked, and its text.
    pub elements: Vec<(&'a str, &'a str)>,
    /// What is around them, if that is what it should be and nothing that was asked for is missing.
    pub envelope: Option<Envelope>,
}

/// What is around the elements, ready to be put around others.
#[derive(Debug, Eq, PartialEq)]
pub struct Envelope(Vec<Part>);

#[derive(Debug, Eq, PartialEq)]
enum Part {
    Text(String),
    /// Where the elements stand, in brackets.
    Elements,
    /// How many there are.
    Count,
    /// The list of names, as the path had it.
    List,
}

/// The members of a JSON object, in order, each in its own words.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// The names of an object's members, sorted: what two answers of one form have in common.
#[must_use]
pub fn shape(object: &[u8]) -> Vec<String> {
    let members = serde_json::from_slice::<Members<'_>>(object);
    let mut names: Vec<String> = members
        .map(|members| members.0.into_iter().map(|(name, _)| name.into_owned()).collect())
        .unwrap_or_default();
    names.sort_unstable();
    names
}

impl<'a> Batch<'a> {
    /// Takes an answer apart that was asked for these names, all different; `list` is how the path had them.
    /// `None` when it is no such answer at all.
    #[must_use]
    pub fn take_apart(answer: &'a [u8], asked: &[&'a str], list: &str) -> Option<Self> {
        let members: Members<'a> = serde_json::from_slice(answer).ok()?;
        let mut data = members.0.iter().filter(|(name, _)| name == "data");
        let (Some((_, data)), None) = (data.next(), data.next()) else {
            return None;
        };
        if members.0.iter().any(|(name, value)| name == "error" && value.get() != "null") {
            return None;
        }
        let all: Vec<&'a RawValue> = serde_json::from_str(data.get()).ok()?;
        let mut elements: Vec<(&'a str, &'a str)> = Vec::with_capacity(all.len());
        let mut strange = all.len() != asked.len();
        for element in all {
            let name = name_of(element.get()).and_then(|name| asked.iter().find(|asked| **asked == name));
            let twice = name.is_some_and(|name| elements.iter().any(|(other, _)| other == name));
            match name {
                Some(name) if !twice => elements.push((*name, element.get())),
                // Two that bear one name: which is the one?
                _ => {
                    elements.retain(|(other, _)| name.is_none_or(|name| other != name));
                    strange = true;
                }
            }
        }
        let envelope = if strange { None } else { Envelope::of(&members, asked, list) };
        Some(Self { elements, envelope })
    }
}

/// The name that an element bears, if it is one.
fn name_of(element: &str) -> Option<String> {
    let members: Members<'_> = serde_json::from_str(element).ok()?;
    if members.0.iter().any(|(name, value)| name == "error" && value.get() != "null") {
        return None;
    }
    let mut ids = members.0.iter().filter(|(name, _)| name == "id");
    let (Some((_, id)), None) = (ids.next(), ids.next()) else {
        return None;
    };
    match serde_json::from_str(id.get()).ok()? {
        serde_json::Value::String(id) => Some(id),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

impl Envelope {
    fn of(members: &Members<'_>, asked: &[&str], list: &str) -> Option<Self> {
        let mut parts = vec![Part::Text("{".to_owned())];
        for (at, (name, value)) in members.0.iter().enumerate() {
            if members.0[..at].iter().any(|(other, _)| other == name) {
                return None;
            }
            let comma = if at == 0 { "" } else { "," };
            text(&mut parts, &format!("{comma}{}:", serde_json::json!(name)));
            let value = value.get();
            match &**name {
                "data" => parts.push(Part::Elements),
                "count" if value == asked.len().to_string() => parts.push(Part::Count),
                "uri" | "path" => match around(value, list) {
                    Some((before, after)) => {
                        text(&mut parts, before);
                        parts.push(Part::List);
                        text(&mut parts, after);
                    }
                    // Written in another way, which nobody could write for another list.
                    _ if asked.iter().any(|name| value.contains(name)) => return None,
                    _ => text(&mut parts, value),
                },
                "action" | "application" | "applicationName" | "organization" | "timestamp" | "duration" => {
                    text(&mut parts, value);
                }
                "entities" | "properties" | "params" if matches!(value, "[]" | "{}" | "null") => {
                    text(&mut parts, value);
                }
                _ => return None,
            }
        }
        text(&mut parts, "}");
        Some(Self(parts))
    }

    /// Puts it around these elements, which are what this list of names asks for.
    #[must_use]
    pub fn around<'a>(
        &self,
        list: &str,
        elements: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    ) -> Vec<u8> {
        let length: usize = elements.clone().map(|element| element.len() + 1).sum();
        let mut body = Vec::with_capacity(length + 512 + 2 * list.len());
        for part in &self.0 {
            match part {
                Part::Text(text) => body.extend_from_slice(text.as_bytes()),
                Part::List => body.extend_from_slice(list.as_bytes()),
                Part::Count => body.extend_from_slice(elements.len().to_string().as_bytes()),
                Part::Elements => {
                    body.push(b'[');
                    for (at, element) in elements.clone().enumerate() {
                        body.extend_from_slice(if at == 0 { b"" } else { b"," });
                        body.extend_from_slice(element);
                    }
                    body.push(b']');
                }
            }
        }
        body
    }
}

/// What stands before and after the list, where it is a segment of the path in this text.
fn around<'v>(value: &'v str, list: &str) -> Option<(&'v str, &'v str)> {
    let at = value.rfind(&format!("/{list}"))? + 1;
    let after = value.get(at + list.len()..)?;
    after.starts_with(['"', '?', '/']).then_some((value.get(..at)?, after))
}

/// Appends to the last text, if that is last.
fn text(parts: &mut Vec<Part>, more: &str) {
    if let Some(Part::Text(last)) = parts.last_mut() {
        let _ = last.write_str(more);
    } else {
        parts.push(Part::Text(more.to_owned()));
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The name of a member: borrowed from the text, unless it has escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
