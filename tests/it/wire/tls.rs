//! The vendor over TLS: a certificate that a configured authority signed is accepted, every other is refused, and
//! nothing is said to who shows it.

use crate::support::house::House;
use crate::support::wire::{Message, Talk, answer, get, grant, request, soon};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this name and its key.
    pub(crate) fn pair(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    /// A vendor's end with a certificate for this name.
    pub(crate) fn signs(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key);
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

struct Vendor {
    listener: TcpListener,
    folder: TempDir,
}

impl Vendor {
    async fn trusted(authority: &Authority) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.0.pem()).unwrap();
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), folder }
    }

    async fn house(&self) -> House {
        let origin = format!("https://{}", self.listener.local_addr().unwrap());
        let file = self.folder.path().join("ca.pem");
        House::with(&origin, &format!("ca_file = {file:?}"), "[token]\npatience = \"1s\"").await
    }

    /// One connection under this certificate; `None` when the gateway does not want it.
    async fn accept(&self, shown: &TlsAcceptor) -> Option<Talk<TlsStream<TcpStream>>> {
        let (stream, _) = soon(self.listener.accept()).await.unwrap();
        Some(Talk::on(soon(shown.accept(stream)).await.ok()?))
    }

    async fn grant(&self, shown: &TlsAcceptor) {
        let mut talk = self.accept(shown).await.expect("a good certificate");
        let asked = talk.hear().await.unwrap();
        assert!(grant(&mut talk, &asked).await);
    }

    /// Answers one call.
    async fn call(&self, shown: &TlsAcceptor) -> Message {
        let mut talk = self.accept(shown).await.expect("a good certificate");
        let call = talk.hear().await.unwrap();
        talk.say(answer("200 OK", r#"{"data":[]}"#)).await;
        call
    }
}

#[tokio::test]
async fn a_vendor_signed_by_the_configured_authority_is_called() {
    let authority = Authority::new();
    let vendor = Vendor::trusted(&authority).await;
    let shown = authority.signs("127.0.0.1");
    let (house, ()) = tokio::join!(vendor.house(), vendor.grant(&shown));
    let mut caller = house.talk().await;
    let (answered, call) = tokio::join!(caller.ask(get("/chatgroups/1")), vendor.call(&shown));
    assert_eq!((answered.status(), call.header("authorization")), (200, "Bearer YWMt-raw"));
}

#[tokio::test]
async fn a_vendor_with_a_wrong_certificate_is_told_nothing() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let vendor = Vendor::trusted(&authority).await;
    let good = authority.signs("127.0.0.1");
    let (house, ()) = tokio::join!(vendor.house(), vendor.grant(&good));
    let mut caller = house.talk().await;
    for wrong in [stranger.signs("127.0.0.1"), authority.signs("another.example")] {
        let write = request("PUT", "/chatgroups/1", r#"{"groupname":"a"}"#);
        let (answered, heard) = tokio::join!(caller.ask(write), async {
            match vendor.accept(&wrong).await {
                Some(mut talk) => talk.hear().await,
                None => None,
            }
        });
        assert_eq!((answered.status(), answered.header("gateway-error")), (502, "unreachable"));
        assert!(heard.is_none(), "{heard:?}");
    }
}

#[tokio::test]
async fn no_secret_is_sent_to_a_token_endpoint_that_cannot_be_trusted() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let vendor = Vendor::trusted(&authority).await;
    let wrong = stranger.signs("127.0.0.1");
    let (house, heard) = tokio::join!(vendor.house(), async {
        match vendor.accept(&wrong).await {
            Some(mut talk) => talk.hear().await,
            None => None,
        }
    });
    assert!(heard.is_none(), "{heard:?}");
    let answered = house.ask(get("/chatgroups/1")).await;
    assert_eq!((answered.status(), answered.header("gateway-error")), (503, "no_token"));
}
