//! Histories: what callers, the vendor and time do, one step after the other.
//!
//! Drawn by proptest, and written as short lines. A step that means nothing at its place (a release when nothing is
//! held) does nothing, so that any part of a history is one, and a failing one shrinks to what matters.

use super::things::{Group, NEW, Read, Write};
use proptest::prelude::*;
use std::fmt;

/// One step.
#[derive(Clone)]
pub(super) enum Step {
    /// So many readers ask the same at once; the first call that it takes is held, and all fare so.
    Read { what: Read, readers: usize, how: How, stop: Stop, fate: Fate },
    /// A caller writes; he may read something as soon as he is answered.
    Write { what: Write, stop: Stop, fate: Fate, then: Option<Read> },
    /// Somebody else changes something at the vendor.
    Behind(Write),
    /// The vendor reports that something about a group has changed.
    Report(Group),
    /// An operator says so.
    Purge(Group),
    /// A write whose connection broke is done after all.
    Late(usize),
    /// A held call goes on.
    Release(usize),
    /// A caller hangs up.
    Leave(usize),
    /// So many milliseconds.
    Pass(u64),
}

/// What a reader says of memory; numbers are seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum How {
    Plain,
    NoCache,
    NoStore,
    OnlyIfCached,
    MaxAge(u64),
    MinFresh(u64),
    MaxStale(u64),
}

/// Where a call is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    No,
    /// Before the vendor looks at it.
    Before,
    /// With its answer in hand.
    After,
    /// Both.
    Twice,
}

/// What becomes of a call; a write may be done all the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    Good,
    /// A clear no.
    Refused {
        done: bool,
    },
    /// 503.
    Failed {
        done: bool,
    },
    /// The connection breaks.
    Cut {
        done: bool,
    },
    /// The connection breaks, and a write may be done later.
    Limbo,
    /// A success that cannot be read.
    Packed,
}

/// The gateway and the vendor of one history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// Room for a few answers only.
    pub(super) tiny: bool,
    pub(super) settle: bool,
    pub(super) forms: Forms,
    /// What is past its time is served while it is fetched anew.
    pub(super) refresh: bool,
    /// Reads of groups wait for their turn.
    pub(super) slow: bool,
    /// Only one given-up write is listened for.
    pub(super) deaf: bool,
}

/// What one group alone and among others have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Forms {
    /// They are equal, and nobody said so.
    Alike,
    /// They are equal, and a setting says so.
    Equal,
    /// Batches leave the owner out.
    Differ,
}

#[derive(Clone)]
pub(super) struct History {
    pub(super) setting: Setting,
    /// What is read in it.
    pub(super) reads: Vec<Read>,
    pub(super) steps: Vec<Step>,
}

/// A step as it is drawn: what it is about is a place in the lists of the history's theme.
#[derive(Clone, Debug)]
enum Draft {
    Read(usize, usize, How, Stop, Fate),
    Write(usize, Stop, Fate, Option<usize>),
    Behind(usize),
    /// Read, past its time, and read again.
    Outlived(usize, u64, How, Fate),
    Other(Step),
}

/// What a history is about: only what has to do with each other can be at odds.
struct Theme {
    reads: Vec<Read>,
    writes: Vec<Write>,
}

pub(super) fn histories(longest: usize) -> impl Strategy<Value = History> {
    (setting(), theme(), prop::collection::vec(draft(), 4..longest)).prop_map(|(setting, theme, drafts)| {
        let theme = Theme::new(theme);
        let steps = drafts.into_iter().flat_map(|draft| theme.steps(draft)).collect();
        History { setting, reads: theme.reads, steps }
    })
}

fn setting() -> impl Strategy<Value = Setting> {
    let forms = prop_oneof![Just(Forms::Alike), Just(Forms::Equal), Just(Forms::Differ)];
    let rarely = prop::bool::weighted;
    (rarely(0.2), rarely(0.3), forms, rarely(0.5), rarely(0.1), rarely(0.2)).prop_map(
        |(tiny, settle, forms, refresh, slow, deaf)| Setting { tiny, settle, forms, refresh, slow, deaf },
    )
}

