//! Assembly: from a `Config` to a running gateway. Nothing else constructs the parts.
//!
//! Each part has small settings of its own; this is the one place that translates the file into them. A test
//! takes the same way, with a vendor of its own under the lanes.

mod reload;
pub mod secret;
mod translate;

use crate::cache::{Cache, Flights};
use crate::clock::{self, Wall};
use crate::config::{Config, Known};
use crate::easemob;
use crate::gateway::{Gateway, House, Policy, batch::Batches, hear::Hear};
use crate::limit::{Fairness, Limits, PoolId};
use crate::server::{Server, Tls, admin::Admin, callbacks::Callbacks};
use crate::tasks::Tasks;
use crate::telemetry::log::Levels;
use crate::telemetry::{Desk, Office, metrics::Sources, reloads::Reloads, roster::Roster};
use crate::token::TokenKeeper;
use crate::units::Address;
use crate::upstream::Upstream;
use arc_swap::ArcSwap;
pub use reload::Reloader;
use secret::SecretWatch;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use translate::{
    asker, cache_settings, callback_settings, callers, derive_secret, hear_settings, limit_settings,
    operators, path_settings, pool_settings, quotas, server_settings, state_dir, tls_settings,
    token_settings, upstream_settings, workers,
};

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The vendor's catalogue contradicts itself: a mistake of this program.
    #[error("the catalogue has mistakes: {0}")]
    Catalogue(String),
    /// An address is taken or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(Address, io::Error),
    /// Certificates cannot be read.
    #[error("the certificates in vendor.ca_file cannot be used: {0}")]
    Certificates(io::Error),
    /// Our own certificate, or those of callers' authorities, cannot be used.
    #[error("the certificates of [listen] cannot be used: {0}")]
    Tls(io::Error),
    /// A value cannot be written into a request.
    #[error("{0} cannot be sent in a request")]
    Unsendable(&'static str),
    /// Every caller there has been has a number.
    #[error("there have been too many callers to number them")]
    Callers,
    /// A thread or a runtime could not be made.
    #[error("the system gave no {0}")]
    System(&'static str, io::Error),
}

/// The parts that all workers share, ready.
#[derive(Debug)]
pub struct Parts {
    /// The house.
    pub house: Arc<House>,
    /// Names for telemetry.
    pub office: Arc<Office>,
    /// The wall clock that they go by.
    pub wall: Wall,
    /// Who listens to the vendor's reports.
    pub hear: Arc<Hear>,
}

/// A gateway with its doors open.
#[derive(Debug)]
pub struct App {
    parts: Parts,
    server: Server,
    admin: Arc<Admin>,
    admin_listener: TcpListener,
    secret: Option<Arc<SecretWatch>>,
    callbacks: Option<(Arc<Callbacks>, TcpListener)>,
    tasks: Tasks,
    tls: Option<Arc<Tls>>,
    config: Config,
}

/// The names that a configuration may use.
#[must_use]
pub fn known() -> Known {
    let pools = easemob::pools();
    Known {
        endpoints: endpoint_names(),
        by_name: easemob::endpoints().iter().filter(|row| row.by_name).map(|row| row.name).collect(),
        pools: pools.iter().map(|pool| pool.name).collect(),
        weighed: pools.iter().filter(|pool| pool.weighs.is_some()).map(|pool| pool.name).collect(),
    }
}

/// The names of all endpoints.
#[must_use]
pub fn endpoint_names() -> Vec<&'static str> {
    easemob::endpoints().iter().map(|endpoint| endpoint.name).collect()
}

/// What handshakes are made with, if some door speaks TLS. Reads the files, and opens nothing.
///
/// # Errors
/// When they cannot be used.
pub fn tls(config: &Config) -> Result<Option<Arc<Tls>>, StartError> {
    tls_settings(config).map(Tls::new).transpose().map_err(StartError::Tls)
}

/// The vendor's door, if it is to have one.
async fn callbacks(
    config: &Config,
    parts: &Parts,
) -> Result<Option<(Arc<Callbacks>, TcpListener)>, StartError> {
    let Some(address) = config.callbacks.address else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| StartError::Listen(Address::Plain(address), error))?;
    let door = Callbacks { hear: Arc::clone(&parts.hear), settings: callback_settings(config) };
    Ok(Some((Arc::new(door), listener)))
}

