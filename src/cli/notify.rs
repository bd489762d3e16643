//! What the service manager is told: ready, reloading, stopping (`sd_notify`).
//!
//! One datagram each, to the socket that `NOTIFY_SOCKET` names; without it nobody wants to know. Nothing depends on
//! whether it arrives.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// What may be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// The doors are open, or a reload has ended.
    Ready,
    /// The configuration is being read anew.
    Reloading,
    /// The end has been asked for.
    Stopping,
}

/// Tells it, if somebody listens.
pub(super) fn tell(state: State) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let text = match state {
        State::Ready => "READY=1".to_owned(),
        // The service manager tells reloads apart by the time at which they began.
        State::Reloading => format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()),
        State::Stopping => "STOPPING=1".to_owned(),
    };
    if let Err(error) = send(&socket, text.as_bytes()) {
        tracing::warn!("the service manager could not be told {state:?}: {error}");
    }
}

fn send(socket: &OsStr, text: &[u8]) -> io::Result<()> {
    let datagram = UnixDatagram::unbound()?;
    datagram.set_nonblocking(true)?;
    datagram.send_to_addr(text, &address(socket)?)?;
    Ok(())
}

/// A path, or a name that is in no file system and begins with `@`.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes().split_first() {
        #[cfg(target_os = "linux")]
        Some((b'@', name)) => {
            use std::os::linux::net::SocketAddrExt as _;
            SocketAddr::from_abstract_name(name)
        }
        _ => SocketAddr::from_pathname(socket),
    }
}

fn monotonic_us() -> i128 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000
}
