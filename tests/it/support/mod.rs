//! What tests stand on.

pub(crate) mod house;
pub(crate) mod program;
pub(crate) mod wire;
pub(crate) mod world;
