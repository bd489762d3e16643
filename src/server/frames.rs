//! The frames of an HTTP/2 connection as they come in, counted and not understood (RFC 9113, 4.1).
//!
//! HTTP/2's own machinery looks at each frame, and minds neither heads that are never whole nor pings without end.
//! Here is just enough to see those: where a frame begins, of what kind it is, and whether a head is whole. What is
//! wrong in a frame is left to that machinery.

/// What every HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
/// The flag of the last frame of a head.
const END_HEADERS: u8 = 4;

/// How far what comes in has been read.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes of the preface, or of a frame's payload, that are still to come.
    left: usize,
    /// The beginning of a frame, which may come in pieces.
    header: [u8; HEADER_BYTES],
    have: usize,
    /// What comes belongs to the preface, or to a head.
    in_head: bool,
    /// It will not be whole with this frame.
    goes_on: bool,
    /// Frames without a request since the last one that began one.
    control: usize,
}

/// What some bytes were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Seen {
    /// A request began in it.
    pub(super) request: bool,
    /// Somewhere in it no head was begun.
    pub(super) between: bool,
}

impl Frames {
    /// At the beginning of a connection.
    pub(super) fn new() -> Self {
        let header = [0; HEADER_BYTES];
        Self { left: PREFACE_BYTES, header, have: 0, in_head: true, goes_on: true, control: 0 }
    }

    /// Whether a preface or a head has begun that is not whole; of half the beginning of a frame nobody can say.
    pub(super) fn in_head(&self) -> bool {
        self.in_head || self.have > 0
    }

    /// Frames since the last head that carry nothing of a request: pings, settings, priorities, resets, kinds that
    /// nobody knows, and windows for answers that are no longer made.
    pub(super) fn control(&self) -> usize {
        self.control
    }

    /// Reads on. `is_idle`: no request is open.
    pub(super) fn read(&mut self, mut bytes: &[u8], is_idle: bool) -> Seen {
        let mut seen = Seen { request: false, between: !self.in_head() };
        while !bytes.is_empty() {
            let (is_end, rest) = if self.left > 0 {
                let (payload, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.left -= payload.len();
                (self.left == 0, rest)
            } else {
                let (header, rest) = bytes.split_at((HEADER_BYTES - self.have).min(bytes.len()));
                self.header[self.have..self.have + header.len()].copy_from_slice(header);
                self.have += header.len();
                let is_whole = self.have == HEADER_BYTES;
                if is_whole {
                    self.have = 0;
                    seen.request |= self.begin(is_idle);
                }
                (is_whole && self.left == 0, rest)
            };
            if is_end {
                self.in_head = self.goes_on;
            }
            seen.between |= !self.in_head();
            bytes = rest;
        }
        seen
    }

    /// The beginning of a frame has come. Whether it begins a request.
    fn begin(&mut self, is_idle: bool) -> bool {
        let [a, b, c, kind, flags, ..] = self.header;
        self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        self.in_head = matches!(kind, HEADERS | CONTINUATION);
        self.goes_on = self.in_head && flags & END_HEADERS == 0;
        match kind {
            HEADERS => self.control = 0,
            DATA | CONTINUATION => {}
            WINDOW_UPDATE if !is_idle => {}
            _ => self.control += 1,
        }
        kind == HEADERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = payload.len();
        [&[0, (length >> 8) as u8, length as u8, kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn beginning() -> Vec<u8> {
        [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, b"")].concat()
    }

    #[test]
    fn a_head_is_open_from_its_first_byte_to_its_last_however_it_comes() {
        let head = [frame(HEADERS, 0, b"abc"), frame(CONTINUATION, END_HEADERS, b"de")].concat();
        let all = [beginning(), frame(6, 0, &[0; 8]), head, frame(DATA, 1, b"body")].concat();
        let mut frames = Frames::new();
        // Where no head is open: after the first frame, after the ping's beginning, after the head, in the body.
        let between: Vec<usize> = (0..all.len())
            .filter(|n| {
                frames.read(&all[*n..=*n], true);
                !frames.in_head()
            })
            .collect();
        let (first, head) = (24 + 9 - 1, 24 + 9 + 17);
        let expected: Vec<usize> = std::iter::once(first)
            .chain(first + 9..head)
            .chain(std::iter::once(head + 22))
            .chain(head + 23 + 8..all.len())
            .collect();
        assert_eq!(between, expected);
        let mut whole = Frames::new();
        assert_eq!(whole.read(&all, true), Seen { request: true, between: true });
        assert!(!whole.in_head());
    }

    #[test]
    fn what_carries_no_request_is_counted_until_one_begins() {
        let mut frames = Frames::new();
        frames.read(&beginning(), true);
        for kind in [2, 3, 4, 6, WINDOW_UPDATE, 77] {
            frames.read(&frame(kind, 0, b"12345678"), true);
        }
        assert_eq!(frames.control(), 7);
        frames.read(&frame(DATA, 0, b""), true);
        assert_eq!(frames.control(), 7);
        frames.read(&frame(HEADERS, END_HEADERS, b"x"), true);
        assert_eq!(frames.control(), 0);
        frames.read(&frame(WINDOW_UPDATE, 0, b"1234"), false);
        assert_eq!(frames.control(), 0);
    }
}
