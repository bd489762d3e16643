//! The simulator against the vendor's documented behaviour: one file per family of operations.

#![allow(clippy::unwrap_used, reason = "helpers outside the test functions panic like tests")]

mod breakages;
mod control;
mod control_http;
mod framing;
mod groups;
mod limits;
mod lists;
mod members;
mod rooms;
mod socket;
mod threads;
mod tls;
mod tokens;
mod wire;

use bytes::Bytes;
use easemob_gateway::simulator::{Control, SAMPLE_GROUPS, Settings, Simulator};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

const GROUP: &str = SAMPLE_GROUPS[0];

/// A vendor with sample data, and a token for it.
struct Vendor {
    simulator: Simulator,
    token: String,
}

impl Vendor {
    async fn new() -> Self {
        Self::with(Settings { seed: true, ..Settings::default() }).await
    }

    async fn with(settings: Settings) -> Self {
        let simulator = Simulator::new(settings);
        let mut vendor = Self { simulator, token: String::new() };
        vendor.token = vendor.fresh_token().await;
        vendor
    }

    fn control(&self) -> Control {
        self.simulator.control()
    }

    async fn fresh_token(&self) -> String {
        let (status, body) = self.call(Method::POST, "/token", credentials()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A call with a JSON body, or without one if `body` is null.
    async fn call(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = self.request(method, path).body(Full::new(bytes)).unwrap();
        let response = self.simulator.answer(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let uri = format!("http://vendor.example/easemob-demo/chat{path}");
        Request::builder().method(method).uri(uri).header("authorization", format!("Bearer {}", self.token))
    }

    async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ok(Method::POST, path, body).await
    }

    async fn put(&self, path: &str, body: Value) -> Value {
        self.ok(Method::PUT, path, body).await
    }

    async fn delete(&self, path: &str) -> Value {
        self.ok(Method::DELETE, path, Value::Null).await
    }

    async fn ok(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, body) = self.call(method, path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// A call that has to fail, with this status and code.
    async fn fails(&self, method: Method, path: &str, body: Value, status: u16, error: &str) -> String {
        let (got, body) = self.call(method, path, body).await;
        assert_eq!((got.as_u16(), body["error"].as_str()), (status, Some(error)), "{path}: {body}");
        for field in ["timestamp", "duration", "exception", "error_description"] {
            assert!(body.get(field).is_some(), "{field} missing: {body}");
        }
        body["error_description"].as_str().unwrap().to_owned()
    }
}

fn credentials() -> Value {
    json!({ "grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret" })
}

/// A path under the first sample group.
fn group(rest: &str) -> String {
    format!("/chatgroups/{GROUP}{rest}")
}
