//! The types of `[listen]`'s doors: addresses, and the mode and the owner of a socket in the file system.
//!
//! Opening them is left to the server.

use std::fmt;
use std::str::FromStr;

use toml::de::DeValue;

use super::context::Context;
use super::value::{Given, Raw, Text, Value, Wrong, quote};
use crate::units::{ADDRESS, Address, Unreadable};

/// One address, or several: `"…"` or `["…", "…"]`; in a variable with commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(pub Vec<Address>);

/// Who may open a socket in the file system: `"0660"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u32);

/// To whom such a socket belongs: `"user:group"`, `"user"` or `":group"`, by name or number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `None`: whoever runs the gateway.
    pub user: Option<String>,
    /// `None`: the gateway's own.
    pub group: Option<String>,
}

// === impl Addresses ===

impl FromStr for Addresses {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        text.split(',').map(|one| one.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl Value for Addresses {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let addresses = match &raw.given {
            Given::Toml(DeValue::Array(_)) => Self(Vec::<Address>::read(raw, context)?),
            Given::Variable(text) if text.contains(',') => {
                let read = text.parse().map_err(|error: Unreadable| Wrong::from(error));
                read.map_err(|wrong| context.mistake(raw, wrong.what, ADDRESS, wrong.show)).ok()?
            }
            _ => Self(vec![Address::read(raw, context)?]),
        };
        if addresses.0.is_empty() {
            return context.unfit(raw, "there is no address in it".to_owned(), ADDRESS);
        }
        // Wherever the gateway was started, a path means the same.
        let rooted = addresses.0.into_iter().map(|address| match address {
            Address::Unix(path) => Address::Unix(context.folder.join(path)),
            other => other,
        });
        Some(Self(rooted.collect()))
    }

    fn print(&self) -> Option<String> {
        match &self.0[..] {
            [one] => Some(quote(&one.to_string())),
            many => {
                Some(format!("[{}]", many.iter().filter_map(Value::print).collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

impl Text for Address {
    const EXPECTED: &'static str = ADDRESS;

    fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(text.parse()?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

// === impl Mode, Owner ===

impl Text for Mode {
    const EXPECTED: &'static str = r#"an octal mode, as in "0660""#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777 && text.len() >= 3);
        mode.map(Self).ok_or_else(|| Wrong::not(text, "a mode"))
    }

    fn show(&self) -> String {
        format!("{:04o}", self.0)
    }
}

impl Text for Owner {
    const EXPECTED: &'static str = r#"a user, a group or both, as in "gateway:services" or ":33""#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        let owner = Self { user: named(user), group: named(group) };
        let odd = group.contains(':') || text.contains(char::is_whitespace);
        if odd || (owner.user.is_none() && owner.group.is_none()) {
            return Err(Wrong::not(text, "an owner"));
        }
        Ok(owner)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.user.as_deref().unwrap_or_default())?;
        self.group.iter().try_for_each(|group| write!(out, ":{group}"))
    }
}
