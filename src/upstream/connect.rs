//! Connections to the vendor: opened, lent, taken back.
//!
//! One pool per worker, last used first. A connection is lent to one call at a time and comes back when the
//! answer's body has been read to the end; a body that is dropped half read takes its connection with it.
//! The number lent is bounded, and a new one is opened only when none is idle, so that is the bound of all.

use super::{ConnectError, Settings};
use crate::body::{Body, BodyError};
use crate::clock::{self, Instant};
use crate::tasks::Tasks;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct Pool {
    idle: Mutex<Vec<Idle>>,
    lent: Arc<Semaphore>,
    opened: AtomicU64,
    tls: Option<(tokio_rustls::TlsConnector, ServerName<'static>)>,
    settings: Settings,
    tasks: Tasks,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Body>,
    since: Instant,
}

/// Where a lent connection goes back to.
pub(super) struct Return {
    pool: Arc<Pool>,
    _lent: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(settings: Settings, tasks: Tasks) -> io::Result<Arc<Self>> {
        let tls = if settings.https { Some(tls(&settings)?) } else { None };
        let lent = Arc::new(Semaphore::new(settings.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Arc::new(Self { idle: Mutex::default(), lent, opened: AtomicU64::new(0), tls, settings, tasks }))
    }

    pub(super) async fn take(self: &Arc<Self>) -> Result<(SendRequest<Body>, Return, bool), ConnectError> {
        if let Some(ready) = self.at_hand() {
            return Ok(ready);
        }
        let wait = self.settings.connect_timeout;
        // Behind a pointer: opening a connection is large, rare, and would be part of every call's future.
        let ready = Box::pin(self.ready());
        tokio::time::timeout(wait, ready).await.unwrap_or(Err(ConnectError::TimedOut(wait)))
    }

    /// The usual case, without a timer: an idle connection that can be written to.
    fn at_hand(self: &Arc<Self>) -> Option<(SendRequest<Body>, Return, bool)> {
        let lent = Arc::clone(&self.lent).try_acquire_owned().ok()?;
        let sender = self.pop()?;
        if sender.is_ready() {
            Some((sender, Return { pool: Arc::clone(self), _lent: lent }, true))
        } else {
            self.put(sender);
            None
        }
    }

    async fn ready(self: &Arc<Self>) -> Result<(SendRequest<Body>, Return, bool), ConnectError> {
        let lent = Arc::clone(&self.lent).acquire_owned().await;
        // The semaphore is never closed.
        let lent = lent.map_err(|closed| ConnectError::Tcp(io::Error::other(closed)))?;
        let back = Return { pool: Arc::clone(self), _lent: lent };
        while let Some(mut sender) = self.pop() {
            if sender.ready().await.is_ok() {
                return Ok((sender, back, true));
            }
        }
        Ok((self.open().await?, back, false))
    }

    fn pop(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        while let Some(Idle { sender, since }) = idle.pop() {
            if !sender.is_closed() && now.duration_since(since) < self.settings.idle_timeout {
                return Some(sender);
            }
        }
        None
    }

    fn put(&self, sender: SendRequest<Body>) {
        if sender.is_closed() {
            return;
        }
        let since = clock::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle { sender, since });
        // The oldest are at the front; those that have been idle too long go now.
        let old = |idle: &Idle| since.duration_since(idle.since) >= self.settings.idle_timeout;
        let keep_from = idle.iter().position(|idle| !old(idle)).unwrap_or(0);
        idle.drain(..keep_from);
    }

    pub(super) fn count(&self) -> (usize, usize) {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        (self.settings.connections_max.saturating_sub(self.lent.available_permits()), idle)
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Relaxed)
    }

    async fn open(&self) -> Result<SendRequest<Body>, ConnectError> {
        let to = (self.settings.host.as_str(), self.settings.port);
        let stream = TcpStream::connect(to).await.map_err(ConnectError::Tcp)?;
        stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
        match &self.tls {
            None => self.handshake(stream).await,
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await.map_err(ConnectError::Tls)?;
                self.handshake(stream).await
            }
        }
    }

    async fn handshake<S>(&self, stream: S) -> Result<SendRequest<Body>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut builder = http1::Builder::new();
        // A head and a short body leave together all the same, and one buffer is cheaper than a list of them.
        builder.writev(false);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(ConnectError::Closed)?;
        self.tasks.spawn_until_stop("vendor connection", async move {
            // How it ended is told by the call on it, if there was one.
            let _ = connection.await;
        });
        sender.ready().await.map_err(ConnectError::Closed)?;
        self.opened.fetch_add(1, Relaxed);
        Ok(sender)
    }
}

impl Return {
    /// The answer's body, which gives the connection back when it has been read to its end: without a sender only
    /// its place.
    pub(super) fn watch(self, body: Incoming, sender: Option<SendRequest<Body>>) -> Body {
        let mut watched = Watched { body, lent: Some((self, sender)) };
        watched.give_back_at_end();
        Body::stream(watched)
    }
}

struct Watched {
    body: Incoming,
    lent: Option<(Return, Option<SendRequest<Body>>)>,
}

impl Watched {
    fn give_back_at_end(&mut self) {
        if self.body.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some((back, Some(sender))) = self.lent.take() {
            back.pool.put(sender);
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // What trails a body ends here: it is of the connection, and nobody has looked at what it says.
        let frame = loop {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) if !frame.is_data() => {}
                frame => break frame,
            }
        };
        if frame.is_none() {
            self.give_back();
        } else {
            self.give_back_at_end();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BodyError::cut)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn tls(settings: &Settings) -> io::Result<(tokio_rustls::TlsConnector, ServerName<'static>)> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = &settings.ca_file {
        for certificate in CertificateDer::pem_slice_iter(&crate::file::read(file)?) {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        // Whatever is no PEM is passed over: better said now than as a vendor whose certificate is strange.
        if roots.len() == webpki_roots::TLS_SERVER_ROOTS.len() {
            return Err(io::Error::other("no certificate in it"));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(settings.host.clone()).map_err(io::Error::other)?;
    Ok((Arc::new(config).into(), name))
}

impl std::fmt::Debug for Return {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Return")
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("settings", &self.settings).finish_non_exhaustive()
    }
}
