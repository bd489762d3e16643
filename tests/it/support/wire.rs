//! Bytes on loopback: a raw caller and a raw vendor.
//!
//! Nothing here understands more of HTTP than it must to find where a message ends, so that a test says and sees
//! exactly what crosses the wire. Never on paused time: sockets know nothing of it. Nothing sleeps; every wait is
//! for bytes, a connection or an end, with one generous guard around it.

use easemob_gateway::tasks::Tasks;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Whatever takes longer than this hangs.
const GUARD: Duration = Duration::from_secs(60);

/// Waits for something that happens.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(GUARD, future).await.expect("what the test waits for does not happen")
}

/// One end of a connection.
pub(crate) struct Talk<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

/// A request or an answer, as it crossed the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) start: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Without its chunks' frames.
    pub(crate) body: Vec<u8>,
    /// False when the connection ended inside it.
    pub(crate) whole: bool,
}

impl Talk {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self::on(soon(TcpStream::connect(address)).await.expect("somebody listens"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(crate) fn on(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    /// The connection itself.
    pub(crate) fn into_stream(self) -> S {
        self.stream
    }

    /// Writes these bytes; that the other end has gone is seen when its answer is read.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = soon(self.stream.write_all(bytes.as_ref())).await;
        let _ = soon(self.stream.flush()).await;
    }

    /// Says that nothing more will come, and goes on listening.
    pub(crate) async fn finish(&mut self) {
        let _ = soon(self.stream.shutdown()).await;
    }

    /// The next message, or `None` when the connection ends before one begins.
    pub(crate) async fn hear(&mut self) -> Option<Message> {
        self.message(false).await
    }

    /// The next answer, which has no body whatever its head says: `HEAD` was asked.
    pub(crate) async fn hear_head(&mut self) -> Option<Message> {
        self.message(true).await
    }

    /// Waits until a head has come whole, and looks no further.
    pub(crate) async fn hear_only_the_head(&mut self) {
        while find(&self.read, b"\r\n\r\n").is_none() {
            assert!(self.more().await, "a head");
        }
    }

    /// Says one request and hears one answer.
    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> Message {
        self.say(request).await;
        self.hear().await.expect("an answer")
    }

    /// Everything until the other end closes.
    pub(crate) async fn hear_all(mut self) -> Vec<u8> {
        while self.more().await {}
        self.read
    }

    async fn more(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        // A reset is an end, too.
        let count = soon(self.stream.read(&mut piece)).await.unwrap_or(0);
        self.read.extend_from_slice(&piece[..count]);
        count > 0
    }

    async fn message(&mut self, bodiless: bool) -> Option<Message> {
        let end = loop {
            match find(&self.read, b"\r\n\r\n") {
                Some(end) => break end,
                None if self.more().await => {}
                None => return None,
            }
        };
        let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
        self.read.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        let mut message = Message { start, headers: headers.collect(), ..Message::default() };
        let is_answer = message.start.starts_with("HTTP/");
        let none = is_answer && (bodiless || matches!(message.status(), 100..=199 | 204 | 304));
        message.whole = if none {
            true
        } else if message.has("transfer-encoding") {
            self.chunks(&mut message.body).await
        } else if let Some(length) = message.header("content-length").parse().ok().filter(|n| *n > 0) {
            self.exactly(length, &mut message.body).await
        } else {
            // An answer without a length lasts until the connection ends; a request without one has no body.
            if is_answer && !message.has("content-length") {
                while self.more().await {}
                message.body = std::mem::take(&mut self.read);
            }
            true
        };
        Some(message)
    }

    async fn exactly(&mut self, length: usize, into: &mut Vec<u8>) -> bool {
        while self.read.len() < length {
            if !self.more().await {
                into.append(&mut self.read);
                return false;
            }
        }
        into.extend(self.read.drain(..length));
        true
    }

    async fn chunks(&mut self, into: &mut Vec<u8>) -> bool {
        loop {
            let end = loop {
                match find(&self.read, b"\r\n") {
                    Some(end) => break end,
                    None if self.more().await => {}
                    None => return false,
                }
            };
            let size = String::from_utf8_lossy(&self.read[..end]).into_owned();
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16);
            self.read.drain(..end + 2);
            let size = size.expect("the size of a chunk");
            let mut chunk = Vec::new();
            if !self.exactly(size + 2, &mut chunk).await {
                return false;
            }
            into.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return true;
            }
        }
    }
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.count(name) > 0
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(own, _)| own == name).count()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether this is the last answer on its connection.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").eq_ignore_ascii_case("close")
    }
}

fn find(all: &[u8], what: &[u8]) -> Option<usize> {
    all.windows(what.len()).position(|window| window == what)
}

/// A vendor of raw bytes: it grants tokens, remembers every other request as it came, and answers with `{"data":[]}`.
pub(crate) struct Mirror {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Mirror {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (tasks, all) = (Tasks::new(), Arc::clone(&seen));
        tasks.clone().spawn("mirror", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&all);
                tasks.spawn("mirror", async move {
                    let mut talk = Talk::on(stream);
                    while let Ok(Some(request)) = tokio::time::timeout(GUARD, talk.hear()).await {
                        if !grant(&mut talk, &request).await {
                            seen.lock().unwrap().push(request);
                            talk.say(answer("200 OK", r#"{"data":[]}"#)).await;
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }

    /// What has come since this was asked last.
    pub(crate) fn seen(&self) -> Vec<Message> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// Answers a token request, if this is one.
pub(crate) async fn grant<S: AsyncRead + AsyncWrite + Unpin>(talk: &mut Talk<S>, request: &Message) -> bool {
    let is_one = request.start.contains("/token ");
    if is_one {
        let token = r#"{"access_token":"YWMt-raw","expires_in":5184000,"application":"5a1e0d00-0000-4000-8000-000000000001"}"#;
        talk.say(answer("200 OK", token)).await;
    }
    is_one
}

/// A whole answer of the vendor.
pub(crate) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The app that every configuration here serves.
pub(crate) const APP: &str = "/easemob-demo/chat";

/// A request to a path below the app, with a body if it is not empty.
pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {APP}{path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n{body}")
}

/// A read of a path below the app.
pub(crate) fn get(path: &str) -> String {
    request("GET", path, "")
}
