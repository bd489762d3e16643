//! `[vendor]`: which app at the vendor, and the way there.
//!
//! What the vendor does not document, or documents in two ways, is a setting here.

use std::path::PathBuf;
use std::time::Duration;

use super::origin::Origin;
use super::secret::Secret;
use super::value::{Rule, Text, Wrong, choose, chosen};
use super::{Section, Settings};

/// The vendor's app, and the way there.
#[derive(Clone, Debug, PartialEq)]
pub struct Vendor {
    /// The REST host of the app's data centre, as the console shows it. Required.
    pub origin: Origin,
    /// The first half of the app key. Letters, digits, `.`, `_`, `-`. Required.
    pub org: String,
    /// The second half of the app key. Letters, digits, `.`, `_`, `-`. Required.
    pub app: String,
    /// The app's client id, as the console shows it. Required.
    pub client_id: String,
    /// The app's client secret: whoever has it can do anything with the app. Required.
    pub client_secret: Secret,
    /// PEM file of further roots to trust, for a proxy that opens TLS. Default: none.
    pub ca_file: Option<PathBuf>,
    /// Plain `http` to another machine sends secret and token in the clear. Default: false.
    pub allow_plain_http: bool,
    /// For TCP and TLS together. 10 ms to 1 min, default 3 s.
    pub connect_timeout: Duration,
    /// From the sent request to the answer's head. 10 ms to 10 min, default 10 s.
    pub first_byte_timeout: Duration,
    /// From the start to the answer's last byte. 10 ms to 1 h, default 60 s.
    pub total_timeout: Duration,
    /// Connections to the vendor, for each worker. 1 to 65,536, default 256.
    pub connections_max: usize,
    /// An idle connection is closed after this, before the vendor does it. 1 s to 1 h, default 20 s.
    pub idle_timeout: Duration,
    /// In what the token endpoint counts `expires_in`. Default: seconds.
    pub expires_in_unit: ExpiresInUnit,
    /// Whether a group asked for alone has the form that it has in a batch; the vendor has been seen to leave
    /// `owner` out of batches. Default: false.
    pub group_forms_equal: bool,
    /// What happens to paths that the catalogue does not know. Default: relayed.
    pub unlisted: Unlisted,
}

/// In what the token endpoint counts `expires_in`; deployments differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiresInUnit {
    /// `"s"`
    Seconds,
    /// `"ms"`
    Milliseconds,
}

/// What happens to paths that the catalogue does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// They go to the vendor with the token, uncached, on the default pool.
    Relay,
    /// They are refused.
    Refuse,
}

// === impl Vendor ===

impl Section for Vendor {
    fn start() -> Self {
        Self {
            origin: Origin::blank(),
            org: String::new(),
            app: String::new(),
            client_id: String::new(),
            client_secret: Secret::blank(),
            ca_file: None,
            allow_plain_http: false,
            connect_timeout: Duration::from_secs(3),
            first_byte_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(60),
            connections_max: 256,
            idle_timeout: Duration::from_secs(20),
            expires_in_unit: ExpiresInUnit::Seconds,
            group_forms_equal: false,
            unlisted: Unlisted::Relay,
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self {
            origin,
            org,
            app,
            client_id,
            client_secret,
            ca_file,
            allow_plain_http,
            connect_timeout,
            first_byte_timeout,
            total_timeout,
            connections_max,
            idle_timeout,
            expires_in_unit,
            group_forms_equal,
            unlisted,
        } = self;
        let (short, second) = (Duration::from_millis(10), Duration::from_secs(1));
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
        each.required("origin", origin, Rule::any());
        each.required("org", org, Rule::is(NAME, |name: &String| is_name(name)));
        each.required("app", app, Rule::is(NAME, |name: &String| is_name(name)));
        each.required("client_id", client_id, Rule::is(VISIBLE, |id: &String| is_visible(id)));
        each.required("client_secret", client_secret, Rule::any());
        each.setting("ca_file", ca_file, Rule::any());
        each.setting("allow_plain_http", allow_plain_http, Rule::any());
        each.setting("connect_timeout", connect_timeout, Rule::within(short, minute));
        each.setting("first_byte_timeout", first_byte_timeout, Rule::within(short, minute * 10));
        each.setting("total_timeout", total_timeout, Rule::within(short, hour));
        each.setting("connections_max", connections_max, Rule::within(1, 65_536));
        each.setting("idle_timeout", idle_timeout, Rule::within(second, hour));
        each.setting("expires_in_unit", expires_in_unit, Rule::any());
        each.setting("group_forms_equal", group_forms_equal, Rule::any());
        each.setting("unlisted", unlisted, Rule::any());
    }
}

const NAME: &str = "letters, digits, '.', '_' and '-', and not only dots";
const VISIBLE: &str = "visible ASCII characters, at least one";

/// Half of an app key. It becomes a part of every path, so dots alone would lead elsewhere.
fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    name.bytes().all(allowed) && !name.bytes().all(|b| b == b'.')
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

// === impl ExpiresInUnit, Unlisted ===

const UNITS: &[(&str, ExpiresInUnit)] = &[("s", ExpiresInUnit::Seconds), ("ms", ExpiresInUnit::Milliseconds)];
const POLICIES: &[(&str, Unlisted)] = &[("relay", Unlisted::Relay), ("refuse", Unlisted::Refuse)];

impl Text for ExpiresInUnit {
    const EXPECTED: &'static str = r#""s" or "ms""#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        choose(text, UNITS)
    }

    fn show(&self) -> String {
        chosen(self, UNITS)
    }
}

impl Text for Unlisted {
    const EXPECTED: &'static str = r#""relay" or "refuse""#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        choose(text, POLICIES)
    }

    fn show(&self) -> String {
        chosen(self, POLICIES)
    }
}
