//! `Body`: one named type from socket to socket.
//!
//! A kept answer is bytes; everything else is a stream. One enum, so that a hit allocates nothing and a test
//! needs no socket. Limits on size and time live here; how large and how long is for whoever
//! asks to say.

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

/// A request's or an answer's body.
#[derive(Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes at hand.
    Kept(Bytes),
    /// As it comes from a socket.
    Incoming(Incoming),
    /// As it comes from somewhere else, or watched on its way.
    Stream(Stream),
}

/// A body behind a pointer.
pub struct Stream(Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError> + Send + Sync>>);

/// Why a body did not arrive whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection under it failed or was closed.
    #[error("the body was cut off: {0}")]
    Cut(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Longer than it may be.
    #[error("the body is longer than {0} bytes")]
    TooLarge(u64),
    /// Not whole in time.
    #[error("the body was not whole in time")]
    TimedOut,
}

impl BodyError {
    /// The connection failed so.
    pub fn cut(why: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Cut(Box::new(why))
    }
}

impl Body {
    /// A body made of any stream.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error = BodyError> + Send + Sync + 'static,
    {
        Self::Stream(Stream(Box::pin(body)))
    }

    /// The same body, which fails when it turns out longer than this, or when something is still to come by then; and
    /// tells why it failed.
    #[must_use]
    pub fn limited(self, bytes_max: u64, deadline: Instant) -> (Self, Fault) {
        let (fault, late) = (Fault::default(), Box::pin(sleep_until(deadline)));
        let limited = Limited { left: bytes_max, bytes_max, late, fault: fault.clone(), body: self };
        (Self::stream(limited), fault)
    }

    /// The same body, which fails when it is not whole by then; and a future that lets go of what is under it at
    /// that moment even if nobody asks for more: who reads slowly, or not at all, must not hold a connection.
    pub fn until(self, deadline: Instant) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let body = Arc::new(Mutex::new(Some(self)));
        let (kept, dropped) = oneshot::channel::<()>();
        let held = Arc::clone(&body);
        let end = async move {
            if timeout_at(deadline, dropped).await.is_err() {
                let late = held.lock().unwrap_or_else(PoisonError::into_inner).take();
                drop(late);
            }
        };
        (Self::stream(Until { late: Box::pin(sleep_until(deadline)), body, _kept: kept }), end)
    }

    /// The same body, which lets go of `held` when its last byte has been handed on, or when nobody wants it.
    pub fn holding<T: Send + Sync + Unpin + 'static>(self, held: T) -> Self {
        Self::stream(Holding { body: self, _held: held })
    }

    /// The length, when it is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    /// All of it, when it is at most `bytes_max` long; otherwise what has been read, with the rest behind it.
    pub async fn collect(mut self, bytes_max: usize) -> Result<Collected, BodyError> {
        if let Self::Kept(bytes) = &self
            && bytes.len() <= bytes_max
        {
            return Ok(Collected::Whole(bytes.clone()));
        }
        if self.length().is_some_and(|length| length > bytes_max as u64) {
            return Ok(Collected::Larger(self));
        }
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if first.is_empty() && all.is_empty() {
                first = data;
            } else {
                if all.is_empty() {
                    all.extend_from_slice(&std::mem::take(&mut first));
                }
                all.extend_from_slice(&data);
            }
            if first.len() + all.len() > bytes_max {
                let head = if all.is_empty() { first } else { all.freeze() };
                return Ok(Collected::Larger(Self::stream(Prefixed { head: Some(head), rest: self })));
            }
        }
        Ok(Collected::Whole(if all.is_empty() { first } else { all.freeze() }))
    }
}

/// What [`Body::collect`] found.
#[derive(Debug)]
pub enum Collected {
    /// The whole body.
    Whole(Bytes),
    /// More than was allowed: the body again, nothing lost.
    Larger(Body),
}

/// A body whose beginning has been read already.
struct Prefixed {
    head: Option<Bytes>,
    rest: Body,
}

impl HttpBody for Prefixed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(head) = self.head.take() {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        Pin::new(&mut self.rest).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.head.is_none() && self.rest.is_end_stream()
    }
}

/// Why a body that is passed on did not come whole: whoever sends it learns only that the sending failed.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<OnceLock<Incomplete>>);

/// What was wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Incomplete {
    /// It ended too early, could not be read, or did not come in time.
    Cut,
    /// It is longer than this.
    TooLarge(u64),
}

impl Fault {
    /// What was wrong, if anything was.
    #[must_use]
    pub fn get(&self) -> Option<Incomplete> {
        self.0.get().copied()
    }
}

/// A body that may only be so long, and take so long.
struct Limited {
    left: u64,
    bytes_max: u64,
    late: Pin<Box<Sleep>>,
    fault: Fault,
    body: Body,
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            // Only who waits for a caller looks at the time: that the vendor takes long is not his fault.
            Poll::Pending => {
                std::task::ready!(self.late.as_mut().poll(cx));
                Some(Err(BodyError::TimedOut))
            }
        };
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) => {
                let _ = self.fault.0.set(Incomplete::Cut);
                0
            }
            None => 0,
        };
        match self.left.checked_sub(length as u64) {
            Some(left) => self.left = left,
            None => {
                let _ = self.fault.0.set(Incomplete::TooLarge(self.bytes_max));
                return Poll::Ready(Some(Err(BodyError::TooLarge(self.bytes_max))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that must be whole by a moment.
struct Until {
    late: Pin<Box<Sleep>>,
    /// Nothing once that moment has come.
    body: Arc<Mutex<Option<Body>>>,
    /// Dropped with this: then nobody needs to watch the time.
    _kept: oneshot::Sender<()>,
}

impl Until {
    fn body(&self) -> MutexGuard<'_, Option<Body>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Until {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self.body() {
            None => return Poll::Ready(Some(Err(BodyError::TimedOut))),
            Some(body) => {
                if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
                    return Poll::Ready(frame);
                }
            }
        }
        self.late.as_mut().poll(cx).map(|()| Some(Err(BodyError::TimedOut)))
    }

    fn is_end_stream(&self) -> bool {
        self.body().as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body().as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

/// A body that holds something while it is on its way.
struct Holding<T> {
    body: Body,
    _held: T,
}

impl<T: Unpin> HttpBody for Holding<T> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            this @ Self::Kept(_) => match std::mem::take(this) {
                Self::Kept(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ => Poll::Ready(None),
            },
            Self::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(BodyError::cut),
            Self::Stream(Stream(body)) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Kept(bytes) => bytes.is_empty(),
            Self::Incoming(body) => body.is_end_stream(),
            Self::Stream(Stream(body)) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Kept(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Incoming(body) => body.size_hint(),
            Self::Stream(Stream(body)) => body.size_hint(),
        }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Kept(bytes)
    }
}
