//! The vendor's end of TLS: a certificate and its key, from PEM files.
//!
//! HTTP/1.1 is all that is spoken behind it, so nothing is negotiated.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;

/// What a listener shows to whoever connects.
#[derive(Clone)]
pub struct Tls(pub(super) TlsAcceptor);

impl Tls {
    /// With the certificate (and those that lead to its authority) in one file, and the key in another.
    ///
    /// # Errors
    /// When a file cannot be read, has no PEM of its kind in it, or the two do not belong together.
    pub fn from_files(certificate: &Path, key: &Path) -> io::Result<Self> {
        let chain = CertificateDer::pem_file_iter(certificate).map_err(|why| bad(certificate, &why))?;
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|why| bad(certificate, &why))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|why| bad(key, &why))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|why| bad(certificate, &why))?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

fn bad(file: &Path, why: &dyn std::error::Error) -> io::Error {
    io::Error::other(format!("{}: {why}", file.display()))
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}
