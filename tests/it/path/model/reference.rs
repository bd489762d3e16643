//! The reference: what a reader may be told, from what the documentation promises and nothing else.
//!
//! It knows every state that the vendor has been in, and every write with what its caller was told. An answer is
//! good if it was true at some moment between the last thing that its reader must see and the end of his reading.
//! What must be seen: what was acknowledged before he asked; nothing from before a caller was left not knowing; and
//! nothing older than the deadline. What is in doubt is not kept.

use super::history::How;
use super::score::Score;
use super::things::{Facet, Group, Read, Write, is_list, is_of, truth, truths};
use crate::support::world::Reply;
use easemob_gateway::simulator::Control;
use http::StatusCode;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// So long a write is waited for, and so long past its time an answer may be served if need be.
pub(super) const GIVEN_UP: Duration = Duration::from_secs(10);
const STALE: Duration = Duration::from_secs(300);

/// Places in one order of events.
type Place = u64;

pub(super) struct Reference {
    vendor: Control,
    /// What is read at all.
    reads: Vec<Read>,
    place: Place,
    spans: HashMap<Facet, Vec<Span>>,
    deeds: Vec<Deed>,
    settle: Duration,
    doubt: Duration,
    /// Something has happened after which a read may fail.
    pub(super) excused: bool,
    pub(super) score: Score,
}

/// A state of something, until the next one.
struct Span {
    value: Value,
    from: Place,
    since: Instant,
}

/// Something after which answers are asked anew.
struct Deed {
    what: What,
    arrived: Option<Instant>,
    /// When it was done, and what that changed.
    done: Option<Place>,
    changed: Vec<Facet>,
    answer: Option<Answer>,
    stage: Stage,
    /// Who asks after the first must see nothing from before the second.
    floors: Vec<(Place, Place)>,
    /// Of those who ask after the place, none is told from memory until then.
    doubts: Vec<(Place, Instant)>,
}

enum What {
    Write(Write),
    Report(Group),
}

/// What the vendor said to a write, and somebody heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Yes,
    No,
    Failed,
    Cut,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Stage {
    Open,
    Unknown,
    Over,
}

/// A reading under way.
pub(super) struct Reading {
    pub(super) what: Read,
    pub(super) how: How,
    asked: Place,
    pub(super) since: Instant,
    vendor_ms: i64,
}

impl Reference {
    pub(super) fn new(vendor: Control, reads: &[Read], (settle, doubt): (Duration, Duration)) -> Self {
        let mut new = Self {
            vendor,
            reads: reads.to_vec(),
            place: 0,
            spans: HashMap::new(),
            deeds: Vec::new(),
            settle,
            doubt,
            excused: false,
            score: Score::default(),
        };
        new.look();
        new
    }

    pub(super) fn tick(&mut self) -> Place {
        self.place += 1;
        self.place
    }

    /// Looks at the vendor's state. What has changed?
    pub(super) fn look(&mut self) -> Vec<Facet> {
        let now = truths(&self.vendor, &self.reads);
        self.note(now)
    }

    /// The same of what time alone changes.
    pub(super) fn look_at_mutes(&mut self) {
        let now = self.mutes().map(|read| truth(&self.vendor, read)).collect();
        self.note(now);
    }

