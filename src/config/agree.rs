//! Whether the settings agree with each other and with the catalogue's names.
//!
//! Single values have been judged before. A contradiction is shown at the first of its settings
//! that was given, and not at all if one of them could not be read.
//!
//! What may surprise: addresses with port 0 never collide, since each gets a free port of its own.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::context::Context;
use super::nearest::nearest;
use super::value::Text;
use super::{Caller, Config};

/// Asks every question; the answers are mistakes and warnings in the context.
pub(super) fn agree(config: &Config, context: &mut Context<'_>) {
    doors(config, context);
    origin(config, context);
    orders(config, context);
    endpoints(config, context);
    pools(config, context);
    callers(&config.callers, context);
}

/// Who can reach us.
fn doors(config: &Config, context: &mut Context<'_>) {
    let (listen, admin) = (config.listen.address, config.admin.address);
    if config.callers.is_empty() && !listen.ip().is_loopback() {
        let what = format!("no callers are configured, and {listen} is not loopback: anybody could call");
        context.contradiction(
            &["listen.address", "callers"],
            what,
            "at least one [[callers]], or a loopback address",
        );
    }
    if collide(listen, admin) {
        let what = format!("admin.address {admin} collides with listen.address {listen}");
        context.contradiction(&["admin.address", "listen.address"], what, "two different ports");
    }
    if !admin.ip().is_loopback() {
        if config.admin.open {
            let warning =
                format!("admin.address: {admin} is not loopback: whoever reaches it sees everything");
            context.warnings.push(warning);
        } else {
            let what = format!("admin.address {admin} is not loopback");
            let expected = "a loopback address, or admin.open = true";
            context.contradiction(&["admin.address", "admin.open"], what, expected);
        }
    }
}

fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let same_host = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && same_host
}

/// Whether the secret would travel in the clear.
fn origin(config: &Config, context: &mut Context<'_>) {
    let vendor = &config.vendor;
    if vendor.origin.https || vendor.origin.is_loopback() {
        return;
    }
    if vendor.allow_plain_http {
        let warning = "secret and token travel in the clear";
        context.warnings.push(format!("vendor.origin: {}: {warning}", vendor.origin));
    } else {
        let what =
            "vendor.origin is plain http to another machine: secret and token would travel in the clear";
        let expected = "https, or vendor.allow_plain_http = true";
        context.contradiction(&["vendor.origin", "vendor.allow_plain_http"], what.to_owned(), expected);
    }
}

/// Pairs of which the first must not be the larger.
fn orders(config: &Config, context: &mut Context<'_>) {
    let Config { vendor, token, cache, limits, .. } = config;
    let total = ("vendor.total_timeout", vendor.total_timeout);
    in_order(("vendor.connect_timeout", vendor.connect_timeout), total, context);
    in_order(("vendor.first_byte_timeout", vendor.first_byte_timeout), total, context);
    let longest = ("token.retry_max", token.retry_max);
    in_order(("token.retry_min", token.retry_min), longest, context);
    let longest = ("token.refused_retry_max", token.refused_retry_max);
    in_order(("token.refused_retry_min", token.refused_retry_min), longest, context);
    let all = ("cache.bytes_max", cache.bytes_max);
    in_order(("cache.entry_bytes_max", cache.entry_bytes_max), all, context);
    let longest = ("cache.stale", cache.stale);
    in_order(("cache.stale_refresh", cache.stale_refresh), longest, context);
    // While a late answer is listened for, nobody can vouch for what the write was about.
    let longest = ("cache.doubt", cache.doubt);
    in_order(("cache.write_listen", cache.write_listen), longest, context);
    let longest = ("limits.pause_max", limits.pause_max);
    in_order(("limits.pause_default", limits.pause_default), longest, context);
}

fn in_order<T: PartialOrd + Text>(small: (&str, T), large: (&str, T), context: &mut Context<'_>) {
    if small.1 > large.1 {
        let what = format!("{} is {}, {} only {}", small.0, small.1.show(), large.0, large.1.show());
        context.contradiction(&[small.0, large.0], what, &format!("{} up to {}", small.0, large.0));
    }
}

