//! Reads that memory could not answer: joined, or fetched and kept.
//!
//! A fetch is a flight: a task of its own that lands for everyone inside, whoever has left meanwhile. What it
//! brings is kept only if it is what it should be: a JSON object without an error, whose tags can be read.
//! Answers too large to keep go to whoever began the flight as a stream; the others ask for themselves.

use super::ask::{Judged, Lost};
use super::call::Subject;
use super::errand::{Errand, Payload};
use super::keep::Landing;
use super::refusal::Refusal;
use super::reply::{self, Way, Why};
use super::{Call, Passage};
use crate::body::Body;
use crate::body::Collected;
use crate::cache::flight::{Pilot, Seat, Ticket};
use crate::cache::{Entry, Full, Key, Slot, Stamp};
use crate::catalogue::Effect;
use crate::catalogue::pointer::{self, Pointers};
use crate::clock::{self, Instant};
use crate::exchange::{CacheOutcome, Exchange};
use crate::telemetry::cells::FlightEvent;
use bytes::Bytes;
use http::header::{HeaderMap, RANGE};
use http::{Response, StatusCode};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// What a flight brings to its readers.
#[derive(Clone, Debug)]
pub enum Landed {
    /// An answer, whole.
    Answer(Arc<Landing>),
    /// An answer too large to share: the first to take it has it.
    Large(Arc<Mutex<Option<(StatusCode, HeaderMap, Body)>>>),
    /// None, and how long this flight would have waited for a permit.
    Refused(Refusal, Duration),
}

/// A flight's own copy of what it needs of the call.
pub(super) struct Trip {
    pub(super) errand: Errand,
    pub(super) key: Key,
    pub(super) subject: Subject,
    pub(super) body: Option<pointer::Collected>,
    /// The places of what the answer shows, where the request alone tells them.
    pub(super) shown: Option<Vec<Slot>>,
}

/// What a read asks by its body.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    pub(super) bytes: Bytes,
    pub(super) body: Option<pointer::Collected>,
}

/// What a reader is given of a fetch.
pub(super) enum Given {
    /// An answer, and whether he began its fetch.
    Answer(Arc<Landing>, bool),
    /// One that nobody else can have.
    Reply(Response<Body>),
    /// None that he may have: he must ask for himself.
    Nothing,
}

/// A reader flies at most so often before he asks for himself alone.
const FLIGHTS_MAX: u8 = 3;

impl Passage {
    pub(super) async fn read(
        &self,
        mut call: Box<Call>,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        let question = self.question(&mut call).await?;
        call.subject.check_tags(&self.house.catalogue, question.body.as_ref())?;
        // Nobody knows what a body does to a read that has none.
        let odd = question.body.is_none() && !question.bytes.is_empty();
        let shares = !odd && self.may_share(&call);
        // A body decides the name, so the first look was not possible before.
        if shares
            && question.body.is_some()
            && let Some(key) = &call.key
            && let found = self.house.cache.find(key)
            && let Some(response) = self.kept(found, &mut call, &question, clock::now(), ledger)
        {
            if ledger.cache == CacheOutcome::Hit && !self.desk.hit_is_logged() {
                ledger.path = None;
            }
            return Ok(response);
        }
        if call.directives.only_if_cached {
            return Err(Refusal::NotKept);
        }
        if shares {
            if let Some(response) = self.in_part(&call, &question, ledger).await? {
                return Ok(response);
            }
            let given = self.shared(&call, &question, ledger).await;
            if let Some(response) = self.rather(&call, &given) {
                ledger.cache = CacheOutcome::Stale;
                return Ok(response);
            }
            match given? {
                Given::Answer(landing, leads) => return Ok(landing.reply(&call, leads)),
                Given::Reply(response) => return Ok(response),
                Given::Nothing => {}
            }
        }
        ledger.cache = CacheOutcome::Bypass;
        Box::pin(self.alone(call, question.bytes, ledger)).await
    }

