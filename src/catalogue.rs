//! What the gateway knows of a vendor's operations: one row each.
//!
//! A row says what an operation *does* (read, write or relay: declared, never inferred from the method), which
//! tags it reads or touches, and what it spends. [`Catalogue`] is the rows compiled: audited, routed, counted.
//! This floor knows methods, paths and tags; no sockets, no time, no vendor. The vendor's rows are in
//! `easemob`. Adding an endpoint is adding a row.
//!
//! **Tags** name something that can change: `group:7/members`. A template may take a value from the path
//! (`{group}`), from the request's JSON body (`{body:/usernames/*}`, or `{body?:/newowner}` where it may be left
//! out) or from the answer's (`{answer:/data/*/groupid}`, with `|` between places that deployments differ in). A
//! value that is a list gives one tag per element.
//!
//! **Weights.** Of some limits a call spends as many units as its body names recipients: the pool has a pointer to
//! the list that is counted.

pub mod audit;
mod endpoint;
pub mod lookup;
pub mod path;
pub mod pointer;
pub mod spelling;
pub mod table;
mod tag;
pub mod template;
pub mod weight;

use crate::units::Rate;
use std::ops::Index;
use std::time::Duration;

pub use audit::Mistake;
pub use lookup::{Found, NotFound};
pub use template::Tags;

/// One operation of the vendor, or several that share a method and a path.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Name for settings, metrics, allow rules and logs: `group.members.add`.
    pub name: &'static str,
    /// The method.
    pub verb: Verb,
    /// The path below `/{org}/{app}`. `{group}` is one segment, `{users,}` one segment that is a list,
    /// `{*rest}` all that follows.
    pub path: &'static str,
    /// Other spellings of the same operation: one row, one limit, one key.
    pub also: &'static [(Verb, &'static str)],
    /// What it does.
    pub effect: Effect,
    /// What it spends.
    pub spends: Spends,
    /// What the vendor calls the operations behind this row; their number is counted by a test.
    pub operations: &'static [&'static str],
    /// Its answers carry secrets: an allow rule must name it in full, no pattern reaches it.
    pub by_name: bool,
}

/// A method, or any.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names of HTTP's methods")]
pub enum Verb {
    Get,
    Post,
    Put,
    Delete,
    Patch,
    /// Whatever has no row of its own; reads by GET and HEAD, writes by all others.
    Any,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Shows something; the answer may be kept and shared.
    Read(Read),
    /// Changes something.
    Write(Write),
    /// Passed on: nothing is kept, nothing is touched.
    Relay,
}

/// A read: what its answer shows, and how long that may be believed.
#[derive(Clone, Debug)]
pub struct Read {
    /// What the answer shows: templates of tags.
    pub tags: &'static [&'static str],
    /// How long an answer may be served if nothing touches it.
    pub fresh: Duration,
    /// Who else can change what it shows.
    pub changed_by: ChangedBy,
    /// It says who may do what: never served past its time, whatever happens.
    pub strict: bool,
    /// The query parameters that are understood; with any other the answer is not kept.
    pub query: &'static [&'static str],
    /// The request has a body that decides the answer: a digest of it is part of the key.
    pub by_body: bool,
    /// Entries in the answer that end by themselves.
    pub ends: Option<Ends>,
    /// Pointer to what an element has that could not be answered: with one such, nothing is kept.
    pub flaws: Option<&'static str>,
    /// It is about at most so many things, listed at the end of its path, and each of them may be kept by itself.
    pub by_entity: Option<usize>,
}

/// Who can change what a read shows without a word to us. It decides how long an answer is good. There is one class:
/// the vendor's documentation names nothing that neither devices nor its console can change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChangedBy {
    /// Users on their devices, operators at the vendor's console, and other programs.
    Devices,
}

impl ChangedBy {
    /// How long an answer is good where its row says nothing else.
    #[must_use]
    pub const fn fresh(self) -> Duration {
        match self {
            Self::Devices => Duration::from_secs(30),
        }
    }

    /// As the documentation says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Devices => "devices, console",
        }
    }
}

