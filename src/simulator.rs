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
mod call;
mod control;
mod control_http;
mod engine;
mod files;
mod groups;
mod limits;
mod listing;
mod lists;
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
mod tokens;
mod users;
mod world;

pub use control::Control;
pub use engine::CallRecord;
pub use limits::{CallCount, Counters};
pub use script::{Fault, Hold, HoldAt, Matcher};
pub use seed::{SAMPLE_FILE, SAMPLE_GROUPS, SAMPLE_ROOM, SAMPLE_THREAD, SAMPLE_USERS};

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::engine::Engine;

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
    /// Whether details of several groups in one call name the owner; the vendor has been seen to omit it.
    pub batch_owner: bool,
    /// Starts with the sample data, see [`SAMPLE_GROUPS`].
    pub seed: bool,
    /// Serves `/_control/` on the same listener.
    pub control: bool,
    /// How many calls [`Control::calls`] remembers.
    pub log_size: usize,
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
            batch_owner: true,
            seed: false,
            control: true,
            log_size: 10_000,
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

    /// Answers one call without a socket, as far as the body can be read.
    pub async fn answer<B>(&self, request: Request<B>) -> Result<Response<Full<Bytes>>, Dropped>
    where
        B: Body,
    {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
        if self.engine.settings.control && head.uri.path().starts_with("/_control/") {
            return Ok(control_http::answer(&self.control(), &head, &body));
        }
        self.engine.answer(&head, body).await
    }

    /// Serves HTTP/1.1 until `stop` is cancelled or this future is dropped; open connections end with it.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
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
                    connections.spawn(self.clone().connection(stream, ended.clone()));
                }
                Err(error) if worth_another_try(&error) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn connection(self, stream: TcpStream, ended: CancellationToken) {
        // Without this, small answers wait for the client's delayed acknowledgements.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| self.answer(request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            // An error here is a client that went away, or a fault that was asked for.
            _ = connection => {}
            () = ended.cancelled() => {}
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
