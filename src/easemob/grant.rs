//! Asking the vendor for an app token, and reading its answer.
//!
//! Documented: `POST /{org}/{app}/token` with `client_credentials`; the answer has `access_token`, `expires_in`
//! and `application`. Not documented: what `expires_in` is for a token that never ends. Missing, zero, negative
//! and huge are all read as "no end known"; what that means is the token keeper's business.

use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// What a grant gave.
pub struct Granted {
    /// The token itself.
    pub access_token: String,
    /// How long the vendor says it lives; `None` when it names no end.
    pub lives: Option<Duration>,
    /// The app's UUID.
    pub application: Option<String>,
}

/// In what unit this deployment writes `expires_in`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Seconds, as documented.
    Seconds,
    /// Milliseconds, as one cluster of the vendor does.
    Milliseconds,
}

/// The body of the request.
#[must_use]
pub fn request(client_id: &str, client_secret: &str) -> String {
    json!({ "grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret })
        .to_string()
}

/// Reads the body of a 200. `None` when there is no token in it that could be sent.
#[must_use]
pub fn read(body: &[u8], unit: Unit) -> Option<Granted> {
    #[derive(Deserialize)]
    struct Reply {
        access_token: String,
        expires_in: Option<serde_json::Value>,
        application: Option<String>,
    }
    let reply: Reply = serde_json::from_slice(body).ok()?;
    let sendable = |byte: u8| (0x21..=0x7e).contains(&byte);
    if reply.access_token.is_empty() || !reply.access_token.bytes().all(sendable) {
        return None;
    }
    let number = match reply.expires_in {
        Some(serde_json::Value::Number(number)) => number.as_f64(),
        Some(serde_json::Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    // Longer than a century is no end; a float cannot be trusted beyond that either.
    const CENTURY_S: f64 = 3.2e9;
    let seconds = number.map(|number| match unit {
        Unit::Seconds => number,
        Unit::Milliseconds => number / 1000.0,
    });
    let lives = seconds.filter(|s| *s > 0.0 && *s < CENTURY_S).map(Duration::from_secs_f64);
    Some(Granted { access_token: reply.access_token, lives, application: reply.application })
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Granted").field("lives", &self.lives).finish_non_exhaustive()
    }
}
