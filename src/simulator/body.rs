//! The body of an answer where there is no wire: whole, or broken the way a client behind a wire would see it.
//!
//! A client sees of a broken answer either nothing (`Dropped`), or a body that ends too early, stops, or comes
//! slowly. What it cannot see, such as a second answer behind the first, is no matter here.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;

use super::{Dropped, breakage::Breakage};

/// The body of an answer.
pub struct Body {
    now: Bytes,
    then: Then,
    /// What is left of the length that the head says.
    length: Option<u64>,
}

enum Then {
    End,
    /// The connection ends too early.
    Cut,
    /// Nothing, until that happens; then the rest.
    Stall(Pin<Box<dyn Future<Output = ()> + Send + Sync>>, Bytes),
    /// A byte at a time.
    Drip(Pin<Box<Sleep>>, Duration, Bytes),
}

impl Body {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { length: Some(bytes.len() as u64), now: bytes, then: Then::End }
    }

    fn said(&mut self, bytes: Bytes) -> Frame<Bytes> {
        self.length = self.length.map(|left| left.saturating_sub(bytes.len() as u64));
        Frame::data(bytes)
    }
}

/// An answer as a client sees it that was to break so.
pub(super) async fn broken(
    response: Response<Bytes>,
    how: Breakage,
    released: CancellationToken,
) -> Result<Response<Body>, Dropped> {
    if !how.shows_status() {
        return Err(Dropped);
    }
    if how == Breakage::StallBeforeHead {
        released.cancelled().await;
        return Ok(response.map(Body::whole));
    }
    Ok(response.map(|bytes| {
        let length = bytes.len() as u64;
        let (half, rest) = (bytes.slice(..bytes.len() / 2), bytes.slice(bytes.len() / 2..));
        let stall = |rest| Then::Stall(Box::pin(released.cancelled_owned()), rest);
        match how {
            Breakage::HalfBody | Breakage::ResetInBody => {
                Body { now: half, then: Then::Cut, length: Some(length) }
            }
            Breakage::HalfChunk => Body { now: half, then: Then::Cut, length: None },
            Breakage::TooLong => Body { now: bytes, then: Then::Cut, length: Some(length + 7) },
            Breakage::TooShort => Body::whole(half),
            Breakage::HalfUnframed => Body { now: half, then: Then::End, length: None },
            Breakage::StallAfterHead => Body { now: Bytes::new(), then: stall(bytes), length: Some(length) },
            Breakage::StallInBody => Body { now: half, then: stall(rest), length: Some(length) },
            Breakage::Drip(every) => {
                let then = Then::Drip(Box::pin(sleep(every)), every, bytes);
                Body { now: Bytes::new(), then, length: Some(length) }
            }
            _ => Body::whole(bytes),
        }
    }))
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        let this = &mut *self;
        if !this.now.is_empty() {
            let now = std::mem::take(&mut this.now);
            return Poll::Ready(Some(Ok(this.said(now))));
        }
        let rest = match &mut this.then {
            Then::End => return Poll::Ready(None),
            Then::Cut => {
                this.then = Then::End;
                return Poll::Ready(Some(Err(Dropped)));
            }
            Then::Stall(released, rest) => {
                ready!(released.as_mut().poll(cx));
                std::mem::take(rest)
            }
            Then::Drip(next, every, rest) if !rest.is_empty() => {
                ready!(next.as_mut().poll(cx));
                next.set(sleep(*every));
                let byte = rest.split_to(1);
                return Poll::Ready(Some(Ok(this.said(byte))));
            }
            Then::Drip(..) => Bytes::new(),
        };
        this.then = Then::End;
        Poll::Ready((!rest.is_empty()).then(|| Ok(this.said(rest))))
    }

    fn is_end_stream(&self) -> bool {
        self.now.is_empty() && matches!(self.then, Then::End)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("length", &self.length).finish_non_exhaustive()
    }
}
