//! Method and path → row and parameters, or why not.
//!
//! Static segments win over parameters, so `/chatgroups/count` is not a group. A path that rows know by other
//! methods only is refused (405); a path that nobody knows is the catalogue's row for unlisted ones. `HEAD` is
//! answered wherever `GET` is.

use super::path::{Ambiguous, canonical};
use super::{Endpoint, EndpointId, Mistake, Verb};
use std::borrow::Cow;

/// The most parameters a path can have.
pub const PARAMETERS_MAX: usize = 4;

/// A row, and where its parameters stand.
#[derive(Debug)]
pub struct Found {
    /// The row.
    pub endpoint: EndpointId,
    /// The path as it was matched, where that differs from what came.
    pub canonical: Option<String>,
    /// The parameters, in the order of the template: ranges of the path as it was matched.
    pub spans: Spans,
}

/// Parameters as ranges of a path.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spans {
    ranges: [(u16, u16); PARAMETERS_MAX],
    count: u8,
}

/// Why there is no row.
#[derive(Debug)]
pub enum NotFound {
    /// The path could be read in two ways.
    Ambiguous(Ambiguous),
    /// The path is known, by these methods only.
    Method(Vec<Verb>),
    /// Longer than 64 KiB.
    TooLong,
}

impl Spans {
    /// The parameter values of `path`.
    pub fn values<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        self.ranges[..usize::from(self.count)]
            .iter()
            .map(move |&(from, to)| path.get(usize::from(from)..usize::from(to)).unwrap_or_default())
    }
}

/// The paths of all rows.
#[derive(Debug)]
pub(super) struct Router {
    shapes: matchit::Router<Vec<(Verb, EndpointId)>>,
}

impl Router {
    pub(super) fn new(rows: &'static [Endpoint]) -> Result<Self, Mistake> {
        let mut shapes: Vec<(String, Vec<(Verb, EndpointId)>)> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let id = EndpointId(u16::try_from(at).map_err(|_| Mistake::of(row.name, "is one too many"))?);
            let spellings = std::iter::once((row.verb, row.path)).chain(row.also.iter().copied());
            for (verb, path) in spellings.filter(|(_, path)| !path.is_empty()) {
                let shape = shape(path);
                match shapes.iter_mut().find(|(other, _)| *other == shape) {
                    Some((_, verbs)) => verbs.push((verb, id)),
                    None => shapes.push((shape, vec![(verb, id)])),
                }
            }
        }
        let mut router = matchit::Router::new();
        for (shape, verbs) in shapes {
            let name = rows[usize::from(verbs[0].1.0)].name;
            router.insert(shape, verbs).map_err(|error| Mistake::of(name, &error.to_string()))?;
        }
        Ok(Self { shapes: router })
    }

    pub(super) fn look_up(
        &self,
        method: &http::Method,
        path: &str,
        unlisted: EndpointId,
    ) -> Result<Found, NotFound> {
        if path.len() > usize::from(u16::MAX) {
            return Err(NotFound::TooLong);
        }
        let canonical = canonical(path).map_err(NotFound::Ambiguous)?;
        let Ok(matched) = self.shapes.at(&canonical) else {
            let canonical = other(canonical, path);
            return Ok(Found { endpoint: unlisted, canonical, spans: Spans::default() });
        };
        let wanted = if *method == http::Method::HEAD { Some(Verb::Get) } else { Verb::of(method) };
        let row = matched.value.iter().find(|(verb, _)| Some(*verb) == wanted);
        let row = row.or_else(|| matched.value.iter().find(|(verb, _)| *verb == Verb::Any));
        let Some(&(_, endpoint)) = row else {
            return Err(NotFound::Method(matched.value.iter().map(|(verb, _)| *verb).collect()));
        };
        let mut spans = Spans::default();
        let start = canonical.as_ptr() as usize;
        for (_, value) in matched.params.iter().take(PARAMETERS_MAX) {
            let from = value.as_ptr() as usize - start;
            spans.ranges[usize::from(spans.count)] = (from as u16, (from + value.len()) as u16);
            spans.count += 1;
        }
        Ok(Found { endpoint, canonical: other(canonical, path), spans })
    }
}

/// The path as it was matched, unless it is the one that came.
fn other(canonical: Cow<'_, str>, came: &str) -> Option<String> {
    match canonical {
        // A part of what came, without the slash at its end, or all of it.
        Cow::Borrowed(path) if path.len() == came.len() => None,
        path => Some(path.into_owned()),
    }
}

/// The path with its parameters numbered: rows may name the parameter at one place differently.
fn shape(path: &str) -> String {
    let mut number = 0;
    let segments = path.split('/').map(|segment| match segment.strip_prefix('{') {
        Some(name) => {
            number += 1;
            if name.starts_with('*') { format!("{{*p{number}}}") } else { format!("{{p{number}}}") }
        }
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}
