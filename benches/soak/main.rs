//! A long run of everything at once, with a vendor that fails: `cargo bench --bench soak -- --seconds 1800`.
//!
//! The gateway's own binary stands before the stand-in. First 10,000 connections that do nothing and 2,000 that do;
//! then callers that read, write, upload, ask for tokens and hang up, while the vendor resets connections, answers
//! with errors, is slow, and forgets its tokens. Each caller has a group of its own, and checks after each of its
//! acknowledged writes that the next read shows it. At the end memory must be what it was, no task and no connection may
//! be left, and no error may have come that nobody made.
//!
//! Options: `--seconds S` of mixed load (60), `--idle N` (10,000), `--active N` (2,000). Files: `ulimit -n 65536`.
//!
//! Beside that, where asked for, with the times of a usual day: `--uploads N` of 10 MB one after another and as many fifty
//! at once, `--drips N` connections that send one byte a second, `--reloads N` under load and then the end.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a run that cannot be set up has failed")]

mod client;
mod drips;
mod house;
mod mix;
mod reloads;
mod uploads;

use client::Caller;
use house::{House, QUICK};
use http::Method;
use serde_json::Value;
use std::time::Duration;

fn main() {
    let (mut seconds, mut idle, mut active) = (60, 10_000, 2_000);
    let (mut uploads, mut drips, mut reloads) = (0, 0, 0);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse().ok()).expect("a number after an option");
        match argument.as_str() {
            "--seconds" => seconds = value,
            "--idle" => idle = value,
            "--active" => active = value,
            "--uploads" => uploads = value,
            "--drips" => drips = value,
            "--reloads" => reloads = value,
            other => panic!("no such option: {other}"),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if seconds + idle + active > 0 {
            let house = House::start(QUICK).await;
            many(&house, idle as usize, active as usize).await;
            mixed(&house, Duration::from_secs(seconds)).await;
            house.end().await;
        }
        if uploads > 0 {
            let house = House::start("").await;
            uploads::run(&house, uploads as usize).await;
            house.end().await;
        }
        if drips > 0 {
            let house = House::start("").await;
            drips::run(&house, drips as usize).await;
            house.end().await;
        }
        if reloads > 0 {
            reloads::run(House::start("").await, reloads as usize).await;
        }
    });
}

/// Connections that do nothing, and beside them some that do.
async fn many(house: &House, idle: usize, active: usize) {
    let before = house.memory_kb();
    let mut sleeping = Vec::with_capacity(idle);
    for _ in 0..idle {
        let mut caller = Caller::of(house.address);
        let answer = caller.ask(Method::GET, "/chatgroups/66016455491585", &Value::Null).await;
        assert_eq!(answer.expect("an answer").status, 200);
        sleeping.push(caller);
    }
    let (_, open) = house.tasks_and_connections().await;
    let each = (house.memory_kb() - before) as f64 / idle.max(1) as f64;
    println!("{idle} idle connections: {each:.1} KB each");
    assert!(open >= idle, "{open} connections are open of {idle}");
    let load = (0..active).map(|_| async {
        let mut caller = Caller::of(house.address);
        for _ in 0..50 {
            let answer = caller.ask(Method::GET, "/chatgroups/66016455491585", &Value::Null).await;
            assert_eq!(answer.expect("an answer").status, 200);
        }
    });
    futures_util::future::join_all(load).await;
    println!("{active} active connections beside them: {} MB in all, no error", house.memory_kb() / 1024);
    for caller in &mut sleeping {
        let answer = caller.ask(Method::GET, "/chatgroups/66016455491585", &Value::Null).await;
        assert_eq!(answer.expect("an answer on a connection that slept").status, 200);
    }
    drop(sleeping);
    house.rests(1).await;
}

/// Everything at once; memory in three parts of the time.
async fn mixed(house: &House, length: Duration) {
    // What grows once (buffers, connections, the memory of tags) has grown before it is watched.
    let mut done = mix::run(house, length / 10).await;
    house.rests(1).await;
    let (tasks, _) = house.tasks_and_connections().await;
    let mut memory = Vec::new();
    for _ in 0..3 {
        done.add(&mix::run(house, length * 3 / 10).await);
        house.rests(1).await;
        memory.push(house.memory_kb() / 1024);
    }
    let (tasks_after, connections) = house.tasks_and_connections().await;
    println!("{done}");
    println!("memory after each third: {memory:?} MB; tasks {tasks} before, {tasks_after} after");
    assert_eq!(tasks, tasks_after, "tasks are left");
    assert!(connections <= 1, "connections are left, beside the one that asks: {connections}");
    assert!(memory[2] <= memory[0] + memory[0] / 10 + 4, "memory grows: {memory:?} MB");
    assert_eq!(done.stale, 0, "reads that show the state before an acknowledged write");
    assert_eq!(done.odd, 0, "answers that nobody made: {:?}", done.examples);
}