fn draft() -> impl Strategy<Value = Draft> {
    let place = || 0..60_usize;
    let readers = prop_oneof![8 => Just(1), 1 => 2..=3_usize];
    prop_oneof![
        30 => (place(), readers, how(), stop(), read_fate())
            .prop_map(|(what, readers, how, stop, fate)| Draft::Read(what, readers, how, stop, fate)),
        16 => (place(), rare_stop(), fate(), prop::option::of(place()))
            .prop_map(|(what, stop, fate, then)| Draft::Write(what, stop, fate, then)),
        4 => place().prop_map(Draft::Behind),
        1 => (place(), longer(), again())
            .prop_map(|(what, ms, (how, fate))| Draft::Outlived(what, ms, how, fate)),
        16 => (0..4_usize).prop_map(|which| Draft::Other(Step::Release(which))),
        2 => (0..=1_usize).prop_map(|group| Draft::Other(Step::Report(group))),
        1 => (0..=1_usize).prop_map(|group| Draft::Other(Step::Purge(group))),
        3 => (0..3_usize).prop_map(|which| Draft::Other(Step::Late(which))),
        4 => (0..4_usize).prop_map(|which| Draft::Other(Step::Leave(which))),
        10 => pass().prop_map(|ms| Draft::Other(Step::Pass(ms))),
    ]
}

/// Most often what is put together from parts, and what ends by itself.
fn theme() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(0), 3 => Just(1), 6 => Just(2), 2 => Just(3), 1 => Just(4), 1 => Just(5), 1 => Just(6)]
}

impl Theme {
    fn new(number: usize) -> Self {
        let (a, b, dave, erin) = (0, 1, 0, 1);
        let (reads, writes) = match number {
            0 => (vec![Read::Notice(a)], vec![Write::Announce(a, 0)]),
            1 => (
                vec![Read::Mutes(a), Read::Mutes(a), Read::Mutes(b)],
                vec![
                    Write::Mute(a, dave, 900),
                    Write::Mute(a, dave, 5_000),
                    Write::Unmute(a, dave),
                    Write::Mute(b, erin, -1),
                ],
            ),
            2 => (
                vec![Read::Some(0), Read::Some(2), Read::Some(1), Read::One(a), Read::Some(3)],
                vec![Write::Rename(a, 0), Write::Rename(b, 0), Write::Rename(a, 0)],
            ),
            3 => (
                vec![Read::Joined(dave), Read::List(0), Read::List(1), Read::Joined(erin), Read::Members(a)],
                vec![Write::Rename(a, 0), Write::Rename(b, 0), Write::Kick(a, dave), Write::Join(a, dave)],
            ),
            4 => (
                vec![Read::One(NEW), Read::Some(5), Read::List(1), Read::Joined(erin)],
                vec![Write::Create, Write::Delete, Write::Rename(a, 0)],
            ),
            5 => (
                vec![Read::Room, Read::Some(0), Read::One(a)],
                vec![Write::RenameRoom(0), Write::Rename(a, 0)],
            ),
            _ => (
                Read::all(),
                vec![
                    Write::Rename(a, 0),
                    Write::Announce(a, 0),
                    Write::Join(a, erin),
                    Write::Kick(a, erin),
                    Write::Mute(a, dave, 20_000),
                    Write::Unmute(a, dave),
                    Write::Create,
                    Write::Delete,
                    Write::RenameRoom(0),
                    Write::Rename(2, 0),
                ],
            ),
        };
        Self { reads, writes }
    }

    fn steps(&self, draft: Draft) -> Vec<Step> {
        let read = |at: usize| self.reads[at % self.reads.len()];
        let write = |at: usize| self.writes[at % self.writes.len()];
        vec![match draft {
            Draft::Read(what, readers, how, stop, fate) => {
                Step::Read { what: read(what), readers, how, stop, fate }
            }
            Draft::Write(what, stop, fate, then) => {
                Step::Write { what: write(what), stop, fate, then: then.map(read) }
            }
            Draft::Behind(what) => Step::Behind(write(what)),
            Draft::Outlived(what, ms, how, fate) => {
                let read = |how, fate| Step::Read { what: read(what), readers: 1, how, stop: Stop::No, fate };
                return vec![read(How::Plain, Fate::Good), Step::Pass(ms), read(how, fate)];
            }
            Draft::Other(step) => step,
        }]
    }
}

/// Short of the times that count, and just past them.
fn pass() -> impl Strategy<Value = u64> {
    prop_oneof![
        5 => prop_oneof![Just(100), Just(900), Just(1_100)],
        2 => prop_oneof![Just(2_100), Just(5_000), Just(9_500)],
        2 => prop_oneof![Just(10_100), Just(21_000), Just(31_000), Just(31_000)],
        1 => prop_oneof![Just(61_000), Just(320_000)],
    ]
}

