//! Caller keys: `egk_`, 43 characters of chance, 6 check digits.
//!
//! The prefix and the check digits (CRC-32 of what precedes) let scanners find leaked keys without false alarms
//! and let the gateway refuse everything else without a digest.

use aws_lc_rs::{digest, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt::Write as _;

const PREFIX: &[u8] = b"egk_";
const CHANCE_CHARACTERS: usize = 43;
const CHECK_CHARACTERS: usize = 6;

/// A new key and the digest that goes into the configuration.
///
/// # Errors
/// When the system gives no randomness.
pub fn generate() -> Result<(String, String), aws_lc_rs::error::Unspecified> {
    let mut chance = [0; 32];
    rand::fill(&mut chance)?;
    let key = format!("egk_{}", URL_SAFE_NO_PAD.encode(chance));
    let key = with_check(&key);
    let digest = digest_text(key.as_bytes());
    Ok((key, digest))
}

/// A key's first part with its check digits.
#[must_use]
pub fn with_check(part: &str) -> String {
    format!("{part}{}", String::from_utf8_lossy(&check(part.as_bytes())))
}

/// The digest of a key as the configuration writes it.
#[must_use]
pub fn digest_text(key: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, key);
    digest.as_ref().iter().fold("sha256:".to_owned(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Whether this has the form of a key.
#[must_use]
pub fn well_formed(key: &[u8]) -> bool {
    let chance_to = PREFIX.len() + CHANCE_CHARACTERS;
    key.len() == chance_to + CHECK_CHARACTERS
        && key.starts_with(PREFIX)
        && check(&key[..chance_to]) == key[chance_to..]
}

fn check(text: &[u8]) -> [u8; CHECK_CHARACTERS] {
    let mut digits = [0; CHECK_CHARACTERS];
    // Four bytes are six characters of base64.
    let _ = URL_SAFE_NO_PAD.encode_slice(crc32fast::hash(text).to_be_bytes(), &mut digits);
    digits
}
