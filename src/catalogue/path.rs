//! A path that has exactly one meaning, or none.
//!
//! What is matched here and what the vendor understands must be the same thing, or a write could touch the
//! wrong tags. So a path that two parsers might read differently is refused: empty and dot segments, encoded
//! slashes, `;` (some servers cut parameters off there), control characters, blanks at the ends of segments, escapes
//! of escapes. Escapes of harmless characters are undone for matching (`%2C` is `,`); what is sent stays as it came.
//! One slash at the end is taken for none, since a client library of the vendor's writes it; whether the answer is the
//! same nobody says, so whoever keeps answers must keep none of those.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Why a path is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ambiguous {
    /// `//`.
    EmptySegment,
    /// `.` or `..`, also encoded.
    DotSegment,
    /// `\`, `;`, `#`, `?`, and any of these or `/` encoded.
    Separator,
    /// A control character, a space, or a byte that is not ASCII.
    Character,
    /// A `%` that begins no escape, or `%25`.
    Escape,
    /// A segment that begins or ends with a blank: who trims it reads another one.
    Blank,
}

impl Ambiguous {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptySegment => "the path has an empty segment",
            Self::DotSegment => "the path has a dot segment",
            Self::Separator => "the path has an encoded separator, a backslash or a semicolon",
            Self::Character => "the path has a character that must be escaped",
            Self::Escape => "the path has a broken or doubled escape",
            Self::Blank => "a segment of the path begins or ends with a blank",
        }
    }
}

/// The path as it is matched. Borrowed when nothing had to be undone.
///
/// # Errors
/// [`Ambiguous`] when the path could be read in two ways.
pub fn canonical(path: &str) -> Result<Cow<'_, str>, Ambiguous> {
    let (mut escaped, mut odd, mut before) = (false, false, 0);
    for byte in path.bytes() {
        match byte {
            b'%' => escaped = true,
            b'\\' | b';' | b'#' | b'?' => return Err(Ambiguous::Separator),
            0x21..=0x7e => odd |= before == b'/' && (byte == b'/' || byte == b'.'),
            _ => return Err(Ambiguous::Character),
        }
        before = byte;
    }
    // Nearly every path is plain, and needs no second look.
    if !escaped && !odd && before != b'/' {
        return Ok(Cow::Borrowed(path));
    }
    let path = if escaped { Cow::Owned(undo(path)?) } else { Cow::Borrowed(path) };
    let path = match path {
        Cow::Borrowed(path) => Cow::Borrowed(without_last_slash(path)),
        Cow::Owned(path) => Cow::Owned(without_last_slash(&path).to_owned()),
    };
    // The root has no segments at all; every other path has only whole ones.
    if path != "/" {
        for segment in path.split('/').skip(1) {
            match segment {
                "" => return Err(Ambiguous::EmptySegment),
                "." | ".." => return Err(Ambiguous::DotSegment),
                _ if has_outer_blank(segment) => return Err(Ambiguous::Blank),
                _ => {}
            }
        }
    }
    Ok(path)
}

/// Whether the segment's text, by any notion of a blank, is longer than it is trimmed.
fn has_outer_blank(segment: &str) -> bool {
    let is_escaped = segment.starts_with('%') || segment.as_bytes().iter().rev().nth(2) == Some(&b'%');
    let text = || percent_decode_str(segment).decode_utf8_lossy();
    is_escaped && text().trim().len() < text().len()
}

fn without_last_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

fn undo(path: &str) -> Result<String, Ambiguous> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let digits = escape.get(1..3).ok_or(Ambiguous::Escape)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Ambiguous::Escape);
        }
        let byte = u8::from_str_radix(digits, 16).map_err(|_| Ambiguous::Escape)?;
        match byte {
            b'%' => return Err(Ambiguous::Escape),
            b'/' | b'\\' | b';' | b'#' | b'?' => return Err(Ambiguous::Separator),
            0..=0x1f | 0x7f => return Err(Ambiguous::Character),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' => {
                out.push(byte as char)
            }
            _ => {
                // One spelling for what stays escaped.
                out.push('%');
                out.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = &escape[3..];
    }
    out.push_str(rest);
    Ok(out)
}
