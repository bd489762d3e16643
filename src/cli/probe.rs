//! `probe`: one question to a running gateway, for images that have no shell and no curl.
//!
//! Exit code 0 when the answer is a success, 1 otherwise. Plain HTTP, since that is what the operators' listener
//! speaks. The timeout holds for all of it, and of the answer only the beginning is read: whoever answers there
//! may be anybody.

use super::Failure;
use anyhow::{Context as _, bail};
use bytes::{Buf as _, Bytes};
use http::{Request, Uri, header::HOST, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// What is asked, in plain HTTP.
    #[arg(default_value = "http://127.0.0.1:9090/readyz", value_parser = plain_http)]
    url: Uri,
    /// How long the answer may take.
    #[arg(long, default_value = "2s", value_parser = |text: &str| crate::units::parse_duration(text))]
    timeout: Duration,
}

/// Of a failure's body so much is told.
const TOLD_BYTES_MAX: usize = 1024;

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let asked = super::block_on(async {
        let late = || anyhow::anyhow!("no answer within {:?}", options.timeout);
        tokio::time::timeout(options.timeout, ask(&options.url)).await.unwrap_or_else(|_| Err(late()))
    })?;
    Ok(asked.with_context(|| format!("{}", options.url))?)
}

/// An address that can be asked at all; anything else is an argument that cannot be used.
fn plain_http(text: &str) -> Result<Uri, String> {
    let url: Option<Uri> = text.parse().ok();
    let named = |url: &Uri| {
        url.authority().is_some_and(|named| {
            let (text, host) = (named.as_str(), named.host());
            // A port that is none would be taken for the usual one.
            !host.is_empty() && !text.contains('@') && (text == host || named.port_u16().is_some())
        })
    };
    url.filter(|url| url.scheme_str() == Some("http") && named(url))
        .ok_or_else(|| "expected plain http and a host, as in http://127.0.0.1:9090/livez".to_owned())
}

async fn ask(url: &Uri) -> anyhow::Result<()> {
    let named = url.authority().context("names no host")?;
    let to = (named.host().trim_matches(['[', ']']), named.port_u16().unwrap_or(80));
    let (mut sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(to).await?)).await?;
    let target = url.path_and_query().map_or("/", PathAndQuery::as_str);
    let request = Request::get(target).header(HOST, named.as_str()).body(Empty::<Bytes>::new())?;
    let answer = async {
        let mut answer = sender.send_request(request).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let why = answer.frame().await.and_then(|frame| frame.ok()?.into_data().ok()).unwrap_or_default();
        let why = why.take(TOLD_BYTES_MAX);
        bail!("{status}: {}", String::from_utf8_lossy(why.chunk()).trim().escape_debug())
    };
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => return answer,
        // Closed with its answer, or without one: what has come of it is at hand.
        _ = connection => {}
    }
    answer.await
}
