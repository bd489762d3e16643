//! The small world of the model: what is read in it, what is written, and what of an answer is judged by itself.

use crate::path::oracle::{Ask, essence};
use easemob_gateway::simulator::{Control, SAMPLE_GROUPS, SAMPLE_ROOM};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// A group, by its place: three of the sample, and one that a write may make.
pub(super) type Group = usize;

const IDS: [&str; 4] = [SAMPLE_GROUPS[0], SAMPLE_GROUPS[1], SAMPLE_GROUPS[2], "9001"];
/// The one that does not exist at first.
pub(super) const NEW: Group = 3;
pub(super) const USERS: [&str; 2] = ["dave", "erin"];
pub(super) const BATCHES: [&[Group]; 6] = [&[0, 1], &[1, 0], &[0, 1, 2], &[2, 1], &[2, 0], &[0, NEW]];
/// Groups on a page of the list of all.
pub(super) const PAGES: [usize; 2] = [10, 1];

/// Something that can be asked.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(super) enum Read {
    One(Group),
    /// Several at once: one of [`BATCHES`].
    Some(usize),
    Notice(Group),
    Members(Group),
    Mutes(Group),
    Joined(usize),
    /// One of [`PAGES`].
    List(usize),
    Room,
}

/// What is judged by itself: an answer, or one element of an answer about several.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Facet {
    Whole(Read),
    Element(Group),
}

/// Something that can be done. Texts are numbered, so that no two states are alike.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Write {
    Rename(Group, u32),
    Announce(Group, u32),
    Join(Group, usize),
    Kick(Group, usize),
    /// For so many milliseconds; below zero for ever.
    Mute(Group, usize, i64),
    Unmute(Group, usize),
    Create,
    Delete,
    RenameRoom(u32),
}

impl Read {
    pub(super) fn all() -> Vec<Self> {
        let groups = (0..IDS.len()).map(Self::One).chain((0..BATCHES.len()).map(Self::Some));
        let below = [0, 1].into_iter().flat_map(|group| [Self::Notice(group), Self::Mutes(group)]);
        let lists = [Self::Joined(0), Self::Joined(1), Self::List(0), Self::List(1)];
        groups.chain(below).chain([Self::Members(0)]).chain(lists).chain([Self::Room]).collect()
    }

    pub(super) fn path(self) -> String {
        let group = |group: Group, below: &str| format!("/chatgroups/{}{below}", IDS[group]);
        match self {
            Self::One(one) => group(one, ""),
            Self::Some(which) => {
                let ids: Vec<&str> = BATCHES[which].iter().map(|group| IDS[*group]).collect();
                format!("/chatgroups/{}", ids.join(","))
            }
            Self::Notice(one) => group(one, "/announcement"),
            Self::Members(one) => group(one, "/users?pagenum=1&pagesize=3"),
            Self::Mutes(one) => group(one, "/mute"),
            Self::Joined(user) => format!("/chatgroups/user/{}", USERS[user]),
            Self::List(page) => format!("/chatgroups?limit={}", PAGES[page]),
            Self::Room => format!("/chatrooms/{SAMPLE_ROOM}"),
        }
    }

    /// How long an answer of this status may be believed, as the documentation has it.
    pub(super) fn fresh(self, status: u64) -> Duration {
        Duration::from_secs(match (self, status) {
            (_, 404) => 2,
            (Self::Room, _) => 10,
            _ => 30,
        })
    }

    /// Never past its time.
    pub(super) fn strict(self) -> bool {
        matches!(self, Self::Mutes(_))
    }

    /// What of its answer is judged by itself.
    pub(super) fn facets(self) -> Vec<Facet> {
        match self {
            Self::Some(which) => BATCHES[which].iter().map(|group| Facet::Element(*group)).collect(),
            one => vec![Facet::Whole(one)],
        }
    }

