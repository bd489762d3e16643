//! Listeners: TCP, TLS on TCP, and sockets in the file system, all of which lead to the same workers.
//!
//! What may surprise: a socket in the file system is made under another name and moved to its own when its mode and
//! owner are right, so that nobody comes in before; and only what nobody listens on is replaced, never a file.

use super::tls::Tls;
use crate::clock;
use crate::units::Address;
use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixStream};

/// Opening a socket takes an instant, so this is long.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// How a socket in the file system is made.
#[derive(Clone, Debug)]
pub struct UnixSettings {
    /// Who may open it.
    pub mode: u32,
    /// To whom it belongs, by name or number; `None`: to whoever runs the gateway.
    pub user: Option<String>,
    /// The same for its group.
    pub group: Option<String>,
}

/// An open door.
#[derive(Debug)]
pub(super) struct Listener {
    kind: Kind,
    tls: Option<Arc<Tls>>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, Socket),
}

/// A socket's place in the file system, given back at the end if it is still ours.
#[derive(Debug)]
struct Socket {
    path: PathBuf,
    id: (u64, u64),
}

/// A connection on its way to a worker.
pub(super) enum Raw {
    Tcp(std::net::TcpStream, Option<Arc<Tls>>),
    Unix(std::os::unix::net::UnixStream),
}

// === impl Listener ===

impl Listener {
    /// Opens it. Must be called on a runtime.
    pub(super) async fn open(
        address: &Address,
        unix: &UnixSettings,
        tls: Option<&Arc<Tls>>,
    ) -> io::Result<Self> {
        let (kind, tls) = match address {
            Address::Plain(address) => (Kind::Tcp(bind(*address)?), None),
            Address::Tls(address) => {
                let tls = tls.ok_or_else(|| io::Error::other("there is no certificate for it"))?;
                (Kind::Tcp(bind(*address)?), Some(Arc::clone(tls)))
            }
            Address::Unix(path) => {
                let (listener, socket) = open_unix(path, unix).await?;
                (Kind::Unix(listener, socket), None)
            }
        };
        Ok(Self { kind, tls })
    }

    /// Where it is, with the port that was found free if none was named.
    pub(super) fn address(&self) -> io::Result<Address> {
        Ok(match &self.kind {
            Kind::Tcp(listener) if self.tls.is_some() => Address::Tls(listener.local_addr()?),
            Kind::Tcp(listener) => Address::Plain(listener.local_addr()?),
            Kind::Unix(_, socket) => Address::Unix(socket.path.clone()),
        })
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Raw>> {
        match &self.kind {
            Kind::Tcp(listener) => listener.poll_accept(cx).map(|accepted| {
                accepted.and_then(|(stream, _)| Ok(Raw::Tcp(stream.into_std()?, self.tls.clone())))
            }),
            Kind::Unix(listener, _) => listener
                .poll_accept(cx)
                .map(|accepted| accepted.and_then(|(stream, _)| Ok(Raw::Unix(stream.into_std()?)))),
        }
    }

    /// Closes it, and gives what already stood in the kernel's queue.
    pub(super) fn close(self) -> Vec<Raw> {
        let mut waiting = Vec::new();
        match self.kind {
            Kind::Tcp(listener) => {
                let Ok(listener) = listener.into_std() else { return waiting };
                while let Ok((stream, _)) = listener.accept() {
                    if stream.set_nonblocking(true).is_ok() {
                        waiting.push(Raw::Tcp(stream, self.tls.clone()));
                    }
                }
            }
            Kind::Unix(listener, socket) => {
                // Nobody finds it any more; then those who had.
                drop(socket);
                let Ok(listener) = listener.into_std() else { return waiting };
                while let Ok((stream, _)) = listener.accept() {
                    if stream.set_nonblocking(true).is_ok() {
                        waiting.push(Raw::Unix(stream));
                    }
                }
            }
        }
        waiting
    }
}

/// Connections that the kernel keeps ready to be accepted, as far as it lets us: a burst beyond that waits for seconds.
const BACKLOG: u32 = 4096;

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for what its predecessor left behind.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Makes the socket ready under another name, then moves it to its own.
async fn open_unix(path: &Path, settings: &UnixSettings) -> io::Result<(UnixListener, Socket)> {
    let _alone = alone_in(path.parent().unwrap_or(path)).await?;
    must_be_free(path).await?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let made = path.with_file_name(name);
    // Only a gateway with this process number can have left it, and that is us now.
    if std::fs::symlink_metadata(&made).is_ok_and(|facts| facts.file_type().is_socket()) {
        std::fs::remove_file(&made)?;
    }
    let listener = UnixListener::bind(&made)?;
    let moved = dress(&made, settings).and_then(|id| std::fs::rename(&made, path).map(|()| id));
    if moved.is_err() {
        let _ = std::fs::remove_file(&made);
    }
    Ok((listener, Socket { path: path.to_owned(), id: moved? }))
}

/// A lock on the folder while a place in it is looked at and taken: two gateways that start in one instant would both
/// find the same socket dead, and the second would take the place of the first. It leaves nothing behind.
async fn alone_in(folder: &Path) -> io::Result<Option<File>> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Who may make files in a folder that he may not read goes without.
    let Ok(folder) = File::open(here) else { return Ok(None) };
    let until = clock::now() + LOCK_TIMEOUT;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            // Not every file system has locks.
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if clock::now() < until => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody has locked its folder"));
            }
        }
    }
}

/// Whether the place is empty, or held by a socket on which nobody listens any more.
async fn must_be_free(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(facts) if !facts.file_type().is_socket() => {
            return Err(io::Error::other("something else than a socket is there, and stays there"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // Also when it is too busy to answer, or not ours to ask.
        _ => Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens on it")),
    }
}

/// Gives a socket its mode and its owner. Returns what it can be known by.
fn dress(path: &Path, settings: &UnixSettings) -> io::Result<(u64, u64)> {
    let user = settings.user.as_deref().map(|name| number(name, "/etc/passwd")).transpose()?;
    let group = settings.group.as_deref().map(|name| number(name, "/etc/group")).transpose()?;
    if user.is_some() || group.is_some() {
        chown(path, user, group)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(settings.mode))?;
    let facts = std::fs::symlink_metadata(path)?;
    Ok((facts.dev(), facts.ino()))
}

/// The number of a user or a group: itself, or as the file of this machine says (passwd(5), group(5)).
fn number(name: &str, file: &str) -> io::Result<u32> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let lines = std::fs::read_to_string(file)?;
    let found = lines.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|words| words[0] == name);
    let number = found.and_then(|words| words.get(2)?.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("{name} is not in {file}")))
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path);
        if ours.is_ok_and(|facts| (facts.dev(), facts.ino()) == self.id) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
