//! What tests stand on.

pub(crate) mod faults;
pub(crate) mod frames;
pub(crate) mod house;
pub(crate) mod lines;
pub(crate) mod program;
pub(crate) mod promtool;
pub(crate) mod report;
pub(crate) mod tap;
pub(crate) mod wire;
pub(crate) mod world;
