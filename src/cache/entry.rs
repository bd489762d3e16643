//! A kept answer: one block of memory, with the proof of when it was true.
//!
//! The block holds slots, key and body one after the other; the body is handed out as a slice of it. Headers are
//! rebuilt from constants and numbers: an answer is only kept when it is JSON in identity encoding.

use super::epoch::{Slot, Slots, Stamp};
use super::key::Key;
use crate::clock::Instant;
use bytes::Bytes;

/// A kept answer.
#[derive(Debug)]
pub struct Entry {
    block: Bytes,
    key_at: u32,
    body_at: u32,
    /// The status: 200, or 404 for what is known not to be there.
    pub status: u16,
    /// The number of the last touch when its fetch began.
    pub stamp: Stamp,
    /// When it was fetched: its age counts from here.
    pub fetched: Instant,
    /// From then on it is past its time.
    pub deadline: Instant,
    /// A hash of its body: two answers with one number are the same bytes.
    pub etag: u64,
    /// How its media type was spelt: a number of the caller's own.
    pub media: u8,
}

/// What the store and the entry's own fields take beside the block: measured for moka 0.12 with 16-byte keys.
const OVERHEAD_BYTES: u32 = 448;

impl Entry {
    /// Puts an answer into one block. `None` when it is too large for one.
    #[must_use]
    pub fn new(
        key: &Key,
        slots: &[Slot],
        (status, body): (u16, &[u8]),
        stamp: Stamp,
        (fetched, deadline): (Instant, Instant),
    ) -> Option<Self> {
        let key_at = size_of_val(slots);
        let body_at = key_at + key.bytes().len();
        let mut block = Vec::with_capacity(body_at + body.len());
        slots.iter().for_each(|slot| block.extend_from_slice(&slot.to_le_bytes()));
        block.extend_from_slice(key.bytes());
        block.extend_from_slice(body);
        u32::try_from(block.len()).ok()?;
        Some(Self {
            block: block.into(),
            key_at: key_at as u32,
            body_at: body_at as u32,
            status,
            stamp,
            fetched,
            deadline,
            etag: 0,
            media: 0,
        })
    }

    /// The same, with the numbers that its headers are made of.
    #[must_use]
    pub fn labelled(self, etag: u64, media: u8) -> Self {
        Self { etag, media, ..self }
    }

    /// The places of its tags.
    pub fn slots(&self) -> impl Slots + ExactSizeIterator + Clone {
        let slots = self.block.get(..self.key_at as usize).unwrap_or_default();
        slots.chunks_exact(4).map(|slot| Slot::from_le_bytes([slot[0], slot[1], slot[2], slot[3]]))
    }

    /// The name it is kept under.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.block.get(self.key_at as usize..self.body_at as usize).unwrap_or_default()
    }

    /// The body, sharing the block's memory.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.block.slice(self.body_at as usize..)
    }

    /// Bytes it takes, with what the store adds.
    #[must_use]
    pub fn weight(&self) -> u32 {
        OVERHEAD_BYTES.saturating_add(u32::try_from(self.block.len()).unwrap_or(u32::MAX))
    }
}