    /// When the next mute ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        let now = self.vendor.now_ms();
        let lists = self.mutes().filter_map(|read| Some(&self.spans.get(&Facet::Whole(read))?.last()?.value));
        let ends = lists.flat_map(|list| list["said"]["data"].as_array().into_iter().flatten());
        let next = ends.filter_map(|mute| mute["expire"].as_i64()).filter(|end| *end > now).min()?;
        Some(Instant::now() + Duration::from_millis((next - now) as u64))
    }

    fn mutes(&self) -> impl Iterator<Item = Read> {
        self.reads.iter().copied().filter(|read| matches!(read, Read::Mutes(_)))
    }

    fn note(&mut self, now: Vec<(Facet, Value)>) -> Vec<Facet> {
        let (from, since) = (self.tick(), Instant::now());
        let mut changed = Vec::new();
        for (facet, value) in now {
            let spans = self.spans.entry(facet).or_default();
            if spans.last().is_none_or(|last| last.value != value) {
                spans.push(Span { value, from, since });
                changed.push(facet);
            }
        }
        changed
    }

    /// A write begins; its number.
    pub(super) fn begin(&mut self, write: Write) -> usize {
        self.deed(What::Write(write))
    }

    /// A report has been heard, or a purge was answered: as good as an acknowledged write.
    pub(super) fn reported(&mut self, group: Group) {
        let number = self.deed(What::Report(group));
        let (known, now) = (self.tick(), Instant::now());
        let deed = &mut self.deeds[number];
        (deed.floors, deed.stage) = (vec![(known, known)], Stage::Over);
        deed.doubts = vec![(known, now + self.settle)];
    }

    fn deed(&mut self, what: What) -> usize {
        self.deeds.push(Deed {
            what,
            arrived: None,
            done: None,
            changed: Vec::new(),
            answer: None,
            stage: Stage::Open,
            floors: Vec::new(),
            doubts: Vec::new(),
        });
        self.deeds.len() - 1
    }

    /// A write has reached the vendor. True if it is for the first time.
    pub(super) fn arrived(&mut self, deed: usize) -> bool {
        self.deeds[deed].arrived.replace(Instant::now()).is_none()
    }

    /// The vendor has done a write.
    pub(super) fn done(&mut self, deed: usize) {
        let changed = self.look();
        (self.deeds[deed].done, self.deeds[deed].changed) = (Some(self.place), changed);
    }

    /// The vendor has answered a write, and somebody still listened.
    pub(super) fn answered(&mut self, deed: usize, answer: Answer) {
        self.deeds[deed].answer = Some(answer);
    }

    /// What becomes known of a write: when its caller is answered, and, if he has left, at the end of each step.
    pub(super) fn learn(&mut self, number: usize) {
        let (known, now) = (self.tick(), Instant::now());
        let (settle, doubt) = (self.settle, self.doubt);
        let deed = &mut self.deeds[number];
        let given_up = deed.arrived.map(|at| at + GIVEN_UP).filter(|at| *at <= now);
        let unknown = |deed: &mut Deed, since: Instant| {
            deed.floors.push((known, known));
            deed.doubts.push((known, since + doubt));
        };
        match (deed.stage, deed.answer) {
            (Stage::Open, Some(Answer::Yes)) => {
                deed.floors.push((known, deed.done.unwrap_or_default()));
                deed.doubts.push((known, now + settle));
                deed.stage = Stage::Over;
                self.score.acknowledged += 1;
            }
            (Stage::Open, Some(Answer::No)) => {
                deed.floors.extend(deed.done.map(|done| (known, done)));
                deed.stage = Stage::Over;
            }
            (Stage::Open, Some(Answer::Failed | Answer::Cut)) => {
                unknown(deed, now);
                deed.stage = Stage::Over;
                self.score.unknown += 1;
            }
            (Stage::Open, None) => {
                if let Some(since) = given_up {
                    unknown(deed, since);
                    deed.stage = Stage::Unknown;
                    self.score.unknown += 1;
                }
            }
            // The late answer: it settles, or nobody is any the wiser.
            (Stage::Unknown, Some(answer)) => {
                match answer {
                    Answer::Yes | Answer::No => {
                        deed.floors.push((known, deed.done.unwrap_or_default()));
                        deed.doubts.iter_mut().for_each(|(_, until)| *until = now + settle);
                    }
                    Answer::Failed => unknown(deed, now),
                    Answer::Cut => {}
                }
                deed.stage = Stage::Over;
                self.score.late += 1;
            }
            _ => {}
        }
    }

    /// The caller of a write is answered: as the vendor answered it, if it did.
    pub(super) fn told(&mut self, deed: usize, status: StatusCode) -> Result<(), String> {
        let (was, answer) = (self.deeds[deed].stage, self.deeds[deed].answer);
        self.learn(deed);
        let fits = match answer {
            Some(Answer::Yes) => status == StatusCode::OK,
            Some(Answer::No) => status.is_client_error(),
            Some(Answer::Failed | Answer::Cut) | None => status.is_server_error(),
        };
        let fits = fits && was == Stage::Open;
        if fits { Ok(()) } else { Err(format!("a write was answered {answer:?}, and its caller {status}")) }
    }

    pub(super) fn learn_all(&mut self) {
        (0..self.deeds.len()).for_each(|deed| self.learn(deed));
    }

    pub(super) fn ask(&mut self, what: Read, how: How) -> Reading {
        Reading { what, how, asked: self.tick(), since: Instant::now(), vendor_ms: self.vendor.now_ms() }
    }

    /// Whether this answer is good. How it was come by is believed where that makes it worse, not better.
    pub(super) fn judge(&mut self, reading: &Reading, reply: &Reply) -> Result<(), String> {
        let end = self.tick();
        let way = reply.header("cache-status");
        self.score.count(way);
        if !reply.refusal().is_empty() || reply.status.is_server_error() {
            self.score.errors += 1;
            let unkept = reading.how == How::OnlyIfCached && reply.refusal() == "not_kept";
            let why = || format!("{} failed: {} {}", reading.what, reply.status, reply.refusal());
            return if unkept || self.excused { Ok(()) } else { Err(why()) };
        }
        if let Some(place) = reply.body.strip_prefix(b"packed ") {
            return self.judge_packed(reading, String::from_utf8_lossy(place).parse().unwrap());
        }
        let stale =
            way.contains("detail=stale") || way.contains("detail=vendor") || way.contains("detail=budget");
        if stale && reading.what.strict() {
            return Err(format!("{} was served past its time: {way}", reading.what));
        }
        let status = u64::from(reply.status.as_u16());
        let from_memory = reply.is_hit() || stale;
        let longest = longest(reading, status, reply.is_hit(), stale);
        for (facet, value) in reading.what.judged(reply.status, reply.json())? {
            self.ends(reading, &value)?;
            let about = format!("{} ({way}) said {facet:?} {value}", reading.what);
            let floor = self.floor(reading, |deed| deed.concerns(facet, &value));
            let doubt = self.doubt(reading, |deed| deed.concerns(facet, &value)).filter(|_| from_memory);
            // Who waited until the vendor failed may be given what others fetched meanwhile.
            let age = Duration::from_secs(reply.header("age").parse().unwrap_or_default());
            let kept_by = if stale { Instant::now() - age } else { reading.since };
            if doubt.is_some_and(|until| until > kept_by) {
                return Err(format!("{about}: it was in doubt, and kept"));
            }
            let spans = self.spans.get(&facet).map(Vec::as_slice).unwrap_or_default();
            let good = spans.iter().enumerate().any(|(at, span)| {
                let over = spans.get(at + 1);
                let after = over.is_none_or(|next| next.from > floor);
                let young = over.is_none_or(|next| next.since + longest >= reading.since);
                let certain = over.is_none_or(|next| doubt.is_none_or(|until| next.since >= until));
                span.value == value && span.from <= end && after && young && certain
            });
            if !good {
                let since: Vec<_> =
                    spans.iter().map(|span| format!("from {}: {}", span.from, span.value)).collect();
                let (asked, since) = (reading.asked, since.join("\n    "));
                return Err(format!(
                    "{about}, asked at {asked}, floor {floor}, at most {longest:?} old\n    {since}"
                ));
            }
        }
        Ok(())
    }

    /// Whether the second of two good answers may have been true no earlier than the first.
    pub(super) fn follows(&self, read: Read, first: &Reply, second: &Reply) -> Result<bool, String> {
        let firsts = read.judged(first.status, first.json())?;
        let seconds = read.judged(second.status, second.json())?;
        Ok(firsts.iter().zip(&seconds).all(|((facet, first), (_, second))| {
            let spans = self.spans.get(facet).map(Vec::as_slice).unwrap_or_default();
            let from = spans.iter().position(|span| span.value == *first);
            let until = spans.iter().rposition(|span| span.value == *second);
            from.is_some() && from <= until
        }))
    }

    /// An answer that nobody can read, of which only is known when it was true.
    fn judge_packed(&self, reading: &Reading, fetched: Place) -> Result<(), String> {
        // It may show anything that such an answer can show.
        let lists = matches!(reading.what, Read::Joined(_) | Read::List(_));
        for facet in reading.what.facets() {
            let floor = self.floor(reading, |deed| lists || deed.concerns(facet, &Value::Null));
            if fetched < floor {
                return Err(format!("{}: packed at {fetched}, floor {floor}", reading.what));
            }
        }
        Ok(())
    }

    /// A mute is not shown past its end.
    fn ends(&self, reading: &Reading, value: &Value) -> Result<(), String> {
        let mutes =
            matches!(reading.what, Read::Mutes(_)).then(|| value["said"]["data"].as_array()).flatten();
        let over =
            |mute: &&Value| mute["expire"].as_i64().is_some_and(|end| end >= 0 && end <= reading.vendor_ms);
        match mutes.and_then(|mutes| mutes.iter().find(over)) {
            Some(mute) => Err(format!("{}: {mute} was over at {}", reading.what, reading.vendor_ms)),
            None => Ok(()),
        }
    }

    /// Nothing that was over by then may be shown.
    fn floor(&self, reading: &Reading, concerns: impl Fn(&Deed) -> bool) -> Place {
        let floors = self.deeds.iter().filter(|deed| concerns(deed)).flat_map(|deed| &deed.floors);
        let known = floors.filter(|(known, _)| *known < reading.asked).map(|(_, floor)| *floor);
        let anew = reading.how.anew().then_some(reading.asked);
        known.chain(anew).max().unwrap_or_default()
    }

    /// Until when nothing was kept.
    fn doubt(&self, reading: &Reading, concerns: impl Fn(&Deed) -> bool) -> Option<Instant> {
        let doubts = self.deeds.iter().filter(|deed| concerns(deed)).flat_map(|deed| &deed.doubts);
        doubts.filter(|(known, _)| *known < reading.asked).map(|(_, until)| *until).max()
    }
}

impl Deed {
    fn concerns(&self, facet: Facet, value: &Value) -> bool {
        match self.what {
            What::Write(write) if write.cannot_change(facet, value) => false,
            What::Write(write) => {
                // What a list does not show cannot have changed in it, whatever it would show now.
                let changed = self.changed.contains(&facet) && !is_list(facet);
                changed || write.concerns(facet, value)
            }
            What::Report(group) => is_of(facet, group),
        }
    }
}

/// How old an answer may be that somebody gets at once.
fn longest(reading: &Reading, status: u64, hit: bool, stale: bool) -> Duration {
    let fresh = reading.what.fresh(status);
    match reading.how {
        How::MaxStale(seconds) if stale => fresh + STALE.min(Duration::from_secs(seconds)),
        _ if stale => fresh + STALE,
        How::MaxAge(seconds) => fresh.min(Duration::from_secs(seconds)),
        How::MinFresh(seconds) if hit => fresh.saturating_sub(Duration::from_secs(seconds)),
        _ => fresh,
    }
}
