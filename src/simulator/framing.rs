//! What can be read in two ways in the head of a request, and how long the body behind it is.
//!
//! Looks at the bytes as they came: what an HTTP library has taken apart shows none of it. A proxy that sends such
//! heads lets others decide where a request ends.

use std::ops::ControlFlow;

use serde::Serialize;

/// What is wrong with a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguity {
    /// More than one `Content-Length`, in one line or in several.
    TwoLengths,
    /// A length and chunks.
    LengthAndChunks,
    /// A `Content-Length` that is not digits alone.
    OddLength,
    /// A `Transfer-Encoding` that is not `chunked` alone, or is said twice.
    OddEncoding,
    /// A line that goes on in the next.
    Folded,
    /// A line that ends without a carriage return.
    BareLineFeed,
    /// A carriage return within a line.
    BareReturn,
    /// A blank before the colon of a header.
    SpaceBeforeColon,
    /// A line that is no header.
    NoColon,
    /// A character that no header may have.
    Control,
    /// Not one `Host`.
    OddHost,
    /// A request line that is not three words with one blank between them.
    OddRequestLine,
}

/// How long a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunks,
    /// Nobody can say.
    Unclear,
}

/// Everything that is wrong with a head, each kind once.
pub(super) fn ambiguities(head: &[u8]) -> Vec<Ambiguity> {
    let mut found = Vec::new();
    let mut lines = head.split_inclusive(|byte| *byte == b'\n');
    let request_line = lines.next().map(|line| trimmed(line, &mut found)).unwrap_or_default();
    if !is_request_line(request_line) {
        found.push(Ambiguity::OddRequestLine);
    }
    for line in lines {
        let line = trimmed(line, &mut found);
        if !line.is_empty() {
            header(line, &mut found);
        }
    }
    let lengths: Vec<&[u8]> = values(head, b"content-length").collect();
    let encodings: Vec<&[u8]> = values(head, b"transfer-encoding").collect();
    if lengths.len() > 1 || lengths.iter().any(|value| value.contains(&b',')) {
        found.push(Ambiguity::TwoLengths);
    }
    if lengths.iter().any(|value| value.is_empty() || !value.iter().all(u8::is_ascii_digit)) {
        found.push(Ambiguity::OddLength);
    }
    if !encodings.is_empty() && !matches!(encodings.as_slice(), [b"chunked"]) {
        found.push(Ambiguity::OddEncoding);
    }
    if !encodings.is_empty() && !lengths.is_empty() {
        found.push(Ambiguity::LengthAndChunks);
    }
    if values(head, b"host").count() != 1 {
        found.push(Ambiguity::OddHost);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// How long the body behind this head is, as the server reads it.
pub(super) fn length(head: &[u8]) -> Length {
    let mut encodings = values(head, b"transfer-encoding");
    match (encodings.next(), encodings.next()) {
        (None, _) => {}
        (Some(value), None) if value.eq_ignore_ascii_case(b"chunked") => return Length::Chunks,
        _ => return Length::Unclear,
    }
    let mut lengths = values(head, b"content-length");
    let first = lengths.next().unwrap_or(b"0");
    let number = std::str::from_utf8(first).ok().and_then(|text| text.parse().ok());
    match number.filter(|_| lengths.all(|other| other == first)) {
        Some(number) => Length::Bytes(number),
        None => Length::Unclear,
    }
}

/// The values of every header of this name, without the blanks around them.
fn values<'a>(head: &'a [u8], name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    lines.filter_map(move |line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        line[..colon].trim_ascii().eq_ignore_ascii_case(name).then(|| line[colon + 1..].trim_ascii())
    })
}

fn trimmed<'a>(line: &'a [u8], found: &mut Vec<Ambiguity>) -> &'a [u8] {
    if let Some(line) = line.strip_suffix(b"\r\n") {
        return line;
    }
    found.push(Ambiguity::BareLineFeed);
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn header(line: &[u8], found: &mut Vec<Ambiguity>) {
    if line.contains(&b'\r') {
        found.push(Ambiguity::BareReturn);
    }
    if line.iter().any(|byte| matches!(byte, 0..=8 | 10..=12 | 14..=31 | 127)) {
        found.push(Ambiguity::Control);
    }
    if matches!(line[0], b' ' | b'\t') {
        return found.push(Ambiguity::Folded);
    }
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    if name.len() == line.len() || name.is_empty() {
        found.push(Ambiguity::NoColon);
    } else if name.iter().any(|byte| matches!(byte, b' ' | b'\t')) {
        found.push(Ambiguity::SpaceBeforeColon);
    }
}

fn is_request_line(line: &[u8]) -> bool {
    let words = line.split(|byte| *byte == b' ').try_fold(0, |count, word| {
        if word.is_empty() || word.iter().any(u8::is_ascii_control) {
            ControlFlow::Break(count)
        } else {
            ControlFlow::Continue(count + 1)
        }
    });
    words == ControlFlow::Continue(3) && line.ends_with(b" HTTP/1.1")
}
