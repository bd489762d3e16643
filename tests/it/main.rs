//! All tests, in one binary: every further one would link everything again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod cache;
mod catalogue;
mod cli;
mod config;
mod deploy;
mod documentation;
mod easemob;
mod fuzz;
mod limit;
mod path;
mod simulator;
mod support;
mod tidy;
mod token;
mod units;
mod wire;
