//! TLS towards services: a certificate that can be exchanged while it is used, and those of callers if that is asked.
//!
//! Connections keep what they were made with. A pair that cannot be used changes nothing.

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Where the certificates are.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Ours, with what leads to its authority, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
    /// Authorities of callers' certificates, as PEM; `None`: none is asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether who has none is turned away.
    pub client_required: bool,
}

/// What handshakes are made with.
#[derive(Debug)]
pub struct Tls {
    settings: TlsSettings,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together; with the file's name, and nothing of what is in it.
    pub fn new(settings: TlsSettings) -> io::Result<Arc<Self>> {
        let config = ArcSwap::from_pointee(read(&settings)?);
        Ok(Arc::new(Self { settings, config }))
    }

    /// What is in the files now, ready for [`Tls::exchange`].
    ///
    /// # Errors
    /// As [`Tls::new`].
    pub fn read(&self) -> io::Result<ServerConfig> {
        read(&self.settings)
    }

    /// From now on handshakes are made with this.
    pub fn exchange(&self, config: ServerConfig) {
        self.config.store(Arc::new(config));
    }

    /// Whether the other end chose HTTP/2, and the stream.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(bool, TlsStream<TcpStream>)> {
        let stream = TlsAcceptor::from(self.config.load_full()).accept(stream).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((is_http2, stream))
    }
}

fn read(settings: &TlsSettings) -> io::Result<ServerConfig> {
    let chain = certificates(&settings.certificate)?;
    let key = crate::file::read(&settings.key).map_err(|error| about(&settings.key, error))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| about(&settings.key, error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| about(file, error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if settings.client_required { verifier } else { verifier.allow_unauthenticated() };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| about(file, error))?)
        }
    };
    let pair = |error| {
        let (certificate, key) = (settings.certificate.display(), settings.key.display());
        io::Error::other(format!("{certificate} and {key} are no pair: {error}"))
    };
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = crate::file::read(file).map_err(|error| about(file, error))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read)
        .collect::<Result<_, _>>()
        .map_err(|error| about(file, error))?;
    if chain.is_empty() {
        return Err(io::Error::other(format!("{}: no certificate in it", file.display())));
    }
    Ok(chain)
}

/// Which file, and what about it.
fn about(file: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", file.display()))
}
