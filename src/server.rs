//! `Server`: sockets in, answers out, and an end without a failed request.
//!
//! The listeners accept and hand connections out in turn to workers: threads with a `current_thread`
//! runtime each, so that nothing on the path of a hit crosses a core. What a request is answered with is
//! `gateway`'s business; here are accepting, framing and ending.

mod accept;
pub mod admin;
pub mod callbacks;
mod connection;
mod frames;
mod listen;
mod operate;
mod stream;
mod streams;
mod tls;
mod watch;

pub use listen::UnixSettings;
pub use tls::{Tls, TlsSettings};

use crate::gateway::Gateway;
use crate::tasks::{Signal, Tasks};
use crate::units::Address;
use listen::{Listener, Raw};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Limits of the door.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// A head must be whole within this from its first byte.
    pub head_timeout: Duration,
    /// A connection without a request is closed after this, and so is an answer of which nothing is taken.
    pub idle_timeout: Duration,
    /// The longest head.
    pub head_bytes_max: usize,
    /// Requests open at once on one HTTP/2 connection.
    pub streams_max: u32,
    /// HTTP/2 frames in a row that carry nothing of a request.
    pub control_frames_max: usize,
    /// How sockets in the file system are made.
    pub unix: UnixSettings,
    /// Still accepting, but no longer ready.
    pub drain_delay: Duration,
    /// Open requests have this long to end.
    pub drain_timeout: Duration,
}

/// Bound listeners and the workers behind them.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    gateways: Vec<Gateway>,
    settings: Settings,
}

/// A connection on its way to a worker, with its place among those that may be open.
type Accepted = (Raw, OwnedSemaphorePermit);

impl Server {
    /// Without a listener yet.
    #[must_use]
    pub fn new(gateways: Vec<Gateway>, settings: Settings) -> Self {
        Self { listeners: Vec::new(), gateways, settings }
    }

    /// Opens one more door. Must be called on a runtime.
    ///
    /// # Errors
    /// When the address is taken or not ours, or the socket cannot be given its owner.
    pub async fn listen(&mut self, address: &Address, tls: Option<&Arc<Tls>>) -> io::Result<()> {
        self.listeners.push(Listener::open(address, &self.settings.unix, tls).await?);
        Ok(())
    }

    /// Where it listens, with the port that was found free if none was named.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn addresses(&self) -> io::Result<Vec<Address>> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// Serves until `stop`, then drains: accepts for the delay, ends connections after their answer, and waits
    /// for what is under way until the timeout. Background tasks are waited for within the same timeout.
    ///
    /// # Errors
    /// When a worker's thread or runtime cannot be made.
    pub async fn run(self, tasks: Tasks, stop: CancellationToken) -> io::Result<()> {
        let closing = Signal::default();
        let mut senders = Vec::new();
        let mut threads = Vec::new();
        for (number, gateway) in self.gateways.into_iter().enumerate() {
            let (sender, receiver) = mpsc::channel(64);
            let worker = Worker { gateway, settings: self.settings.clone(), tasks: tasks.clone() };
            threads.push(worker.start(number, receiver, closing.clone())?);
            senders.push(sender);
        }
        let open = Arc::new(Semaphore::new(self.settings.connections_max.min(Semaphore::MAX_PERMITS)));
        let end = async {
            stop.cancelled().await;
            if !self.settings.drain_delay.is_zero() {
                tokio::time::sleep(self.settings.drain_delay).await;
            }
        };
        tokio::select! {
            biased;
            () = end => {}
            () = accept(&self.listeners, &senders, &open) => {}
        }
        accept_waiting(self.listeners, &senders, &open).await;
        drop(senders);
        closing.give();
        for thread in threads {
            // A worker ends within the drain's timeout.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        let _ = tokio::time::timeout(self.settings.drain_timeout, tasks.finish()).await;
        Ok(())
    }
}

async fn accept(listeners: &[Listener], workers: &[mpsc::Sender<Accepted>], open: &Arc<Semaphore>) {
    let (mut turn, mut trouble) = (0, accept::Trouble::default());
    loop {
        let Ok(place) = Arc::clone(open).acquire_owned().await else {
            return;
        };
        match poll_fn(|cx| accept_any(listeners, turn, cx)).await {
            Ok(stream) => {
                // A worker that has gone takes its turn with it; its connections are closed.
                let _ = workers[turn % workers.len()].send((stream, place)).await;
                turn += 1;
                trouble.is_over();
            }
            Err(error) => {
                trouble.tell(&error);
                tokio::time::sleep(accept::PAUSE).await;
            }
        }
    }
}

/// From whichever listener has one; another is asked first each time.
fn accept_any(listeners: &[Listener], turn: usize, cx: &mut Context<'_>) -> Poll<io::Result<Raw>> {
    let (before, from) = listeners.split_at(turn % listeners.len().max(1));
    let asked = from.iter().chain(before).map(|listener| listener.poll_accept(cx));
    asked.into_iter().find(Poll::is_ready).unwrap_or(Poll::Pending)
}

/// The end of accepting: what already stands in the kernel's queue has been promised an answer.
async fn accept_waiting(listeners: Vec<Listener>, workers: &[mpsc::Sender<Accepted>], open: &Arc<Semaphore>) {
    for (turn, stream) in listeners.into_iter().flat_map(Listener::close).enumerate() {
        if let Ok(place) = Arc::clone(open).try_acquire_owned() {
            let _ = workers[turn % workers.len()].send((stream, place)).await;
        }
    }
}

struct Worker {
    gateway: Gateway,
    settings: Settings,
    tasks: Tasks,
}

impl Worker {
    fn start(
        self,
        number: usize,
        connections: mpsc::Receiver<Accepted>,
        closing: Signal,
    ) -> io::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            runtime.block_on(self.serve(connections, closing));
        })
    }

    async fn serve(self, mut connections: mpsc::Receiver<Accepted>, closing: Signal) {
        self.gateway.start();
        let watch = watch::Watch::new(&self.settings, self.gateway.clone(), closing.clone());
        let ticking = Arc::clone(&watch);
        self.tasks.spawn_until_stop("connection watch", async move { ticking.run().await });
        while let Some((stream, place)) = connections.recv().await {
            let Ok(stream) = stream.arrive() else {
                continue;
            };
            let served = connection::serve(
                stream,
                self.gateway.clone(),
                &self.settings,
                &watch,
                self.tasks.clone(),
                closing.clone(),
            );
            self.tasks.spawn("connection", async move {
                served.await;
                drop(place);
            });
        }
        closing.given().await;
        // Connections, flights and writes of this worker run on its runtime: they end before it does.
        if tokio::time::timeout(self.settings.drain_timeout, self.tasks.settled()).await.is_err() {
            tracing::warn!("requests were still open at the end of the drain's timeout");
        }
    }
}
