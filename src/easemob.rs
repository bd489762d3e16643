//! The vendor: its operations, its grant, its dialect. Data and a few functions; nothing here waits.
//!
//! What the vendor does not document is a setting or is left out. Sources are named in the words of its own
//! documentation: "seed" operations are the group management and the room mute pages.

mod attributes;
pub mod batch;
pub mod callback;
pub mod dialect;
mod elsewhere;
pub mod grant;
mod groups;
mod joining;
mod members;
mod messages;
mod occupants;
mod rooms;
mod threads;
mod users;

use crate::catalogue::{Catalogue, Endpoint, Mistake, Pool};
use crate::units::Rate;
use std::sync::LazyLock;
use std::time::Duration;

/// What every creation touches, and every kept "not found" carries.
pub const ABSENT: &str = "absent";

/// How long to believe what changes by itself: who is in a room (whoever is offline for two minutes drops out of it,
/// by no call) and what devices write into rooms while they are open.
const BRIEFLY: Duration = Duration::from_secs(10);

/// The limit for what has no row of its own. The vendor documents 100/s where it says nothing else.
const DEFAULT: &[&Pool] = &[&Pool::new("default", Rate::per_second(100))];

/// The groups of a user: an older spelling pages in another way, so it is a row of its own, with the same limit.
const JOINED: &[&Pool] = &[&Pool::new("group.list.joined", Rate::per_second(50))];

/// All rows.
#[must_use]
pub fn endpoints() -> &'static [Endpoint] {
    static ALL: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
        [
            groups::ROWS,
            members::ROWS,
            joining::ROWS,
            attributes::ROWS,
            threads::ROWS,
            rooms::ROWS,
            occupants::ROWS,
            users::ROWS,
            messages::ROWS,
            elsewhere::ROWS,
        ]
        .concat()
    });
    &ALL
}

/// All limits, each once.
#[must_use]
pub fn pools() -> Vec<Pool> {
    let mut pools: Vec<Pool> = endpoints().iter().flat_map(Endpoint::pools).collect();
    pools.sort_unstable_by_key(|pool| pool.name);
    pools.dedup_by_key(|pool| pool.name);
    pools
}

/// The vendor's catalogue for one app.
///
/// # Errors
/// Every mistake in the rows; a test keeps them free of any.
pub fn catalogue(org: &str, app: &str) -> Result<Catalogue, Vec<Mistake>> {
    Catalogue::new(endpoints(), "other", &format!("{org}#{app}_"))
}
