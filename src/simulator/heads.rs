//! Listening to the bytes that come in, and cutting out the heads.
//!
//! The HTTP library shows a request taken apart; what was really said stands only in the bytes. So the reading side
//! of a connection lets an [`Ear`] hear everything. It follows bodies just as far as it must to know where the next
//! head begins, and stops listening for good when that cannot be told, or when a head is too long.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::framing::{self, Length};

/// A head longer than this is not recorded, nor is what follows it.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// So many heads wait to be asked for; those of refused requests are never.
const HEADS_MAX: usize = 256;

/// What has been heard on one connection.
#[derive(Default)]
pub(super) struct Ear {
    at: At,
    /// Of the head or the chunk's size, what has come so far.
    begun: BytesMut,
    /// Of the line in it, whether anything but its end has come.
    line: bool,
    heads: VecDeque<Bytes>,
}

#[derive(Default)]
enum At {
    #[default]
    Head,
    Body(u64),
    /// In the line with a chunk's size.
    ChunkSize,
    /// In a chunk, with the line end behind it.
    Chunk(u64),
    Trailers,
    /// It cannot be told where anything begins.
    Lost,
}

impl Ear {
    /// Hears what came next, and tells the heads that are whole now.
    pub(super) fn hear(&mut self, mut bytes: &[u8], mut whole: impl FnMut(&Bytes)) {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Lost => return,
                At::Body(left) | At::Chunk(left) => {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[count..];
                    *left -= count as u64;
                    if *left == 0 {
                        self.at = if matches!(self.at, At::Body(_)) { At::Head } else { At::ChunkSize };
                    }
                }
                At::Head | At::ChunkSize | At::Trailers => bytes = self.line(bytes, &mut whole),
            }
        }
    }

    /// The next head in the order in which they came.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        self.heads.pop_front()
    }

    /// Takes bytes to the end of a line, and gives back what is behind it.
    fn line<'a>(&mut self, bytes: &'a [u8], whole: &mut impl FnMut(&Bytes)) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.begun.extend_from_slice(line);
        self.line |= line.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        if self.begun.len() > HEAD_BYTES_MAX {
            self.at = At::Lost;
            self.begun = BytesMut::new();
        } else if end.is_some() {
            let blank = !std::mem::take(&mut self.line);
            self.ended(blank, whole);
        }
        rest
    }

    /// A line has ended, which may have been blank.
    fn ended(&mut self, blank: bool, whole: &mut impl FnMut(&Bytes)) {
        match self.at {
            At::Head if blank => {
                let head = self.begun.split().freeze();
                // Blank lines before a request are no head.
                if head.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                    return;
                }
                self.at = match framing::length(&head) {
                    Length::Bytes(0) => At::Head,
                    Length::Bytes(count) => At::Body(count),
                    Length::Chunks => At::ChunkSize,
                    Length::Unclear => At::Lost,
                };
                whole(&head);
                if self.heads.len() == HEADS_MAX {
                    self.heads.pop_front();
                }
                self.heads.push_back(head);
            }
            At::ChunkSize => {
                let line = self.begun.split();
                let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                let size = std::str::from_utf8(&line[..digits]).unwrap_or_default();
                self.at = match u64::from_str_radix(size, 16) {
                    Ok(0) => At::Trailers,
                    Ok(size) => At::Chunk(size.saturating_add(2)),
                    Err(_) => At::Lost,
                };
            }
            At::Trailers => {
                self.begun.clear();
                if blank {
                    self.at = At::Head;
                }
            }
            _ => {}
        }
    }
}
