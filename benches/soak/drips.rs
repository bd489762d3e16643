//! Callers who send one byte a second: heads that never end, and bodies that would take months. Each is cut off in time,
//! costs little meanwhile, and leaves nothing.

use crate::client::Caller;
use crate::house::{BODY_TIMEOUT, HEAD_TIMEOUT, House};
use http::Method;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

const HEAD: &str = "POST /easemob-demo/chat/passed HTTP/1.1\r\nHost: localhost\r\nX-Long: ";
/// So many of them send a head and drip a body.
const BODIES: usize = 200;
/// What a connection without a whole head may cost: a buffer for it that has grown once, and its own state. That much is
/// reached after some rounds, since of fresh memory only what has been written to counts.
const EACH_KB: u64 = 32;
/// What a process keeps beside that.
const SLACK_KB: u64 = 8_192;
/// So often all of them come anew: memory that was used is used again.
const ROUNDS: usize = 6;
/// A tick of the watch, and a busy machine.
const LATE: Duration = Duration::from_secs(3);

pub(crate) async fn run(house: &House, count: usize) {
    let before = house.memory_kb();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (longest, highest) = heads(house, count).await;
        assert!(longest <= HEAD_TIMEOUT + HEAD_TIMEOUT / 8 + LATE, "cut off after {longest:?}");
        house.rests(1).await;
        rounds.push(highest);
    }
    println!(
        "{count} heads at a byte a second: {before} KB before, in each of {ROUNDS} rounds {rounds:?} KB at most"
    );
    let [.., last_but_one, last] = rounds[..] else { return };
    assert!(last <= before + count as u64 * EACH_KB + SLACK_KB, "{last} KB");
    assert!(last <= last_but_one + last_but_one / 20 + SLACK_KB, "it grows: {rounds:?} KB");
    bodies(house).await;
}

/// Opens them all, and gives how long the last one lasted, and the most memory.
async fn heads(house: &House, count: usize) -> (Duration, u64) {
    let drips: Vec<_> = (0..count).map(|_| drip(house.address, "", HEAD.as_bytes())).collect();
    let watching = async {
        let mut highest = 0;
        // Others are served meanwhile.
        for _ in 0..HEAD_TIMEOUT.as_secs() {
            let mut caller = Caller::of(house.address);
            let answer = caller.ask(Method::GET, "/chatgroups/66016455491585", &Value::Null);
            assert_eq!(answer.await.expect("an answer").status, 200);
            highest = highest.max(house.memory_kb());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        highest
    };
    let (lasted, highest) = tokio::join!(futures_util::future::join_all(drips), watching);
    let unanswered = lasted.iter().filter(|(_, answer)| answer.is_empty()).count();
    assert_eq!(unanswered, count, "somebody was answered");
    (lasted.into_iter().map(|(lasted, _)| lasted).max().unwrap_or_default(), highest)
}

async fn bodies(house: &House) {
    let begun =
        "POST /easemob-demo/chat/passed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n";
    // Half of them have sent more than is kept to be sent again, so that it streams to the vendor.
    let long = format!("{begun}{}", "x".repeat(2 << 20));
    let drips = (0..BODIES).map(|at| drip(house.address, if at % 2 == 0 { begun } else { &long }, b"x"));
    let lasted = futures_util::future::join_all(drips).await;
    let longest = lasted.iter().map(|(lasted, _)| *lasted).max().unwrap_or_default();
    let cut = lasted.iter().filter(|(_, answer)| answer.contains("gateway-error: body_cut")).count();
    println!("{BODIES} bodies at a byte a second: {cut} were told so, the last after {longest:.1?}");
    assert!(longest <= BODY_TIMEOUT + LATE, "{longest:?}");
    assert_eq!(cut, BODIES);
    house.rests(1).await;
}

/// Says this at once, then these bytes one a second and over again, until it is answered or cut off: how long that took,
/// and what it was told.
async fn drip(to: SocketAddr, begun: &str, bytes: &[u8]) -> (Duration, String) {
    let mut stream = TcpStream::connect(to).await.expect("somebody listens");
    let began = Instant::now();
    let (mut reads, mut writes) = stream.split();
    let writing = async {
        let _ = writes.write_all(begun.as_bytes()).await;
        for at in 0.. {
            // A head goes on in its last field.
            let byte = bytes.get(at).or(bytes.last()).copied().unwrap_or(b'x');
            if writes.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut told = Vec::new();
    tokio::select! {
        _ = reads.read_to_end(&mut told) => {}
        () = writing => {}
    }
    (began.elapsed(), String::from_utf8_lossy(&told).into_owned())
}