    /// Takes an answer apart. An error when it is not even the answer to this.
    pub(super) fn judged(self, status: StatusCode, said: Value) -> Result<Vec<(Facet, Value)>, String> {
        let Self::Some(which) = self else {
            return Ok(vec![(Facet::Whole(self), told(status, said))]);
        };
        let elements = said["data"].as_array().cloned().unwrap_or_default();
        let (asked, count) = (BATCHES[which], said["count"].as_u64());
        let one = |group: &Group| {
            let mut found = elements.iter().filter(|element| element["id"] == IDS[*group]);
            Some((Facet::Element(*group), found.next()?.clone())).filter(|_| found.next().is_none())
        };
        let facets: Vec<_> = asked.iter().filter_map(one).collect();
        let whole =
            facets.len() == asked.len() && elements.len() == asked.len() && count == Some(asked.len() as u64);
        if whole { Ok(facets) } else { Err(format!("is no answer to {self}: {said}")) }
    }
}

fn told(status: StatusCode, said: Value) -> Value {
    json!({"status": status.as_u16(), "said": essence(said)})
}

/// What the vendor would say now to these reads.
pub(super) fn truths(vendor: &Control, reads: &[Read]) -> Vec<(Facet, Value)> {
    let (several, single): (Vec<Read>, Vec<Read>) =
        reads.iter().partition(|read| matches!(read, Read::Some(_)));
    let mut all: Vec<_> = single.into_iter().map(|read| truth(vendor, read)).collect();
    if !several.is_empty() {
        let (_, said) = vendor.behind(Method::GET, &format!("/chatgroups/{}", IDS.join(",")), Value::Null);
        let element = |group: Group| (Facet::Element(group), said["data"][group].clone());
        all.extend((0..IDS.len()).map(element));
    }
    all
}

/// The same of one thing.
pub(super) fn truth(vendor: &Control, read: Read) -> (Facet, Value) {
    let (status, said) = vendor.behind(Method::GET, &read.path(), Value::Null);
    (Facet::Whole(read), told(status, said))
}

/// Whether an answer about something else shows this group.
fn shows(facet: Facet, value: &Value, group: Group) -> bool {
    is_list(facet) && value.to_string().contains(IDS[group])
}

/// Whether this lists groups.
pub(super) fn is_list(facet: Facet) -> bool {
    matches!(facet, Facet::Whole(Read::Joined(_) | Read::List(_)))
}

/// Whether this is about the group itself.
pub(super) fn is_of(facet: Facet, group: Group) -> bool {
    match facet {
        Facet::Element(one) => one == group,
        Facet::Whole(Read::One(one) | Read::Notice(one) | Read::Members(one) | Read::Mutes(one)) => {
            one == group
        }
        Facet::Whole(_) => false,
    }
}

impl Write {
    /// Whether it may change this, done or not, as far as an answer tells.
    pub(super) fn concerns(self, facet: Facet, value: &Value) -> bool {
        let itself = |group| facet == Facet::Element(group) || facet == Facet::Whole(Read::One(group));
        match self {
            Self::Rename(group, _) => itself(group) || shows(facet, value, group),
            Self::Announce(group, _) => facet == Facet::Whole(Read::Notice(group)),
            Self::Join(group, user) | Self::Kick(group, user) => {
                let lists = [Read::Members(group), Read::Joined(user)];
                itself(group) || lists.map(Facet::Whole).contains(&facet) || shows(facet, value, group)
            }
            Self::Mute(group, ..) | Self::Unmute(group, _) => facet == Facet::Whole(Read::Mutes(group)),
            Self::Create if itself(NEW) => !self.cannot_change(facet, value),
            Self::Create | Self::Delete => {
                itself(NEW) || matches!(facet, Facet::Whole(Read::Joined(_) | Read::List(_)))
            }
            Self::RenameRoom(_) => facet == Facet::Whole(Read::Room),
        }
    }

    /// Whether it may have led to this, but to nothing else: what is there, nobody makes again.
    pub(super) fn cannot_change(self, facet: Facet, value: &Value) -> bool {
        let missing = value["status"] == 404 || value.get("error").is_some();
        self == Self::Create && is_of(facet, NEW) && !missing
    }

