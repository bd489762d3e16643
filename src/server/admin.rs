//! What operators ask: is it alive, is it ready, its numbers, its state, its catalogue.
//!
//! A listener of its own, on loopback unless configured otherwise. What is asked by GET changes nothing and is all
//! here; what is done by POST is in `operate`. The general layers of
//! `tower-http` stand around it: a panic is a 500, an answer takes at most ten seconds, credentials that
//! someone may send are marked sensitive.

use super::accept;
use super::operate::Deed;
use crate::body::Body;
use crate::caller::{Unidentified, page};
use crate::catalogue::table;
use crate::clock::{self, Instant};
use crate::easemob::dialect;
use crate::gateway::House;
use crate::tasks::Tasks;
use crate::telemetry::Desk;
use crate::telemetry::metrics::{Sources, scrape};
use crate::telemetry::reloads::State;
use crate::token::{Remembered, TokenKeeper};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::timeout::TimeoutLayer;

/// What is shown.
#[derive(Debug)]
pub struct Admin {
    /// The workers' numbers.
    pub desks: Vec<Arc<Desk>>,
    /// Everything else.
    pub sources: Sources,
    /// What is operated on.
    pub house: Arc<House>,
    /// The listener is on loopback.
    pub is_local: bool,
    /// When the gateway started.
    pub started: Instant,
    /// True from the moment that the end was asked for.
    pub draining: AtomicBool,
}

/// Said to a page in a browser.
pub(super) const PAGES: &str = "Pages in a browser may not ask for this.";
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECTIONS_MAX: usize = 64;

impl Admin {
    /// Answers on this listener until the gateway stops.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, tasks: Tasks) {
        let connection = |stream| Arc::clone(&self).connection(stream);
        accept::each(listener, CONNECTIONS_MAX, (&tasks, "admin connection"), connection).await;
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let service = ServiceBuilder::new()
            .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION, COOKIE]))
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_TIMEOUT))
            .layer(CatchPanicLayer::new())
            .service_fn(move |request: Request<Incoming>| {
                let admin = Arc::clone(&self);
                async move { Ok::<_, Infallible>(admin.respond(request.map(Body::Incoming)).await) }
            });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(ANSWER_TIMEOUT);
        let service = TowerToHyperService::new(service);
        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    }

    /// Answers one request.
    pub async fn respond(&self, request: Request<Body>) -> Response<Body> {
        // On loopback nobody needs a key to look, so it must be nobody's page who looks.
        if self.is_local
            && let Err(why) = page::refuse(&request, Some(&HeaderValue::from_static("")))
        {
            let what = match why {
                Unidentified::Host => "This listener is asked by a name without a dot, or by its address.",
                _ => PAGES,
            };
            return error(StatusCode::FORBIDDEN, "forbidden_op", what);
        }
        match Deed::at(request.uri().path()) {
            Some(deed) => self.operate(deed, request).await,
            None => self.show(request.method(), request.uri().path()),
        }
    }

    fn show(&self, method: &Method, path: &str) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This is asked for by GET.");
        }
        match path {
            "/livez" => text(StatusCode::OK, "alive\n"),
            "/readyz" => match self.unready() {
                None => text(StatusCode::OK, "ready\n"),
                Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
            },
            "/metrics" => match scrape(&self.desks, &self.sources) {
                Ok(page) => respond(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page),
                Err(what) => error(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", &what.to_string()),
            },
            "/status" => json_of(&self.status()),
            "/endpoints" => json_of(&table::data(&self.sources.office.catalogue)),
            _ => error(
                StatusCode::NOT_FOUND,
                "service_resource_not_found",
                "Here are /livez /readyz /metrics /status /endpoints, and by POST /purge /explain.",
            ),
        }
    }

    /// Why calls should go elsewhere. The vendor being down is no reason: kept answers are still answers.
    fn unready(&self) -> Option<&'static str> {
        let useful = || self.sources.tokens.current().is_some() || self.sources.cache.size().0 > 0;
        if self.draining.load(Ordering::Relaxed) {
            Some("not ready: draining\n")
        } else if !useful() {
            Some("not ready: no app token yet, and nothing kept\n")
        } else {
            None
        }
    }

    fn status(&self) -> Value {
        let now = clock::now();
        let sources = &self.sources;
        let (entries, bytes) = sources.cache.size();
        let pools = sources.limits.snapshot();
        let pools = pools.iter().filter(|pool| pool.admitted > 0 || pool.paused_until.is_some()).map(|pool| {
            json!({
                "name": &*pool.name, "rate": pool.rate.to_string(), "size": pool.size, "inside": pool.inside,
                "waiting": pool.waiting, "admitted": pool.admitted, "refused": pool.refused.iter().sum::<u64>(),
                "paused_ms": pool.paused_until.map(|until| until.duration_since(now).as_millis() as u64),
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": now.duration_since(self.started).as_secs(),
            "ready": self.unready().is_none(),
            "draining": self.draining.load(Ordering::Relaxed),
            "callers": sources.office.callers.present().iter().map(|name| &**name).collect::<Vec<_>>(),
            "config": config(&sources.office.reloads.state()),
            "token": token(&sources.tokens),
            "cache": { "entries": entries, "bytes": bytes, "doubts": sources.cache.doubts.count() },
            "pools": pools.collect::<Vec<_>>(),
            "tasks": { "work": sources.tasks.counts().0, "loop": sources.tasks.counts().1 },
        })
    }
}

/// The state of the token: numbers, no secrets.
fn token(tokens: &TokenKeeper) -> Value {
    let (report, counts) = (tokens.report(), tokens.counts());
    let (state, trouble) = match report.remembered {
        Remembered::Off => ("none", None),
        Remembered::Well => ("ok", None),
        Remembered::Trouble(what) => ("trouble", Some(what)),
    };
    let last =
        report.last.map(|(since, outcome)| json!({ "outcome": outcome, "seconds_ago": since.as_secs() }));
    json!({
        "usable": report.usable, "left_seconds": report.left.map(|left| left.as_secs()),
        "grants": counts.granted, "grants_refused": counts.refused, "grants_failed": counts.failed,
        "grants_beyond_budget": counts.beyond, "last_grant": last,
        "grants_per_hour": report.grants_per_hour, "grants_last_hour": report.grants_last_hour,
        "grants_left": report.grants_left, "next_grant_in_seconds": report.next_in.as_secs_f64().ceil() as u64,
        "state_directory": state, "state_trouble": trouble,
    })
}

/// What is in force, and what is not.
fn config(state: &State) -> Value {
    let refused = state.refused.as_ref();
    json!({
        "taken": date(state.taken_ms),
        "refused": refused.map(|(why, since_ms)| json!({ "why": why, "since": date(*since_ms) })),
        "needs_restart": state.restart,
    })
}

fn date(unix_ms: u64) -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_millis(unix_ms))
}

pub(super) fn json_of(value: &Value) -> Response<Body> {
    respond(StatusCode::OK, "application/json", format!("{value:#}\n").into_bytes())
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    respond(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
}

pub(super) fn error(status: StatusCode, word: &str, what: &str) -> Response<Body> {
    respond(status, "application/json", dialect::speak(word, what, clock::unix_ms(), 0).into_bytes())
}

fn respond(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::Kept(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
