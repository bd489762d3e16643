//! How an answer breaks on its way, as bytes on a wire.
//!
//! Each kind becomes a short list of acts for the connection that carries it. An act list that does not end the
//! connection leaves it open for the next request. What the same means where there is no wire stands in `body`.

use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;

/// How an answer breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// The connection is reset without a byte.
    Reset,
    /// The connection is closed in order without a byte.
    Close,
    /// Closed in the middle of the head.
    HalfHead,
    /// Closed in the middle of a body whose length was said.
    HalfBody,
    /// Reset in the middle of a body whose length was said.
    ResetInBody,
    /// Closed in the middle of a body that lasts until the connection ends: framed as if it were whole.
    HalfUnframed,
    /// Closed in the middle of a chunk.
    HalfChunk,
    /// The length that is said is longer than the body; closed after it.
    TooLong,
    /// The length that is said is shorter than the body; the rest follows.
    TooShort,
    /// Nothing comes, until stalls are released.
    StallBeforeHead,
    /// Nothing comes after the head, until stalls are released.
    StallAfterHead,
    /// Nothing comes after half of the body, until stalls are released.
    StallInBody,
    /// One byte at a time, with this pause before each.
    Drip(Duration),
    /// Bytes that are no HTTP; then closed.
    Garbage,
    /// Answers that are none (1xx) before the answer.
    Informational,
    /// A second answer that nobody asked for, right behind the first.
    SecondAnswer,
    /// Two lengths that differ; the first is right.
    TwoLengths,
    /// A length and chunks. The length is too short.
    LengthAndChunks,
}

/// One step of what a connection does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Say(Bytes),
    /// A byte at a time.
    Drip(Bytes, Duration),
    /// Nothing, until stalls are released or the other end goes.
    Stall,
    /// Ends in order.
    Close,
    Reset,
}

const GARBAGE: &[u8] = b"\x00\xff\x16\x03\x01 this is no HTTP\r\n\r\n";
const INFORMATIONAL: &str =
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
/// What a careless reader would take for the answer to the next request.
const SECOND: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{\"data\":[\"smuggled\"]}";

impl Breakage {
    /// Every kind by the name it has over HTTP; a drip has a pause of its own.
    pub const ALL: [(&'static str, Self); 18] = [
        ("reset", Self::Reset),
        ("close", Self::Close),
        ("half_head", Self::HalfHead),
        ("half_body", Self::HalfBody),
        ("reset_in_body", Self::ResetInBody),
        ("half_unframed", Self::HalfUnframed),
        ("half_chunk", Self::HalfChunk),
        ("too_long", Self::TooLong),
        ("too_short", Self::TooShort),
        ("stall_before_head", Self::StallBeforeHead),
        ("stall_after_head", Self::StallAfterHead),
        ("stall_in_body", Self::StallInBody),
        ("drip", Self::Drip(Duration::from_millis(10))),
        ("garbage", Self::Garbage),
        ("informational", Self::Informational),
        ("second_answer", Self::SecondAnswer),
        ("two_lengths", Self::TwoLengths),
        ("length_and_chunks", Self::LengthAndChunks),
    ];

    /// Whether a client can tell which answer it was.
    pub(super) fn shows_status(self) -> bool {
        !matches!(self, Self::Reset | Self::Close | Self::HalfHead | Self::Garbage | Self::TwoLengths)
    }

    /// What a connection does to say this answer so.
    pub(super) fn acts(self, head: &Parts, body: &Bytes) -> Vec<Act> {
        let length = body.len();
        let half = body.slice(..length / 2);
        let rest = body.slice(length / 2..);
        let framed = |said: usize| Act::Say(written(head, &format!("Content-Length: {said}\r\n")));
        let say = |bytes: &Bytes| Act::Say(bytes.clone());
        match self {
            Self::Reset => vec![Act::Reset],
            Self::Close => vec![Act::Close],
            Self::HalfHead => {
                let whole = written(head, &format!("Content-Length: {length}\r\n"));
                vec![Act::Say(whole.slice(..whole.len() / 2)), Act::Close]
            }
            Self::HalfBody => vec![framed(length), say(&half), Act::Close],
            Self::ResetInBody => vec![framed(length), say(&half), Act::Reset],
            Self::HalfUnframed => {
                vec![Act::Say(written(head, "Connection: close\r\n")), say(&half), Act::Close]
            }
            Self::HalfChunk => {
                let begun = format!("{length:x}\r\n");
                vec![Act::Say(written(head, CHUNKED)), Act::Say(begun.into()), say(&half), Act::Close]
            }
            Self::TooLong => vec![framed(length + 7), say(body), Act::Close],
            Self::TooShort => vec![framed(length / 2), say(body)],
            Self::StallBeforeHead => vec![Act::Stall, framed(length), say(body)],
            Self::StallAfterHead => vec![framed(length), Act::Stall, say(body)],
            Self::StallInBody => vec![framed(length), say(&half), Act::Stall, say(&rest)],
            Self::Drip(every) => {
                let whole = written(head, &format!("Content-Length: {length}\r\n"));
                vec![Act::Drip(whole, every), Act::Drip(body.clone(), every)]
            }
            Self::Garbage => vec![Act::Say(Bytes::from_static(GARBAGE)), Act::Close],
            Self::Informational => {
                vec![Act::Say(Bytes::from_static(INFORMATIONAL.as_bytes())), framed(length), say(body)]
            }
            Self::SecondAnswer => {
                // In one piece, so that it is there when the first has been read.
                let first = [written(head, &format!("Content-Length: {length}\r\n")), body.clone()].concat();
                vec![Act::Say([first.as_slice(), SECOND.as_bytes()].concat().into())]
            }
            Self::TwoLengths => {
                let both = format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length / 2);
                vec![Act::Say(written(head, &both)), say(body)]
            }
            Self::LengthAndChunks => {
                let both = format!("Content-Length: {}\r\n{CHUNKED}", length / 2);
                vec![Act::Say(written(head, &both)), Act::Say(chunk(body)), Act::Close]
            }
        }
    }
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

fn chunk(body: &Bytes) -> Bytes {
    let (begin, end) = (format!("{:x}\r\n", body.len()), b"\r\n0\r\n\r\n".as_slice());
    [begin.as_bytes(), body, end].concat().into()
}

/// The head as bytes, with these lines about the body's length.
fn written(head: &Parts, framing: &str) -> Bytes {
    let reason = head.status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", head.status.as_str()).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(framing.as_bytes());
    bytes.extend_from_slice(b"\r\n");
    bytes.into()
}
