//! The streams of an HTTP/2 connection: each is a task, and one whose caller takes nothing does not last.
//!
//! Over HTTP/1.1 such a caller is seen by his socket (`watch`). Here the socket goes on, and only the window of one
//! stream is closed; so the time is kept where that is waited for, and by no timer as long as nobody waits.

use super::watch::{Busy, Line};
use crate::body::{Body, BodyError};
use crate::clock;
use crate::gateway::Gateway;
use crate::tasks::Tasks;
use crate::telemetry::cells::ConnectionEvent;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep_until};

/// Where HTTP/2 runs the requests of a connection.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) tasks: Tasks,
    pub(super) line: Arc<Line>,
    pub(super) gateway: Gateway,
    /// So long a caller may take nothing of an answer.
    pub(super) unread_timeout: Duration,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let Self { line, gateway, unread_timeout, .. } = self.clone();
        self.tasks.spawn("stream", async move {
            let is_for_us = || line.is_waiting_for_us();
            if unless_stalled(future, || line.waits_for_us(false), is_for_us, unread_timeout).await.is_err() {
                gateway.connection(ConnectionEvent::Stalled);
            }
        });
    }
}

/// Nothing was taken for that long.
#[derive(Debug, PartialEq)]
struct Stalled;

/// Runs it to its end, or until it has waited so long in one go, and not for us. `ask` goes before each look.
async fn unless_stalled(
    future: impl Future<Output = ()>,
    ask: impl Fn(),
    is_for_us: impl Fn() -> bool,
    timeout: Duration,
) -> Result<(), Stalled> {
    tokio::pin!(future);
    let mut late: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        ask();
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        if is_for_us() {
            late = None;
            return Poll::Pending;
        }
        if late.as_mut().is_some_and(|late| late.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(Stalled));
        }
        // Whatever woke it, something was taken.
        let again = clock::now() + timeout;
        let late = late.get_or_insert_with(|| Box::pin(sleep_until(again)));
        late.as_mut().reset(again);
        late.as_mut().poll(cx).map(|()| Err(Stalled))
    })
    .await
}

/// An answer's body on its way: its line is busy until the last byte has been handed on, and knows who waits.
pub(super) struct Sending {
    body: Body,
    busy: Option<Busy>,
}

impl Sending {
    pub(super) fn body(body: Body, busy: Option<Busy>) -> Body {
        Body::stream(Self { body, busy })
    }
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending()
            && let Some(busy) = &self.busy
        {
            busy.waits_for_us();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::{Instant, sleep};

    const TIMEOUT: Duration = Duration::from_secs(90);

    /// Waits this long one time after the other, for us (`true`) or for the caller. How it ended, and after how long.
    async fn waits(waits: &[(u64, bool)]) -> (Result<(), Stalled>, u64) {
        let (began, for_us) = (Instant::now(), Cell::new(false));
        let future = async {
            for &(seconds, is_for_us) in waits {
                let wait = sleep(Duration::from_secs(seconds));
                tokio::pin!(wait);
                poll_fn(|cx| {
                    for_us.set(is_for_us);
                    wait.as_mut().poll(cx)
                })
                .await;
            }
        };
        let ended = unless_stalled(future, || for_us.set(false), || for_us.get(), TIMEOUT).await;
        (ended, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_callers_time_counts_and_each_time_anew() {
        assert_eq!(waits(&[(89, false)]).await, (Ok(()), 89));
        assert_eq!(waits(&[(1_000, false)]).await, (Err(Stalled), 90));
        assert_eq!(waits(&[(1_000, true)]).await, (Ok(()), 1_000));
        assert_eq!(waits(&[(60, false), (60, false), (60, false)]).await, (Ok(()), 180));
        assert_eq!(waits(&[(60, false), (1_000, true), (60, false)]).await, (Ok(()), 1_120));
        assert_eq!(waits(&[(60, true), (1_000, false)]).await, (Err(Stalled), 150));
    }
}