    /// A fetch that this reader may share, or a new one.
    pub(super) async fn shared(
        &self,
        call: &Call,
        question: &Question,
        ledger: &mut Exchange,
    ) -> Result<Given, Refusal> {
        let house = &self.house;
        let patience = call.patience(&self.policy.settings);
        for _ in 0..FLIGHTS_MAX {
            let (ticket, leads) = self.seat(call, question, patience)?;
            ledger.cache = if leads { CacheOutcome::Miss } else { CacheOutcome::Joined };
            match ticket.landed().await {
                Some((Landed::Answer(landing), stamp)) => {
                    let is_true = stamp >= call.came || landing.is_current(stamp, &house.cache.epochs);
                    if leads || (is_true && landing.is_young(call, ledger.opened)) {
                        ledger.calls += if leads { landing.calls } else { 0 };
                        return Ok(Given::Answer(landing, leads));
                    }
                    self.desk.cells.flight(FlightEvent::Late);
                }
                Some((Landed::Large(answer), _)) => {
                    let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let Some((status, headers, body)) = answer.filter(|_| leads) else {
                        break;
                    };
                    let way = Way::Fetched(call.why, None);
                    return Ok(Given::Reply(reply::passed(status, headers, body, way)));
                }
                // Whoever began it had less patience: that is no answer for those who have more.
                Some((Landed::Refused(Refusal::BudgetSpent(_), theirs), _))
                    if !leads && theirs < patience => {}
                Some((Landed::Refused(refusal, _), _)) => return Err(refusal),
                None => return Err(Refusal::Broken),
            }
        }
        Ok(Given::Nothing)
    }

    /// A place in a flight, which takes off if he is the first; and whether he is.
    pub(super) fn seat(
        &self,
        call: &Call,
        question: &Question,
        patience: Duration,
    ) -> Result<(Ticket<Landed>, bool), Refusal> {
        let house = &self.house;
        let values = call.subject.values(question.body.as_ref(), None);
        let known = house.catalogue.tags(call.subject.endpoint, &values);
        let slots = house.cache.slots(&known.names);
        let key = call.key.as_ref().ok_or(Refusal::Broken)?;
        let came = (call.came, call.directives.no_cache);
        Ok(match self.board(key, &slots, came)? {
            Seat::Join(ticket) => (ticket, false),
            Seat::Lead(pilot, ticket) => {
                let mut errand = Errand::shared(self, call, question.bytes.clone());
                errand.patience = patience;
                let shown = (!known.unclear).then_some(slots);
                let (subject, body) = (call.subject.clone(), question.body.clone());
                let trip = Trip { errand, key: key.clone(), subject, body, shown };
                let gateway = self.clone();
                // Behind a pointer, so that starting the task moves little.
                house.tasks.spawn("flight", Box::pin(async move { gateway.fly(pilot, trip).await }));
                (ticket, true)
            }
        })
    }

    /// A seat in a fetch, or the duty to begin one.
    fn board(&self, key: &Key, slots: &[Slot], came: (Stamp, bool)) -> Result<Seat<Landed>, Full> {
        let seat = self.house.flights.board(key, slots, came, &self.house.cache.epochs);
        self.desk.cells.flight(match &seat {
            Ok(Seat::Join(_)) => FlightEvent::Joined,
            Ok(Seat::Lead(..)) => FlightEvent::Began,
            Err(_) => FlightEvent::Full,
        });
        seat
    }

    /// Whether one answer may serve several readers of this.
    fn may_share(&self, call: &Call) -> bool {
        let whole = !call.request.headers().contains_key(RANGE);
        whole && call.key.is_some() && !self.fresh(&call.subject).is_zero()
    }

