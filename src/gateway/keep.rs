//! What a fetch brought: what it shows, and whether and for how long it may be kept.
//!
//! Kept is only what is exactly what it should be: a JSON object of success whose tags can be read, or a "not
//! found" that says what is not there. Everything else goes to those who wait for it and is forgotten.

use super::batch::Element;
use super::read::Trip;
use super::reply::{self, Way};
use super::{Call, Passage};
use crate::body::Body;
use crate::cache::{Entry, Epochs, Kept, Slot, Stamp};
use crate::catalogue::pointer::{self, Pointers};
use crate::clock::Instant;
use crate::easemob::ABSENT;
use crate::easemob::dialect::Verdict;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http::{Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// A fetched answer.
#[derive(Debug)]
pub struct Landing {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What it shows.
    pub(super) slots: Vec<Slot>,
    /// It is a success that may show more than could be read of it.
    pub(super) unclear: bool,
    /// What it means.
    pub(super) verdict: Verdict,
    /// When its fetch began.
    pub(super) began: Instant,
    /// From then on it is past its time, kept or not.
    pub(super) deadline: Instant,
    /// The number of the last touch then.
    pub(super) stamp: Stamp,
    /// A hash of its body, if it is of a form that may be kept.
    pub(super) etag: Option<u64>,
    pub(super) kept: Option<Kept>,
    /// What it is made of, where that may be kept piece by piece.
    pub(super) elements: Vec<Element>,
    pub(super) calls: u8,
}

impl Passage {
    /// Reads what an answer shows, and keeps it if it may be kept.
    pub(super) fn land(&self, landing: &mut Landing, trip: &Trip) {
        let cache = &self.house.cache;
        let fresh = match landing.verdict {
            Verdict::Good if landing.is_good_json() => self.good_for(landing, trip),
            Verdict::Absent if landing.is_plain_json() => Some(self.policy.settings.absent),
            _ => None,
        };
        landing.deadline = landing.began + fresh.unwrap_or_else(|| self.fresh(&trip.subject));
        if landing.slots.is_empty() {
            landing.unclear = landing.verdict == Verdict::Good;
            let mut tags = self.tags(&trip.subject, trip.body.as_ref(), None);
            tags.push(ABSENT.to_owned());
            landing.slots = cache.slots(&tags);
        }
        if self.keep_by_entity(landing, trip) {
            return;
        }
        let Some(fresh) = fresh.filter(|fresh| !fresh.is_zero()) else {
            return;
        };
        let (status, began) = (landing.status.as_u16(), landing.began);
        let etag = self.house.secret.hash(&landing.body) as u64;
        landing.etag = (status == 200).then_some(etag);
        let what = (status, landing.body.as_ref());
        let entry = Entry::new(&trip.key, &landing.slots, what, landing.stamp, (began, began + fresh));
        if let Some(entry) = entry {
            let entry = entry.labelled(etag, reply::media(&landing.headers));
            let kept = cache.keep(&trip.key, Arc::new(entry), began);
            self.desk.cells.kept(kept);
            landing.kept = Some(kept);
        }
    }

    /// How long a good answer may be served; `None` when it is not what was expected. Notes what it shows.
    fn good_for(&self, landing: &mut Landing, trip: &Trip) -> Option<Duration> {
        let row = &self.house.catalogue[trip.subject.endpoint];
        let nothing = Pointers::new(&[]);
        let shown = row.tags.answer.as_ref().unwrap_or(&nothing).collect(&landing.body).ok()?;
        if !shown.object || shown.error {
            return None;
        }
        if let Some(slots) = &trip.shown {
            landing.slots.clone_from(slots);
        } else {
            let values = trip.subject.values(trip.body.as_ref(), Some(&shown));
            let tags = self.house.catalogue.tags(trip.subject.endpoint, &values);
            landing.slots = self.house.cache.slots(&tags.names);
            landing.unclear = tags.unclear;
        }
        // What it is about must be there: the list whose elements are looked at, or else the data.
        if landing.unclear || !(shown.data || shown.has_list()) {
            return None;
        }
        if row.flaws.map(|at| shown.at(at)).is_some_and(|flaws| flaws.unclear || !flaws.values.is_empty()) {
            // What is not there may be made by a write that cannot name it.
            landing.slots.extend(self.house.cache.slots(&[ABSENT.to_owned()]));
            return None;
        }
        let fresh = self.fresh(&trip.subject);
        match row.ends {
            Some((clock, ends)) => earliest_end(shown.at(clock), shown.at(ends)).map(|end| end.min(fresh)),
            None => Some(fresh),
        }
    }
}

/// An end further away than ten years is none: one of the two clocks is written in another unit, or absent as a
/// zero. Who means "for ever" writes a number below zero.
const END_MS_MAX: u64 = 10 * 365 * 24 * 3_600 * 1_000;

/// How long until the first entry ends, by the vendor's own clock; for ever if none does. `None` when that cannot be
/// told.
#[must_use]
pub fn earliest_end(clock: &pointer::At, ends: &pointer::At) -> Option<Duration> {
    if ends.unclear || ends.gap || !ends.list {
        return None;
    }
    let mut earliest = Duration::MAX;
    for end in &ends.values {
        let end: i64 = end.parse().ok()?;
        // Below zero is for ever.
        if end >= 0 {
            // Said twice, one of them may be wrong, whether it is a number or not.
            let [now] = &clock.values[..] else { return None };
            if clock.unclear {
                return None;
            }
            let now: i64 = now.parse().ok()?;
            let left = u64::try_from(end.saturating_sub(now)).ok().filter(|left| *left <= END_MS_MAX)?;
            earliest = earliest.min(Duration::from_millis(left));
        }
    }
    Some(earliest)
}

impl Landing {
    /// Whether nothing that it shows was touched since its fetch began, as far as can be told.
    pub(super) fn is_current(&self, stamp: Stamp, epochs: &Epochs) -> bool {
        !self.unclear && epochs.current(stamp, self.slots.iter().copied())
    }

    /// Whether it is as young as this reader wants it, and was not past its time before he came: what ends by itself
    /// may have ended. Who wants it new has joined no fetch that began before him.
    pub(super) fn is_young(&self, call: &Call, came: Instant) -> bool {
        let wants = &call.directives;
        let in_time = self.began >= came || self.deadline > came;
        in_time && (wants.no_cache || wants.max_age.is_none_or(|max| self.began.elapsed() <= max))
    }

    /// Whether it is the whole answer to what was asked, and can be read.
    pub(super) fn is_good_json(&self) -> bool {
        self.verdict == Verdict::Good && self.status.as_u16() == 200 && self.is_plain_json()
    }

    fn is_plain_json(&self) -> bool {
        let json = self.headers.get(CONTENT_TYPE).is_some_and(|value| {
            let value = value.as_bytes();
            value.get(..16).is_some_and(|start| start.eq_ignore_ascii_case(b"application/json"))
        });
        let encoding = self.headers.get(CONTENT_ENCODING);
        json && encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    }

    pub(super) fn reply(&self, call: &Call, leads: bool) -> Response<Body> {
        let way = if leads { Way::Fetched(call.why, self.kept) } else { Way::Joined(call.why, self.kept) };
        let response = reply::whole(self.status, &self.headers, self.body.clone(), way);
        match self.etag {
            Some(etag) => reply::tagged(response, etag, call),
            None => response,
        }
    }
}
