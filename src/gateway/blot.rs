//! The app token goes to the vendor and to nobody else: where an answer repeats it, it is blotted out.
//!
//! With asterisks, as many as it has bytes: lengths stay true, and JSON stays JSON. Headers are looked through, and
//! bodies that are read whole; not one that streams, nor one that is compressed, which only a caller gets who asks for it.

use super::ask::Judged;
use crate::body::Collected;
use crate::token::Token;
use http::header::HeaderValue;
use memchr::memmem::Finder;

/// Fewer bytes are no secret, and would be found in words that mean something else.
const SECRET_BYTES_MIN: usize = 6;

impl Judged {
    /// The answer without the token that it was asked for with.
    pub(super) fn without(mut self, token: &Token) -> Self {
        let secret = Finder::new(token.bare());
        if secret.needle().len() < SECRET_BYTES_MIN {
            return self;
        }
        if let Collected::Whole(bytes) = &mut self.content
            && let Some(clean) = blotted(&secret, bytes)
        {
            *bytes = clean.into();
        }
        for value in self.headers.values_mut() {
            if let Some(clean) = blotted(&secret, value.as_bytes()) {
                // What could stand in a header can with asterisks in it.
                *value = HeaderValue::from_bytes(&clean).unwrap_or(HeaderValue::from_static("*"));
            }
        }
        self
    }
}

/// A copy of what repeats the secret, without it.
fn blotted(secret: &Finder<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut places = secret.find_iter(bytes).peekable();
    places.peek()?;
    let mut clean = bytes.to_vec();
    places.for_each(|at| clean[at..at + secret.needle().len()].fill(b'*'));
    Some(clean)
}
