//! Ten reloads and the end under load: fifty connections at two thousand requests a second, of which none may fail.

use crate::house::House;
use bytes::Bytes;
use http::header::CONNECTION;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior};

const CONNECTIONS: u64 = 50;
const PER_SECOND: u64 = 2_000;
const APART: Duration = Duration::from_secs(1);

/// Reloads so often, then stops the gateway.
pub(crate) async fn run(house: House, count: usize) {
    let answers = AtomicU64::new(0);
    let callers = (0..CONNECTIONS).map(|at| caller(house.address, at, &answers));
    let callers = futures_util::future::join_all(callers.collect::<Vec<_>>());
    let began = Instant::now();
    let reloading = async {
        for at in 0..count {
            tokio::time::sleep(APART).await;
            house.reconfigure(at).await;
        }
        tokio::time::sleep(APART).await;
        let rate = answers.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
        house.stop();
        rate
    };
    let (ends, rate) = tokio::join!(callers, reloading);
    let lost: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
    let answered = answers.load(Ordering::Relaxed);
    println!(
        "{answered} answers at {rate:.0} a second through {count} reloads and SIGTERM, {} lost",
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert!(rate >= PER_SECOND as f64 * 0.9, "the load was too small to tell: {rate:.0} a second");
    house.end().await;
}

/// Asks at its pace until it is told that the connection ends.
async fn caller(to: SocketAddr, at: u64, answers: &AtomicU64) -> Result<(), String> {
    let told = |error: &dyn std::error::Error| format!("connection {at}: {error}");
    let stream = TcpStream::connect(to).await.map_err(|error| told(&error))?;
    let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = made.map_err(|error| told(&error))?;
    easemob_gateway::tasks::Tasks::new().spawn("caller", async move {
        let _ = connection.await;
    });
    let every = Duration::from_secs(CONNECTIONS) / PER_SECOND as u32;
    let mut tick = tokio::time::interval_at(Instant::now() + every / CONNECTIONS as u32 * at as u32, every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tick.tick().await;
        // Mostly from memory, as it is; each tenth goes to the vendor.
        let path = if answers.load(Ordering::Relaxed).is_multiple_of(10) { "?x=1" } else { "" };
        let request = Request::get(format!("/easemob-demo/chat/chatgroups/66016455491585{path}"))
            .header("host", "localhost")
            .body(Empty::<Bytes>::new())
            .map_err(|error| told(&error))?;
        let asked = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            body.collect().await.map(|_| head)
        };
        let head = asked.await.map_err(|error| told(&error))?;
        if head.status != StatusCode::OK {
            return Err(format!("connection {at}: {head:?}"));
        }
        answers.fetch_add(1, Ordering::Relaxed);
        if head.headers.get(CONNECTION).is_some_and(|value| value == "close") {
            return Ok(());
        }
    }
}
