//! When the configuration is read anew: on SIGHUP at once, and when a look now and then finds it changed.
//!
//! Reading happens beside the runtime that accepts connections. What becomes of it is for the assembly.

use super::notify::{State, tell};
use crate::app::Reloader;
use crate::app::secret::SecretWatch;
use crate::config::{Config, Files};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What asks for a reload.
pub(super) struct Reloading {
    path: PathBuf,
    files: Files,
    hangup: Signal,
    /// Zero: never by itself.
    every: Duration,
}

impl Reloading {
    /// From now on SIGHUP ends nothing.
    pub(super) fn new(path: &Path, config: &Config) -> std::io::Result<Self> {
        let hangup = signal(SignalKind::hangup())?;
        let listen = &config.listen;
        let certificates = [&listen.tls_certificate, &listen.tls_key, &listen.tls_client_ca];
        let others = certificates.into_iter().flatten().cloned();
        let files = Files::new([path.to_owned()].into_iter().chain(others).collect());
        Ok(Self { path: path.to_owned(), files, hangup, every: config.admin.reload_every })
    }

    /// Reloads whenever that is asked for, without end. Who asks says that the file of the secret is whole, too.
    pub(super) async fn run(mut self, reloader: Reloader, secret: Option<Arc<SecretWatch>>) {
        loop {
            let asked = tokio::select! {
                _ = self.hangup.recv() => true,
                () = tokio::time::sleep(self.every), if !self.every.is_zero() => false,
            };
            if asked && let Some(secret) = &secret {
                secret.look(true).await;
            }
            let Self { path, mut files, hangup, every } = self;
            let reading = tokio::task::spawn_blocking(move || {
                if asked {
                    files.reread();
                }
                let read = (asked || files.changed()).then(|| super::read(&path));
                (path, files, read)
            });
            let Ok((path, files, read)) = reading.await else {
                tracing::error!("reading the configuration broke: it is not reloaded any more");
                return std::future::pending().await;
            };
            self = Self { path, files, hangup, every };
            if let Some(read) = read {
                tell(State::Reloading);
                reloader.take(read);
                tell(State::Ready);
            }
        }
    }
}
