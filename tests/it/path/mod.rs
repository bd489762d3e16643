//! The path of a request, from head to answer, under paused time and without sockets.

mod basics;
mod budget;
mod callers;
mod grants;
mod headers;
mod refusals;
mod relay;
mod telling;
mod token;
