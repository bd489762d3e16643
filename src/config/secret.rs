//! A secret by file, by environment variable or literally; never printed.
//!
//! Whoever needs the value takes the `SecretString` out of it. A secret is read once, when it is
//! loaded; `reread` reads its file again, for whoever looks whether that has changed.
//!
//! What may surprise: line ends at the end of a file are dropped, since editors and `echo` leave
//! one; and a file that everybody may read is used, with a warning, since that is how Kubernetes
//! mounts secrets unless told otherwise.

use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use toml::de::DeValue;

use super::context::Context;
use super::mistake::{Place, Show};
use super::value::{Given, Raw, Value, quote};

/// A secret, and where it came from.
#[derive(Clone)]
pub struct Secret {
    value: SecretString,
    source: SecretSource,
}

/// Where a secret came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// `{ file = "…" }`; a relative path begins at the folder of the configuration file.
    File(PathBuf),
    /// `{ env = "NAME" }`, or the variable that overrides the setting.
    Variable(String),
    /// It stands in the configuration file itself.
    Literal,
}

const EXPECTED: &str = r#"{ file = "…" }, { env = "NAME" } or a string"#;

// === impl Secret ===

impl Secret {
    /// The secret itself; never empty.
    #[must_use]
    pub fn value(&self) -> &SecretString {
        &self.value
    }

    /// Where it came from.
    #[must_use]
    pub fn source(&self) -> &SecretSource {
        &self.source
    }

    /// Its file, if it came from one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        if let SecretSource::File(path) = &self.source { Some(path) } else { None }
    }

    /// What its file holds now; the secret itself when it came from elsewhere.
    ///
    /// # Errors
    /// When the file cannot be read, or what is in it can be no secret.
    pub fn reread(&self) -> io::Result<SecretString> {
        let Some(path) = self.file() else { return Ok(self.value.clone()) };
        let secret = read_file(path)?;
        match unfit(secret.expose_secret()) {
            Some(why) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} {why}", path.display()))),
            None => Ok(secret),
        }
    }

    /// What stands in its place until it has been read.
    pub(super) fn blank() -> Self {
        Self { value: SecretString::default(), source: SecretSource::Literal }
    }
}

impl PartialEq for Secret {
    /// For telling whether a reload changed it. Takes no care of timing: both sides are ours.
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.value.expose_secret() == other.value.expose_secret()
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "file {}", path.display()),
            Self::Variable(name) => write!(out, "environment variable {name}"),
            Self::Literal => out.write_str("the configuration file"),
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<hidden: from {}>", self.source)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Value for Secret {
    fn read(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Self> {
        let secret = match (&raw.given, &raw.place) {
            (Given::Variable(text), Place::Variable(name)) => {
                Self { value: SecretString::from(*text), source: SecretSource::Variable(name.clone()) }
            }
            (Given::Toml(DeValue::String(text)), _) => {
                if context.open_to_all {
                    let warning = "holds it literally, in a file that everybody on this machine may read";
                    context.warnings.push(format!("{} {warning}", raw.name));
                }
                Self { value: SecretString::from(text.as_ref()), source: SecretSource::Literal }
            }
            _ => referred(raw, context)?,
        };
        let text = secret.value.expose_secret();
        if let Some(why) = unfit(text) {
            return refuse(raw, context, &format!("the secret from {} {why}", secret.source), "a secret");
        }
        if text.starts_with("<hidden: ") {
            return refuse(raw, context, "this only stands where a secret was hidden", EXPECTED);
        }
        Some(secret)
    }

    fn print(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

/// Why this cannot be the secret that was meant. It is not tried at the vendor, who bans those who try wrong ones.
fn unfit(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("is empty")
    } else if text.chars().any(char::is_control) {
        Some("has a control character or a line end in it")
    } else if text.trim() != text {
        Some("begins or ends with a blank")
    } else {
        None
    }
}

/// A secret that stands elsewhere: a table with `file` or `env`, and nothing more.
fn referred(raw: &Raw<'_>, context: &mut Context<'_>) -> Option<Secret> {
    let pair = match &raw.given {
        Given::Toml(DeValue::Table(table)) if table.len() == 1 => table.iter().next(),
        _ => None,
    };
    let found = pair.and_then(|(key, value)| Some((key.get_ref().as_ref(), value.get_ref().as_str()?)));
    match found {
        Some(("file", path)) => from_file(raw, context, path),
        Some(("env", name)) => {
            let Some(value) = context.environment.get(name) else {
                let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
                // What is no usual name may be the secret itself.
                let name = if is_name { name } else { "that is named here" };
                let what = format!("the environment variable {name} is not set");
                return refuse(raw, context, &what, "a variable that is set");
            };
            let source = SecretSource::Variable(name.to_owned());
            Some(Secret { value: value.into(), source })
        }
        _ => refuse(raw, context, "this is none of what a secret may be", EXPECTED),
    }
}

fn from_file(raw: &Raw<'_>, context: &mut Context<'_>, text: &str) -> Option<Secret> {
    let path = context.folder.join(text);
    let value = match read_file(&path) {
        Ok(value) => value,
        Err(error) => {
            // What is in no folder may be the secret itself.
            let in_folder = text.contains('/') && path.parent().is_some_and(Path::is_dir);
            let shown = match text.starts_with('/') || in_folder {
                true => path.display().to_string(),
                false => "the file that is named here".to_owned(),
            };
            return refuse(raw, context, &format!("{shown}: {error}"), "a file that can be read");
        }
    };
    if open_to_all(&path) {
        let warning = "everybody on this machine may read it; mode 0600 or 0440 is enough";
        context.warnings.push(format!("{}: {}: {warning}", raw.name, path.display()));
    }
    Some(Secret { value, source: SecretSource::File(path) })
}

fn read_file(path: &Path) -> io::Result<SecretString> {
    let text = crate::file::read_text(path)?;
    Ok(SecretString::from(text.trim_end_matches(['\n', '\r'])))
}

/// A mistake of which nothing is shown but what is said here.
fn refuse<T>(raw: &Raw<'_>, context: &mut Context<'_>, what: &str, expected: &str) -> Option<T> {
    context.mistake(raw, what.to_owned(), expected, Show::UpToPlace);
    None
}

/// Whether everybody on the machine may read a file.
pub(super) fn open_to_all(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o004 != 0)
}
