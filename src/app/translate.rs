//! The configuration, translated: each part's own settings from the sections of the file.
//!
//! Only copying and renaming; what a setting may be is decided where it is read, what it does in its part.

use super::StartError;
use crate::cache::{self, Secret};
use crate::caller::{self, Callers};
use crate::catalogue::{Catalogue, Effect, Endpoint, Pool};
use crate::config::{self, Config, Pattern};
use crate::easemob::grant::Unit;
use crate::gateway::hear;
use crate::token::{self, ask::Asker, files::Disk, seal::Owner, seal::derive, state::StateDir};
use crate::units::Rate;
use crate::upstream::{self, Upstream};
use crate::{gateway, limit, server};
use arc_swap::ArcSwap;
use http::{HeaderValue, Uri};
use std::sync::Arc;
use std::time::Duration;

/// 0 is one per core.
pub(super) fn workers(set: usize) -> usize {
    if set > 0 { set } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// What hashes of tags and keys are keyed with: the same for every gateway of one app, and known to nobody else.
pub(super) fn derive_secret(config: &Config) -> Secret {
    let vendor = &config.vendor;
    let about = [vendor.org.as_bytes(), b"#", vendor.app.as_bytes()];
    Secret::new(derive(vendor.client_secret.value(), b"easemob-gateway/tags", &about))
}

/// The folder in which the token outlives the process, if there is to be one.
pub(super) fn state_dir(config: &Config) -> Option<Arc<StateDir>> {
    let (vendor, folder) = (&config.vendor, config.token.state_dir.as_ref()?);
    let owner = Owner {
        origin: vendor.origin.to_string(),
        org: vendor.org.clone(),
        app: vendor.app.clone(),
        client_id: vendor.client_id.clone(),
    };
    Some(Arc::new(StateDir::new(Arc::new(Disk::new(&folder.0)), owner, vendor.client_secret.value())))
}

/// The callers, numbered in the order of the configuration.
pub(super) fn callers(config: &Config, numbers: &[u16], catalogue: &Catalogue) -> Callers {
    let settings: Vec<caller::Settings> = config
        .callers
        .iter()
        .zip(numbers)
        .map(|(caller, number)| caller::Settings {
            number: *number,
            name: caller.name.clone(),
            digests: caller.keys.iter().map(|key| *key.bytes()).collect(),
            allow: caller.allow.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
        })
        .collect();
    let endpoints: Vec<(&str, bool)> =
        catalogue.rows().map(|(_, row)| (row.endpoint.name, row.endpoint.by_name)).collect();
    Callers::new(&settings, &endpoints)
}

/// Who may operate, each key by its place.
pub(super) fn operators(config: &Config) -> Callers {
    let keys = config.admin.keys.iter().zip(0..);
    let operator = |(key, number): (&config::KeyDigest, u16)| caller::Settings {
        number,
        name: String::new(),
        digests: vec![*key.bytes()],
        allow: Vec::new(),
    };
    Callers::new(&keys.map(operator).collect::<Vec<_>>(), &[])
}

/// Each caller's own quotas, at its number. They are called as their settings are.
pub(super) fn quotas(config: &Config, numbers: &[u16], catalogue: &Catalogue) -> Vec<limit::Quotas> {
    let mut quotas: Vec<limit::Quotas> = Vec::new();
    for (caller, number) in config.callers.iter().zip(numbers) {
        let at = usize::from(*number);
        quotas.resize(quotas.len().max(at + 1), limit::Quotas::default());
        let named =
            |(pattern, rate): (&Pattern, &Rate)| (format!("quotas.{}", pattern.as_str()).into(), *rate);
        // Of several patterns for one endpoint the longest counts.
        let narrowest = |endpoint: &str| {
            let fitting = caller.quotas.keys().enumerate().filter(|(_, pattern)| pattern.matches(endpoint));
            fitting.max_by_key(|(_, pattern)| pattern.as_str().len()).map(|(at, _)| at)
        };
        quotas[at] = limit::Quotas {
            all: caller.quota.map(|rate| ("quota".into(), rate)),
            some: caller.quotas.iter().map(named).collect(),
            of_endpoint: catalogue.rows().map(|(_, row)| narrowest(row.endpoint.name)).collect(),
        };
    }
    quotas
}

pub(super) fn asker(
    config: &Config,
    upstream: Upstream,
    path: &gateway::Settings,
) -> Result<Asker, StartError> {
    let vendor = &config.vendor;
    Ok(Asker {
        upstream,
        path: Uri::try_from(format!("{}/token", path.prefix))
            .map_err(|_| StartError::Unsendable("org or app"))?,
        host: path.host.clone(),
        client_id: vendor.client_id.clone(),
        client_secret: ArcSwap::from_pointee(vendor.client_secret.value().clone()),
        unit: match vendor.expires_in_unit {
            config::ExpiresInUnit::Seconds => Unit::Seconds,
            config::ExpiresInUnit::Milliseconds => Unit::Milliseconds,
        },
        timeout: vendor.connect_timeout + vendor.first_byte_timeout,
    })
}

pub(super) fn path_settings(config: &Config, catalogue: &Catalogue) -> Result<gateway::Settings, StartError> {
    let (vendor, listen, cache) = (&config.vendor, &config.listen, &config.cache);
    let fresh = |name: &str| config.endpoints.get(name).and_then(|own| own.fresh);
    // What says who may do what is never stale, whatever is set.
    let stale = |endpoint: &Endpoint| match &endpoint.effect {
        Effect::Read(read) if !read.strict => {
            config.endpoints.get(endpoint.name).and_then(|own| own.stale).unwrap_or(cache.stale)
        }
        _ => Duration::ZERO,
    };
    Ok(gateway::Settings {
        prefix: format!("/{}/{}", vendor.org, vendor.app),
        host: HeaderValue::try_from(vendor.origin.authority())
            .map_err(|_| StartError::Unsendable("origin"))?,
        refuse_unlisted: vendor.unlisted == config::Unlisted::Refuse,
        requests_max: listen.requests_max,
        body_bytes_max: listen.body_bytes_max.bytes(),
        body_timeout: listen.body_timeout,
        replay_bytes_max: bytes(cache.replay_bytes_max.bytes()),
        answer_bytes_max: bytes(cache.entry_bytes_max.bytes()),
        patience: config.limits.patience,
        first_byte_timeout: vendor.first_byte_timeout,
        total_timeout: vendor.total_timeout,
        write_listen: cache.write_listen,
        write_listen_max: cache.write_listen_max,
        absent: cache.absent,
        forms_equal: vendor.group_forms_equal,
        stale: catalogue.rows().map(|(_, row)| stale(row.endpoint)).collect(),
        stale_refresh: cache.stale_refresh,
        fresh: catalogue.rows().map(|(_, row)| fresh(row.endpoint.name)).collect(),
    })
}

pub(super) fn token_settings(config: &Config) -> token::Settings {
    token::Settings {
        patience: config.token.patience,
        renew_after_max: config.token.renew_after_max,
        retry_min: config.token.retry_min,
        retry_max: config.token.retry_max,
        refused_retry_min: config.token.refused_retry_min,
        refused_retry_max: config.token.refused_retry_max,
        grants_per_hour: config.token.grants_per_hour,
    }
}

pub(super) fn cache_settings(config: &Config) -> cache::Settings {
    let (cache, vendor) = (&config.cache, &config.vendor);
    cache::Settings {
        bytes_max: cache.bytes_max.bytes(),
        slots: cache.slots,
        tags_max: cache.tags_max,
        settle: cache.settle,
        doubt: cache.doubt,
        // A safe read may be sent twice.
        fetch_max: 2 * (vendor.connect_timeout + vendor.first_byte_timeout + vendor.total_timeout),
    }
}

/// Each pool with its size: as set for it, or for the endpoint of its name.
pub(super) fn pool_settings(config: &Config, catalogue: &Catalogue) -> Vec<limit::PoolSettings> {
    let settings = |pool: &Pool| {
        let set = config.pools.get(pool.name);
        let of_endpoint = || config.endpoints.get(pool.name).and_then(|own| own.rate);
        limit::PoolSettings {
            name: pool.name.to_owned(),
            rate: set.and_then(|set| set.rate).or_else(of_endpoint).unwrap_or(pool.rate),
            per_call: set.and_then(|set| set.per_call).unwrap_or_else(|| pool.per_call()),
        }
    };
    catalogue.pools().iter().map(settings).collect()
}

pub(super) fn limit_settings(config: &Config) -> limit::Settings {
    let limits = &config.limits;
    limit::Settings {
        window_margin: limits.window_margin,
        waiting_max: limits.waiting_max,
        ready_max: limits.ready_max,
        pause_default: limits.pause_default,
        pause_max: limits.pause_max,
    }
}

pub(super) fn upstream_settings(config: &Config) -> upstream::Settings {
    let vendor = &config.vendor;
    upstream::Settings {
        https: vendor.origin.https,
        host: vendor.origin.host.clone(),
        port: vendor.origin.port,
        ca_file: vendor.ca_file.clone(),
        connect_timeout: vendor.connect_timeout,
        idle_timeout: vendor.idle_timeout,
        connections_max: vendor.connections_max,
    }
}

/// Where certificates are, if there are any.
pub(super) fn tls_settings(config: &Config) -> Option<server::TlsSettings> {
    let listen = &config.listen;
    Some(server::TlsSettings {
        certificate: listen.tls_certificate.clone()?,
        key: listen.tls_key.clone()?,
        client_ca: listen.tls_client_ca.clone(),
        client_required: listen.tls_client_required,
    })
}

pub(super) fn server_settings(config: &Config) -> server::Settings {
    let listen = &config.listen;
    server::Settings {
        connections_max: listen.connections_max,
        head_timeout: listen.head_timeout,
        idle_timeout: listen.idle_timeout,
        head_bytes_max: bytes(listen.head_bytes_max.bytes()),
        streams_max: u32::try_from(listen.streams_max).unwrap_or(u32::MAX),
        control_frames_max: listen.control_frames_max,
        unix: server::UnixSettings {
            mode: listen.unix_mode.0,
            user: listen.unix_owner.as_ref().and_then(|owner| owner.user.clone()),
            group: listen.unix_owner.as_ref().and_then(|owner| owner.group.clone()),
        },
        drain_delay: listen.drain_delay,
        drain_timeout: listen.drain_timeout,
    }
}

/// Whose reports of changes are believed.
pub(super) fn hear_settings(config: &Config) -> hear::Settings {
    let (vendor, callbacks) = (&config.vendor, &config.callbacks);
    hear::Settings {
        app_key: format!("{}#{}", vendor.org, vendor.app),
        secrets: callbacks
            .secret
            .iter()
            .chain(&callbacks.former_secret)
            .map(|secret| secret.value().clone())
            .collect(),
        age_max: callbacks.age_max,
    }
}

pub(super) fn callback_settings(config: &Config) -> server::callbacks::Settings {
    let callbacks = &config.callbacks;
    server::callbacks::Settings {
        path: callbacks.path.clone(),
        body_bytes_max: bytes(callbacks.body_bytes_max.bytes()),
        timeout: callbacks.timeout,
        connections_max: callbacks.connections_max,
    }
}

fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
