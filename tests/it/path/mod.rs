//! The path of a request, from head to answer, under paused time and without sockets.

mod basics;
mod budget;
mod callers;
mod grants;
mod headers;
mod hostile;
mod keeping;
mod matrix;
mod oracle;
mod races;
mod refusals;
mod relay;
mod reloads;
mod store;
mod telling;
mod token;
mod unknown;
mod walk;
mod weights;
