//! `World`: a whole gateway in front of the stand-in for the vendor, in one process and without a socket.
//!
//! Assembled as the program assembles it, from a configuration; only under the lanes stands the stand-in itself.
//! Made for paused time (`#[tokio::test(start_paused = true)]`): nothing here waits for the real clock.

use super::tap::{Sent, Tap};
use bytes::Bytes;
use easemob_gateway::app::{Parts, Reloader, known};
use easemob_gateway::body::{Body, BodyError};
use easemob_gateway::clock::Wall;
use easemob_gateway::config::{self, Config, Loaded};
use easemob_gateway::gateway::Gateway;
use easemob_gateway::simulator::{Control, Settings, Simulator};
use easemob_gateway::tasks::Tasks;
use easemob_gateway::telemetry::Desk;
use easemob_gateway::telemetry::metrics::scrape;
use easemob_gateway::upstream::{SendError, Upstream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::Arc;

/// A gateway, its vendor, and everything that a test looks at.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) vendor: Control,
    pub(crate) parts: Parts,
    pub(crate) tasks: Tasks,
    desks: std::sync::Mutex<Vec<Arc<Desk>>>,
    config: Config,
    reloader: Reloader,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The path of the app that every world serves.
pub(crate) const APP: &str = "/easemob-demo/chat";

impl World {
    /// With sample data, no callers (everybody may), the vendor's limits on, and the settings' defaults.
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    /// The same, with other settings of the gateway or of the vendor.
    pub(crate) fn with(change: impl FnOnce(&mut Config), vendor: impl FnOnce(&mut Settings)) -> Self {
        Self::by(7, way_to, change, vendor)
    }

    /// The same, with this seed for chance, and with somebody on the line who hears every request that leaves
    /// (token requests too) and may dress its answer.
    pub(crate) fn tapped(
        seed: u64,
        dress: impl Fn(&Sent, &mut Response<Bytes>) + Send + Sync + 'static,
        change: impl FnOnce(&mut Config),
        vendor: impl FnOnce(&mut Settings),
    ) -> (Self, Tap) {
        let tap = Tap::new(dress);
        (Self::by(seed, |simulator| tap.way_to(simulator), change, vendor), tap)
    }

    /// The same, with this way to the vendor.
    pub(crate) fn by(
        seed: u64,
        way: impl Fn(&Simulator) -> Upstream,
        change: impl FnOnce(&mut Config),
        vendor: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings { seed: true, ..Settings::default() };
        vendor(&mut settings);
        let mut config = base_config();
        change(&mut config);
        let simulator = Simulator::new(settings);
        let tasks = Tasks::new();
        let dice = fastrand::Rng::with_seed(seed);
        let parts =
            Parts::new(&config, way(&simulator), tasks.clone(), dice).expect("the parts fit together");
        let (gateway, desk) = parts.worker(way(&simulator));
        let desks = std::sync::Mutex::new(vec![desk]);
        let reloader = parts.reloader(config.clone(), None, Box::new(|_| Ok(())));
        Self { gateway, vendor: simulator.control(), parts, tasks, desks, config, reloader }
    }

    /// A gateway with this configuration before a vendor that outlives it, by another wall clock: what a restart
    /// leaves.
    pub(crate) fn before(simulator: &Simulator, config: &Config, wall: Wall) -> Self {
        let tasks = Tasks::new();
        let dice = fastrand::Rng::with_seed(7);
        let parts =
            Parts::at(config, way_to(simulator), tasks.clone(), dice, wall).expect("they fit together");
        let (gateway, desk) = parts.worker(way_to(simulator));
        let desks = std::sync::Mutex::new(vec![desk]);
        let reloader = parts.reloader(config.clone(), None, Box::new(|_| Ok(())));
        Self { gateway, vendor: simulator.control(), parts, tasks, desks, config: config.clone(), reloader }
    }

    /// One request, answered.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        read(self.gateway.call(request).await.unwrap()).await
    }

    /// One request to a path below the app, with a JSON body if there is one.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.send(request(method, path, body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path, None).await
    }

    /// Puts the first configuration with this change in force. True if it was taken.
    pub(crate) fn reload(&self, change: impl FnOnce(&mut Config)) -> bool {
        let mut config = self.config.clone();
        change(&mut config);
        self.reloader.take(Ok(Loaded { config, warnings: Vec::new() }))
    }

    /// The calls that the vendor has seen, token requests left out.
    pub(crate) fn calls(&self) -> usize {
        self.vendor.calls().iter().filter(|call| !call.target.ends_with("/token")).count()
    }

    /// The token requests that the vendor has seen.
    pub(crate) fn grants(&self) -> usize {
        self.vendor.counters().token_requests.len()
    }

    /// What a scrape shows.
    pub(crate) fn metrics(&self) -> String {
        let page = scrape(&self.desks.lock().unwrap(), &self.parts.sources()).unwrap();
        String::from_utf8(page).unwrap()
    }

    /// The value of one series, zero when it is not there.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let page = self.metrics();
        let line =
            page.lines().find(|line| line.starts_with(series) && line[series.len()..].starts_with(' '));
        line.map_or(0.0, |line| line[series.len() + 1..].parse().unwrap())
    }

    /// Runs what is ready until nothing is, without moving time.
    pub(crate) async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }
}

/// A request to a path below the app.
pub(crate) fn request(method: Method, path: &str, body: Option<Value>) -> Request<Body> {
    let request = Request::builder().method(method).uri(format!("{APP}{path}")).header("host", "localhost");
    match body {
        None => request.body(Body::Empty).unwrap(),
        Some(body) => {
            let request = request.header("content-type", "application/json");
            request.body(Body::Kept(body.to_string().into())).unwrap()
        }
    }
}

/// Reads an answer whole.
pub(crate) async fn read(response: Response<Body>) -> Reply {
    let (head, body) = response.into_parts();
    let body = BodyExt::collect(body).await.expect("a whole body").to_bytes();
    Reply { status: head.status, headers: head.headers, body }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The answer's `data`: what it says, without the envelope's times.
    pub(crate) fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Why the gateway refused, if it did.
    pub(crate) fn refusal(&self) -> &str {
        self.header("gateway-error")
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.header("cache-status") == "easemob-gateway; hit"
    }
}

/// The configuration that every world begins with.
pub(crate) fn base_config() -> Config {
    let settings = Settings::default();
    let text = format!(
        "[vendor]\norigin = \"http://127.0.0.1:1\"\norg = \"{}\"\napp = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n",
        settings.org, settings.app, settings.client_id, settings.client_secret
    );
    config::parse(&text, std::iter::empty(), &known()).expect("the configuration is good").config
}

fn way_to(simulator: &Simulator) -> Upstream {
    let simulator = simulator.clone();
    Upstream::service(tower::service_fn(move |request: Request<Body>| {
        let simulator = simulator.clone();
        async move {
            match simulator.answer(request).await {
                Ok(response) => Ok(response.map(|body| Body::stream(body.map_err(BodyError::cut)))),
                Err(dropped) => Err(SendError::Broken(dropped.to_string())),
            }
        }
    }))
}
