//! One spelling of a JSON text: two that say the same are the same bytes.
//!
//! Members are sorted, blanks left out, strings written one way (after RFC 8785). What two parsers might read differently
//! has no such spelling, and stays what it is: a member that stands twice, a number that is not a whole one of 64 bits.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// A value, written.
struct Spelt(Vec<u8>);

/// The one spelling. `None` where there is none, or the text is no JSON.
#[must_use]
pub fn spelling(text: &[u8]) -> Option<Vec<u8>> {
    serde_json::from_slice(text).ok().map(|Spelt(bytes)| bytes)
}

fn written<E: Error>(value: &impl serde::Serialize) -> Result<Spelt, E> {
    serde_json::to_vec(value).map(Spelt).map_err(E::custom)
}

impl<'de> Deserialize<'de> for Spelt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Speller)
    }
}

struct Speller;

impl<'de> Visitor<'de> for Speller {
    type Value = Spelt;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON that is read in one way")
    }

    fn visit_unit<E: Error>(self) -> Result<Spelt, E> {
        written(&())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Spelt, E> {
        written(&value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Spelt, E> {
        written(&value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Spelt, E> {
        written(&value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Spelt, E> {
        written(&value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Spelt, A::Error> {
        let mut out = vec![b'['];
        while let Some(Spelt(element)) = list.next_element()? {
            out.extend_from_slice(&element);
            out.push(b',');
        }
        out.push(b']');
        Ok(Spelt(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spelt, A::Error> {
        let mut members: BTreeMap<String, Spelt> = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        let mut out = vec![b'{'];
        for (name, Spelt(value)) in members {
            out.extend_from_slice(&written::<A::Error>(&name)?.0);
            out.push(b':');
            out.extend_from_slice(&value);
            out.push(b',');
        }
        out.push(b'}');
        Ok(Spelt(out))
    }
}
