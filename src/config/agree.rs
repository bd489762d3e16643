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
use super::secret::open_to_all;
use super::value::Text;
use super::{Caller, Config, Listen, Pattern};
use crate::units::Address;

/// Asks every question; the answers are mistakes and warnings in the context.
pub(super) fn agree(config: &Config, context: &mut Context<'_>) {
    doors(config, context);
    reports(config, context);
    origin(config, context);
    orders(config, context);
    endpoints(config, context);
    pools(config, context);
    callers(&config.callers, context);
    operators(config, context);
}

/// Who can reach us.
fn doors(config: &Config, context: &mut Context<'_>) {
    let (listen, admin) = (&config.listen, config.admin.address);
    let open = listen.address.0.iter().find(|address| !address.is_local());
    if let Some(open) = open.filter(|_| config.callers.is_empty()) {
        let what = format!("no callers are configured, and {open} is not loopback: anybody could call");
        context.contradiction(
            &["listen.address", "callers"],
            what,
            "at least one [[callers]], or a loopback address",
        );
    }
    let sockets: Vec<SocketAddr> = listen.address.0.iter().filter_map(Address::socket).collect();
    if let Some(same) = sockets.iter().find(|address| collide(**address, admin)) {
        let what = format!("admin.address {admin} collides with listen.address {same}");
        context.contradiction(&["admin.address", "listen.address"], what, "two different ports");
    }
    for (at, address) in listen.address.0.iter().enumerate() {
        let before = &listen.address.0[..at];
        let taken = before.iter().find(|other| match (address.socket(), other.socket()) {
            (Some(one), Some(other)) => collide(one, other),
            _ => address == *other,
        });
        if let Some(taken) = taken {
            let what = format!("listen.address {address} collides with {taken}");
            context.contradiction(&["listen.address"], what, "each place once");
        }
    }
    tls(listen, context);
    if !admin.ip().to_canonical().is_loopback() {
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

/// Whether who is to speak TLS has what it takes, and who is not has it for nothing.
fn tls(listen: &Listen, context: &mut Context<'_>) {
    let asked = listen.address.0.iter().any(|address| matches!(address, Address::Tls(_)));
    let pair = (&listen.tls_certificate, &listen.tls_key);
    match pair {
        (Some(_), Some(_)) if !asked => {
            let what = "listen.tls_certificate is there, and no address speaks TLS".to_owned();
            let expected = r#"listen.address with "tls:" before it, or no certificate"#;
            context.contradiction(&["listen.tls_certificate", "listen.address"], what, expected);
        }
        (Some(_), Some(_)) => {}
        (None, None) if !asked && listen.tls_client_ca.is_none() => {}
        _ => {
            let what = "TLS needs a certificate and its key".to_owned();
            let settings =
                ["listen.tls_certificate", "listen.tls_key", "listen.tls_client_ca", "listen.address"];
            context.contradiction(&settings, what, "listen.tls_certificate and listen.tls_key");
        }
    }
    if let Some(key) = listen.tls_key.as_deref().filter(|key| open_to_all(key)) {
        let warning = "everybody on this machine may read it; mode 0600 or 0440 is enough";
        context.warnings.push(format!("listen.tls_key: {}: {warning}", key.display()));
    }
}

/// Whether what the vendor reports can be believed, and reaches a door of its own.
fn reports(config: &Config, context: &mut Context<'_>) {
    let Some(address) = config.callbacks.address else {
        return;
    };
    if config.callbacks.secret.is_none() {
        let what = "callbacks.address is set, and no secret that tells the vendor from others".to_owned();
        let expected = "callbacks.secret, as the vendor's console shows it for the rule";
        context.contradiction(&["callbacks.address", "callbacks.secret"], what, expected);
    }
    let callers = config.listen.address.0.iter().filter_map(Address::socket);
    let callers = callers.map(|other| ("listen.address", other));
    for (name, other) in callers.chain([("admin.address", config.admin.address)]) {
        if collide(address, other) {
            let what = format!("callbacks.address {address} collides with {name} {other}");
            context.contradiction(&["callbacks.address", name], what, "two different ports");
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
        for (number, pattern) in caller.allow.iter().enumerate() {
            let name = format!("callers[{index}].allow[{number}]");
            matches_some(&name, pattern, context);
            grants_some(&name, pattern, context);
        }
        for pattern in caller.quotas.keys() {
            matches_some(&format!("callers[{index}].quotas.{:?}", pattern.as_str()), pattern, context);
        }
        if caller.allow.is_empty() {
            let warning = "has no `allow`: all it may do is to ask for its token";
            context.warnings.push(format!("callers[{index}]: {:?} {warning}", caller.name));
        }
    }
}

/// Whether operators have keys of their own.
fn operators(config: &Config, context: &mut Context<'_>) {
    let keys = &config.admin.keys;
    for (number, key) in keys.iter().enumerate() {
        if let Some(caller) = config.callers.iter().find(|caller| caller.keys.contains(key)) {
            let what = format!("admin.keys[{number}]: {:?} has the same key", caller.name);
            context.contradiction(&["admin.keys"], what, "keys that are nobody else's");
        }
        if keys[..number].contains(key) {
            let what = format!("admin.keys[{number}] is there already");
            context.contradiction(&["admin.keys"], what, "each key once");
        }
    }
}

/// A pattern that matches nothing is a slip of the pen, and would be found only as a refusal.
fn matches_some(name: &str, pattern: &Pattern, context: &mut Context<'_>) {
    let all = pattern.as_str() == "*";
    if !all && !context.known.endpoints.iter().any(|endpoint| pattern.matches(endpoint)) {
        let what = format!("{name}: {:?} matches no endpoint", pattern.as_str());
        let expected = known(pattern.as_str(), &context.known.endpoints);
        context.contradiction(&[name], what, &expected);
    }
}

/// No pattern reaches what must be named in full; one that matches nothing else gives nothing.
fn grants_some(name: &str, pattern: &Pattern, context: &mut Context<'_>) {
    let known = context.known;
    let mut meant = known.endpoints.iter().filter(|endpoint| pattern.matches(endpoint)).peekable();
    let is_pattern = pattern.as_str().contains('*');
    if is_pattern && meant.peek().is_some() && meant.clone().all(|endpoint| known.by_name.contains(endpoint))
    {
        let what =
            format!("{name}: {:?} allows nothing: no pattern reaches what it matches", pattern.as_str());
        let names: Vec<String> = meant.map(|endpoint| format!("{endpoint:?}")).collect();
        context.contradiction(&[name], what, &format!("the names in full: {}", names.join(", ")));
    }
}

fn known(name: &str, endpoints: &[&str]) -> String {
    nearest(name, endpoints.iter().copied()).map_or_else(
        || "a name that the command `endpoints` lists".to_owned(),
        |hint| format!("a name that the command `endpoints` lists; did you mean {hint:?}?"),
    )
}
