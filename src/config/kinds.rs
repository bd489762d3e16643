//! The types that settings of several sections have: numbers, quantities, addresses, files, lists.
//!
//! Types of a single section stand beside it. Which numbers are allowed is the section's to say.
//!
//! What may surprise: a relative path begins at the folder of the configuration file, wherever
//! the gateway was started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use super::context::Context;
use super::mistake::Show;
use super::value::{Given, Raw, Text, Value, Wrong, quote};
use crate::units::{self, ByteSize, Rate};

// === what is not written as a string ===

impl Value for bool {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let read = match &raw.given {
            Given::Toml(value) => value.as_bool(),
            Given::Variable(text) => text.parse().ok(),
        };
        read.or_else(|| context.wrong_type(raw, "true or false"))
    }

    fn print(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for usize {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        whole(raw, context)
    }

    fn print(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for u32 {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        whole(raw, context)
    }

    fn print(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for f64 {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let read = match &raw.given {
            Given::Toml(DeValue::Float(float)) => float.as_str().parse().ok(),
            Given::Toml(DeValue::Integer(integer)) => integer.to_string().parse().ok(),
            Given::Toml(_) => None,
            Given::Variable(text) => text.parse().ok(),
        };
        read.or_else(|| context.wrong_type(raw, "a number, as in 0.03"))
    }

    fn print(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

impl<T: Value> Value for Option<T> {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        T::read(raw, context).map(Some)
    }

    fn print(&self) -> Option<String> {
        self.as_ref().and_then(T::print)
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let array = match &raw.given {
            Given::Toml(DeValue::Array(array)) => array,
            // With commas; none of what is listed anywhere has any.
            Given::Variable(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let read_one = |part| {
                    let (name, place) = (raw.name.clone(), raw.place.clone());
                    T::read(&Raw { name, place, given: Given::Variable(part) }, context)
                };
                let read: Vec<Option<T>> = parts.map(read_one).collect();
                return read.into_iter().collect();
            }
            Given::Toml(_) => return context.wrong_type(raw, r#"a list, as in ["…"]"#),
        };
        let read_one = |(index, value): (usize, &toml::Spanned<DeValue<'_>>)| {
            let name = format!("{}[{index}]", raw.name);
            context.found(&name, &value.span().into());
            let raw = Raw { name, place: value.span().into(), given: Given::Toml(value.get_ref()) };
            T::read(&raw, context)
        };
        // All are read before any is judged, so that each gets its own mistake.
        let read: Vec<Option<T>> = array.iter().enumerate().map(read_one).collect();
        read.into_iter().collect()
    }

    fn print(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(T::print).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

fn whole<T: std::str::FromStr>(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<T> {
    let read = match &raw.given {
        Given::Toml(DeValue::Integer(integer)) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number.to_string())
        }
        Given::Toml(_) => None,
        Given::Variable(text) => Some((*text).to_owned()),
    };
    read.and_then(|digits| digits.parse().ok())
        .or_else(|| context.wrong_type(raw, "a whole number, as in 100"))
}

// === what is written as a string ===

impl Text for String {
    const EXPECTED: &'static str = "a string";

    fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Text for Duration {
    const EXPECTED: &'static str = units::DURATION;

    fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(units::parse_duration(text)?)
    }

    fn show(&self) -> String {
        units::print_duration(*self)
    }
}

impl Text for ByteSize {
    const EXPECTED: &'static str = units::BYTE_SIZE;

    fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(text.parse()?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Text for Rate {
    const EXPECTED: &'static str = units::RATE;

    fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(text.parse()?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Text for SocketAddr {
    const EXPECTED: &'static str = r#"an address and a port, as in "127.0.0.1:8080" or "[::1]:8080""#;

    fn parse(text: &str) -> Result<Self, Wrong> {
        text.parse().map_err(|_| Wrong::not(text, "an address with a port"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A file that is there, its path joined to the folder of the configuration file.
impl Value for PathBuf {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = String::read(raw, context)?;
        if text.contains('\n') {
            // Most likely what should be in the file: a private key.
            let what = "this is not the path of a file".to_owned();
            context.mistake(raw, what, "a file", Show::UpToPlace);
            return None;
        }
        let path = context.folder.join(text);
        match std::fs::metadata(&path) {
            Ok(facts) if facts.is_file() => Some(path),
            Ok(_) => context.unfit(raw, format!("{} is not a file", path.display()), "a file"),
            Err(error) => context.unfit(raw, format!("{}: {error}", path.display()), "a file"),
        }
    }

    fn print(&self) -> Option<String> {
        // Absolute, so that it means the same wherever the print is put.
        let path = std::path::absolute(self).unwrap_or_else(|_| self.clone());
        Some(quote(&path.display().to_string()))
    }
}

/// A folder that is there or can be made, its path joined to the folder of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(pub PathBuf);

impl Value for Folder {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = String::read(raw, context)?;
        if text.trim().is_empty() {
            return context.unfit(raw, "this names no folder".to_owned(), "the path of a folder");
        }
        let path = context.folder.join(text);
        // What it is for must not keep the gateway from starting.
        if std::fs::metadata(&path).is_ok_and(|facts| !facts.is_dir()) {
            context.warnings.push(format!("{}: {} is no folder", raw.name, path.display()));
        }
        Some(Self(path))
    }

    fn print(&self) -> Option<String> {
        self.0.print()
    }
}
