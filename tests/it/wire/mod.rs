//! Sockets, bytes and endings: what only shows when something crosses a wire. Never on paused time.

mod callbacks;
mod closing;
mod faults;
mod floods;
mod framing;
mod garbage;
mod heads;
mod http2;
mod operators;
mod slow;
mod stalled;
pub(crate) mod tls;
pub(crate) mod tls_inbound;
mod unix;
mod uploads;
mod vendor;
