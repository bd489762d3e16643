//! The path of a request, from head to answer, under paused time and without sockets.

mod basics;
mod matrix;
mod oracle;
