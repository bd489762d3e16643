//! Reads of several things at once: each of them is kept by itself, and an answer is put together from them.
//!
//! What is missing is asked for in one call, as any read would be, and shared like one. An answer is put together
//! only if every name has an element; each is checked by its own stamp when the last has come, since a write may
//! have overtaken what was held meanwhile. In every other case the whole list is asked anew, once, and passed on.
//!
//! One name alone may be answered in another form than among others. Unless a setting says that the forms are
//! equal, the two are kept apart, and the answer to a missing name that was asked for alone is used only if it has
//! the members of those that are held; once it had not, such a name is asked for in company.

use super::call::Subject;
use super::keep::Landing;
use super::read::{Given, Question, Trip};
use super::refusal::Refusal;
use super::reply::{self, Way};
use super::{Call, Passage};
use crate::body::Body;
use crate::cache::{Entry, Kept, Key};
use crate::catalogue::{Effect, EndpointId, Read};
use crate::clock::{self, Instant};
use crate::easemob::batch::{Batch, Envelope, shape};
use crate::easemob::dialect::Verdict;
use crate::exchange::{CacheOutcome, Exchange};
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::Response;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is known of batches, by row.
#[derive(Debug)]
pub struct Batches(Vec<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Of the latest direct answer.
    around: ArcSwapOption<Around>,
    /// One name alone has been answered in another form than among others.
    differs: AtomicBool,
}

/// What is put around elements.
#[derive(Debug)]
struct Around {
    envelope: Envelope,
    /// A hash of the answer it comes from.
    hash: u64,
    media: u8,
}

/// One element of an answer.
#[derive(Clone, Debug)]
pub(super) struct Element {
    name: Box<str>,
    text: Bytes,
    etag: u64,
}

impl Batches {
    /// Nothing is known yet of so many rows.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self((0..rows).map(|_| Known::default()).collect())
    }

    fn of(&self, endpoint: EndpointId) -> &Known {
        &self.0[usize::from(endpoint.0)]
    }
}

impl Passage {
    /// An answer put together from memory alone.
    pub(super) fn kept_by_entity(
        &self,
        call: &Call,
        read: &Read,
        now: Instant,
    ) -> Option<(Response<Body>, Duration)> {
        let names = self.names(call, read)?;
        let held = self.held(call, &names, now);
        let oldest = held.iter().flatten().map(|entry| entry.fetched).min()?;
        let response = self.assembled(call, &names, &held, (&[], now), None)?;
        Some((response, now.saturating_duration_since(oldest)))
    }

    /// An answer of which a part is held: the rest is fetched. `None` when it must be asked for whole.
    pub(super) async fn in_part(
        &self,
        call: &Call,
        question: &Question,
        ledger: &mut Exchange,
    ) -> Result<Option<Response<Body>>, Refusal> {
        let house = &self.house;
        let Some(read) = call.read(&house.catalogue) else { return Ok(None) };
        let Some(names) = self.names(call, read) else { return Ok(None) };
        let held = self.held(call, &names, clock::now());
        let mut missing: Vec<&str> =
            names.iter().zip(&held).filter(|(_, held)| held.is_none()).map(|(name, _)| *name).collect();
        let Some(companion) = names.iter().find(|name| !missing.contains(name)) else { return Ok(None) };
        if missing.is_empty() {
            // Somebody else has fetched it meanwhile.
            ledger.cache = CacheOutcome::Hit;
            return Ok(self.assembled(call, &names, &held, (&[], clock::now()), None));
        }
        let known = house.batches.of(call.subject.endpoint);
        let mut alone = missing.len() == 1 && !self.policy.settings.forms_equal;
        if alone && known.differs.load(Ordering::Relaxed) {
            missing.push(companion);
            alone = false;
        }
        let Some(part) = call.with_list(house, read, &missing.join(",")) else { return Ok(None) };
        let (landing, leads) = match self.shared(&part, question, ledger).await? {
            Given::Answer(landing, leads) => (landing, leads),
            Given::Reply(_) | Given::Nothing => return Ok(None),
        };
        if matches!(landing.verdict, Verdict::Failed | Verdict::VendorLimited | Verdict::PlanExhausted) {
            // Who fails for a part would fail for the whole.
            return Ok(Some(landing.reply(&part, leads)));
        }
        let way =
            if leads { Way::Fetched(part.why, landing.kept) } else { Way::Joined(part.why, landing.kept) };
        let now = clock::now();
        let is_true = |entry: &Arc<Entry>| entry.deadline > now && house.cache.current(entry);
        if !held.iter().flatten().all(is_true) {
            return Ok(None);
        }
        if !alone {
            return Ok(self.assembled(call, &names, &held, (&landing.elements, landing.began), Some(way)));
        }
        let (elements, _) = self.elements(&landing, &missing, part.subject.list());
        let form = held.iter().flatten().next().map(|entry| shape(&entry.body()));
        if elements.iter().any(|element| Some(shape(&element.text)) != form) {
            known.differs.store(true, Ordering::Relaxed);
            return Ok(None);
        }
        for element in &elements {
            self.keep_element(element, &landing, &part.subject);
        }
        Ok(self.assembled(call, &names, &held, (&elements, landing.began), Some(way)))
    }