    /// The body of a read that is asked by body: read, understood, and made part of its name.
    async fn question(&self, call: &mut Call) -> Result<Question, Refusal> {
        let Some(read) = call.read(&self.house.catalogue) else {
            return Err(Refusal::Broken);
        };
        let bytes = self.body_at_hand(call).await?;
        if !read.by_body {
            return Ok(Question { bytes, body: None });
        }
        if call.is_encoded() {
            return Err(Refusal::WrongType);
        }
        let nothing = Pointers::new(&[]);
        let pointers = self.house.catalogue[call.subject.endpoint].tags.body.as_ref().unwrap_or(&nothing);
        let collected = pointers.collect(&bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
        call.name(&self.house, read, Some(&bytes));
        Ok(Question { bytes, body: Some(collected) })
    }

    /// A kept answer that will do. If there is one that will not, notes why.
    pub(super) fn kept(
        &self,
        found: Option<Arc<Entry>>,
        call: &mut Call,
        question: &Question,
        now: Instant,
        ledger: &mut Exchange,
    ) -> Option<Response<Body>> {
        let Some(entry) = found else {
            let (response, age) = self.kept_by_entity(call, call.read(&self.house.catalogue)?, now)?;
            (ledger.cache, ledger.age) = (CacheOutcome::Hit, Some(age));
            return Some(response);
        };
        if let Some(response) = fresh(&entry, call, now, ledger) {
            return Some(response);
        }
        if entry.deadline > now {
            call.why = Why::Request;
            return None;
        }
        call.why = Why::Stale;
        let response = self.meanwhile(call, question, &entry, now)?;
        ledger.cache = CacheOutcome::Stale;
        ledger.age = Some(now.saturating_duration_since(entry.fetched));
        Some(response)
    }

    /// A read for one reader only: nothing is shared, nothing kept.
    async fn alone(
        &self,
        call: Box<Call>,
        bytes: Bytes,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        let method = call.asked_method();
        let mut errand = Errand::new(self, *call, Payload::Bytes(bytes));
        (errand.method, errand.safe) = (method, true);
        let judged = self.ask(&mut errand, || {}).await;
        ledger.calls = ledger.calls.saturating_add(errand.calls);
        let judged = judged.map_err(Refusal::from)?;
        Ok(judged.reply(Way::Bypass))
    }

    async fn fly(&self, pilot: Pilot<Landed>, mut trip: Trip) {
        let began = OnceLock::new();
        let leaves = || {
            pilot.depart(&self.house.cache.epochs);
            let _ = began.set(clock::now());
        };
        let judged = tokio::select! {
            biased;
            () = pilot.deserted() => return self.desk.cells.flight(FlightEvent::Deserted),
            judged = self.ask(&mut trip.errand, leaves) => judged,
        };
        let landed = match judged {
            Err(lost) => Landed::Refused(lost.into(), trip.errand.patience),
            Ok(Judged { status, headers, content: Collected::Larger(body), .. }) => {
                Landed::Large(Arc::new(Mutex::new(Some((status, headers, body)))))
            }
            Ok(Judged { verdict, status, headers, content: Collected::Whole(body) }) => {
                let began = began.get().copied().unwrap_or_else(clock::now);
                let mut landing = Landing {
                    status,
                    headers,
                    body,
                    slots: Vec::new(),
                    unclear: false,
                    verdict,
                    began,
                    deadline: began,
                    stamp: pilot.stamp(),
                    etag: None,
                    kept: None,
                    elements: Vec::new(),
                    calls: trip.errand.calls,
                };
                self.land(&mut landing, &trip);
                Landed::Answer(Arc::new(landing))
            }
        };
        pilot.land(landed);
    }

    pub(super) fn fresh(&self, subject: &Subject) -> Duration {
        let set = self.policy.settings.fresh.get(usize::from(subject.endpoint.0)).copied().flatten();
        set.unwrap_or_else(|| match &self.house.catalogue[subject.endpoint].endpoint.effect {
            Effect::Read(read) => read.fresh,
            _ => Duration::ZERO,
        })
    }

    pub(super) fn tags(
        &self,
        subject: &Subject,
        body: Option<&pointer::Collected>,
        answer: Option<&pointer::Collected>,
    ) -> Vec<String> {
        self.house.catalogue.tags(subject.endpoint, &subject.values(body, answer)).names
    }
}

/// A kept answer that is fresh, and fresh enough for this caller.
pub(super) fn fresh(
    entry: &Entry,
    call: &Call,
    now: Instant,
    ledger: &mut Exchange,
) -> Option<Response<Body>> {
    let age = now.saturating_duration_since(entry.fetched);
    let left = entry.deadline.saturating_duration_since(now);
    if left.is_zero() || !call.directives.accept_fresh(age, left) {
        return None;
    }
    (ledger.cache, ledger.age) = (CacheOutcome::Hit, Some(age));
    Some(reply::kept(entry, now, call))
}

impl Judged {
    pub(super) fn reply(self, way: Way) -> Response<Body> {
        let body = match self.content {
            Collected::Whole(bytes) => Body::Kept(bytes),
            Collected::Larger(body) => body,
        };
        reply::passed(self.status, self.headers, body, way)
    }
}

impl From<Full> for Refusal {
    fn from(_: Full) -> Self {
        Self::FlightFull
    }
}

impl From<Lost> for Refusal {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Refused(refusal) | Lost::Unknown(refusal) => refusal,
            Lost::Silent(_) => Self::TimedOut,
        }
    }
}
