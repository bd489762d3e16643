//! HTTP/2 by hand: frames as bytes (RFC 9113, 4 and 6; heads as RFC 7541 has them, without its compression).
//!
//! For callers who do what no client library does. Nothing sleeps; every wait is for a frame or an end.

use super::wire::{APP, Talk, soon};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const CANCEL: u32 = 8;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame that came.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The error that a reset or a GOAWAY carries.
    pub(crate) fn error(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        self.payload.get(at..at + 4).map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()))
    }

    /// The status that a head begins with, if it is one of the table (RFC 7541, appendix A).
    pub(crate) fn status(&self) -> u16 {
        // Behind an update of the table's size, if there is one.
        match self.payload.iter().find(|byte| **byte & 0xe0 != 0x20) {
            Some(0x88) => 200,
            Some(0x8c) => 400,
            Some(0x8d) => 404,
            _ => 0,
        }
    }
}

/// A frame as bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// A field that is not to be remembered, written out.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    [vec![0], string(name), string(value)].concat()
}

/// A field that is remembered as the newest of the table, which is number 62.
pub(crate) fn remembered(name: &str, value: &str) -> Vec<u8> {
    [vec![0x40], string(name), string(value)].concat()
}

fn string(text: &str) -> Vec<u8> {
    let mut left = text.len();
    if left < 127 {
        return [&[left as u8], text.as_bytes()].concat();
    }
    let mut out = vec![127];
    left -= 127;
    while left >= 128 {
        out.push((left % 128) as u8 | 128);
        left /= 128;
    }
    out.push(left as u8);
    [out, text.as_bytes().to_vec()].concat()
}

/// The head of a request for a path below the app.
pub(crate) fn head(method: &str, path: &str) -> Vec<u8> {
    let path = format!("{APP}{path}");
    [field(":method", method), vec![0x86], field(":path", &path), field(":authority", "localhost")].concat()
}

/// A whole read.
pub(crate) fn read(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &head("GET", path))
}

/// A setting.
pub(crate) fn setting(number: u16, value: u32) -> Vec<u8> {
    [&number.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// One end of an HTTP/2 connection. What is said is written while what comes is read, so that neither waits for the
/// other.
pub(crate) struct Peer {
    read: ReadHalf<TcpStream>,
    write: WriteHalf<TcpStream>,
    bytes: Vec<u8>,
}

impl Peer {
    /// A connection that has begun, with these settings.
    pub(crate) async fn to(address: SocketAddr, settings: &[u8]) -> Self {
        let stream = Talk::to(address).await.into_stream();
        let (read, write) = tokio::io::split(stream);
        let mut peer = Self { read, write, bytes: Vec::new() };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        peer.say([&preface[..], &frame(SETTINGS, 0, 0, settings)].concat()).await;
        peer
    }

    /// Writes, and keeps what comes meanwhile. That the other end has gone is seen when it is read.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let Self { read, write, bytes: came } = self;
        let said = async {
            let _ = write.write_all(bytes.as_ref()).await;
            let _ = write.flush().await;
        };
        let mut said = std::pin::pin!(said);
        let mut piece = [0; 16 * 1024];
        let mut is_open = true;
        soon(async {
            loop {
                tokio::select! {
                    () = &mut said => return,
                    count = read.read(&mut piece), if is_open => {
                        let count = count.unwrap_or(0);
                        is_open = count > 0;
                        came.extend_from_slice(&piece[..count]);
                    }
                }
            }
        })
        .await;
    }

    /// The next frame, or `None` when the connection has ended.
    pub(crate) async fn hear(&mut self) -> Option<Frame> {
        loop {
            if let [a, b, c, kind, _, s @ ..] = &self.bytes[..]
                && let Some((stream, rest)) = s.split_first_chunk::<4>()
            {
                let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
                if rest.len() >= length {
                    let stream = u32::from_be_bytes(*stream);
                    let frame = Frame { kind: *kind, stream, payload: rest[..length].to_vec() };
                    self.bytes.drain(..9 + length);
                    return Some(frame);
                }
            }
            let mut piece = [0; 16 * 1024];
            let count = soon(self.read.read(&mut piece)).await.unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.bytes.extend_from_slice(&piece[..count]);
        }
    }

    /// The next frame for which this holds; `None` when the connection ends before.
    pub(crate) async fn hear_until(&mut self, fits: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.hear().await?;
            if fits(&frame) {
                return Some(frame);
            }
        }
    }

    /// All frames until the end.
    pub(crate) async fn hear_all(&mut self) -> Vec<Frame> {
        let mut all = Vec::new();
        while let Some(frame) = self.hear().await {
            all.push(frame);
        }
        all
    }
}
