//! One connection: HTTP/1.1 or HTTP/2, then requests until either side ends it.
//!
//! The protocol is told beforehand, so that each has its plain builder (the automatic one keeps both in memory
//! and has no limit on how long it waits for the first bytes). A head that cannot be parsed gets hyper's bare
//! 400, 414 or 431; frames that cannot be, or that are too many, end an HTTP/2 connection.

use super::Settings;
use super::frames::Frames;
use super::stream::{Arrived, Stream};
use super::streams::{Sending, Streams};
use super::watch::{Busy, FLOOD, Heard, Line, Watch};
use crate::body::Body;
use crate::gateway::{Gateway, Outcome};
use crate::tasks::{Signal, Tasks, seldom};
use crate::telemetry::cells::ConnectionEvent;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long an idle connection is left open for a request that crosses our word that it closes.
const LINGER: Duration = Duration::from_millis(500);
/// What a caller may send of one HTTP/2 request's body, and of all on a connection, before it is read. The one is a
/// part of the other, so that an upload that waits holds up no other.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What is fetched of an answer, at most, before an HTTP/2 caller has taken what was there.
const SEND_BUFFER: usize = 64 * 1024;

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
    let gateway = if arrived.is_in_the_clear() { gateway } else { gateway.under_any_host() };
    let limits = Limits::of(settings);
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
                () = &mut lingered => Ok(None),
            };
            let told = gateway.clone();
            let fault = match greeted {
                Err(_) => Some(ConnectionEvent::BadHandshake),
                Ok(None) => None,
                Ok(Some((false, stream))) => http1(stream, gateway, &line, limits, lingered).await,
                // Behind a pointer: it would be the larger part of every HTTP/1.1 connection.
                Ok(Some((true, stream))) => {
                    Box::pin(http2(stream, gateway, &line, limits, tasks, closing.given())).await
                }
            };
            // How a connection ends is told by the requests on it, but for one whose head is none.
            if let Some(fault) = fault {
                told.connection(fault);
            }
        };
        tokio::select! {
            () = served => {}
            () = seldom(line.cut.notified(), || line.is_cut()) => {}
        }
        drop(watched);
    }
}

/// The limits of one connection.
#[derive(Clone, Copy)]
struct Limits {
    head_bytes_max: usize,
    streams_max: u32,
    control_frames_max: usize,
    idle_timeout: Duration,
}

impl Limits {
    fn of(settings: &Settings) -> Self {
        let Settings { head_bytes_max, streams_max, control_frames_max, idle_timeout, .. } = *settings;
        Self { head_bytes_max, streams_max, control_frames_max, idle_timeout }
    }
}

async fn http1(
    stream: Stream,
    gateway: Gateway,
    line: &Arc<Line>,
    limits: Limits,
    end: impl Future<Output = ()>,
) -> Option<ConnectionEvent> {
    let io = TokioIo::new(Heard { stream, line: Arc::clone(line), frames: None });
    let mut builder = http1::Builder::new();
    builder.max_buf_size(limits.head_bytes_max).writev(false);
    let service = Service { gateway, line: Arc::clone(line) };
    let ended = end_well(builder.serve_connection(io, service), end).await;
    ended.is_err_and(|error| error.is_parse()).then_some(ConnectionEvent::BadHead)
}

async fn http2(
    stream: Stream,
    gateway: Gateway,
    line: &Arc<Line>,
    limits: Limits,
    tasks: Tasks,
    closing: impl Future<Output = ()>,
) -> Option<ConnectionEvent> {
    line.speaks_http2();
    let frames = Some(Box::new((Frames::new(), limits.control_frames_max)));
    let io = TokioIo::new(Heard { stream, line: Arc::clone(line), frames });
    let (told, unread_timeout) = (gateway.clone(), limits.idle_timeout);
    let streams = Streams { tasks, line: Arc::clone(line), gateway: told, unread_timeout };
    let mut builder = http2::Builder::new(streams);
    builder.max_concurrent_streams(limits.streams_max);
    builder.max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX));
    builder.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    builder.max_send_buf_size(SEND_BUFFER);
    let service = Service { gateway, line: Arc::clone(line) };
    let end = async {
        tokio::select! {
            () = closing => {}
            () = seldom(line.ending.notified(), || line.is_cut()) => {}
        }
    };
    let error = end_well(builder.serve_connection(io, service), end).await.err()?;
    match error.source()?.downcast_ref::<io::Error>() {
        Some(error) => (error.kind() == FLOOD).then_some(ConnectionEvent::Flood),
        None => Some(ConnectionEvent::BadFrames),
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
        let Poll::Ready(response) = Pin::new(&mut self.outcome).poll(cx) else {
            if let Some(busy) = &self.busy {
                busy.waits_for_us();
            }
            return Poll::Pending;
        };
        let mut response = response?;
        let busy = self.busy.take();
        if self.is_http1 && busy.as_ref().is_some_and(Busy::is_last) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(match response.body() {
            Body::Empty | Body::Kept(_) => response,
            _ => response.map(|body| Sending::body(body, busy)),
        }))
    }
}
