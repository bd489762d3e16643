//! `Tap`: somebody on the line between the gateway and the stand-in.
//!
//! Hears every request as the vendor gets it, token requests among them, and may dress what comes back.

use bytes::Bytes;
use easemob_gateway::body::Body;
use easemob_gateway::simulator::Simulator;
use easemob_gateway::upstream::{SendError, Upstream};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use std::sync::{Arc, Mutex};

/// One request as it left.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Dress = dyn Fn(&Sent, &mut Response<Bytes>) + Send + Sync;

/// What was heard on the line.
#[derive(Clone)]
pub(crate) struct Tap {
    sent: Arc<Mutex<Vec<Sent>>>,
    dress: Arc<Dress>,
}

impl Tap {
    pub(crate) fn new(dress: impl Fn(&Sent, &mut Response<Bytes>) + Send + Sync + 'static) -> Self {
        Self { sent: Arc::default(), dress: Arc::new(dress) }
    }

    /// Everything that left, but for token requests of the gateway itself.
    pub(crate) fn calls(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().iter().filter(|sent| !sent.is_grant()).cloned().collect()
    }

    /// The last of them.
    pub(crate) fn last(&self) -> Sent {
        self.calls().pop().expect("something left")
    }

    pub(crate) fn way_to(&self, simulator: &Simulator) -> Upstream {
        let (simulator, tap) = (simulator.clone(), self.clone());
        Upstream::service(tower::service_fn(move |request: Request<Body>| {
            let (simulator, tap) = (simulator.clone(), tap.clone());
            async move { tap.pass(request, &simulator).await }
        }))
    }

    async fn pass(&self, request: Request<Body>, simulator: &Simulator) -> Result<Response<Body>, SendError> {
        let broken = |error: &dyn std::error::Error| SendError::Broken(error.to_string());
        let (head, body) = request.into_parts();
        let body = BodyExt::collect(body).await.map_err(|error| broken(&error))?.to_bytes();
        let sent = Sent {
            method: head.method.clone(),
            target: head.uri.to_string(),
            headers: head.headers.clone(),
            body: body.clone(),
        };
        self.sent.lock().unwrap().push(sent.clone());
        let answer = simulator.answer(Request::from_parts(head, Full::new(body))).await;
        let (head, body) = answer.map_err(|dropped| broken(&dropped))?.into_parts();
        let bytes = BodyExt::collect(body).await.map_err(|error| broken(&error))?.to_bytes();
        let mut answer = Response::from_parts(head, bytes);
        (self.dress)(&sent, &mut answer);
        let stream = |bytes| Body::stream(Full::new(bytes).map_err(|never| match never {}));
        Ok(answer.map(stream))
    }
}

impl Sent {
    /// A question of the gateway's own for an app token.
    pub(crate) fn is_grant(&self) -> bool {
        self.target.ends_with("/token") && !self.headers.contains_key("authorization")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