    pub(super) fn ask(self) -> Ask {
        let at = |group: Group, below: &str| format!("/chatgroups/{}{below}", IDS[group]);
        let user = |user: usize| USERS[user];
        match self {
            Self::Rename(group, to) => {
                Ask::new(Method::PUT, at(group, ""), json!({"groupname": format!("n{to}")}))
            }
            Self::Announce(group, text) => Ask::new(
                Method::POST,
                at(group, "/announcement"),
                json!({"announcement": format!("t{text}")}),
            ),
            Self::Join(group, one) => {
                Ask::new(Method::POST, at(group, &format!("/users/{}", user(one))), Value::Null)
            }
            Self::Kick(group, one) => {
                Ask::new(Method::DELETE, at(group, &format!("/users/{}", user(one))), Value::Null)
            }
            Self::Mute(group, one, ms) => {
                let body = json!({"usernames": [user(one)], "mute_duration": ms});
                Ask::new(Method::POST, at(group, "/mute"), body)
            }
            Self::Unmute(group, one) => {
                Ask::new(Method::DELETE, at(group, &format!("/mute/{}", user(one))), Value::Null)
            }
            Self::Create => {
                let body = json!({"groupname": "new", "public": true, "owner": "erin", "members": ["dave"]});
                Ask::new(Method::POST, "/chatgroups", body)
            }
            Self::Delete => Ask::new(Method::DELETE, at(NEW, ""), Value::Null),
            Self::RenameRoom(to) => {
                let path = format!("/chatrooms/{SAMPLE_ROOM}");
                Ask::new(Method::PUT, path, json!({"name": format!("r{to}")}))
            }
        }
    }

    /// Does it at the vendor.
    pub(super) fn perform(self, vendor: &Control) -> (StatusCode, Value) {
        let Ask { method, path, body } = self.ask();
        if self != Self::Create {
            return vendor.behind(method, &path, body.unwrap_or_default());
        }
        // The vendor chooses ids; here it always chooses the same.
        if vendor.behind(Method::GET, &Read::One(NEW).path(), Value::Null).0 == StatusCode::OK {
            return (
                StatusCode::FORBIDDEN,
                json!({"error": "forbidden_op", "error_description": "is there"}),
            );
        }
        vendor.add_group(IDS[NEW], "erin", &["dave"]);
        (StatusCode::OK, json!({"data": {"groupid": IDS[NEW]}, "timestamp": vendor.now_ms(), "duration": 0}))
    }
}

/// The report of a change of this group that does not say of what.
pub(super) fn report(group: Group) -> Value {
    crate::support::report::event("GROUP", IDS[group], "NOVELTY", Value::Null)
}

fn name(group: Group) -> char {
    ['A', 'B', 'C', 'N'][group]
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(group) => write!(f, "{}", name(*group)),
            Self::Some(which) => {
                let names: Vec<String> =
                    BATCHES[*which].iter().map(|group| name(*group).to_string()).collect();
                f.write_str(&names.join(","))
            }
            Self::Notice(group) => write!(f, "{}/notice", name(*group)),
            Self::Members(group) => write!(f, "{}/members", name(*group)),
            Self::Mutes(group) => write!(f, "{}/mutes", name(*group)),
            Self::Joined(user) => write!(f, "{}/groups", USERS[*user]),
            Self::List(page) => write!(f, "groups by {}", PAGES[*page]),
            Self::Room => f.write_str("room"),
        }
    }
}

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rename(group, to) => write!(f, "rename {} n{to}", name(*group)),
            Self::Announce(group, text) => write!(f, "announce {} t{text}", name(*group)),
            Self::Join(group, user) => write!(f, "add {} to {}", USERS[*user], name(*group)),
            Self::Kick(group, user) => write!(f, "remove {} from {}", USERS[*user], name(*group)),
            Self::Mute(group, user, ms) => write!(f, "mute {} in {} for {ms} ms", USERS[*user], name(*group)),
            Self::Unmute(group, user) => write!(f, "unmute {} in {}", USERS[*user], name(*group)),
            Self::Create => f.write_str("create N"),
            Self::Delete => f.write_str("delete N"),
            Self::RenameRoom(to) => write!(f, "rename room r{to}"),
        }
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
