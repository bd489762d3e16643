//! Slow callers: connections whose head is late, on which nothing comes, or whose other end does not read.
//!
//! Kept out of the path of a request: reading bytes and beginning a request store the number of the current
//! tick, and once a tick a worker looks through its connections. So a late head is cut off between its timeout
//! and an eighth more. (A timer per request would cost a twentieth of a hit.)
//!
//! Over HTTP/2 the same is told by frames: a head is late also while other requests are open, and pings do not keep a
//! connection. One that is idle is told so first.

use super::Settings;
use super::frames::Frames;
use super::stream::Stream;
use crate::gateway::Gateway;
use crate::tasks::Signal;
use crate::telemetry::cells::ConnectionEvent;
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// One worker's connections.
#[derive(Debug)]
pub(super) struct Watch {
    tick: Arc<AtomicU32>,
    length: Duration,
    head_ticks: u32,
    idle_ticks: u32,
    closing: Signal,
    next: AtomicU64,
    lines: Mutex<HashMap<u64, Arc<Line>>>,
    /// Which is told what becomes of connections.
    gateway: Gateway,
}

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Line {
    now: Arc<AtomicU32>,
    /// Given when every answer is the last on its connection.
    closing: Signal,
    is_http2: AtomicBool,
    /// The tick of the first byte of a head that is not whole yet; zero when none has come.
    head: AtomicU32,
    /// The tick of the last byte; over HTTP/2 of the last request that began or was answered.
    last: AtomicU32,
    open: AtomicU32,
    /// The tick since which nothing could be written; zero when the other end takes what it is given.
    stuck: AtomicU32,
    is_cut: AtomicBool,
    /// Whether the stream that is being polled waits for its answer, not for its caller.
    is_for_us: AtomicBool,
    /// Rung when the connection must end.
    pub(super) cut: Notify,
    /// Rung when an HTTP/2 connection is to take no further request.
    pub(super) ending: Notify,
}

/// A line's place in the watch, left when dropped.
pub(super) struct Watched {
    pub(super) line: Arc<Line>,
    number: u64,
    watch: Arc<Watch>,
}

/// A request on a line, until its answer has been made and its last byte has been handed on.
#[derive(Debug)]
pub(super) struct Busy(Arc<Line>);

/// So many ticks are one head timeout.
const TICKS: u32 = 8;

impl Watch {
    pub(super) fn new(settings: &Settings, gateway: Gateway, closing: Signal) -> Arc<Self> {
        let length = (settings.head_timeout / TICKS).max(Duration::from_millis(1));
        let idle_ticks = settings.idle_timeout.as_nanos().div_ceil(length.as_nanos());
        Arc::new(Self {
            // Tick zero means "none", so counting begins at one.
            tick: Arc::new(AtomicU32::new(1)),
            length,
            head_ticks: TICKS,
            idle_ticks: u32::try_from(idle_ticks).unwrap_or(u32::MAX),
            closing,
            next: AtomicU64::new(0),
            lines: Mutex::default(),
            gateway,
        })
    }

    pub(super) fn add(self: &Arc<Self>) -> Watched {
        let now = self.tick.load(Relaxed);
        let line = Arc::new(Line {
            now: Arc::clone(&self.tick),
            closing: self.closing.clone(),
            is_http2: AtomicBool::new(false),
            // Its first head is awaited from the beginning.
            head: AtomicU32::new(now),
            last: AtomicU32::new(now),
            open: AtomicU32::new(0),
            stuck: AtomicU32::new(0),
            is_cut: AtomicBool::new(false),
            is_for_us: AtomicBool::new(false),
            cut: Notify::new(),
            ending: Notify::new(),
        });
        let number = self.next.fetch_add(1, Relaxed);
        self.gateway.connection(ConnectionEvent::Opened);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&line));
        Watched { line, number, watch: Arc::clone(self) }
    }

    pub(super) async fn run(&self) {
        loop {
            tokio::time::sleep(self.length).await;
            let now = self.tick.fetch_add(1, Relaxed) + 1;
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            for line in lines.values() {
                if let Some(why) = self.fault(line, now) {
                    self.end(line, why, now);
                }
            }
        }
    }

    /// Why a connection must end, if it must.
    fn fault(&self, line: &Line, now: u32) -> Option<ConnectionEvent> {
        let (is_busy, is_http2) = (line.open.load(Relaxed) != 0, line.is_http2.load(Relaxed));
        let (head, stuck) = (line.head.load(Relaxed), line.stuck.load(Relaxed));
        let late = head != 0 && now.saturating_sub(head) > self.head_ticks;
        let idle = now.saturating_sub(line.last.load(Relaxed)) > self.idle_ticks;
        let unread = stuck != 0 && now.saturating_sub(stuck) > self.idle_ticks;
        match () {
            () if unread => Some(ConnectionEvent::Unread),
            () if late && (is_http2 || !is_busy) => Some(ConnectionEvent::LateHead),
            () if idle && !is_busy => Some(ConnectionEvent::Idle),
            () => None,
        }
    }

    fn end(&self, line: &Line, why: ConnectionEvent, now: u32) {
        // Told once: it may take until the next tick to end.
        if !line.is_cut.swap(true, Relaxed) {
            self.gateway.connection(why);
        }
        // HTTP/2 has a word for it, and the time of a head to answer that.
        let patience = self.idle_ticks.saturating_add(self.head_ticks);
        let has_time = now.saturating_sub(line.last.load(Relaxed)) <= patience;
        if why == ConnectionEvent::Idle && has_time && line.is_http2.load(Relaxed) {
            line.ending.notify_one();
        } else {
            line.cut.notify_one();
        }
    }
}

