//! `probe`: one question to a running gateway, for images that have no shell and no curl.
//!
//! Exit code 0 when the answer is a success, 1 otherwise. Plain HTTP, since that is what the operators' listener
//! speaks.

use super::Failure;
use anyhow::{Context as _, bail};
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
    url.filter(|url| url.scheme_str() == Some("http") && url.host().is_some())
        .ok_or_else(|| "expected plain http and a host, as in http://127.0.0.1:9090/livez".to_owned())
}

async fn ask(url: &Uri) -> anyhow::Result<()> {
    let host = url.host().context("names no host")?;
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), url.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let target = url.path_and_query().map_or("/", PathAndQuery::as_str);
    let request = Request::get(target).header(HOST, host).body(Empty::<bytes::Bytes>::new())?;
    let answer = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body).trim());
        }
        Ok(())
    };
    tokio::select! {
        answer = answer => answer,
        ended = connection => bail!("the connection ended early: {ended:?}"),
    }
}
