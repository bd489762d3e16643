//! The loop of the listeners that serve beside the callers' own: one connection after another, while there is room.
//!
//! What is said on a connection is for whoever asks for them.

use crate::tasks::Tasks;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Accepting goes on after a failure, and so much later: most often there are too many open files, and accepting again
/// at once would spin.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// Serves each connection in a task of this name until the gateway stops; more than that many wait in the kernel's queue.
pub(super) async fn each<F>(
    listener: TcpListener,
    connections_max: usize,
    (tasks, name): (&Tasks, &'static str),
    serve: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let served = serve(stream);
                tasks.spawn_until_stop(name, async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::error!("a connection could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
