//! A vendor with four operations: boxes, each with things in it.

use easemob_gateway::catalogue::{
    Catalogue, Endpoint, Mistake, Pool,
    Verb::{Any, Delete, Get, Post},
};
use easemob_gateway::units::Rate;

pub(super) const SHARED: &[&Pool] = &[&Pool::new("shared", Rate::per_second(10))];

/// Reads a box, puts things into it, takes things out, and whatever else is done to it.
pub(super) const READ: Endpoint =
    Endpoint::read("box.read", Get, "/box/{box}", &["box:{box}", "thing:{answer:/things/*/id}"])
        .query(&["page", "size"])
        .also(&[(Get, "/boxes/{box}")]);
pub(super) const PUT: Endpoint =
    Endpoint::write("box.put", Post, "/box/{box}", &["box:{box}", "thing:{body:/things/*}"])
        .otherwise(&["things"])
        .spends(SHARED);
pub(super) const TAKE: Endpoint =
    Endpoint::write("box.take", Delete, "/box/{box}/{things,}", &["box:{box}", "thing:{things}"])
        .spends(SHARED);
pub(super) const OTHER: Endpoint =
    Endpoint::write("box.other", Any, "/box/{box}/{thing}/{*rest}", &["box:{box}"]).spends(SHARED);
/// For what no row matches.
pub(super) const UNLISTED: Endpoint = Endpoint::relay("unlisted", Any, "").spends(SHARED);

/// The toy's rows, compiled.
pub(super) fn toy() -> Catalogue {
    with(&[]).unwrap()
}

/// The toy with further rows.
pub(super) fn with(more: &[Endpoint]) -> Result<Catalogue, Vec<Mistake>> {
    compile(&[&[READ, PUT, TAKE, OTHER, UNLISTED], more].concat())
}

/// Any rows. They live for ever, as rows of a program do.
pub(super) fn compile(rows: &[Endpoint]) -> Result<Catalogue, Vec<Mistake>> {
    Catalogue::new(rows.to_vec().leak(), "unlisted", "org#app_")
}
