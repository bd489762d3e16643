//! One connection: HTTP/1.1 or HTTP/2, then requests until either side ends it.
//!
//! The protocol is told beforehand, so that each has its plain builder (the automatic one keeps both in memory
//! and has no limit on how long it waits for the first bytes). A head that cannot be parsed gets hyper's bare
//! 400, 414 or 431.

use super::Settings;
use super::stream::Arrived;
use super::watch::{Busy, Heard, Line, Watch};
use crate::body::Body;
use crate::gateway::{Gateway, Outcome};
use crate::tasks::{Signal, Tasks, seldom};
use crate::telemetry::cells::ConnectionEvent;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long an idle connection is left open for a request that crosses our word that it closes.
const LINGER: Duration = Duration::from_millis(500);
/// Requests open at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 200;

/// Serves one connection to its end. Once the house closes, HTTP/1.1 is told so with the next answer, HTTP/2 by
/// its own frame; a connection that is idle lingers a little, so that a request already on its way is answered.
pub(super) fn serve(
    arrived: Arrived,
    gateway: Gateway,
    settings: &Settings,
    watch: &Arc<Watch>,
    tasks: Tasks,
    closing: Signal,
) -> impl Future<Output = ()> + Send + 'static {
    let watched = watch.add();
    let (head_bytes_max, idle_timeout) = (settings.head_bytes_max, settings.idle_timeout);
    async move {
        let line = Arc::clone(&watched.line);
        let lingered = async {
            closing.given().await;
            tokio::time::sleep(LINGER).await;
        };
        let served = async {
            tokio::pin!(lingered);
            let greeted = tokio::select! {
                greeted = arrived.greet() => greeted,
                () = &mut lingered => None,
            };
            let Some((is_http2, stream)) = greeted else {
                return;
            };
            let io = TokioIo::new(Heard { stream, line: Arc::clone(&line) });
            let unparsed = gateway.clone();
            let service = Service { gateway, line: Arc::clone(&line) };
            // How a connection ends is told by the requests on it, but for one whose head is none.
            if is_http2 {
                let mut builder = http2::Builder::new(Streams(tasks));
                builder.timer(TokioTimer::new()).max_concurrent_streams(STREAMS_MAX);
                builder.max_header_list_size(head_bytes_max as u32);
                builder.keep_alive_interval(idle_timeout);
                // Frames come at any time: heads are HTTP/2's own business, only silence is ours.
                let _open = line.begin();
                // Behind a pointer: it would be the larger part of every HTTP/1.1 connection.
                let _ = Box::pin(end_well(builder.serve_connection(io, service), closing.given())).await;
            } else {
                let mut builder = http1::Builder::new();
                builder.max_buf_size(head_bytes_max).writev(false);
                if end_well(builder.serve_connection(io, service), lingered)
                    .await
                    .is_err_and(|error| error.is_parse())
                {
                    unparsed.connection(ConnectionEvent::BadHead);
                }
            }
        };
        tokio::select! {
            () = served => {}
            () = seldom(line.cut.notified(), || line.is_cut()) => {}
        }
        drop(watched);
    }
}

/// Drives a connection to its end; when it is time, takes no further request.
async fn end_well<C: GracefulConnection>(
    connection: C,
    time: impl Future<Output = ()>,
) -> Result<(), C::Error> {
    tokio::pin!(connection, time);
    tokio::select! {
        ended = &mut connection => return ended,
        () = time => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

/// Where HTTP/2 runs the requests of a connection.
#[derive(Clone)]
struct Streams(Tasks);

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn("stream", future);
    }
}

struct Service {
    gateway: Gateway,
    line: Arc<Line>,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let busy = self.line.begin();
        let is_http1 = request.version() != Version::HTTP_2;
        let request =
            request.map(|body| if body.is_end_stream() { Body::Empty } else { Body::Incoming(body) });
        Answering { outcome: self.gateway.call(request), busy: Some(busy), is_http1 }
    }
}

/// An answer being made; the line is busy until its last byte has been handed on.
struct Answering {
    outcome: Outcome,
    busy: Option<Busy>,
    is_http1: bool,
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = std::task::ready!(Pin::new(&mut self.outcome).poll(cx))?;
        let busy = self.busy.take();
        if self.is_http1 && busy.as_ref().is_some_and(Busy::is_last) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(match response.body() {
            Body::Empty | Body::Kept(_) => response,
            _ => response.map(|body| body.holding(busy)),
        }))
    }
}
