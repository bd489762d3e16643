//! The listener with a certificate.

use easemob_gateway::simulator::{Breakage, Fault, Matcher, Settings, Simulator, Tls};
use easemob_gateway::tasks::Tasks;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::wire::{Talk, get, soon};

/// Writes a certificate for `localhost` and its key.
fn certificate(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    certificate.der().clone()
}

fn connector(trusted: CertificateDer<'static>) -> tokio_rustls::TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    Arc::new(config).into()
}

#[tokio::test]
async fn it_answers_and_breaks_over_tls_too() {
    let folder = TempDir::new().unwrap();
    let trusted = certificate(folder.path());
    let tls =
        Tls::from_files(&folder.path().join("certificate.pem"), &folder.path().join("key.pem")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let simulator = Simulator::new(Settings::default());
    let (control, stop, tasks) = (simulator.control(), CancellationToken::new(), Tasks::new());
    let stopped = stop.clone();
    tasks.spawn("vendor", async move { simulator.serve_tls(listener, tls, stopped).await.unwrap() });
    let connector = connector(trusted);
    let talk = async || {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        Talk::on(soon(connector.connect(name, stream)).await.unwrap())
    };
    let mut first = talk().await;
    assert_eq!(first.ask(get("/chatgroups")).await.status(), 401);
    control.next(Matcher::any(), Fault::broken(Breakage::Informational));
    assert_eq!(first.ask(get("/chatgroups")).await.status(), 100);
    for how in [Breakage::HalfBody, Breakage::Reset] {
        control.next(Matcher::any(), Fault::broken(how));
        let mut other = talk().await;
        other.say(get("/chatgroups")).await;
        assert!(other.hear().await.is_none_or(|answer| !answer.whole), "{how:?}");
    }
    assert!(control.calls().iter().all(|call| call.head.is_some()));
    // Without TLS there is nobody to talk to, and others are not held up.
    let mut plain = Talk::to(address).await;
    plain.say(get("/chatgroups")).await;
    assert!(!String::from_utf8_lossy(&plain.hear_all().await).contains("HTTP/1.1 401"));
    assert_eq!(talk().await.ask(get("/chatgroups")).await.status(), 401);
    stop.cancel();
    soon(tasks.settled()).await;
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let folder = TempDir::new().unwrap();
    certificate(folder.path());
    let other = TempDir::new().unwrap();
    certificate(other.path());
    let (good, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let said = |certificate: &Path, key: &Path| Tls::from_files(certificate, key).unwrap_err().to_string();
    assert!(said(&folder.path().join("none.pem"), &key).contains("none.pem"));
    assert!(said(&good, &good).contains("certificate.pem"));
    assert!(said(&good, &other.path().join("key.pem")).contains("certificate.pem"));
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    assert!(said(&folder.path().join("empty.pem"), &key).contains("empty.pem"));
}
