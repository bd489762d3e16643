//! The way out: a connection that is ready, one call on it, the answer.
//!
//! [`Upstream::connect`] gives a [`Lane`]: a connection that can be written to now. Only then is it worth asking
//! for a permit, which counts from the moment it is given. [`Lane::send`] sends one call; when its answer's body
//! has been read to the end, the connection is idle again. What a call may cost and how long it may take is
//! decided above; which headers cross is in [`headers`].
//!
//! Under a lane stands either a socket or a `tower::Service`: the place where tests put a vendor of their own.

mod connect;
pub mod headers;

use crate::body::Body;
use crate::tasks::Tasks;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::client::conn::http1::SendRequest;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

/// Where the vendor is and how it is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// TLS or not.
    pub https: bool,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Certificates to trust beside the usual roots.
    pub ca_file: Option<PathBuf>,
    /// Name lookup, TCP and TLS together.
    pub connect_timeout: Duration,
    /// An idle connection older than this is not used again. Keep it below the vendor's own limit.
    pub idle_timeout: Duration,
    /// Connections open at once.
    pub connections_max: usize,
}

/// The vendor, as one worker sees it.
#[derive(Debug)]
pub struct Upstream {
    way: Way,
}

#[derive(Debug)]
enum Way {
    Wire(Arc<connect::Pool>),
    Service(Stub),
}

/// A vendor in the same process.
pub type Stub = BoxCloneSyncService<Request<Body>, Response<Body>, SendError>;

/// A connection that can be written to now.
#[derive(Debug)]
pub struct Lane {
    line: Line,
    /// It has carried a call before, so it may have been closed in the instant it is used again.
    pub reused: bool,
}

#[derive(Debug)]
enum Line {
    Wire(SendRequest<Body>, connect::Return),
    Service(Stub),
}

/// What the vendor said.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, as they came.
    pub headers: HeaderMap,
    /// The body, streaming.
    pub body: Body,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host has no address, or nobody listens there.
    #[error("no connection: {0}")]
    Tcp(#[source] io::Error),
    /// TLS failed: most often a certificate that does not fit.
    #[error("the vendor's TLS is not accepted: {0}")]
    Tls(#[source] io::Error),
    /// Not ready in time.
    #[error("no connection to the vendor within {0:?}")]
    TimedOut(Duration),
    /// The vendor's end closed at once.
    #[error("the vendor closed the connection: {0}")]
    Closed(#[source] hyper::Error),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nothing was sent: the connection had been closed. Whatever it is, it may be repeated.
    #[error("the connection was closed before anything was sent")]
    NotSent(Box<Request<Body>>),
    /// Something was sent; what became of it nobody knows.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl Upstream {
    /// Over sockets. Connections live on the runtime that opens them.
    ///
    /// # Errors
    /// When the file of certificates cannot be read.
    pub fn wire(settings: Settings, tasks: Tasks) -> io::Result<Self> {
        Ok(Self { way: Way::Wire(connect::Pool::new(settings, tasks)?) })
    }

    /// In the same process.
    pub fn service<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = SendError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self { way: Way::Service(BoxCloneSyncService::new(service)) }
    }

    /// A connection that is ready now: an idle one, or a new one.
    ///
    /// # Errors
    /// [`ConnectError`] when there is none in time.
    pub async fn connect(&self) -> Result<Lane, ConnectError> {
        match &self.way {
            Way::Service(stub) => Ok(Lane { line: Line::Service(stub.clone()), reused: false }),
            Way::Wire(pool) => {
                let (sender, back, reused) = pool.take().await?;
                Ok(Lane { line: Line::Wire(sender, back), reused })
            }
        }
    }

    /// Connections in use and idle.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        match &self.way {
            Way::Wire(pool) => pool.count(),
            Way::Service(_) => (0, 0),
        }
    }

    /// Connections that were opened, since the start.
    #[must_use]
    pub fn opened(&self) -> u64 {
        match &self.way {
            Way::Wire(pool) => pool.opened(),
            Way::Service(_) => 0,
        }
    }
}

impl Lane {
    /// Sends one call. The head is on its way when this returns; the future is the answer's head.
    pub fn send(
        self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Answer, SendError>> + Send + 'static {
        let sending = match self.line {
            Line::Wire(mut sender, back) => {
                // An answer may come before the end of a body that streams: the connection is not free then, and
                // may never be.
                let again = matches!(request.body(), Body::Empty | Body::Kept(_));
                let answer = sender.try_send_request(request);
                futures_util::future::Either::Left(async move {
                    match answer.await {
                        Ok(answer) => Ok(answer.map(|body| back.watch(body, again.then_some(sender)))),
                        Err(mut error) => Err(match error.take_message() {
                            Some(request) => SendError::NotSent(Box::new(request)),
                            None => SendError::Broken(error.into_error().to_string()),
                        }),
                    }
                })
            }
            Line::Service(stub) => futures_util::future::Either::Right(stub.oneshot(request)),
        };
        async move {
            let (head, body) = sending.await?.into_parts();
            // Nobody asked for another protocol, and what follows would be in it.
            if head.status.is_informational() {
                return Err(SendError::Broken(format!("an answer that is none: {}", head.status)));
            }
            Ok(Answer { status: head.status, headers: head.headers, body })
        }
    }
}