/// Where an answer says when its entries end.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Pointer to the ends: milliseconds of the vendor's clock; below zero is never.
    pub at: &'static str,
    /// Pointer to the vendor's clock in the same answer, in milliseconds.
    pub clock: &'static str,
}

/// A write: what it changes.
#[derive(Clone, Debug)]
pub struct Write {
    /// What is changed: templates of tags.
    pub touches: &'static [&'static str],
    /// Touched as well when a body or an answer does not say clearly whom it concerns.
    pub otherwise: &'static [&'static str],
}

/// Which of the vendor's limits an operation spends.
#[derive(Clone, Copy, Debug)]
pub enum Spends {
    /// A limit of its own.
    Own(Rate),
    /// Limits shared with other rows: all of them, or none.
    Shared(&'static [&'static Pool]),
}

/// A limit that several rows spend from, or one of several that a row has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pool {
    /// Name, for settings and metrics.
    pub name: &'static str,
    /// Its size.
    pub rate: Rate,
    /// What a call weighs in it; by default one.
    pub weighs: Option<Weighs>,
}

/// A call weighs as much as its body names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Weighs {
    /// Pointer to what is counted: `/to/*`.
    pub at: &'static str,
    /// The most that the vendor takes in one call.
    pub per_call: u32,
}

impl Effect {
    /// As settings, metrics and logs say it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Write(_) => "write",
            Self::Relay => "relay",
        }
    }
}

impl Verb {
    /// The verb of a method that rows can have.
    #[must_use]
    pub fn of(method: &http::Method) -> Option<Self> {
        Some(match *method {
            http::Method::GET => Self::Get,
            http::Method::POST => Self::Post,
            http::Method::PUT => Self::Put,
            http::Method::DELETE => Self::Delete,
            http::Method::PATCH => Self::Patch,
            _ => return None,
        })
    }

    /// As HTTP writes it; `*` for any.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Any => "*",
        }
    }
}

// === Catalogue: the rows compiled ===

/// The number of a row: its place in the catalogue.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u16);

/// A row, ready for use.
#[derive(Debug)]
pub struct Row {
    /// As written.
    pub endpoint: &'static Endpoint,
    /// Its tags: of what it shows, or of what it changes.
    pub tags: template::Templates,
    /// The coarse tags of a write.
    pub otherwise: template::Templates,
    /// Numbers of the pointers to the vendor's clock and to where a read's answer says when its entries end.
    pub ends: Option<(usize, usize)>,
    /// Number of the pointer to what shows that an element could not be answered.
    pub flaws: Option<usize>,
    /// Indices into [`Catalogue::pools`], ascending.
    pub pools: Vec<u16>,
    /// What is counted in its bodies, if any of its pools wants to know.
    pub weights: Option<weight::Weights>,
}

/// All rows, audited and routed.
#[derive(Debug)]
pub struct Catalogue {
    rows: Vec<Row>,
    pools: Vec<Pool>,
    router: lookup::Router,
    forms: tag::Forms,
    unlisted: EndpointId,
    /// Removed from the front of tag values: the vendor writes `org#app_user` for `user` in places.
    prefix: String,
}

