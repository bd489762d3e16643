//! Odd answers to token requests.
//!
//! What `expires_in` says of a token that never ends is not documented, nor is it promised that a token lives as
//! long as was said. Whoever reads such an answer must be ready for anything.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::reply::Reply;

/// How tokens are granted from now on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenForm {
    /// What the answer is.
    pub answer: TokenAnswer,
    /// What it says about the token's life.
    pub expires_in: ExpiresIn,
    /// The token dies after this, whatever was said about its life.
    pub dies_after: Option<Duration>,
}

/// What a token request is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenAnswer {
    /// As documented.
    #[default]
    Usual,
    /// Status 200 and nothing else.
    Empty,
    /// Status 200 and a page of HTML.
    Page,
    /// Status 200 without `access_token`.
    WithoutToken,
}

/// What `expires_in` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ExpiresIn {
    /// The life, in the unit of the settings.
    #[default]
    Life,
    /// The life in milliseconds.
    Milliseconds,
    /// It is not there.
    Missing,
    /// Whatever this is: zero, less, a fraction, text, a number beyond any integer.
    As(Value),
}

impl TokenForm {
    /// The answer with a token in it. `life` is what was settled on, `written` the same in the unit of the settings.
    pub(super) fn dress(&self, token: &str, life: Duration, written: u64) -> Map<String, Value> {
        let mut fields = Map::from_iter([("access_token".into(), json!(token))]);
        if self.answer == TokenAnswer::WithoutToken {
            fields.clear();
        }
        let expires_in = match &self.expires_in {
            ExpiresIn::Life => json!(written),
            ExpiresIn::Milliseconds => json!(life.as_millis() as u64),
            ExpiresIn::Missing => return fields,
            ExpiresIn::As(value) => value.clone(),
        };
        fields.insert("expires_in".into(), expires_in);
        fields
    }

    /// The success of the token endpoint with these fields.
    pub(super) fn reply(&self, fields: Map<String, Value>) -> Reply {
        let file = |content_type: &str, bytes: &'static str| Reply::File {
            content_type: content_type.to_owned(),
            bytes: Bytes::from_static(bytes.as_bytes()),
        };
        match self.answer {
            TokenAnswer::Usual | TokenAnswer::WithoutToken => Reply::naked(fields),
            TokenAnswer::Empty => file("application/json", ""),
            TokenAnswer::Page => file("text/html", "<html><body>Please log in</body></html>"),
        }
    }
}
