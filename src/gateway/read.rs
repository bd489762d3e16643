//! Reads that memory could not answer: joined, or fetched and kept.
//!
//! A fetch is a flight: a task of its own that lands for everyone inside, whoever has left meanwhile. What it
//! brings is kept only if it is what it should be: a JSON object without an error, whose tags can be read.
//! Answers too large to keep go to whoever began the flight as a stream; the others ask for themselves.

use super::ask::{Errand, Judged, Lost, Payload};
use super::call::Subject;
use super::keep::Landing;
use super::refusal::Refusal;
use super::reply::{self, Way};
use super::{Call, Passage};
use crate::body::Body;
use crate::body::Collected;
use crate::cache::Stamp;
use crate::cache::flight::{Pilot, Seat};
use crate::cache::{Full, Key, Slot};
use crate::catalogue::Effect;
use crate::catalogue::pointer::{self, Pointers};
use crate::clock;
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

/// A reader flies at most so often before he asks for himself alone.
const FLIGHTS_MAX: u8 = 3;

impl Passage {
    pub(super) async fn read(
        &self,
        mut call: Box<Call>,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        let (bytes, body) = self.question(&mut call).await?;
        call.subject.check_tags(&self.house.catalogue, body.as_ref())?;
        // Nobody knows what a body does to a read that has none.
        let odd = body.is_none() && !bytes.is_empty();
        if odd || !self.may_share(&call) {
            ledger.cache = CacheOutcome::Bypass;
            return Box::pin(self.alone(call, bytes, ledger)).await;
        }
        // A body decides the name, so the first look was not possible before.
        if body.is_some()
            && let Some(response) = call.key.as_ref().and_then(|key| self.kept(key, ledger))
        {
            return Ok(response);
        }
        let known =
            self.house.catalogue.tags(call.subject.endpoint, &call.subject.values(body.as_ref(), None));
        let slots = self.house.cache.slots(&known.names);
        let patience = call.patience(&self.policy.settings);
        for _ in 0..FLIGHTS_MAX {
            let Some(key) = &call.key else { break };
            let (ticket, leads) = match self.board(key, &slots, call.came)? {
                Seat::Join(ticket) => (ticket, false),
                Seat::Lead(pilot, ticket) => {
                    let shown = (!known.unclear).then(|| slots.clone());
                    self.take_off(pilot, &call, key, (bytes.clone(), body.clone()), shown);
                    (ticket, true)
                }
            };
            ledger.cache = if leads { CacheOutcome::Miss } else { CacheOutcome::Joined };
            match ticket.landed().await {
                Some((Landed::Answer(landing), stamp)) => {
                    let mine = leads || stamp >= call.came;
                    if mine || landing.is_current(stamp, &self.house.cache.epochs) {
                        ledger.calls = if leads { landing.calls } else { 0 };
                        return Ok(landing.reply(leads));
                    }
                    self.desk.cells.flight(FlightEvent::Late);
                }
                Some((Landed::Large(answer), _)) => {
                    let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let Some((status, headers, body)) = answer.filter(|_| leads) else {
                        break;
                    };
                    return Ok(reply::passed(status, headers, body, Way::Fetched(None)));
                }
                // Whoever began it had less patience: that is no answer for those who have more.
                Some((Landed::Refused(Refusal::BudgetSpent(_), theirs), _))
                    if !leads && theirs < patience => {}
                Some((Landed::Refused(refusal, _), _)) => return Err(refusal),
                None => return Err(Refusal::Broken),
            }
        }
        ledger.cache = CacheOutcome::Bypass;
        Box::pin(self.alone(call, bytes, ledger)).await
    }

    /// A seat in a fetch, or the duty to begin one.
    fn board(&self, key: &Key, slots: &[Slot], came: Stamp) -> Result<Seat<Landed>, Full> {
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
    async fn question(&self, call: &mut Call) -> Result<(Bytes, Option<pointer::Collected>), Refusal> {
        let Some(read) = call.read(&self.house.catalogue) else {
            return Err(Refusal::Broken);
        };
        let bytes = self.body_at_hand(call).await?;
        if !read.by_body {
            return Ok((bytes, None));
        }
        if call.is_encoded() {
            return Err(Refusal::WrongType);
        }
        let nothing = Pointers::new(&[]);
        let pointers = self.house.catalogue[call.subject.endpoint].tags.body.as_ref().unwrap_or(&nothing);
        let collected = pointers.collect(&bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
        call.name(&self.house, read, Some(&bytes));
        Ok((bytes, Some(collected)))
    }

    fn kept(&self, key: &Key, ledger: &mut Exchange) -> Option<Response<Body>> {
        let now = clock::now();
        let entry = self.house.cache.look_up(key, now)?;
        ledger.cache = CacheOutcome::Hit;
        ledger.age = Some(now.saturating_duration_since(entry.fetched));
        if !self.desk.hit_is_logged() {
            ledger.path = None;
        }
        Some(reply::kept(&entry, now))
    }

    /// A read for one reader only: nothing is shared, nothing kept.
    async fn alone(
        &self,
        call: Box<Call>,
        bytes: Bytes,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        let mut errand = Errand::new(self, *call, Payload::Bytes(bytes));
        errand.safe = true;
        let judged = self.ask(&mut errand, || {}).await;
        ledger.calls = ledger.calls.saturating_add(errand.calls);
        let judged = judged.map_err(Refusal::from)?;
        Ok(judged.reply(Way::Bypass))
    }

    fn take_off(
        &self,
        pilot: Pilot<Landed>,
        call: &Call,
        key: &Key,
        (bytes, body): (Bytes, Option<pointer::Collected>),
        shown: Option<Vec<Slot>>,
    ) {
        let errand = Errand::shared(self, call, bytes);
        let trip = Trip { errand, key: key.clone(), subject: call.subject.clone(), body, shown };
        let gateway = self.clone();
        // Behind a pointer, so that starting the task moves little.
        self.house.tasks.spawn("flight", Box::pin(async move { gateway.fly(pilot, trip).await }));
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
                let mut landing = Landing {
                    status,
                    headers,
                    body,
                    slots: Vec::new(),
                    unclear: false,
                    kept: None,
                    calls: trip.errand.calls,
                };
                let began = began.get().copied().unwrap_or_else(clock::now);
                self.land(&mut landing, verdict, &trip, (&pilot, began));
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