impl Parts {
    /// Makes what all workers share. `grants` is the way on which tokens are asked for.
    ///
    /// # Errors
    /// When the catalogue or a value of the configuration cannot be used.
    pub fn new(
        config: &Config,
        grants: Upstream,
        tasks: Tasks,
        dice: fastrand::Rng,
    ) -> Result<Self, StartError> {
        Self::at(config, grants, tasks, dice, Wall::system())
    }

    /// The same by another wall clock.
    ///
    /// # Errors
    /// When the catalogue or a value of the configuration cannot be used.
    pub fn at(
        config: &Config,
        grants: Upstream,
        tasks: Tasks,
        dice: fastrand::Rng,
        wall: Wall,
    ) -> Result<Self, StartError> {
        let vendor = &config.vendor;
        let catalogue = easemob::catalogue(&vendor.org, &vendor.app).map_err(|mistakes| {
            let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            StartError::Catalogue(mistakes.join("; "))
        })?;
        let catalogue = Arc::new(catalogue);
        let secret = derive_secret(config);
        let settings = path_settings(config, &catalogue)?;
        let (asker, memory) = (asker(config, grants, &settings)?, state_dir(config));
        let tokens =
            TokenKeeper::new(asker, token_settings(config), tasks.clone(), dice, wall.clone(), memory);
        let office = Arc::new(Office {
            catalogue: Arc::clone(&catalogue),
            callers: Roster::default(),
            hits_one_in: u64::from(config.log.hits_one_in).into(),
            reloads: Reloads::default(),
        });
        let names: Vec<&str> = config.callers.iter().map(|caller| caller.name.as_str()).collect();
        let numbers = office.callers.enter(&names).ok_or(StartError::Callers)?;
        let policy = Policy {
            callers: callers(config, &numbers, &catalogue),
            operators: operators(config),
            fairness: Fairness::new(quotas(config, &numbers, &catalogue)),
            settings,
        };
        let pools =
            catalogue.rows().map(|(_, row)| row.pools.iter().map(|pool| PoolId(*pool)).collect()).collect();
        let batches = Batches::new(catalogue.rows().len());
        let cache = Arc::new(Cache::new(cache_settings(config), &secret));
        let hear = Hear::new(
            hear_settings(config),
            catalogue.prefix(),
            Arc::clone(&cache),
            secret.clone(),
            wall.clone(),
        );
        let house = House {
            policy: ArcSwap::from_pointee(policy),
            limits: Limits::new(pool_settings(config, &catalogue), limit_settings(config)),
            cache,
            flights: Flights::new(config.cache.flights_max, config.cache.waiters_max),
            batches,
            catalogue,
            tokens,
            secret,
            tasks,
            pools,
            waiting: Default::default(),
            granting: Default::default(),
            listening: Default::default(),
        };
        Ok(Self { house: Arc::new(house), office, wall, hear: Arc::new(hear) })
    }

    /// A worker's gateway on this way out, with its desk.
    #[must_use]
    pub fn worker(&self, upstream: Upstream) -> (Gateway, Arc<Desk>) {
        let upstream = Arc::new(upstream);
        let desk = Desk::new(Arc::clone(&self.office), Arc::clone(&upstream));
        (Gateway::new(Arc::clone(&self.house), upstream, Arc::clone(&desk)), desk)
    }

    /// What puts another configuration in force in place of this one.
    #[must_use]
    pub fn reloader(&self, config: Config, tls: Option<Arc<Tls>>, levels: Levels) -> Reloader {
        Reloader::new(self, config, tls, levels)
    }

    /// What a scrape looks at.
    #[must_use]
    pub fn sources(&self) -> Sources {
        Sources {
            office: Arc::clone(&self.office),
            limits: Arc::clone(&self.house.limits),
            tokens: Arc::clone(&self.house.tokens),
            cache: Arc::clone(&self.house.cache),
            flights: Arc::clone(&self.house.flights) as _,
            tasks: self.house.tasks.clone(),
            heard: Arc::clone(&self.hear.counts),
        }
    }
}

