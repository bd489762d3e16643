//! What the vendor would say now, and whether the gateway says the same.
//!
//! Asked of the stand-in's own state, past the gateway, token and limits. Compared is what an answer says, not
//! when and to whom: times, address and the echo of the method are left out.

use crate::support::world::{Reply, World, request};
use bytes::Bytes;
use easemob_gateway::body::Body;
use http::{Method, Request};
use serde_json::Value;

/// A request below the app, to be sent as often as needed.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None }
    }

    pub(crate) fn new(method: Method, path: impl Into<String>, body: Value) -> Self {
        let body = (!body.is_null()).then_some(body);
        Self { method, path: path.into(), body }
    }

    pub(crate) fn request(&self) -> Request<Body> {
        // A file needs more than JSON; its form is the vendor's, multipart.
        if self.method == Method::POST && self.path.ends_with("/share_files") {
            return upload(&self.path);
        }
        request(self.method.clone(), &self.path, self.body.clone())
    }

    pub(crate) async fn through(&self, world: &World) -> Reply {
        world.send(self.request()).await
    }

    /// The same past the gateway: a change behind its back, or the truth.
    pub(crate) fn behind(&self, world: &World) -> (u16, Value) {
        let body = self.body.clone().unwrap_or_default();
        let (status, said) = world.vendor.behind(self.method.clone(), &self.path, body);
        (status.as_u16(), essence(said))
    }
}

/// How this answer to a read differs from what the vendor would say now.
pub(crate) fn untrue(world: &World, ask: &Ask, reply: &Reply) -> Option<String> {
    let (said, truth) = ((reply.status.as_u16(), essence(reply.json())), ask.behind(world));
    let way = reply.header("cache-status");
    (said != truth).then(|| format!("{} {} said ({way}) {said:?}, is {truth:?}", ask.method, ask.path))
}

/// Fails unless this answer to a read is what the vendor would say now.
#[track_caller]
pub(crate) fn assert_true(world: &World, ask: &Ask, reply: &Reply) {
    assert_eq!(untrue(world, ask, reply), None);
}

/// What an answer says, without what differs between two answers of the same content.
pub(crate) fn essence(mut said: Value) -> Value {
    if let Value::Object(fields) = &mut said {
        ["timestamp", "duration", "uri", "action"].iter().for_each(|name| drop(fields.remove(*name)));
    }
    said
}

fn upload(path: &str) -> Request<Body> {
    let bytes =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n";
    let mut request = request(Method::POST, path, None);
    *request.body_mut() = Body::Kept(Bytes::from_static(bytes.as_bytes()));
    let multipart = http::HeaderValue::from_static("multipart/form-data; boundary=b");
    request.headers_mut().insert("content-type", multipart);
    request
}
