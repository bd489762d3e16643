//! TLS towards services: both protocols, callers' certificates, and a pair that is exchanged while it is used.

use super::tls::Authority;
use crate::support::house::{Vendor, configuration};
use crate::support::program::{Folder, Served, run};
use crate::support::wire::{APP, Message, Talk, get, soon};
use bytes::Bytes;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A folder with a configuration that speaks TLS, and the pair of this authority.
fn folder(origin: &str, authority: &Authority, listen: &str) -> Folder {
    let pair = "tls_certificate = \"gateway.crt\"\ntls_key = \"gateway.key\"";
    let text = configuration(origin, "", &format!("{pair}\n{listen}"));
    let folder = Folder::with(
        &text.replace("[listen]\naddress = \"127.0.0.1:0\"", "[listen]\naddress = \"tls:127.0.0.1:0\""),
    );
    put_pair(&folder, authority);
    folder
}

pub(crate) fn put_pair(folder: &Folder, authority: &Authority) {
    let (certificate, key) = authority.pair("gateway.example");
    std::fs::write(folder.path("gateway.crt"), certificate).unwrap();
    std::fs::write(folder.path("gateway.key"), key).unwrap();
}

/// A client that trusts this authority, speaks these protocols, and shows a certificate if it has one.
pub(crate) fn client(trusts: &Authority, alpn: &[&str], shows: Option<(String, String)>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusts.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match shows {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config).into()
}

pub(crate) async fn connect(to: SocketAddr, client: &TlsConnector) -> Option<TlsStream<TcpStream>> {
    let stream = soon(TcpStream::connect(to)).await.unwrap();
    soon(client.connect(ServerName::try_from("gateway.example").unwrap(), stream)).await.ok()
}

/// One read; `None` when the connection does not come about. In TLS 1.3 that may show only after the handshake.
async fn ask(to: SocketAddr, client: &TlsConnector) -> Option<Message> {
    let mut talk = Talk::on(connect(to, client).await?);
    talk.say(get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0]))).await;
    talk.hear().await
}

