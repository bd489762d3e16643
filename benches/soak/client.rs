//! A caller: one connection at a time, made anew when it has broken.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// One of our services.
pub(crate) struct Caller {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Why the gateway refused, if it did.
    pub(crate) refusal: Option<String>,
    pub(crate) body: Value,
}

impl Caller {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self { address, sender: None }
    }

    /// Opens a connection that stays.
    pub(crate) async fn connect(&mut self) -> Result<(), String> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = made.map_err(|error| error.to_string())?;
        easemob_gateway::tasks::Tasks::new().spawn("caller", async move {
            let _ = connection.await;
        });
        self.sender = Some(sender);
        Ok(())
    }

    /// One request to a path below the app.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, body: &Value) -> Result<Answer, String> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request::builder()
            .method(method)
            .uri(format!("/easemob-demo/chat{path}"))
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            self.connect().await?;
        }
        let Some(sender) = &mut self.sender else { return Err("no connection".to_owned()) };
        let answered = async {
            sender.ready().await?;
            let (head, body) = sender.send_request(request).await?.into_parts();
            Ok::<_, hyper::Error>((head, body.collect().await?.to_bytes()))
        };
        match answered.await {
            Err(error) => {
                self.sender = None;
                Err(error.to_string())
            }
            Ok((head, bytes)) => Ok(Answer {
                status: head.status,
                refusal: head
                    .headers
                    .get("gateway-error")
                    .and_then(|why| why.to_str().ok())
                    .map(str::to_owned),
                body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            }),
        }
    }

    /// Begins a request and hangs up.
    pub(crate) async fn hang_up(&mut self, path: &str) {
        use tokio::io::AsyncWriteExt as _;
        if let Ok(mut stream) = TcpStream::connect(self.address).await {
            let head = format!("GET /easemob-demo/chat{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let cut = fastrand::usize(1..=head.len());
            let _ = stream.write_all(&head.as_bytes()[..cut]).await;
        }
    }
}
