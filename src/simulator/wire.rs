//! One connection of the listener.
//!
//! Requests are read, and good answers written, by the HTTP library. An answer that is to break is taken out of its
//! hands: the library gives the connection back, the bytes are written here, and if the connection is still open
//! after that, the library goes on with it.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::{
    Dropped, Simulator, Tls, breakage::Act, connections::Open, engine::Given, heads::Ear, log::Arrival,
};

/// Serves one connection to its end.
pub(super) async fn serve(simulator: Simulator, stream: TcpStream, tls: Option<Tls>) {
    let open = simulator.engine.connections.open();
    // Without this, small answers wait for the client's delayed acknowledgements.
    let _ = stream.set_nodelay(true);
    let stream = match tls {
        None => Stream::Plain(stream),
        Some(Tls(acceptor)) => match acceptor.accept(stream).await {
            Ok(stream) => Stream::Tls(Box::new(stream)),
            // A client that does not like the certificate.
            Err(_) => return,
        },
    };
    let ear = open.hears().then(|| Arc::new(Mutex::new(Ear::default())));
    let talk = Arc::new(Talk { simulator, open, ear, requests: AtomicU32::new(0), broken: Mutex::default() });
    let mut line = Line { stream, unread: BytesMut::new(), talk: Arc::clone(&talk) };
    loop {
        let service = service_fn(|request| Talk::answer(Arc::clone(&talk), request));
        let mut connection = http1::Builder::new().serve_connection(TokioIo::new(line), service);
        // An error is a client that went away, or an answer that is to break.
        let _ = Pin::new(&mut connection).await;
        let Some(given) = talk.broken.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let parts = connection.into_parts();
        line = parts.io.into_inner();
        line.unread = BytesMut::from(parts.read_buf.as_ref());
        if !line.say_broken(given).await {
            return;
        }
    }
}

/// What the parts of one connection share.
struct Talk {
    simulator: Simulator,
    open: Open,
    ear: Option<Arc<Mutex<Ear>>>,
    requests: AtomicU32,
    /// The answer that is to break.
    broken: Mutex<Option<Broken>>,
}

struct Broken {
    given: Given,
    /// The client wants no further answer on this connection, or no body in this one.
    closes: bool,
    bodiless: bool,
}

impl Talk {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
        let (head, body) = request.into_parts();
        let arrival = Arrival {
            connection: Some(self.open.number),
            number: self.requests.fetch_add(1, Ordering::Relaxed) + 1,
            head: self.ear.as_ref().and_then(|ear| ear.lock().unwrap_or_else(PoisonError::into_inner).next()),
        };
        let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
        let given = self.simulator.give(&head, body, &arrival).await;
        if given.breaks.is_none() {
            return Ok(given.response);
        }
        let closes = head.headers.get_all(header::CONNECTION).iter().any(|value| value == "close");
        let broken = Broken { given, closes, bodiless: head.method == http::Method::HEAD };
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(broken);
        Err(Dropped)
    }
}

/// A connection, with what has been read of it too early, and somebody who listens.
struct Line {
    stream: Stream,
    unread: BytesMut,
    talk: Arc<Talk>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Line {
    /// Says an answer as it is to break. True if the connection can carry another request.
    async fn say_broken(&mut self, broken: Broken) -> bool {
        let Broken { given, closes, bodiless } = broken;
        let Some(how) = given.breaks else { return true };
        let (head, body) = given.response.into_parts();
        let Ok(body) = body.collect().await;
        let body = if bodiless { Bytes::new() } else { body.to_bytes() };
        for act in how.acts(&head, &body) {
            match self.act(act).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return false,
            }
        }
        if closes {
            let _ = self.stream.shutdown().await;
        }
        !closes
    }

    async fn act(&mut self, act: Act) -> io::Result<bool> {
        match act {
            Act::Say(bytes) => self.say(&bytes).await?,
            Act::Drip(bytes, every) => {
                for byte in bytes.chunks(1) {
                    pause(every).await;
                    self.say(byte).await?;
                }
            }
            Act::Stall => return self.stall().await,
            Act::Close => {
                self.stream.shutdown().await?;
                return Ok(false);
            }
            Act::Reset => {
                self.stream.tcp().set_zero_linger()?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Waits until stalls are released. False if the other end goes meanwhile.
    async fn stall(&mut self) -> io::Result<bool> {
        let released = self.talk.simulator.engine.stalls();
        let mut piece = [0; 4096];
        loop {
            let count = tokio::select! {
                () = released.cancelled() => return Ok(true),
                count = self.stream.read(&mut piece) => count?,
            };
            if count == 0 {
                return Ok(false);
            }
            self.talk.hear(&piece[..count]);
            self.unread.extend_from_slice(&piece[..count]);
        }
    }
}

async fn pause(length: Duration) {
    if length.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(length).await;
    }
}

impl Talk {
    fn hear(&self, bytes: &[u8]) {
        if let Some(ear) = &self.ear {
            let mut ear = ear.lock().unwrap_or_else(PoisonError::into_inner);
            ear.hear(bytes, |head| self.open.note(head));
        }
    }
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            // Heard already.
            let count = self.unread.len().min(buf.remaining());
            buf.put_slice(&self.unread[..count]);
            self.unread.advance(count);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.talk.hear(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
