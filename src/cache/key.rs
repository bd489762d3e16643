//! The canonical name of a read, and the secret under which names and tags are hashed.
//!
//! A key is the endpoint, its parameters as they came, the known query parameters sorted by name, and a digest
//! of the body where that decides the answer. Two spellings of one path or of one body give one key. It is built on the stack
//! and looked up by a keyed hash, so that nobody can choose ids that collide; the bytes are compared after.

use crate::catalogue::{EndpointId, Read, lookup::Spans, spelling::spelling};
use siphasher::sip128::{Hasher128, SipHasher13};
use smallvec::SmallVec;
use std::hash::Hasher;

/// What every hash is keyed with. Derived once from the client secret.
#[derive(Clone)]
pub struct Secret([u8; 16]);

/// The name of a read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    bytes: SmallVec<[u8; 160]>,
    hash: u128,
}

/// The most query parameters a kept read can have.
const QUERY_MAX: usize = 8;

impl Secret {
    /// From sixteen bytes that nobody else knows.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The keyed hash of some bytes.
    #[must_use]
    pub fn hash(&self, bytes: &[u8]) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish128().as_u128()
    }
}

impl Key {
    /// The name of this read. `None` when the query has a parameter that the row does not know: then nothing is
    /// shared and nothing kept, since nobody knows what it does to the answer.
    #[must_use]
    pub fn new(
        secret: &Secret,
        endpoint: EndpointId,
        read: &Read,
        (path, spans): (&str, &Spans),
        query: Option<&str>,
        body: Option<&[u8]>,
    ) -> Option<Self> {
        let mut bytes = SmallVec::<[u8; 160]>::new();
        bytes.extend_from_slice(&endpoint.0.to_be_bytes());
        for value in spans.values(path) {
            bytes.extend_from_slice(value.as_bytes());
            // No path that is matched has a slash inside a parameter.
            bytes.push(b'/');
        }
        let mut pairs = SmallVec::<[(&str, &str); QUERY_MAX]>::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !read.query.contains(&name) || pairs.len() == QUERY_MAX {
                return None;
            }
            pairs.push((name, value));
        }
        // Stable: of two values of one name the first stays first.
        pairs.sort_by_key(|(name, _)| *name);
        for (name, value) in pairs {
            // What divides the pairs is in none of them; a `?` may be in any value.
            for part in [b"&", name.as_bytes(), b"=", value.as_bytes()] {
                bytes.extend_from_slice(part);
            }
        }
        if let Some(body) = body {
            let spelt = spelling(body);
            let body = spelt.as_deref().unwrap_or(body);
            bytes.push(b'#');
            bytes.extend_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body).as_ref());
        }
        let hash = secret.hash(&bytes);
        Some(Self { bytes, hash })
    }

    /// The name of one element of an answer about several: no read of its own has it.
    #[must_use]
    pub fn element(secret: &Secret, endpoint: EndpointId, name: &str) -> Self {
        let mut bytes = SmallVec::<[u8; 160]>::new();
        bytes.extend_from_slice(&endpoint.0.to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
        // After the slash of a last parameter stands nothing, or what divides pairs or a body from it.
        bytes.extend_from_slice(b"/!");
        let hash = secret.hash(&bytes);
        Self { bytes, hash }
    }

    /// The name itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its keyed hash.
    #[must_use]
    pub fn hash(&self) -> u128 {
        self.hash
    }
}

/// Keys are hashed already: the store takes them as they are.
#[derive(Debug, Default)]
pub struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}
