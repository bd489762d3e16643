//! A caller's connection, whatever door it came through.
//!
//! Which protocol it speaks is told by its first bytes, without taking them, or by the handshake of TLS.

use super::listen::Raw;
use super::tls::Tls;
use rustix::net::{RecvFlags, recv};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// How an HTTP/2 connection begins (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// So long until a beginning that says nothing yet is looked at again; it doubles.
const PEEK_PAUSE_MIN: Duration = Duration::from_millis(5);
const PEEK_PAUSE_MAX: Duration = Duration::from_millis(640);

/// A connection as a worker gets it.
pub(super) enum Arrived {
    Tcp(TcpStream),
    Tls(TcpStream, Arc<Tls>),
    Unix(UnixStream),
}

/// A connection that speaks HTTP.
pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl Raw {
    /// Takes it to this worker's runtime.
    pub(super) fn arrive(self) -> io::Result<Arrived> {
        Ok(match self {
            Self::Tcp(stream, tls) => {
                let stream = TcpStream::from_std(stream)?;
                stream.set_nodelay(true)?;
                match tls {
                    None => Arrived::Tcp(stream),
                    Some(tls) => Arrived::Tls(stream, tls),
                }
            }
            Self::Unix(stream) => Arrived::Unix(UnixStream::from_std(stream)?),
        })
    }
}

impl Arrived {
    /// Whether it may have been led here by another's name: no browser opens a socket in the file system, and with TLS
    /// it looks whether the certificate has the name that it asked for.
    pub(super) fn is_in_the_clear(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    /// Whether it speaks HTTP/2, and the stream. `None` when it ends before it has told.
    ///
    /// # Errors
    /// What comes is no TLS, or either side does not accept the other's.
    pub(super) async fn greet(self) -> io::Result<Option<(bool, Stream)>> {
        if let Self::Tls(stream, tls) = self {
            // Behind a pointer: it would be the larger part of every connection in the clear.
            return match Box::pin(tls.accept(stream)).await {
                Ok((is_http2, stream)) => Ok(Some((is_http2, Stream::Tls(Box::new(stream))))),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    tracing::debug!("a TLS handshake failed: {error}");
                    Err(error)
                }
                // Who only looks whether somebody listens hangs up as well.
                Err(_) => Ok(None),
            };
        }
        let Some(is_http2) = self.is_http2().await else { return Ok(None) };
        Ok(Some(match self {
            Self::Tcp(stream) | Self::Tls(stream, _) => (is_http2, Stream::Tcp(stream)),
            Self::Unix(stream) => (is_http2, Stream::Unix(stream)),
        }))
    }

    async fn is_http2(&self) -> Option<bool> {
        let mut first = [0; PREFACE.len()];
        let mut pause = PEEK_PAUSE_MIN;
        loop {
            match self.peek(&mut first).await {
                Ok(0) | Err(_) => return None,
                Ok(count) if !PREFACE.starts_with(&first[..count]) => return Some(false),
                Ok(count) if count == PREFACE.len() => return Some(true),
                // `P`, `PR`: it may still become either. Looking again at once would find the same bytes, and many
                // who say no more must not keep us looking.
                Ok(_) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PEEK_PAUSE_MAX);
                }
            }
        }
    }

    /// Looks at the first bytes without taking them.
    async fn peek(&self, first: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) | Self::Tls(stream, _) => stream.peek(first).await,
            Self::Unix(stream) => {
                let look = || Ok(recv(stream, &mut *first, RecvFlags::PEEK)?.0);
                stream.async_io(Interest::READABLE, look).await
            }
        }
    }
}

/// The same question to whatever it is.
macro_rules! each {
    ($stream:expr, $inner:ident => $ask:expr) => {
        match $stream.get_mut() {
            Stream::Tcp($inner) => $ask,
            Stream::Tls($inner) => $ask,
            Stream::Unix($inner) => $ask,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