impl Line {
    /// From here on its frames are told, not its bytes.
    pub(super) fn speaks_http2(&self) {
        self.is_http2.store(true, Relaxed);
    }

    /// Frames have come. Whether too many of them carry no request.
    fn framed(&self, (frames, control_max): &mut (Frames, usize), bytes: &[u8]) -> bool {
        let now = self.now.load(Relaxed);
        let seen = frames.read(bytes, self.open.load(Relaxed) == 0);
        if seen.request {
            self.last.store(now, Relaxed);
        }
        if !frames.in_head() {
            self.head.store(0, Relaxed);
        } else if seen.between {
            self.head.store(now, Relaxed);
        }
        frames.control() > *control_max
    }

    /// Of the stream that is being polled: what it waits for.
    pub(super) fn waits_for_us(&self, waits: bool) {
        self.is_for_us.store(waits, Relaxed);
    }

    /// Whether it waits for its answer, not for its caller.
    pub(super) fn is_waiting_for_us(&self) -> bool {
        self.is_for_us.load(Relaxed)
    }

    fn heard(&self) {
        let now = self.now.load(Relaxed);
        self.last.store(now, Relaxed);
        if self.head.load(Relaxed) == 0 && self.open.load(Relaxed) == 0 {
            self.head.store(now, Relaxed);
        }
    }

    fn wrote(&self, taken: bool) {
        if taken {
            self.stuck.store(0, Relaxed);
        } else if self.stuck.load(Relaxed) == 0 {
            self.stuck.store(self.now.load(Relaxed), Relaxed);
        }
    }

    /// Whether it must end: known before `cut` rings.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Relaxed)
    }

    /// A head has been read.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.open.fetch_add(1, Relaxed);
        Busy(Arc::clone(self))
    }
}

impl Busy {
    /// Whether its answer is the last on its connection.
    pub(super) fn is_last(&self) -> bool {
        self.0.closing.is_given()
    }

    /// What is asked for has not come.
    pub(super) fn waits_for_us(&self) {
        self.0.waits_for_us(true);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.last.store(self.0.now.load(Relaxed), Relaxed);
        // The next head may have begun, where frames tell.
        if !self.0.is_http2.load(Relaxed) {
            self.0.head.store(0, Relaxed);
        }
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.gateway.connection(ConnectionEvent::Closed);
        self.watch.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// A socket that tells its line of what it reads.
pub(super) struct Heard {
    pub(super) stream: Stream,
    pub(super) line: Arc<Line>,
    /// Over HTTP/2: its frames, and how many in a row may carry no request.
    pub(super) frames: Option<Box<(Frames, usize)>>,
}

/// How reading ends when those are too many.
pub(super) const FLOOD: io::ErrorKind = io::ErrorKind::QuotaExceeded;

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let Self { line, frames, .. } = &mut *self;
        match frames {
            _ if read.is_pending() => {}
            None => line.heard(),
            Some(frames) => {
                if line.framed(frames, &buf.filled()[before..]) {
                    return Poll::Ready(Err(FLOOD.into()));
                }
            }
        }
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.line.wrote(written.is_ready());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.line.wrote(written.is_ready());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        // What TLS has taken may still wait for the other end to read.
        self.line.wrote(flushed.is_ready());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
