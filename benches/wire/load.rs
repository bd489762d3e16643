//! The load: so many connections, each with one request under way, for so long or so often.
//!
//! One thread on one epoll, and nothing parsed but the status and the length: it must be faster than what it loads.

use crate::origin::ID_DIGITS;
use easemob_gateway::clock::Instant;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// Where requests go.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Before the id.
    pub(crate) path: &'static str,
    /// The caller's key, as the server wants it.
    pub(crate) header: String,
    /// What is posted; nothing for a GET of an id.
    pub(crate) body: Option<&'static str>,
}

/// What is to be done.
pub(crate) struct Load {
    pub(crate) target: Target,
    pub(crate) connections: usize,
    /// The first id.
    pub(crate) first: u64,
    /// So many ids in turn.
    pub(crate) count: u64,
    pub(crate) length: Duration,
    /// No more requests than this.
    pub(crate) requests_max: u64,
}

/// What came of it.
pub(crate) struct Done {
    pub(crate) requests: u64,
    /// Answers that are not 200, and connections that broke.
    pub(crate) bad: u64,
    pub(crate) took: Duration,
    latencies_ns: Vec<u32>,
}

struct Line {
    stream: TcpStream,
    read: Vec<u8>,
    sent: Option<Instant>,
}

impl Load {
    /// Does it, and closes the connections.
    pub(crate) fn run(self) -> Done {
        self.drive().0
    }

    /// Does it, and leaves the connections open.
    pub(crate) fn hold(self) -> impl Sized {
        let (done, lines) = self.drive();
        assert_eq!(done.bad, 0, "connections that broke");
        lines
    }

    fn drive(mut self) -> (Done, Vec<Line>) {
        let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(1024));
        let mut lines: Vec<Line> = (0..self.connections)
            .map(|at| {
                // Blocking, so that thousands of connections do not overrun the server's queue.
                let stream = std::net::TcpStream::connect(self.target.address).expect("a connection");
                stream.set_nonblocking(true).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut stream = TcpStream::from_std(stream);
                poll.registry().register(&mut stream, Token(at), Interest::READABLE).unwrap();
                Line { stream, read: Vec::with_capacity(4096), sent: None }
            })
            .collect();
        let began = Instant::now();
        let mut done = Done { requests: 0, bad: 0, took: Duration::ZERO, latencies_ns: Vec::new() };
        let mut sent = 0;
        for line in &mut lines {
            self.send(line, &mut sent);
        }
        while lines.iter().any(|line| line.sent.is_some()) {
            if poll.poll(&mut events, None).is_err() {
                continue;
            }
            for event in &events {
                let line = &mut lines[event.token().0];
                let Some(good) = line.answer() else { continue };
                let now = Instant::now();
                if let Some(at) = line.sent.take() {
                    done.requests += 1;
                    done.bad += u64::from(!good);
                    done.latencies_ns.push(u32::try_from((now - at).as_nanos()).unwrap_or(u32::MAX));
                }
                if good && now - began < self.length {
                    self.send(line, &mut sent);
                }
            }
        }
        done.took = began.elapsed();
        (done, lines)
    }

    fn send(&mut self, line: &mut Line, sent: &mut u64) {
        if *sent == self.requests_max {
            return;
        }
        let id = self.first + *sent % self.count;
        *sent += 1;
        let Target { path, header, body, .. } = &self.target;
        let head = match body {
            None => format!("GET {path}{id:0ID_DIGITS$} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n"),
            Some(body) => format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        };
        line.sent = Some(Instant::now());
        // A request is shorter than any socket's buffer.
        let _ = line.stream.write_all(head.as_bytes());
    }
}

impl Line {
    /// Whether the answer is a good one, once it is whole.
    fn answer(&mut self) -> Option<bool> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Some(false),
                Ok(count) => {
                    self.read.extend_from_slice(&buffer[..count]);
                    if count < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Some(false),
            }
        }
        let end = self.read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let length = length(&self.read[..end])?;
        if self.read.len() < end + length {
            return None;
        }
        let good = self.read.starts_with(b"HTTP/1.1 200") && self.read.len() == end + length;
        self.read.clear();
        Some(good)
    }
}

fn length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let at = head.windows(NAME.len()).position(|name| name.eq_ignore_ascii_case(NAME))? + NAME.len();
    let digits = head[at..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0')))
}

impl Done {
    /// The latency below which this part of the requests stayed, in microseconds.
    pub(crate) fn quantile_us(&self, part: f64) -> f64 {
        let mut all = self.latencies_ns.clone();
        all.sort_unstable();
        let at = ((all.len() as f64 * part) as usize).min(all.len().saturating_sub(1));
        all.get(at).map_or(f64::NAN, |ns| f64::from(*ns) / 1e3)
    }
}