impl App {
    /// Builds everything and opens the doors; nothing is served yet.
    ///
    /// # Errors
    /// [`StartError`]: what is wrong, and with which address or file.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let tasks = Tasks::new();
        let upstream =
            || Upstream::wire(upstream_settings(config), tasks.clone()).map_err(StartError::Certificates);
        let parts = Parts::new(config, upstream()?, tasks.clone(), fastrand::Rng::new())?;
        let mut gateways = Vec::new();
        let mut desks = Vec::new();
        for _ in 0..workers(config.listen.workers) {
            let (gateway, desk) = parts.worker(upstream()?);
            gateways.push(gateway);
            desks.push(desk);
        }
        let tls = tls(config)?;
        let mut server = Server::new(gateways, server_settings(config));
        for address in &config.listen.address.0 {
            let listening = server.listen(address, tls.as_ref()).await;
            listening.map_err(|error| StartError::Listen(address.clone(), error))?;
        }
        let address = config.admin.address;
        let admin_listener = TcpListener::bind(address).await;
        let admin_listener =
            admin_listener.map_err(|error| StartError::Listen(Address::Plain(address), error))?;
        let callbacks = callbacks(config, &parts).await?;
        let admin = Admin {
            desks,
            sources: parts.sources(),
            house: Arc::clone(&parts.house),
            is_local: address.ip().to_canonical().is_loopback(),
            started: clock::now(),
            draining: AtomicBool::new(false),
        };
        let secret = &config.vendor.client_secret;
        let secret = SecretWatch::new(secret, Arc::clone(&parts.house.tokens), tasks.clone());
        Ok(Self {
            parts,
            server,
            admin: Arc::new(admin),
            admin_listener,
            callbacks,
            secret,
            tasks,
            tls,
            config: config.clone(),
        })
    }

    /// Where services call, and where operators look.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn addresses(&self) -> Result<(Vec<Address>, SocketAddr), StartError> {
        let unknown = |error| StartError::System("address", error);
        Ok((self.server.addresses().map_err(unknown)?, self.admin_listener.local_addr().map_err(unknown)?))
    }

    /// What puts another configuration in force while this one serves. `levels` changes what is logged.
    #[must_use]
    pub fn reloader(&self, levels: Levels) -> Reloader {
        self.parts.reloader(self.config.clone(), self.tls.clone(), levels)
    }

    /// What looks at the file of the client secret, if it is in one.
    #[must_use]
    pub fn secret(&self) -> Option<Arc<SecretWatch>> {
        self.secret.clone()
    }

    /// Where the vendor reports changes, if anywhere.
    #[must_use]
    pub fn callbacks_address(&self) -> Option<SocketAddr> {
        self.callbacks.as_ref().and_then(|(_, listener)| listener.local_addr().ok())
    }

    /// Serves until `stop`, then drains.
    ///
    /// # Errors
    /// When a worker cannot be started.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StartError> {
        let Self { parts, server, admin, admin_listener, callbacks, secret, tasks, tls: _, config: _ } = self;
        let serving = Arc::clone(&admin).serve(admin_listener, tasks.clone());
        tasks.spawn_until_stop("admin", serving);
        if let Some((door, listener)) = callbacks {
            tasks.spawn_until_stop("callbacks", door.serve(listener, tasks.clone()));
        }
        tasks.spawn_until_stop("token renewals", Arc::clone(&parts.house.tokens).renewals());
        if let Some(secret) = secret {
            tasks.spawn_until_stop("secret watch", secret.run());
        }
        tasks.spawn_until_stop("clock watch", Arc::clone(&parts.house).watch_clock(parts.wall.clone()));
        let (flag, stopped) = (admin, stop.clone());
        tasks.spawn_until_stop("drain flag", async move {
            stopped.cancelled().await;
            flag.draining.store(true, Ordering::Relaxed);
        });
        server.run(tasks, stop).await.map_err(|error| StartError::System("worker", error))
    }
}
