//! A stand-in for the vendor: a stateful fake of the Easemob IM REST API.
//!
//! It answers the operations of groups, threads, rooms and messages, keeps them and its tokens in memory, and
//! applies the vendor's call limits by the second. Tests ask it directly with [`Simulator::answer`]; demonstrations
//! and benches put it behind a socket with [`Simulator::serve`]. What it should do next (delays, faults,
//! held calls, changes behind the gateway's back) is told to it through [`Control`], or over HTTP under
//! `/_control/`.
//!
//! It shares no code with the gateway, so that an error in one cannot hide the same error in the other.
//! Time is tokio's clock throughout: under paused time mutes, tokens and call windows move together.

mod attributes;
mod body;
mod breakage;
mod call;
mod connections;
mod control;
mod control_forms;
mod control_http;
mod engine;
mod fault;
mod files;
mod framing;
mod groups;
mod heads;
mod limits;
mod listing;
mod lists;
mod log;
mod members;
mod messages;
mod more_groups;
mod mutes;
mod occupants;
mod reply;
mod room_attributes;
mod rooms;
mod route;
mod route_rooms;
mod script;
mod seed;
mod threads;
mod tls;
mod token_form;
mod tokens;
mod users;
mod wire;
mod world;

pub use body::Body;
pub use breakage::Breakage;
pub use connections::{Ambiguities, ConnectionCount, OddHead};
pub use control::Control;
pub use fault::{Fault, Scripted};
pub use framing::Ambiguity;
pub use limits::{CallCount, Counters};
pub use log::CallRecord;
pub use script::{Hold, HoldAt, Matcher};
pub use seed::{SAMPLE_FILE, SAMPLE_GROUPS, SAMPLE_ROOM, SAMPLE_THREAD, SAMPLE_USERS};
pub use tls::Tls;
pub use token_form::{ExpiresIn, TokenAnswer, TokenForm};
pub use tokens::Unauthorized;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::engine::{Engine, Given};
use self::log::Arrival;

/// What the simulator is made with. Everything that can change later is changed through [`Control`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// First segment of every path.
    pub org: String,
    /// Second segment of every path.
    pub app: String,
    /// The UUID that replies carry as `application`.
    pub application: String,
    /// The only client id that the token endpoint accepts.
    pub client_id: String,
    /// The secret that belongs to it.
    pub client_secret: String,
    /// Life of a token whose request names no `ttl`.
    pub token_ttl: Duration,
    /// Reads `ttl` and writes `expires_in` in milliseconds, as one of the vendor's clusters does.
    pub token_millis: bool,
    /// Whether call limits are enforced. Calls are counted in any case.
    pub limits: bool,
    /// Multiplies every call limit; no limit falls below one call per second.
    pub limit_factor: f64,
    /// Whether a call that was refused for its frequency uses up the window too.
    pub refused_count: bool,
    /// Takes every user id as existing unless that user was deleted.
    pub open_users: bool,
    /// How details of several groups in one call differ from those of one.
    pub batch: BatchForm,
    /// Starts with the sample data, see [`SAMPLE_GROUPS`].
    pub seed: bool,
    /// Serves `/_control/` on the same listener.
    pub control: bool,
    /// How many calls [`Control::calls`] remembers, and how many arrivals of each shape.
    pub log_size: usize,
    /// Whether heads are recorded as they come over a socket; it costs a copy of each.
    pub raw_heads: bool,
}

/// How an answer about several groups differs from one about a single group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchForm {
    /// Fields that are left out of every element; the vendor has been seen to leave out `owner`.
    pub without: Vec<String>,
    /// A group that does not exist has no element, instead of one that says so.
    pub leaves_out_missing: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            org: "easemob-demo".into(),
            app: "chat".into(),
            application: "5a1e0d00-0000-4000-8000-000000000001".into(),
            client_id: "demo-client".into(),
            client_secret: "demo-secret".into(),
            token_ttl: Duration::from_secs(5_184_000),
            token_millis: false,
            limits: true,
            limit_factor: 1.0,
            refused_count: false,
            open_users: true,
            batch: BatchForm::default(),
            seed: false,
            control: true,
            log_size: 10_000,
            raw_heads: true,
        }
    }
}

/// The connection ended without an answer; over a socket it is closed without a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was dropped without an answer")]
pub struct Dropped;

/// One simulated vendor. Clones share the same state.
#[derive(Clone)]
pub struct Simulator {
    engine: Arc<Engine>,
}

impl Simulator {
    /// Makes a vendor with no calls behind it.
    pub fn new(settings: Settings) -> Self {
        Self { engine: Arc::new(Engine::new(settings)) }
    }

    /// The handle by which tests and demonstrations steer this vendor.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.engine))
    }

    /// Answers one call without a socket, as far as the body can be read. Of an answer that is to break it gives
    /// what a client would see of it.
    pub async fn answer<B>(&self, request: Request<B>) -> Result<Response<Body>, Dropped>
    where
        B: http_body::Body,
    {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
        let Given { response, breaks } = self.give(&head, body, &Arrival::default()).await;
        let (head, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        let response = Response::from_parts(head, body.to_bytes());
        match breaks {
            None => Ok(response.map(Body::whole)),
            Some(how) => body::broken(response, how, self.engine.stalls()).await,
        }
    }

    async fn give(&self, head: &Parts, body: Bytes, arrival: &Arrival) -> Given {
        if self.engine.settings.control && head.uri.path().starts_with("/_control/") {
            return Given { response: control_http::answer(&self.control(), head, &body), breaks: None };
        }
        self.engine.answer(head, body, arrival).await
    }

    /// Serves HTTP/1.1 until `stop` is cancelled or this future is dropped; open connections end with it.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
        self.accept(listener, None, stop).await
    }

    /// The same over TLS.
    pub async fn serve_tls(
        self,
        listener: TcpListener,
        tls: Tls,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        self.accept(listener, Some(tls), stop).await
    }

    async fn accept(
        self,
        listener: TcpListener,
        tls: Option<Tls>,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let ended = stop.child_token();
        let _end_connections = ended.clone().drop_guard();
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (served, ended) = (wire::serve(self.clone(), stream, tls.clone()), ended.clone());
                    connections.spawn(async move {
                        tokio::select! {
                            () = served => {}
                            () = ended.cancelled() => {}
                        }
                    });
                }
                Err(error) if worth_another_try(&error) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A connection that died while it waited, or too many open files, must not end the listener.
fn worth_another_try(error: &std::io::Error) -> bool {
    const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];
    matches!(error.kind(), std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset)
        || error.raw_os_error().is_some_and(|code| TOO_MANY_OPEN_FILES.contains(&code))
}

/// A response with a JSON body; `status` is one that the simulator wrote itself.
fn json_response(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