#[tokio::test]
async fn both_protocols_are_spoken_and_the_clear_is_not() {
    let (vendor, authority) = (Vendor::start().await, Authority::new());
    let mut served = Served::start_in(folder(&vendor.origin(), &authority, ""), &[]).await;
    for alpn in [&["http/1.1"][..], &[]] {
        let answer = ask(served.address, &client(&authority, alpn, None)).await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
    let both = client(&authority, &["h2", "http/1.1"], None);
    let stream = connect(served.address, &both).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let tasks = easemob_gateway::tasks::Tasks::new();
    tasks.spawn("http2", async move {
        let _ = connection.await;
    });
    let uri = format!("https://gateway.example{APP}/chatgroups/{}", SAMPLE_GROUPS[0]);
    let answer = soon(sender.send_request(Request::get(uri).body(Full::<Bytes>::default()).unwrap())).await;
    let answer = answer.unwrap();
    assert_eq!(answer.headers()["cache-status"], "easemob-gateway; hit");
    assert!(!soon(answer.into_body().collect()).await.unwrap().to_bytes().is_empty());
    drop(sender);
    // Whoever trusts somebody else is not served, and whoever speaks without TLS is not understood.
    assert!(ask(served.address, &client(&Authority::new(), &[], None)).await.is_none());
    let mut clear = served.talk().await;
    clear.say(get("/chatgroups/1")).await;
    let heard = clear.hear_all().await;
    assert!(!heard.starts_with(b"HTTP"), "{heard:?}");
    // Both are counted; who only looks whether somebody listens is not.
    drop(served.talk().await);
    assert_eq!(ask(served.address, &both).await.map(|_| ()), None, "it was asked in HTTP/1.1");
    let counted = "\ngateway_connection_events_total{event=\"bad_handshake\"} 2\n";
    soon(async { while !served.look("/metrics").await.1.contains(counted) {} }).await;
    let all = async || served.look("/metrics").await.1.contains("\ngateway_connections 0\n");
    soon(async { while !all().await {} }).await;
    assert!(served.look("/metrics").await.1.contains(counted));
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
}

#[tokio::test]
async fn callers_certificates_are_asked_for_as_configured() {
    let (vendor, authority, services) = (Vendor::start().await, Authority::new(), Authority::new());
    for required in [true, false] {
        let listen = format!("tls_client_ca = \"services.pem\"\ntls_client_required = {required}");
        let folder = Folder::with("");
        std::fs::write(folder.path("services.pem"), services.pem()).unwrap();
        let made = self::folder(&vendor.origin(), &authority, &listen);
        for name in ["gateway.toml", "gateway.crt", "gateway.key"] {
            std::fs::copy(made.path(name), folder.path(name)).unwrap();
        }
        let served = Served::start_in(folder, &[]).await;
        let known = client(&authority, &[], Some(services.pair("orders")));
        assert_eq!(ask(served.address, &known).await.expect("an answer").status(), 200);
        let stranger = client(&authority, &[], Some(Authority::new().pair("orders")));
        assert!(ask(served.address, &stranger).await.is_none(), "required: {required}");
        let without = ask(served.address, &client(&authority, &[], None)).await;
        assert_eq!(without.is_none(), required);
    }
}

#[tokio::test]
async fn a_new_pair_is_shown_to_the_next_and_a_bad_one_to_nobody() {
    let (vendor, old, new) = (Vendor::start().await, Authority::new(), Authority::new());
    let mut served = Served::start_in(folder(&vendor.origin(), &old, ""), &[]).await;
    let (trusts_old, trusts_new) = (client(&old, &[], None), client(&new, &[], None));
    let mut open = Talk::on(connect(served.address, &trusts_old).await.unwrap());
    // The certificate has come, its key has not.
    let (certificate, key) = new.pair("gateway.example");
    std::fs::write(served.folder.path("gateway.crt"), &certificate).unwrap();
    served.program.signal("HUP");
    let line = served.program.says("configuration not reloaded").await;
    assert!(line.contains("gateway.crt") && line.contains("gateway.key"), "{line}");
    assert!(!line.contains("PRIVATE"), "{line}");
    assert_eq!(ask(served.address, &trusts_old).await.expect("an answer").status(), 200);
    assert!(ask(served.address, &trusts_new).await.is_none());
    std::fs::write(served.folder.path("gateway.key"), &key).unwrap();
    served.program.signal("HUP");
    served.program.says("configuration reloaded").await;
    assert_eq!(ask(served.address, &trusts_new).await.expect("an answer").status(), 200);
    assert!(ask(served.address, &trusts_old).await.is_none());
    // What is open stays open.
    assert_eq!(open.ask(get(&format!("/chatgroups/{}", SAMPLE_GROUPS[0]))).await.status(), 200);
}

#[tokio::test]
async fn a_renewed_pair_is_noticed_without_a_signal() {
    let (vendor, old, new) = (Vendor::start().await, Authority::new(), Authority::new());
    let folder = folder(&vendor.origin(), &old, "");
    let text = std::fs::read_to_string(folder.path("gateway.toml")).unwrap();
    std::fs::write(folder.path("gateway.toml"), text.replace("[admin]", "[admin]\nreload_every = \"20ms\""))
        .unwrap();
    let mut served = Served::start_in(folder, &[]).await;
    put_pair(&served.folder, &new);
    served.program.says("configuration reloaded").await;
    assert_eq!(ask(served.address, &client(&new, &[], None)).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn what_cannot_be_a_pair_is_no_start_and_check_says_so() {
    let authority = Authority::new();
    for file in ["gateway.crt", "gateway.key"] {
        let folder = folder("http://127.0.0.1:1", &authority, "");
        for text in [
            "no PEM at all".to_owned(),
            String::new(),
            Authority::new().pair("x").1,
            Authority::new().pair("x").0,
        ] {
            std::fs::write(folder.path(file), &text).unwrap();
            for (command, code) in [("serve", 1), ("check", 2)] {
                let done = run(&[command, "--config", &folder.config()]).await;
                assert_eq!(done.code, Some(code), "{file} {text}: {}", done.err);
                assert!(done.err.contains(file) && !done.err.contains("PRIVATE"), "{}", done.err);
            }
        }
    }
}

#[tokio::test]
async fn whoever_does_not_finish_the_handshake_is_cut_off() {
    let (vendor, authority) = (Vendor::start().await, Authority::new());
    let listen = "head_timeout = \"200ms\"\nconnections_max = 2";
    let served = Served::start_in(folder(&vendor.origin(), &authority, listen), &[]).await;
    // They hold every place there is, until they are cut off: then there is room for one who speaks.
    let mut silent = served.talk().await;
    let mut slow = served.talk().await;
    slow.say([0x16, 0x03, 0x01]).await;
    assert!(silent.hear().await.is_none() && slow.hear().await.is_none());
    let answer = ask(served.address, &client(&authority, &[], None)).await;
    assert_eq!(answer.expect("an answer").status(), 200);
}
