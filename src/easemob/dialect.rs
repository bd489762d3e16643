//! What the vendor's answers mean, and how to speak as it does.
//!
//! Two of its statuses have two meanings: 401 is a matter of the token or of the user named in the call, and
//! 429 is a rate to wait for or a plan that is used up. The body tells them apart.

use serde::Deserialize;
use std::borrow::Cow;

/// What an answer means for the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// 2xx.
    Good,
    /// 401 because of the token: renew, and ask once more.
    TokenRefused,
    /// 429 that waiting cures.
    VendorLimited,
    /// 429 that only a larger plan cures.
    PlanExhausted,
    /// 404 with a code that says: this thing is not there.
    Absent,
    /// Another answer below 500: a clear no, passed on.
    Declined,
    /// 5xx, or 408, by which the vendor says that it waited in vain: for a write nobody can say whether it was
    /// done.
    Failed,
}

impl Verdict {
    /// Every verdict, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Good,
        Self::TokenRefused,
        Self::VendorLimited,
        Self::PlanExhausted,
        Self::Absent,
        Self::Declined,
        Self::Failed,
    ];

    /// As metrics and logs say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::TokenRefused => "token_refused",
            Self::VendorLimited => "vendor_limited",
            Self::PlanExhausted => "plan_exhausted",
            Self::Absent => "absent",
            Self::Declined => "declined",
            Self::Failed => "failed",
        }
    }
}

/// The members of an error body that mean something.
#[derive(Debug, Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    error: Cow<'a, str>,
    #[serde(borrow, default)]
    error_description: Cow<'a, str>,
}

/// Judges an answer by its status and the beginning of its body.
#[must_use]
pub fn judge(status: u16, body: &[u8]) -> Verdict {
    match status {
        200..=299 => Verdict::Good,
        401 | 404 | 429 => {
            let said: Said<'_> = serde_json::from_slice(body).unwrap_or_default();
            match status {
                401 if about_token(&said) => Verdict::TokenRefused,
                404 if matches!(&*said.error, "resource_not_found" | "service_resource_not_found") => {
                    Verdict::Absent
                }
                429 if said.error == "resource_limited" => Verdict::PlanExhausted,
                429 => Verdict::VendorLimited,
                _ => Verdict::Declined,
            }
        }
        408 | 500.. => Verdict::Failed,
        _ => Verdict::Declined,
    }
}

/// What [`refused_as`] may say.
pub const REFUSED_AS: [&str; 8] = [
    "unauthorized",
    "auth_bad_access_token",
    "expired_token",
    "group_authorization",
    "other_401",
    "reach_limit",
    "resource_limited",
    "other_429",
];

/// The vendor's own word for a 401 or a 429, out of those that are documented: a closed set, for counting.
#[must_use]
pub fn refused_as(status: u16, body: &[u8]) -> Option<&'static str> {
    let (words, other) = match status {
        401 => (&REFUSED_AS[..4], REFUSED_AS[4]),
        429 => (&REFUSED_AS[5..7], REFUSED_AS[7]),
        _ => return None,
    };
    let said: Said<'_> = serde_json::from_slice(body).unwrap_or_default();
    Some(words.iter().find(|word| **word == said.error).unwrap_or(&other))
}

/// The documented codes and texts of a 401 that is about the token. `unauthorized` also says that registration
/// is closed, which no new token changes.
fn about_token(said: &Said<'_>) -> bool {
    match &*said.error {
        "auth_bad_access_token" | "expired_token" | "group_authorization" => true,
        "unauthorized" | "" => !said.error_description.contains("registration is not open"),
        _ => false,
    }
}

/// An error body in the vendor's shape, so that clients written for the vendor can read it: told at this time, after
/// so many milliseconds.
#[must_use]
pub fn speak(error: &str, description: &str, unix_ms: u64, took_ms: u64) -> String {
    let (error, description) = (serde_json::json!(error), serde_json::json!(description));
    format!(
        r#"{{"error":{error},"error_description":{description},"timestamp":{unix_ms},"duration":{took_ms}}}"#
    )
}
