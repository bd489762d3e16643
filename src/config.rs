//! The configuration file, as types: what an operator may say, and nothing about how it is done.
//!
//! `load` makes a `Config` or tells every mistake. No part of the gateway reads it: the assembly
//! copies each value to where it is used.
//!
//! How a setting is declared: a field of its section's struct, its default in `Section::start`, and
//! one line in `Section::settings` with its key and the values it allows. Reading, overriding from
//! the environment, finding unknown keys and printing all walk that one list; the compiler sees to
//! it that no field is left out.
//!
//! What may surprise: `start` holds blanks where a setting is required. They never get out.

mod agree;
mod cache;
mod callbacks;
mod caller;
mod change;
mod context;
mod doors;
mod environment;
mod files;
mod kinds;
mod limits;
mod listen;
mod load;
mod log;
mod mistake;
mod nearest;
mod origin;
mod print;
mod read;
mod secret;
mod token;
mod value;
mod vendor;

use std::collections::BTreeMap;

pub use cache::Cache;
pub use callbacks::Callbacks;
pub use caller::{Caller, KeyDigest, Pattern};
pub use doors::{Addresses, Mode, Owner};
pub use files::Files;
pub use kinds::Folder;
pub use limits::{EndpointOverride, Limits, PoolOverride};
pub use listen::{Admin, Listen};
pub use load::{Known, Loaded, load, parse};
pub use log::{Log, LogFormat};
pub use mistake::Mistakes;
pub use origin::Origin;
pub use secret::{Secret, SecretSource};
pub use token::Token;
pub use vendor::{ExpiresInUnit, Unlisted, Vendor};

use value::{Rule, Value};

/// All settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The vendor's app, and the way there.
    pub vendor: Vendor,
    /// Where our services call.
    pub listen: Listen,
    /// Where operators look.
    pub admin: Admin,
    /// How the app token is kept good.
    pub token: Token,
    /// What may be remembered, and for how long.
    pub cache: Cache,
    /// How the vendor's limits are spent.
    pub limits: Limits,
    /// Numbers of single endpoints, by name.
    pub endpoints: BTreeMap<String, EndpointOverride>,
    /// Numbers of single pools, by name.
    pub pools: BTreeMap<String, PoolOverride>,
    /// Who may call; empty = anybody who reaches a loopback address.
    pub callers: Vec<Caller>,
    /// What is written about it all.
    pub log: Log,
    /// Where the vendor reports changes.
    pub callbacks: Callbacks,
}

impl Config {
    /// The configuration in force as valid TOML, with secrets hidden.
    #[must_use]
    pub fn print(&self) -> String {
        let mut printer = print::Printer::default();
        self.clone().sections(&mut printer);
        printer.text
    }

    fn start() -> Self {
        Self {
            vendor: Vendor::start(),
            listen: Listen::start(),
            admin: Admin::start(),
            token: Token::start(),
            cache: Cache::start(),
            limits: Limits::start(),
            endpoints: BTreeMap::new(),
            pools: BTreeMap::new(),
            callers: Vec::new(),
            log: Log::start(),
            callbacks: Callbacks::start(),
        }
    }

    fn sections(&mut self, each: &mut impl Sections) {
        let Self { vendor, listen, admin, token, cache, limits, endpoints, pools, callers, log, callbacks } =
            self;
        each.one("vendor", vendor);
        each.one("listen", listen);
        each.one("admin", admin);
        each.one("token", token);
        each.one("cache", cache);
        each.one("limits", limits);
        each.one("log", log);
        each.one("callbacks", callbacks);
        each.named("endpoints", endpoints);
        each.named("pools", pools);
        each.list("callers", callers);
    }
}

/// One section of the file.
trait Section {
    /// As it stands before anything has been read: defaults, and blanks where there is none.
    fn start() -> Self;
    /// Shows every setting, in the order of the file.
    fn settings(&mut self, each: &mut impl Settings);
}

/// Who wants to see every section: the reader and the printer.
trait Sections {
    /// `[name]`
    fn one<S: Section>(&mut self, name: &'static str, section: &mut S);
    /// `[name."…"]`, any number of them
    fn named<S: Section>(&mut self, name: &'static str, sections: &mut BTreeMap<String, S>);
    /// `[[name]]`, any number of them
    fn list<S: Section>(&mut self, name: &'static str, sections: &mut Vec<S>);
}

/// Who wants to see every setting of a section.
trait Settings {
    /// A setting that may be left out.
    fn setting<T: Value + 'static>(&mut self, key: &'static str, value: &mut T, rule: Rule<T>);
    /// A setting that must be given.
    fn required<T: Value + 'static>(&mut self, key: &'static str, value: &mut T, rule: Rule<T>);
}
