//! What stands behind the proxies: answers everything with the details of the group that was asked for, at once.
//!
//! One thread, no parsing beyond the end of the head: it must never be what is slow. The body is a token answer
//! too, so that the gateway finds one. What an answer may be kept for is said to the peers by `Cache-Control`.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Digits of an id. All are as long, so that every answer is.
pub(crate) const ID_DIGITS: usize = 15;

/// An origin that runs until the process ends.
pub(crate) struct Origin {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicU64>,
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    unsent: Vec<u8>,
}

impl Origin {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).expect("a port");
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&requests);
        std::thread::spawn(move || serve(listener, &counted));
        Self { address, requests }
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

fn serve(mut listener: TcpListener, requests: &AtomicU64) {
    const LISTENER: Token = Token(usize::MAX);
    let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(1024));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).unwrap();
    let mut connections = HashMap::new();
    let mut next = 0;
    let (template, id_at) = template();
    loop {
        // A signal to the process may end the wait early.
        if poll.poll(&mut events, None).is_err() {
            continue;
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    let _ = stream.set_nodelay(true);
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(next), interest).unwrap();
                    connections.insert(next, Connection { stream, read: Vec::new(), unsent: Vec::new() });
                    next += 1;
                }
            } else if let Some(connection) = connections.get_mut(&event.token().0)
                && connection.step(&template, id_at, requests).is_none()
            {
                connections.remove(&event.token().0);
            }
        }
    }
}

impl Connection {
    /// Reads what is there and answers it. `None` when the connection has ended.
    fn step(&mut self, template: &[u8], id_at: usize, requests: &AtomicU64) -> Option<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.read.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return None,
            }
        }
        while let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = &self.read[..end];
            let body = length(head);
            if self.read.len() < end + 4 + body {
                break;
            }
            requests.fetch_add(1, Ordering::Relaxed);
            let at = self.unsent.len();
            self.unsent.extend_from_slice(template);
            if let Some(id) = id(head) {
                self.unsent[at + id_at..][..ID_DIGITS].copy_from_slice(id);
            }
            self.read.drain(..end + 4 + body);
        }
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return None,
            }
        }
        Some(())
    }
}

/// The length of a request's body: only the token's request has one.
fn length(head: &[u8]) -> usize {
    if !head.starts_with(b"POST") {
        return 0;
    }
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head.split_once("content-length:").map_or("0", |(_, rest)| rest);
    value.lines().next().and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// The id at the end of the target.
fn id(head: &[u8]) -> Option<&[u8]> {
    let target = head.split(|byte| *byte == b' ').nth(1)?;
    let id = target.rsplit(|byte| *byte == b'/').next()?;
    (id.len() == ID_DIGITS).then_some(id)
}

/// The answer, and where in it the id stands. Its body has 1,024 bytes.
fn template() -> (Vec<u8>, usize) {
    let id = "0".repeat(ID_DIGITS);
    let body = format!(
        r#"{{"access_token":"YWMt-of-no-use","expires_in":5184000,"application":"5a1e0d00-0000-4000-8000-000000000001","action":"get","timestamp":1700000000000,"duration":3,"count":1,"data":[{{"id":"{id}","name":"a group","owner":"alice","public":true,"maxusers":200,"affiliations":[{{"owner":"alice"}}],"description":""#
    );
    let end = r#""}]}"#;
    let body = format!("{body}{}{end}", "x".repeat(1024 - body.len() - end.len()));
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=3600\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let id_at = head.len() + body.find(&id).unwrap();
    ((head + &body).into_bytes(), id_at)
}
