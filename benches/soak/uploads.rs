//! Uploads of 10 MB, one after another and fifty at once: memory stays what it was, whoever is the faster.

use crate::house::House;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BYTES: usize = 10_000_000;
const AT_ONCE: usize = 50;
/// What one upload may hold on its way: what each side's connection buffers, and nothing of the rest.
const EACH_KB: u64 = 1_024;
/// What the allocator may keep after the first uploads.
const SLACK_KB: u64 = 4_096;

pub(crate) async fn run(house: &House, count: usize) {
    let piece = vec![b'x'; 64 * 1024];
    upload(house.address, &piece).await;
    let before = house.memory_kb();
    let (mut highest, mut after) = (0, Vec::new());
    for at in 0..count {
        upload(house.address, &piece).await;
        highest = highest.max(house.memory_kb());
        if (at + 1) % (count / 4).max(1) == 0 {
            after.push(house.memory_kb());
        }
    }
    println!(
        "{count} uploads of 10 MB, one after another: {before} KB before, {highest} KB at most, then {after:?} KB"
    );
    assert!(highest <= before + EACH_KB + SLACK_KB, "{highest} KB");

    let left = AtomicUsize::new(count);
    let many = (0..AT_ONCE).map(|_| async {
        let mut highest = 0;
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            upload(house.address, &piece).await;
            highest = highest.max(house.memory_kb());
        }
        highest
    });
    let highest = futures_util::future::join_all(many).await.into_iter().max().unwrap_or_default();
    let after = house.memory_kb();
    println!("{count} more, {AT_ONCE} at once: {highest} KB at most, {after} KB after");
    assert!(highest <= before + AT_ONCE as u64 * EACH_KB + SLACK_KB, "{highest} KB");
    house.rests(1).await;
}

/// One upload on a connection of its own, answered by the stand-in.
async fn upload(to: SocketAddr, piece: &[u8]) {
    let mut stream = TcpStream::connect(to).await.expect("somebody listens");
    let head = format!(
        "POST /easemob-demo/chat/passed HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {BYTES}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("a head");
    for at in (0..BYTES).step_by(piece.len()) {
        stream.write_all(&piece[..piece.len().min(BYTES - at)]).await.expect("it is taken");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    // The stand-in has read it whole, and knows no such path.
    assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("gateway-error"), "{answer}");
}
