//! The calls that came, as far as they are remembered.
//!
//! Bounded: the oldest go first. A call is noted when it has arrived whole, and again when it is answered, by its
//! number; if it has been forgotten meanwhile, nobody minds.

use std::collections::VecDeque;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use serde::{Serialize, Serializer};
use tokio::time::Instant;

use super::call::Call;

/// One call in the log.
#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    /// Its method.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// The path with names in place of ids.
    pub shape: &'static str,
    /// When it had arrived whole, in milliseconds since the epoch.
    pub at_ms: i64,
    /// When it had arrived whole, for reckoning.
    #[serde(skip)]
    pub at: Instant,
    /// Its answer; `None` while there is none, and for calls that saw none.
    pub status: Option<u16>,
    /// How many bytes its body had.
    pub body_bytes: usize,
    /// SHA-256 of the body in hexadecimal digits; `None` without a body.
    pub body_sha256: Option<String>,
    /// Over which connection it came; `None` without a socket.
    pub connection: Option<u64>,
    /// Which request it was on that connection, counted from 1.
    pub on_connection: u32,
    /// Its head as it came, to the empty line; `None` where heads are not recorded.
    #[serde(serialize_with = "as_text")]
    pub head: Option<Bytes>,
}

/// Over what a call came.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrival {
    pub(super) connection: Option<u64>,
    pub(super) number: u32,
    pub(super) head: Option<Bytes>,
}

/// The last calls.
pub(super) struct Log {
    calls: VecDeque<CallRecord>,
    size: usize,
    /// Number of the first call that is remembered.
    start: u64,
    /// Number of the first call since the log was emptied.
    counted_from: u64,
}

impl Log {
    pub(super) fn new(size: usize) -> Self {
        Self { calls: VecDeque::new(), size, start: 0, counted_from: 0 }
    }

    /// Notes a call, and gives it a number.
    pub(super) fn note(
        &mut self,
        call: &Call,
        shape: &'static str,
        (at, at_ms): (Instant, i64),
        arrival: &Arrival,
    ) -> u64 {
        let number = self.start + self.calls.len() as u64;
        if self.size == 0 {
            self.start += 1;
            return number;
        }
        if self.calls.len() == self.size {
            self.calls.pop_front();
            self.start += 1;
        }
        self.calls.push_back(CallRecord {
            method: call.method.to_string(),
            target: call.target.clone(),
            shape,
            at_ms,
            at,
            status: None,
            body_bytes: call.body.len(),
            body_sha256: (!call.body.is_empty()).then(|| hexadecimal(&call.body)),
            connection: arrival.connection,
            on_connection: arrival.number,
            head: arrival.head.clone(),
        });
        number
    }

    /// Notes how a call ended. False for calls from before the log was emptied.
    pub(super) fn ended(&mut self, number: u64, status: Option<u16>) -> bool {
        let index = number.checked_sub(self.start).and_then(|index| usize::try_from(index).ok());
        if let Some(record) = index.and_then(|index| self.calls.get_mut(index)) {
            record.status = status;
        }
        number >= self.counted_from
    }

    pub(super) fn calls(&self) -> Vec<CallRecord> {
        self.calls.iter().cloned().collect()
    }

    /// Forgets everything; calls under way then end unrecorded.
    pub(super) fn empty(&mut self) {
        self.start += self.calls.len() as u64;
        self.counted_from = self.start;
        self.calls.clear();
    }
}

fn hexadecimal(body: &[u8]) -> String {
    let digest = digest(&SHA256, body);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn as_text<S: Serializer>(head: &Option<Bytes>, serializer: S) -> Result<S::Ok, S::Error> {
    head.as_ref().map(|head| String::from_utf8_lossy(head)).serialize(serializer)
}
