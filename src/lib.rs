//! A gateway between internal services and the Easemob IM REST API.
//!
//! A request becomes a *call*; a call earns a *permit* and borrows the *token*; together they buy an *answer*;
//! the answer settles what the *cache* may keep. Every module serves a word of that sentence. `ARCHITECTURE.md`
//! is the plan on one page; [`gateway`] is the path of a request, and the place to begin reading.
//!
//! Modules in reading order, by floor; each may use those below it, never beside or above (a test holds this):
//!
//! - path: [`gateway`]
//! - telling: [`telemetry`]
//! - joints: [`token`], [`exchange`]
//! - parts: [`easemob`], [`caller`], [`limit`], [`cache`], [`upstream`]
//! - words: [`catalogue`]
//! - ground: [`units`], [`clock`], [`tasks`], [`body`]
//! - house: [`server`], [`simulator`]; roof: [`config`], [`app`], [`cli`]

pub mod app;
pub mod body;
pub mod cache;
pub mod caller;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod easemob;
pub mod exchange;
pub mod file;
pub mod gateway;
pub mod limit;
pub mod server;
pub mod simulator;
pub mod tasks;
pub mod telemetry;
pub mod token;
pub mod units;
pub mod upstream;
