//! Values out of JSON by pointer, in one pass over the text and without a tree.
//!
//! A pointer is RFC 6901's with `*` for every element of an array: `/data/*/groupid`. A scalar where an array
//! is expected counts as its only element, since batch forms leave the brackets out. Every occurrence of a
//! repeated key is read: of two parsers one may take the first and one the last.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Several pointers, read together.
#[derive(Debug)]
pub struct Pointers {
    steps: Vec<Vec<&'static str>>,
}

/// What was found at each pointer.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    found: Vec<At>,
    /// The text is an object and has a member `error` that is not null: how the vendor marks failures.
    pub error: bool,
    /// The text is one JSON object.
    pub object: bool,
    /// It has a member `data` that is not null and that no pointer leads into: what most answers are about.
    pub data: bool,
}

/// What was found at one pointer.
#[derive(Clone, Debug, Default)]
pub struct At {
    /// Strings as they are, numbers as digits.
    pub values: Vec<String>,
    /// Something else stood there, or on the way: a tag cannot be made of it.
    pub unclear: bool,
    /// The pointer's first member is not there at all.
    pub absent: bool,
    /// The list that the pointer leads through is there.
    pub list: bool,
    /// Something on the way, or an element of that list, has nothing at the pointer.
    pub gap: bool,
}

impl Pointers {
    /// Compiles pointers; results come in the same order.
    #[must_use]
    pub fn new(pointers: &[&'static str]) -> Self {
        let steps = pointers.iter().map(|pointer| pointer.split('/').skip(1).collect()).collect();
        Self { steps }
    }

    /// Reads one JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, which is UTF-8 (RFC 8259, 8.1).
    pub fn collect(&self, text: &[u8]) -> Result<Collected, serde_json::Error> {
        let mut collected =
            Collected { found: vec![At::default(); self.steps.len()], ..Collected::default() };
        let here = self.steps.iter().enumerate().map(|(at, steps)| (at, steps.as_slice())).collect();
        // Looked through once as a whole, not once per string.
        let text = str::from_utf8(text).map_err(serde::de::Error::custom)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        Place { here, top: true, out: &mut collected }.deserialize(&mut reader)?;
        reader.end()?;
        Ok(collected)
    }
}

impl Collected {
    /// What was found at the pointer of this number.
    #[must_use]
    pub fn at(&self, pointer: usize) -> &At {
        static NOTHING: At = At { values: Vec::new(), unclear: true, absent: true, list: false, gap: false };
        self.found.get(pointer).unwrap_or(&NOTHING)
    }

    /// Whether any of the lists that the pointers lead through is there.
    #[must_use]
    pub fn has_list(&self) -> bool {
        self.found.iter().any(|at| at.list)
    }
}

/// The name of a member: borrowed from the text, unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A place in the text, and the pointers that lead through it.
struct Place<'p, 'o> {
    here: Vec<(usize, &'p [&'static str])>,
    top: bool,
    out: &'o mut Collected,
}

impl Place<'_, '_> {
    fn scalar(self, value: &str) {
        for (at, steps) in self.here {
            let found = &mut self.out.found[at];
            match steps {
                [] | ["*"] => found.values.push(value.to_owned()),
                _ => found.unclear = true,
            }
        }
    }

    fn unclear(self) {
        for (at, _) in self.here {
            self.out.found[at].unclear = true;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.here.is_empty() && !self.top {
            return IgnoredAny::deserialize(deserializer).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(&value.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.unclear();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.unclear();
        Ok(())
    }

    /// `null` is the same as absent.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut inside = Vec::with_capacity(self.here.len());
        for (at, steps) in self.here {
            match steps {
                ["*", rest @ ..] => inside.push((at, rest)),
                _ => self.out.found[at].unclear = true,
            }
        }
        inside.iter().for_each(|(at, _)| self.out.found[*at].list = true);
        loop {
            let before: Vec<usize> = inside.iter().map(|(at, _)| self.out.found[*at].values.len()).collect();
            let element = Place { here: inside.clone(), top: false, out: self.out };
            if list.next_element_seed(element)?.is_none() {
                return Ok(());
            }
            for ((at, _), before) in inside.iter().zip(before) {
                let found = &mut self.out.found[*at];
                found.gap |= found.values.len() == before;
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.out.object |= self.top;
        let mut met = vec![false; self.here.len()];
        while let Some(Name(key)) = map.next_key()? {
            if self.top && key == "error" {
                self.out.error |= map.next_value::<Option<IgnoredAny>>()?.is_some();
                continue;
            }
            let mut inside = Vec::new();
            for ((at, steps), met) in self.here.iter().zip(&mut met) {
                if let [first, rest @ ..] = steps
                    && *first == key
                {
                    *met = true;
                    inside.push((*at, rest));
                }
            }
            if self.top && key == "data" && inside.is_empty() {
                self.out.data = map.next_value::<Option<IgnoredAny>>()?.is_some();
                continue;
            }
            map.next_value_seed(Place { here: inside, top: false, out: self.out })?;
        }
        for ((at, steps), _) in self.here.iter().zip(met).filter(|(_, met)| !met) {
            let found = &mut self.out.found[*at];
            match steps {
                [] | ["*", ..] => found.unclear = true,
                _ if self.top => found.absent = true,
                _ => found.gap = true,
            }
        }
        Ok(())
    }
}
