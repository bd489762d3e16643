//! The path of a request, from head to answer, under paused time and without sockets.

mod basics;
mod batches;
mod budget;
mod callbacks;
mod callers;
mod conditions;
mod faults;
mod grants;
mod headers;
mod hostile;
mod keeping;
mod matrix;
mod numbers;
mod oracle;
mod races;
mod refusals;
mod relay;
mod reloads;
mod stale;
mod store;
mod telling;
mod token;
mod unknown;
mod walk;
mod weights;
