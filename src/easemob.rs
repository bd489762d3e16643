//! The vendor: its operations, its grant, its dialect. Data and a few functions; nothing here waits.
//!
//! What the vendor does not document is a setting or is left out. Sources are named in the words of its own
//! documentation: "seed" operations are the group management and the room mute pages.

mod attributes;
pub mod batch;
pub mod dialect;
mod elsewhere;
pub mod grant;
mod groups;
mod members;
mod rooms;
mod threads;

use crate::catalogue::{Catalogue, Endpoint, Mistake, Pool};
use crate::units::Rate;
use std::sync::LazyLock;

/// What every creation touches, and every kept "not found" carries.
pub const ABSENT: &str = "absent";

/// The limit for what has no row of its own. The vendor documents 100/s where it says nothing else.
const DEFAULT: &[&Pool] = &[&Pool { name: "default", rate: Rate::per_second(100) }];

/// The groups of a user: an older spelling pages in another way, so it is a row of its own, with the same limit.
const JOINED: &[&Pool] = &[&Pool { name: "group.list.joined", rate: Rate::per_second(50) }];

/// All rows.
#[must_use]
pub fn endpoints() -> &'static [Endpoint] {
    static ALL: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
        [groups::ROWS, members::ROWS, attributes::ROWS, threads::ROWS, rooms::ROWS, elsewhere::ROWS].concat()
    });
    &ALL
}

/// The vendor's catalogue for one app.
///
/// # Errors
/// Every mistake in the rows; a test keeps them free of any.
pub fn catalogue(org: &str, app: &str) -> Result<Catalogue, Vec<Mistake>> {
    Catalogue::new(endpoints(), "other", &format!("{org}#{app}_"))
}
