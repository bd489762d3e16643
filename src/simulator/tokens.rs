//! The token endpoint, and who may call.
//!
//! Any number of tokens are valid at once, each until its own end: asking for a new one takes nothing from
//! the old ones. Tokens that ended are remembered, because the vendor words an expired token differently
//! from one it never issued.

use std::collections::HashMap;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    Settings,
    call::{Call, text},
    reply::{Failure, Outcome},
    token_form::TokenForm,
    world::World,
};

const PREFIX: &str = "YWMt";
/// Ended tokens are forgotten when there are this many.
const REMEMBERED: usize = 10_000;

/// All tokens that were ever issued, as far as they are remembered.
pub(super) struct Tokens {
    issued: HashMap<String, State>,
    /// When there are so many, those that ended are forgotten.
    remembered: usize,
    /// Life of a token whose request names none.
    pub(super) ttl: Duration,
    pub(super) form: TokenForm,
}

/// Why a token is refused: each has words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// It has ended, or is missing.
    Expired,
    /// The older code for the same.
    ExpiredCode,
    /// It was issued, and is not accepted any more.
    Unauthenticated,
    /// It is no token.
    Corrupt,
    /// It was issued by another server, or for another app.
    Foreign,
    /// It is missing, as the group service says it.
    Blank,
    /// It is not about the token: users may not register themselves.
    RegistrationClosed,
}

#[derive(Clone, Copy)]
enum State {
    Until(Instant),
    ForEver,
    Revoked,
}

impl Tokens {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { issued: HashMap::new(), remembered: REMEMBERED, ttl, form: TokenForm::default() }
    }

    /// Ends every token that is out.
    pub(super) fn revoke(&mut self) {
        self.issued.values_mut().for_each(|state| *state = State::Revoked);
    }

    /// Checks the caller, and words the refusal as the vendor does.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let Some(token) = bearer(headers) else {
            return Err(Unauthorized::Expired.failure());
        };
        match self.issued.get(token) {
            Some(State::ForEver) => Ok(()),
            Some(State::Until(end)) if Instant::now() < *end => Ok(()),
            Some(State::Until(_)) => Err(Unauthorized::Expired.failure()),
            Some(State::Revoked) => Err(Unauthorized::Unauthenticated.failure()),
            None if well_formed(token) => Err(Unauthorized::Foreign.failure()),
            None => Err(Unauthorized::Corrupt.failure()),
        }
    }

    /// Answers `POST /token`.
    pub(super) fn grant(&mut self, settings: &Settings, world: &mut World, call: &Call) -> Outcome {
        let body = call.json()?;
        let field = |name: &str| body.get(name).and_then(text);
        match field("grant_type").as_deref() {
            Some("client_credentials") => {
                let id = field("client_id").ok_or_else(|| Failure::illegal("client_id must be provided."))?;
                let secret = field("client_secret")
                    .ok_or_else(|| Failure::illegal("client_secret must be provided"))?;
                if id != settings.client_id {
                    return Err(invalid_grant("client_id does not match"));
                }
                if secret != settings.client_secret {
                    return Err(invalid_grant("client_secret does not match"));
                }
                let mut fields = self.issue(settings, ttl(&body));
                fields.insert("application".into(), json!(settings.application));
                Ok(self.form.reply(fields))
            }
            Some("inherit") => {
                self.check(&call.headers)?;
                let user = field("username").ok_or_else(|| Failure::illegal("username must be provided"))?;
                let user = user.to_lowercase();
                if body.get("autoCreateUser") == Some(&Value::Bool(true)) {
                    world.add_user(&user);
                }
                let entity = world.user_entity(&user)?;
                let mut fields = self.issue(settings, ttl(&body));
                fields.insert("user".into(), entity);
                Ok(self.form.reply(fields))
            }
            Some(_) => Err(invalid_grant("invalid username or password")),
            None => Err(Failure::illegal("grant_type must be provided")),
        }
    }

    fn issue(&mut self, settings: &Settings, asked: Option<u64>) -> Map<String, Value> {
        let unit = |number| {
            if settings.token_millis { Duration::from_millis(number) } else { Duration::from_secs(number) }
        };
        let ttl = asked.map_or(self.ttl, unit);
        let state = match (self.form.dies_after, Instant::now().checked_add(ttl)) {
            (Some(early), _) => State::Until(Instant::now() + early),
            (None, Some(end)) if !ttl.is_zero() => State::Until(end),
            _ => State::ForEver,
        };
        if self.issued.len() >= self.remembered {
            let now = Instant::now();
            self.issued.retain(|_, state| match state {
                State::Until(end) => now < *end,
                State::ForEver => true,
                State::Revoked => false,
            });
            // Twice what is left: or with many that live on, every grant would look through all of them.
            self.remembered = REMEMBERED.max(2 * self.issued.len());
        }
        let token = fresh();
        self.issued.insert(token.clone(), state);
        let written = if settings.token_millis { ttl.as_millis() as u64 } else { ttl.as_secs() };
        self.form.dress(&token, ttl, written)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The life that a request names: a number, or a number in quotes, as older samples show it.
fn ttl(body: &Map<String, Value>) -> Option<u64> {
    body.get("ttl").and_then(text)?.parse().ok()
}

fn fresh() -> String {
    let mut random = [0_u8; 48];
    fastrand::fill(&mut random);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
}

fn well_formed(token: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    token.strip_prefix(PREFIX).is_some_and(|rest| rest.len() >= 16 && rest.bytes().all(plain))
}

impl Unauthorized {
    /// Every kind, by the name it has over HTTP.
    pub const ALL: [(&'static str, Self); 7] = [
        ("expired", Self::Expired),
        ("expired_code", Self::ExpiredCode),
        ("unauthenticated", Self::Unauthenticated),
        ("corrupt", Self::Corrupt),
        ("foreign", Self::Foreign),
        ("blank", Self::Blank),
        ("registration_closed", Self::RegistrationClosed),
    ];

    /// The vendor's words for it.
    pub(super) fn failure(self) -> Failure {
        let (error, text) = match self {
            Self::Expired => ("unauthorized", "Unable to authenticate due to expired access token"),
            Self::ExpiredCode => ("expired_token", "Unable to authenticate due to expired access token"),
            Self::Unauthenticated => ("unauthorized", "Unable to authenticate (OAuth)"),
            Self::Corrupt => ("auth_bad_access_token", "Unable to authenticate due to corrupt access token"),
            Self::Foreign => ("auth_bad_access_token", "Unable to authenticate"),
            Self::Blank => ("group_authorization", "token is blank!"),
            Self::RegistrationClosed => {
                ("unauthorized", "registration is not open, please contact the app admin")
            }
        };
        Failure::new(StatusCode::UNAUTHORIZED, error, text)
    }
}

fn invalid_grant(description: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "invalid_grant", description)
}
