//! What tests stand on.

pub(crate) mod lines;
pub(crate) mod tap;
pub(crate) mod world;
