//! The path of a request, from head to answer, under paused time and without sockets.

mod basics;
mod keeping;
mod matrix;
mod oracle;
mod races;
mod store;
mod unknown;
mod walk;
