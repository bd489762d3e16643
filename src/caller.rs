//! Who is asking, and what he may do.
//!
//! Callers are known by key. The configuration holds SHA-256 digests, never keys; a key has a fixed form with
//! check digits, so that what is not a key costs no digest and a leaked one can be searched for. Without any
//! caller configured the door is open: that is for loopback only, and the assembly sees to it.

pub mod key;
pub mod page;

use aws_lc_rs::{constant_time, digest};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// One caller, as configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How it is called in ledgers; of its own.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// SHA-256 of its keys.
    pub digests: Vec<[u8; 32]>,
    /// What it may do: patterns over names of endpoints.
    pub allow: Vec<String>,
}

/// All callers.
#[derive(Debug)]
pub struct Callers {
    names: Vec<(String, u16)>,
    /// Sorted by digest.
    keys: Vec<([u8; 32], u16)>,
    /// By a caller's number, then by endpoint. A number that is nobody's has no endpoint.
    allowed: Vec<Box<[bool]>>,
}

/// Why a request has no caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unidentified {
    /// No `Authorization: Bearer`.
    Missing,
    /// Not a key, or nobody's.
    Wrong,
    /// A token of the vendor's: it would silently become the app's.
    VendorToken,
    /// A browser's request while the door is open.
    Origin,
    /// A name that a page may have led here, while the door is open.
    Host,
}

impl Callers {
    /// Compiles the callers' rules for these endpoints: their names, and whether only a rule that names one in
    /// full reaches it.
    #[must_use]
    pub fn new(callers: &[Settings], endpoints: &[(&str, bool)]) -> Self {
        let digests = |caller: &Settings| {
            let number = caller.number;
            caller.digests.iter().map(|digest| (*digest, number)).collect::<Vec<_>>()
        };
        let mut keys: Vec<_> = callers.iter().flat_map(digests).collect();
        keys.sort_unstable();
        let may = |caller: &Settings, (endpoint, by_name): (&str, bool)| {
            caller.allow.iter().any(
                |rule| {
                    if by_name { rule == endpoint } else { matches_pattern(rule, endpoint) }
                },
            )
        };
        let mut allowed = Vec::new();
        for caller in callers {
            let number = usize::from(caller.number);
            allowed.resize(allowed.len().max(number + 1), Box::default());
            allowed[number] = endpoints.iter().map(|endpoint| may(caller, *endpoint)).collect();
        }
        let names = callers.iter().map(|caller| (caller.name.clone(), caller.number)).collect();
        Self { names, keys, allowed }
    }

    /// The caller's number; `None` while the door is open.
    ///
    /// # Errors
    /// [`Unidentified`] when there is no caller of these headers.
    pub fn identify(&self, headers: &HeaderMap) -> Result<Option<u16>, Unidentified> {
        let all = headers.get_all(AUTHORIZATION).iter();
        if self.is_open() {
            // Under whatever scheme: what stands there is replaced, and this would silently become the app's.
            let mut words = all.flat_map(|value| value.as_bytes().split(|byte| b" \t,:=\"'".contains(byte)));
            return if words.any(is_vendors) { Err(Unidentified::VendorToken) } else { Ok(None) };
        }
        let mut all = all.map(|value| bearer(value.as_bytes()));
        let key = all.next().flatten().ok_or(Unidentified::Missing)?;
        // Of two keys nobody knows whose request it is.
        if all.next().is_some() {
            return Err(Unidentified::Wrong);
        }
        self.of_key(key).map(Some).ok_or(Unidentified::Wrong)
    }

    /// The caller whose key this is.
    #[must_use]
    pub fn of_key(&self, key: &[u8]) -> Option<u16> {
        if !key::well_formed(key) {
            return None;
        }
        let digest = digest::digest(&digest::SHA256, key);
        // The search leaks how far digests agree, which says nothing about keys; the last word is constant time.
        let at = self.keys.partition_point(|(there, _)| there.as_slice() < digest.as_ref());
        let (there, caller) = self.keys.get(at)?;
        constant_time::verify_slices_are_equal(there, digest.as_ref()).ok().map(|()| *caller)
    }

    /// Whether nobody is configured: then everybody may ask, and nobody is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.names.is_empty()
    }

    /// The number of the caller with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<u16> {
        self.names.iter().find(|(there, _)| there == name).map(|(_, number)| *number)
    }

    /// Whether the caller may use this endpoint.
    #[must_use]
    pub fn may(&self, caller: Option<u16>, endpoint: usize) -> bool {
        let Some(caller) = caller else { return true };
        let rules = self.allowed.get(usize::from(caller));
        rules.is_some_and(|rules| rules.get(endpoint).copied().unwrap_or(false))
    }
}

/// What follows `Bearer`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(rest.trim_ascii())
}

/// Whether this looks like a token of the vendor's.
fn is_vendors(token: &[u8]) -> bool {
    ["YWMt", "dt-", "007"].iter().any(|begins| token.starts_with(begins.as_bytes()))
}

/// `*` stands for any text, anywhere in the pattern.
#[must_use]
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}
