//! The app token as it may lie on a disk: AES-256-GCM under a key that only the secret gives.
//!
//! The key is derived from the client secret by HKDF (RFC 5869). Host, org, app and client id are associated data, so
//! that a token is of use for the app and the host that granted it, and for no other. Nothing that is written would
//! help to guess the secret but trying to open it, and the key's derivation is of the secret's own strength.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use secrecy::{ExposeSecret, SecretString};

/// Opens and closes tokens of one app.
pub struct Seal {
    key: Option<RandomizedNonceKey>,
    bound: Vec<u8>,
}

/// Whose tokens they are.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Scheme, host and port.
    pub origin: String,
    /// The first half of the app key.
    pub org: String,
    /// The second half.
    pub app: String,
    /// The app's client id.
    pub client_id: String,
}

/// What a sealed token begins with; another version is another word.
const MARK: &[u8] = b"easemob-gateway token 1\n";
const NONCE_BYTES: usize = 12;

impl Seal {
    /// With the key that this secret gives.
    #[must_use]
    pub fn new(secret: &SecretString, owner: &Owner) -> Self {
        let Owner { origin, org, app, client_id } = owner;
        // None of them holds a line end.
        let bound = format!("{origin}\n{org}\n{app}\n{client_id}").into_bytes();
        let key = derive::<32>(secret, b"easemob-gateway/token", &[&bound]);
        // Fails only for a key of another length.
        Self { key: RandomizedNonceKey::new(&AES_256_GCM, &key).ok(), bound }
    }

    /// What may be written down; `None` when the system has no chance left for a nonce.
    #[must_use]
    pub fn close(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut text = plain.to_vec();
        let nonce = self.key.as_ref()?.seal_in_place_append_tag(self.aad(), &mut text).ok()?;
        Some([MARK, nonce.as_ref().as_slice(), &text].concat())
    }

    /// What was written down; `None` when it was not written by this program for this owner with this secret.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.strip_prefix(MARK)?.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        Some(self.key.as_ref()?.open_in_place(nonce, self.aad(), &mut text).ok()?.to_vec())
    }

    fn aad(&self) -> Aad<Vec<u8>> {
        Aad::from([MARK, &self.bound].concat())
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// A key for one purpose, from the client secret (HKDF-SHA256).
#[must_use]
pub fn derive<const N: usize>(secret: &SecretString, purpose: &[u8], about: &[&[u8]]) -> [u8; N] {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut bytes = [0; N];
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, purpose).extract(secret.expose_secret().as_bytes());
    // Fails only for lengths beyond what the hash allows, which are over eight thousand.
    if let Ok(okm) = key.expand(about, Length(N)) {
        let _ = okm.fill(&mut bytes);
    }
    bytes
}
