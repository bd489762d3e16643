//! The loop of the listeners that serve beside the callers' own: one connection after another, while there is room.
//!
//! What is said on a connection is for whoever asks for them.

use crate::tasks::Tasks;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Accepting goes on after a failure, and so much later: most often there are too many open files, and accepting again
/// at once would spin.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// That nothing can be accepted, told when it begins: it may last, and is tried twenty times a second.
#[derive(Default)]
pub(super) struct Trouble(bool);

impl Trouble {
    pub(super) fn tell(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.0, true) {
            tracing::error!("connections cannot be accepted: {error}");
        }
    }

    pub(super) fn is_over(&mut self) {
        if std::mem::take(&mut self.0) {
            tracing::info!("connections are accepted again");
        }
    }
}

/// Serves each connection in a task of this name until the gateway stops; more than that many wait in the kernel's queue.
pub(super) async fn each<F>(
    listener: TcpListener,
    connections_max: usize,
    (tasks, name): (&Tasks, &'static str),
    serve: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut trouble = Trouble::default();
    let places = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                trouble.is_over();
                let served = serve(stream);
                tasks.spawn_until_stop(name, async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                trouble.tell(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
