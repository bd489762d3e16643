//! Tag templates, and the values that fill them.
//!
//! Values are made one spelling before they become tags: unescaped, trimmed, lower case, the vendor's prefix
//! cut off, numbers as digits, lists taken apart. Two spellings of one thing must never be two tags (that would be
//! a stale answer); two things in one tag cost no more than a miss. Keys and what is sent stay as they came.

use super::lookup::Spans;
use super::pointer::{Collected, Pointers};
use percent_encoding::percent_decode_str;
use smallvec::SmallVec;
use std::borrow::Cow;

/// Room for a usual tag.
const TAG_BYTES: usize = 48;

/// The values of one piece.
type Found<'v> = SmallVec<[Cow<'v, str>; 2]>;

/// The templates of one row.
#[derive(Debug, Default)]
pub struct Templates {
    templates: Vec<Vec<Piece>>,
    /// What is read from the request's body.
    pub body: Option<Pointers>,
    /// What is read from the answer's body.
    pub answer: Option<Pointers>,
    /// Numbers, in `answer`, of what else is read from it in the same pass.
    pub also: Vec<usize>,
}

#[derive(Debug)]
enum Piece {
    Text(&'static str),
    Parameter(usize),
    Body(usize, Must),
    /// One of several places: deployments differ.
    Answer(Vec<usize>),
}

/// Whether a body must have a member for its tags to be clear.
#[derive(Clone, Copy, Debug)]
enum Must {
    BeThere,
    Not,
}

/// Where values come from, for one exchange.
#[derive(Debug, Default, Clone, Copy)]
pub struct Values<'a> {
    /// The path as it was matched.
    pub path: &'a str,
    /// The parameters in it.
    pub spans: Spans,
    /// What was found in the request's body.
    pub body: Option<&'a Collected>,
    /// What was found in the answer; absent before there is one.
    pub answer: Option<&'a Collected>,
}

/// Tags of one exchange.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tags {
    /// The tags.
    pub names: Vec<String>,
    /// A body or an answer did not say clearly what it concerns.
    pub unclear: bool,
}