/// Longer than an answer is good, and seldom longer than it may be served past that.
fn longer() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(31_000), 1 => Just(60_000), 1 => Just(320_000)]
}

/// Most often what has it served all the same.
fn again() -> impl Strategy<Value = (How, Fate)> {
    prop_oneof![
        3 => Just((How::Plain, Fate::Failed { done: false })),
        1 => Just((How::Plain, Fate::Cut { done: false })),
        2 => Just((How::MaxStale(100), Fate::Good)),
        1 => (how(), read_fate()),
    ]
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        24 => Just(How::Plain),
        1 => Just(How::NoCache),
        1 => Just(How::NoStore),
        1 => Just(How::OnlyIfCached),
        1 => prop_oneof![Just(0), Just(1), Just(6)].prop_map(How::MaxAge),
        1 => prop_oneof![Just(1), Just(25)].prop_map(How::MinFresh),
        3 => prop_oneof![Just(2), Just(100)].prop_map(How::MaxStale),
    ]
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![5 => Just(Stop::No), 2 => Just(Stop::Before), 4 => Just(Stop::After), 1 => Just(Stop::Twice)]
}

fn rare_stop() -> impl Strategy<Value = Stop> {
    prop_oneof![7 => Just(Stop::No), 1 => Just(Stop::Before), 2 => Just(Stop::After), 1 => Just(Stop::Twice)]
}

fn read_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        30 => Just(Fate::Good),
        1 => Just(Fate::Failed { done: false }),
        1 => Just(Fate::Cut { done: false }),
        1 => Just(Fate::Packed),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        24 => Just(Fate::Good),
        1 => any::<bool>().prop_map(|done| Fate::Refused { done }),
        2 => any::<bool>().prop_map(|done| Fate::Failed { done }),
        2 => any::<bool>().prop_map(|done| Fate::Cut { done }),
        2 => Just(Fate::Limbo),
    ]
}

impl How {
    /// What he says, in `Cache-Control`.
    pub(super) fn header(self) -> Option<String> {
        Some(match self {
            Self::Plain => return None,
            Self::NoCache => "no-cache".to_owned(),
            Self::NoStore => "no-store".to_owned(),
            Self::OnlyIfCached => "only-if-cached".to_owned(),
            Self::MaxAge(seconds) => format!("max-age={seconds}"),
            Self::MinFresh(seconds) => format!("min-fresh={seconds}"),
            Self::MaxStale(seconds) => format!("max-stale={seconds}"),
        })
    }

    /// Whether nothing will do that was asked for before.
    pub(super) fn anew(self) -> bool {
        matches!(self, Self::NoCache | Self::NoStore | Self::MaxAge(0))
    }
}

impl Stop {
    pub(super) fn before(self) -> bool {
        matches!(self, Self::Before | Self::Twice)
    }

    pub(super) fn after(self) -> bool {
        matches!(self, Self::After | Self::Twice)
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = |stop: &Stop| match stop {
            Stop::No => "",
            Stop::Before => ", held before",
            Stop::After => ", held after",
            Stop::Twice => ", held before and after",
        };
        let ends = |fate: &Fate| if *fate == Fate::Good { String::new() } else { format!(", {fate:?}") };
        match self {
            Self::Read { what, readers, how, stop, fate } => {
                let times = if *readers > 1 { format!(" by {readers}") } else { String::new() };
                let how = how.header().map(|how| format!(" ({how})")).unwrap_or_default();
                write!(f, "read {what}{times}{how}{}{}", held(stop), ends(fate))
            }
            Self::Write { what, stop, fate, then } => {
                let then = then.map(|then| format!(", then read {then}")).unwrap_or_default();
                write!(f, "write: {what}{}{}{then}", held(stop), ends(fate))
            }
            Self::Behind(write) => write!(f, "behind: {write}"),
            Self::Report(group) => write!(f, "report of {}", Read::One(*group)),
            Self::Purge(group) => write!(f, "purge of {}", Read::One(*group)),
            Self::Late(which) => write!(f, "done late: {which}"),
            Self::Release(which) => write!(f, "release {which}"),
            Self::Leave(which) => write!(f, "caller {which} leaves"),
            Self::Pass(ms) => write!(f, "{ms} ms pass"),
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.setting)?;
        self.steps.iter().enumerate().try_for_each(|(at, step)| write!(f, "\n  {:2} {step:?}", at + 1))
    }
}
