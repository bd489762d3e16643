//! The vendor's door: a listener for its reports of changes, and for nothing else.
//!
//! Whatever comes to the path by POST is answered with an empty 200, also what nobody believes: the vendor switches
//! all rules of an app off after some failures, so one mistyped secret would silence the rest; and whoever tries
//! signatures learns nothing. What became of a report is counted. The answer leaves after the touch.

use super::accept;
use crate::body::{Body, Collected};
use crate::gateway::hear::Hear;
use crate::tasks::Tasks;
use crate::telemetry::cells::Heard;
use http::header::{CONNECTION, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Limits of this door.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The one path.
    pub path: String,
    /// The longest report.
    pub body_bytes_max: usize,
    /// Head and body must each be whole in this time; silence is no longer.
    pub timeout: Duration,
    /// Connections open at once; more wait in the kernel's queue.
    pub connections_max: usize,
}

/// Who answers there.
#[derive(Debug)]
pub struct Callbacks {
    /// What is done with reports.
    pub hear: Arc<Hear>,
    /// Limits.
    pub settings: Settings,
}

/// The longest head: HTTP's own machinery needs that much.
const HEAD_BYTES_MAX: usize = 8 * 1024;

impl Callbacks {
    /// Answers on this listener until the gateway stops.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, tasks: Tasks) {
        let connection = |stream| Arc::clone(&self).connection(stream);
        let tasks = (&tasks, "callback connection");
        accept::each(listener, self.settings.connections_max, tasks, connection).await;
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let mut builder = http1::Builder::new();
        // Between two requests too: whoever is silent for longer is closed.
        builder.timer(TokioTimer::new()).header_read_timeout(self.settings.timeout);
        builder.max_buf_size(HEAD_BYTES_MAX);
        let service = service_fn(move |request: Request<Incoming>| {
            let door = Arc::clone(&self);
            async move { Ok::<_, Infallible>(door.answer(request.map(Body::Incoming)).await) }
        });
        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let mut response = Response::new(Body::Empty);
        if request.uri().path() != self.settings.path {
            *response.status_mut() = StatusCode::NOT_FOUND;
        } else if request.method() != Method::POST {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("POST"));
        } else if !self.take(request.into_body()).await {
            // The rest of the body would stand before the next request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Whether the body was read to its end.
    async fn take(&self, body: Body) -> bool {
        let reading = tokio::time::timeout(self.settings.timeout, body.collect(self.settings.body_bytes_max));
        let heard = match reading.await {
            Ok(Ok(Collected::Whole(bytes))) => {
                self.hear.hear(&bytes);
                return true;
            }
            Ok(Ok(Collected::Larger(_))) => Heard::TooLarge,
            Ok(Err(_)) | Err(_) => Heard::Cut,
        };
        self.hear.counts.count(heard);
        false
    }
}