/// Whether the catalogue knows the endpoints that are named.
fn endpoints(config: &Config, context: &mut Context<'_>) {
    for name in config.endpoints.keys() {
        if !context.known.endpoints.contains(&name.as_str()) {
            let expected = known(name, &context.known.endpoints);
            let what = format!("there is no endpoint {name:?}");
            context.contradiction(&[&format!("endpoints.{name:?}")], what, &expected);
        }
    }
}

/// Whether there are such pools, and each is set in one place.
fn pools(config: &Config, context: &mut Context<'_>) {
    for (name, pool) in &config.pools {
        if !context.known.pools.contains(&name.as_str()) {
            let expected = known(name, &context.known.pools);
            let what = format!("there is no pool {name:?}");
            context.contradiction(&[&format!("pools.{name:?}")], what, &expected);
        } else if pool.per_call.is_some() && !context.known.weighed.contains(&name.as_str()) {
            let setting = format!("pools.{name:?}.per_call");
            let what = format!("{setting}: here calls are counted, and not what they name");
            context.contradiction(&[&setting], what, "a pool that counts recipients");
        }
    }
    for (name, _) in config.endpoints.iter().filter(|(_, own)| own.rate.is_some()) {
        let (setting, pool) = (format!("endpoints.{name:?}.rate"), format!("pools.{name:?}.rate"));
        let is_endpoint = context.known.endpoints.contains(&name.as_str());
        if is_endpoint && !context.known.pools.contains(&name.as_str()) {
            let what = format!("{setting}: {name} has no limit of its own");
            let expected = "[pools.\"…\"] with a name from the column `pools` of the command `endpoints`";
            context.contradiction(&[&setting], what, expected);
        } else if config.pools.get(name).is_some_and(|pool| pool.rate.is_some()) {
            let what = format!("{setting} and {pool} are the same limit");
            context.contradiction(&[&setting, &pool], what, "one of them");
        }
    }
}

/// Whether callers can be told apart, and may do something.
fn callers(callers: &[Caller], context: &mut Context<'_>) {
    let mut names = HashMap::new();
    let mut keys = HashMap::new();
    for (index, caller) in callers.iter().enumerate() {
        let name = format!("callers[{index}].name");
        // A name that could not be read is empty.
        if !caller.name.is_empty()
            && let Some(first) = names.insert(&caller.name, index)
        {
            let what = format!("{name}: callers[{first}] is called {:?}, too", caller.name);
            context.contradiction(&[&name], what, "a name of its own for each caller");
        }
        for (number, key) in caller.keys.iter().enumerate() {
            if let Some(first) = keys.insert(key, index) {
                let name = format!("callers[{index}].keys[{number}]");
                let what = format!("{name}: callers[{first}] has the same key");
                context.contradiction(&[&name], what, "keys that are nobody else's");
            }
        }
        allowed(index, caller, context);
    }
}

/// A pattern that matches nothing is a slip of the pen, and would be found only as a refusal.
fn allowed(index: usize, caller: &Caller, context: &mut Context<'_>) {
    for (number, pattern) in caller.allow.iter().enumerate() {
        let all = pattern.as_str() == "*";
        if !all && !context.known.endpoints.iter().any(|name| pattern.matches(name)) {
            let name = format!("callers[{index}].allow[{number}]");
            let what = format!("{name}: {:?} matches no endpoint", pattern.as_str());
            let expected = known(pattern.as_str(), &context.known.endpoints);
            context.contradiction(&[&name], what, &expected);
        }
    }
}

fn known(name: &str, endpoints: &[&str]) -> String {
    nearest(name, endpoints.iter().copied()).map_or_else(
        || "a name that the command `endpoints` lists".to_owned(),
        |hint| format!("a name that the command `endpoints` lists; did you mean {hint:?}?"),
    )
}