    /// The names of a list, all different; one alone only where that is no other form.
    fn names<'c>(&self, call: &'c Call, read: &Read) -> Option<Vec<&'c str>> {
        let is_form = self.policy.settings.forms_equal || call.subject.path().contains(',');
        let names = is_form.then(|| call.subject.names(read))??;
        let mut seen = HashSet::with_capacity(names.len());
        names.iter().all(|name| seen.insert(*name)).then_some(names)
    }

    /// What is kept of these and will do.
    fn held(&self, call: &Call, names: &[&str], now: Instant) -> Vec<Option<Arc<Entry>>> {
        let endpoint = call.subject.endpoint;
        let held = |name: &&str| {
            let entry = self.house.cache.look_up(&Key::element(&self.house.secret, endpoint, name), now)?;
            let age = now.saturating_duration_since(entry.fetched);
            call.directives.accept_fresh(age, entry.deadline - now).then_some(entry)
        };
        names.iter().map(held).collect()
    }

    /// Puts what is held and what was fetched in the order of the names. `None` when a name has no element.
    fn assembled(
        &self,
        call: &Call,
        names: &[&str],
        held: &[Option<Arc<Entry>>],
        (fetched, began): (&[Element], Instant),
        way: Option<Way>,
    ) -> Option<Response<Body>> {
        let around = self.house.batches.of(call.subject.endpoint).around.load_full()?;
        let fetched: HashMap<&str, &Element> =
            fetched.iter().map(|element| (&*element.name, element)).collect();
        let list = call.subject.list();
        let mut tag = around.hash.to_le_bytes().to_vec();
        tag.extend_from_slice(list.as_bytes());
        let mut elements = Vec::with_capacity(names.len());
        let mut oldest = began;
        for (name, held) in names.iter().zip(held) {
            // What was fetched in company is shown, if it is the later: it is also what is kept from now on.
            let (text, etag) = match (held, fetched.get(name)) {
                (Some(entry), element) if element.is_none() || entry.fetched > began => {
                    oldest = oldest.min(entry.fetched);
                    (entry.body(), entry.etag)
                }
                (_, element) => element.map(|element| (element.text.clone(), element.etag))?,
            };
            tag.extend_from_slice(&etag.to_le_bytes());
            elements.push(text);
        }
        let body = around.envelope.around(list, elements.iter().map(|text| text.as_ref()));
        let etag = self.house.secret.hash(&tag) as u64;
        Some(reply::assembled((body.into(), around.media, etag), oldest.elapsed(), way, call))
    }

    /// The elements of an answer, and what is around them.
    fn elements(&self, landing: &Landing, names: &[&str], list: &str) -> (Vec<Element>, Option<Envelope>) {
        let Some(batch) = Batch::take_apart(&landing.body, names, list).filter(|_| landing.is_good_json())
        else {
            return (Vec::new(), None);
        };
        let element = |(name, text): (&str, &str)| Element {
            name: name.into(),
            text: landing.body.slice_ref(text.as_bytes()),
            etag: self.house.secret.hash(text.as_bytes()) as u64,
        };
        (batch.elements.into_iter().map(element).collect(), batch.envelope)
    }

    /// Keeps what an answer about several things shows, each by itself. `false` when it is none such.
    pub(super) fn keep_by_entity(&self, landing: &mut Landing, trip: &Trip) -> bool {
        let Effect::Read(read) = &self.house.catalogue[trip.subject.endpoint].endpoint.effect else {
            return false;
        };
        let is_form = self.policy.settings.forms_equal || trip.subject.path().contains(',');
        let Some(mut names) = is_form.then(|| trip.subject.names(read)).flatten() else { return false };
        names.sort_unstable();
        names.dedup();
        let several = trip.subject.list().len() != names[0].len();
        if names.len() == 1 && (several || !self.policy.settings.forms_equal) {
            return several;
        }
        let (elements, envelope) = self.elements(landing, &names, trip.subject.list());
        let kept: Vec<Option<Kept>> =
            elements.iter().map(|element| self.keep_element(element, landing, &trip.subject)).collect();
        if several && kept.len() == names.len() {
            let stored = Some(Kept::Stored);
            landing.kept = kept.into_iter().find(|kept| *kept != stored).unwrap_or(stored);
        }
        if let Some(envelope) = envelope {
            let hash = self.house.secret.hash(&landing.body) as u64;
            let around = Around { envelope, hash, media: reply::media(&landing.headers) };
            self.house.batches.of(trip.subject.endpoint).around.store(Some(Arc::new(around)));
        }
        landing.elements = elements;
        several
    }

    fn keep_element(&self, element: &Element, landing: &Landing, subject: &Subject) -> Option<Kept> {
        let (house, began) = (&self.house, landing.began);
        let subject = subject.with_list(&house.catalogue, &element.name)?;
        let slots = house.cache.slots(&self.tags(&subject, None, None));
        let key = Key::element(&house.secret, subject.endpoint, &element.name);
        let times = (began, began + self.fresh(&subject));
        let entry = Entry::new(&key, &slots, (200, &element.text), landing.stamp, times)?;
        let entry = entry.labelled(element.etag, reply::media(&landing.headers));
        let kept = house.cache.keep(&key, Arc::new(entry), began);
        self.desk.cells.kept(kept);
        Some(kept)
    }
}
