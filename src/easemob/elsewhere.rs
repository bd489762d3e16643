//! Tokens of users, the vendor's callbacks, and the row for everything else. All of it is passed on.
//!
//! Answers of some carry secrets: those rows are reached by name only, are never kept, and no body is ever logged.

use super::DEFAULT;
use crate::catalogue::{
    Endpoint, Pool,
    Verb::{Any, Get, Post},
};
use crate::units::Rate;

/// The rules by which the vendor calls back, with the secrets that sign its calls.
const CALLBACKS: &[&Pool] = &[&Pool::new("callbacks", Rate::per_second(100))];

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::relay("callback.storage.info", Get, "/callbacks/storage/info"),
    Endpoint::relay("callback.storage.retry", Post, "/callbacks/storage/retry"),
    Endpoint::relay("callback.rules", Any, "/callbacks").spends(CALLBACKS).by_name(),
    Endpoint::relay("callback.rule", Any, "/callbacks/{*rest}").spends(CALLBACKS).by_name(),
    Endpoint::relay("callback.hooks", Any, "/msghooks").spends(CALLBACKS).by_name(),
    Endpoint::relay("callback.hook", Any, "/msghooks/{*rest}").spends(CALLBACKS).by_name(),
    // A user's own token: passed on for callers that have the right by name. App tokens are answered locally.
    Endpoint::relay("token.user", Post, "/token").limit(Rate::per_second(300)).by_name(),
    Endpoint::relay("other", Any, "").spends(DEFAULT),
];