impl Templates {
    /// Compiles the templates of a row with this path. `also` are pointers into the answer that serve no tag.
    ///
    /// # Errors
    /// A sentence, when a template names a parameter that the path does not have or is not well formed.
    pub fn new(tags: &[&'static str], path: &'static str, also: &[&'static str]) -> Result<Self, String> {
        let parameters: Vec<&str> = parameters(path).collect();
        let mut body: Vec<&'static str> = Vec::new();
        let mut answer: Vec<&'static str> = Vec::new();
        let mut templates = Vec::with_capacity(tags.len());
        for tag in tags {
            let mut pieces = Vec::new();
            let mut rest = *tag;
            while let Some((text, after)) = rest.split_once('{') {
                let (name, after) =
                    after.split_once('}').ok_or_else(|| format!("tag {tag}: a brace is not closed"))?;
                if !text.is_empty() {
                    pieces.push(Piece::Text(text));
                }
                pieces.push(match name.split_once(':') {
                    Some(("body", pointer)) => Piece::Body(place(&mut body, pointer), Must::BeThere),
                    Some(("body?", pointer)) => Piece::Body(place(&mut body, pointer), Must::Not),
                    Some(("answer", pointers)) => Piece::Answer(
                        pointers.split('|').map(|pointer| place(&mut answer, pointer)).collect(),
                    ),
                    Some(_) => return Err(format!("tag {tag}: {name} is neither body nor answer")),
                    None => Piece::Parameter(
                        parameters
                            .iter()
                            .position(|parameter| *parameter == name)
                            .ok_or_else(|| format!("tag {tag}: the path has no parameter {name}"))?,
                    ),
                });
                rest = after;
            }
            if !rest.is_empty() {
                pieces.push(Piece::Text(rest));
            }
            templates.push(pieces);
        }
        let also = also.iter().map(|pointer| place(&mut answer, pointer)).collect();
        let pointers = |list: Vec<&'static str>| (!list.is_empty()).then(|| Pointers::new(&list));
        Ok(Self { templates, body: pointers(body), answer: pointers(answer), also })
    }

    /// How many tags these values give at most, without making them: lists in one template multiply.
    #[must_use]
    pub fn count(&self, values: &Values<'_>) -> usize {
        let product = |pieces: &Vec<Piece>| {
            pieces.iter().map(|piece| piece.count(values)).fold(1, usize::saturating_mul)
        };
        self.templates.iter().map(product).fold(0, usize::saturating_add)
    }

    /// The tags for these values. Templates that need an answer are left out while there is none.
    #[must_use]
    pub fn resolve(&self, values: &Values<'_>, prefix: &str) -> Tags {
        let mut tags = Tags { names: Vec::with_capacity(self.templates.len()), unclear: false };
        for pieces in &self.templates {
            if values.answer.is_none() && pieces.iter().any(|piece| matches!(piece, Piece::Answer(_))) {
                tags.unclear = true;
                continue;
            }
            let from = tags.names.len();
            tags.names.push(String::with_capacity(TAG_BYTES));
            for piece in pieces {
                match piece {
                    Piece::Text(text) => tags.names[from..].iter_mut().for_each(|tag| tag.push_str(text)),
                    _ => {
                        let found = piece.values(values, prefix, &mut tags.unclear);
                        append_each(&mut tags.names, from, &found);
                    }
                }
            }
        }
        tags.names.sort_unstable();
        tags.names.dedup();
        tags
    }
}

impl Piece {
    /// How many values it has at most; an answer's are not the caller's choice.
    fn count(&self, from: &Values<'_>) -> usize {
        let elements = |value: &str| value.split(',').count();
        match self {
            Self::Text(_) | Self::Answer(_) => 1,
            Self::Parameter(at) => from.spans.values(from.path).nth(*at).map_or(1, elements),
            Self::Body(at, _) => {
                from.body.map_or(0, |found| found.at(*at).values.iter().map(|value| elements(value)).sum())
            }
        }
    }

    fn values<'v>(&self, from: &'v Values<'v>, prefix: &str, unclear: &mut bool) -> Found<'v> {
        let found: SmallVec<[_; 2]> = match self {
            Self::Text(_) => return Found::new(),
            Self::Parameter(at) => {
                let value = from.spans.values(from.path).nth(*at).unwrap_or_default();
                return value.split(',').map(|element| normal(element, prefix)).collect();
            }
            Self::Body(at, must) => {
                let found: SmallVec<[_; 2]> = from.body.map(|found| found.at(*at)).into_iter().collect();
                // Said by another name than ours, it would be a change that nobody touches.
                *unclear |= matches!(must, Must::BeThere) && found.iter().any(|at| at.absent);
                found
            }
            Self::Answer(places) => {
                let found: SmallVec<[_; 2]> =
                    places.iter().filter_map(|at| from.answer.map(|found| found.at(*at))).collect();
                // An answer must show what it is about, in one of these places.
                *unclear |= found.iter().all(|at| at.absent);
                found
            }
        };
        *unclear |= found.is_empty() || found.iter().any(|at| at.unclear || at.gap);
        // A body may pack a list into one string, as paths do.
        let elements = found.iter().flat_map(|at| &at.values).flat_map(|value| value.split(','));
        elements.map(|element| normal_text(element.trim(), prefix)).collect()
    }
}

/// The names of the parameters of a path, in order.
pub fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{'))
        .map(|name| name.trim_end_matches('}').trim_end_matches(',').trim_start_matches('*'))
}

/// One spelling of a value from a path.
#[must_use]
pub fn normal<'v>(value: &'v str, prefix: &str) -> Cow<'v, str> {
    if !value.contains('%') {
        return normal_text(value.trim(), prefix);
    }
    match percent_decode_str(value).decode_utf8_lossy() {
        Cow::Borrowed(plain) => normal_text(plain.trim(), prefix),
        Cow::Owned(decoded) => Cow::Owned(normal_text(decoded.trim(), prefix).into_owned()),
    }
}

/// One spelling of a value from a body, where nothing is escaped. Most are in it already, and are lent.
#[must_use]
pub fn normal_text<'v>(value: &'v str, prefix: &str) -> Cow<'v, str> {
    let value = if value.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(value.to_lowercase())
    };
    if prefix.is_empty() || !value.starts_with(prefix) {
        return value;
    }
    match value {
        Cow::Borrowed(value) => Cow::Borrowed(&value[prefix.len()..]),
        Cow::Owned(value) => Cow::Owned(value[prefix.len()..].to_owned()),
    }
}

/// Every tag from `from` on, continued by each of the values: no value, no tag.
fn append_each(tags: &mut Vec<String>, from: usize, values: &[Cow<'_, str>]) {
    if let [value] = values {
        tags[from..].iter_mut().for_each(|tag| tag.push_str(value));
        return;
    }
    let begun: Vec<String> = tags.drain(from..).collect();
    tags.extend(begun.iter().flat_map(|tag| values.iter().map(move |value| format!("{tag}{value}"))));
}

fn place(list: &mut Vec<&'static str>, pointer: &'static str) -> usize {
    list.iter().position(|other| *other == pointer).unwrap_or_else(|| {
        list.push(pointer);
        list.len() - 1
    })
}