impl Catalogue {
    /// Compiles and audits the rows. `unlisted` names the row for paths that no other row matches. `prefix` is
    /// removed from the front of every value of a tag.
    ///
    /// # Errors
    /// Every mistake that the audit finds.
    pub fn new(rows: &'static [Endpoint], unlisted: &str, prefix: &str) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = audit::audit(rows);
        let mut pools: Vec<Pool> = Vec::new();
        let mut compiled = Vec::with_capacity(rows.len());
        for endpoint in rows {
            match Row::compile(endpoint, &mut pools) {
                Ok(row) => compiled.push(row),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        let router = lookup::Router::new(rows).map_err(|mistake| mistakes.push(mistake)).ok();
        let place = rows.iter().position(|row| row.name == unlisted);
        if place.is_none() {
            mistakes.push(Mistake::of(unlisted, "is named as the row for unlisted paths, and is not there"));
        }
        match (router, place) {
            (Some(router), Some(place)) if mistakes.is_empty() => {
                let unlisted = EndpointId(u16::try_from(place).unwrap_or(u16::MAX));
                let (forms, prefix) = (tag::Forms::of(rows), prefix.to_ascii_lowercase());
                Ok(Self { rows: compiled, pools, router, forms, unlisted, prefix })
            }
            _ => Err(mistakes),
        }
    }

    /// The row for a method and a path below `/{org}/{app}`.
    ///
    /// # Errors
    /// [`NotFound`] when the path is not one that may be matched or sent, or the method does not fit it.
    pub fn look_up(&self, method: &http::Method, path: &str) -> Result<Found, NotFound> {
        self.router.look_up(method, path, self.unlisted)
    }

    /// Every row with its number.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (EndpointId, &Row)> {
        self.rows.iter().enumerate().map(|(at, row)| (EndpointId(at as u16), row))
    }

    /// The vendor's limits with their default sizes; rows name them by their index.
    #[must_use]
    pub fn pools(&self) -> &[Pool] {
        &self.pools
    }

    /// The row for paths that no other row matches.
    #[must_use]
    pub fn unlisted(&self) -> EndpointId {
        self.unlisted
    }

    /// What is removed from the front of every value of a tag, in lower case.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The tags that somebody means: `group:7/members`, `group:7/*`, or the name of a read. None if there is no such.
    #[must_use]
    pub fn named_tags(&self, text: &str) -> Vec<String> {
        self.forms.read(text, &self.prefix)
    }

    /// The tags of a row for one request, and for its answer if there is one.
    #[must_use]
    pub fn tags(&self, id: EndpointId, values: &template::Values<'_>) -> Tags {
        self[id].tags.resolve(values, &self.prefix)
    }

    /// The tags a write touches: its own, and the coarse ones where body or answer left something unclear.
    #[must_use]
    pub fn touches(&self, id: EndpointId, values: &template::Values<'_>) -> Tags {
        let row = &self[id];
        let mut tags = row.tags.resolve(values, &self.prefix);
        if tags.unclear {
            tags.names.extend(row.otherwise.resolve(values, &self.prefix).names);
        }
        tags
    }
}

impl Index<EndpointId> for Catalogue {
    type Output = Row;

    fn index(&self, id: EndpointId) -> &Row {
        &self.rows[usize::from(id.0)]
    }
}

impl Row {
    fn compile(endpoint: &'static Endpoint, pools: &mut Vec<Pool>) -> Result<Self, Mistake> {
        // All answers of one read have its name as a tag: so they can be said to have changed.
        let named = [endpoint.name];
        let (tags, own, otherwise, ends, flaws) = match &endpoint.effect {
            Effect::Read(read) => (read.tags, &named[..], &[][..], read.ends, read.flaws),
            Effect::Write(write) => (write.touches, &[][..], write.otherwise, None, None),
            Effect::Relay => (&[][..], &[][..], &[][..], None, None),
        };
        let also: Vec<&'static str> =
            ends.iter().flat_map(|ends| [ends.clock, ends.at]).chain(flaws).collect();
        let compile = |tags: &[&'static str], also: &[&'static str]| {
            template::Templates::new(tags, endpoint.path, also)
                .map_err(|what| Mistake::of(endpoint.name, &what))
        };
        let tags = compile(&[tags, own].concat(), &also)?;
        let mut also = tags.also.iter().copied();
        let mut row = Self {
            endpoint,
            otherwise: compile(otherwise, &[])?,
            ends: ends.and_then(|_| also.next().zip(also.next())),
            flaws: flaws.and_then(|_| also.next()),
            tags,
            pools: Vec::new(),
            weights: None,
        };
        for pool in endpoint.pools() {
            let at = pools.iter().position(|other| other.name == pool.name).unwrap_or_else(|| {
                pools.push(pool);
                pools.len() - 1
            });
            row.pools.push(u16::try_from(at).unwrap_or(u16::MAX));
        }
        row.pools.sort_unstable();
        row.weights = weight::Weights::of(row.pools.iter().map(|pool| &pools[usize::from(*pool)]));
        Ok(row)
    }
}
