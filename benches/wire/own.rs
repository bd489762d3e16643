//! What only the gateway is asked: two workers against one, and the vendor's reports.
//!
//! A server that is not kept busy wakes for fewer requests at a time, which reads as a dearer request. So each worker
//! shares its core with a load of its own, whether there is one or two of them: all that differs is the other worker.

use crate::load::{Done, Load, Target};
use crate::origin::Origin;
use crate::peers::{Kind, Server};
use crate::{CONNECTIONS, Options, median};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::path::Path;
use std::time::Duration;

/// What the vendor reports most: a message, in the form of its own sample.
const MESSAGE: &str = r#"{"callId":"o#a_6f1b1c2e-0f1f-4b7e-9d0f-2a4f5f6c7d8e","eventType":"chat","timestamp":1700000000000,"chat_type":"groupchat","group_id":"66016455491585","from":"alice","to":"66016455491585","msg_id":"842160372563644964","payload":{"ext":{"priority":3,"trace":"c0ffee00-0000-4000-8000-000000000001"},"bodies":[{"msg":"The quick brown fox jumps over the lazy dog, and the group talks about muc and group_op_event all day long.","type":"txt"}]},"securityVersion":"1.0.0","app":"a","org":"o","host":"msync@ebs-ali-beijing-msync45","appkey":"o#a","security":"9f0c2a6a1b0e4b7f8b7d6d5c4b3a2910"}"#;

/// Measures and prints the rows that are wanted.
pub(crate) fn rows(origin: &Origin, work: &Path, options: &Options) {
    if options.wants("two workers") {
        two_workers(origin, work, options);
    }
    if options.wants("callbacks") {
        callbacks(origin, work, options);
    }
}

fn two_workers(origin: &Origin, work: &Path, options: &Options) {
    println!(
        "\n| CPU µs per hit, each worker's core shared with its load | one worker | two workers |\n|---|---|---|"
    );
    let servers =
        [1, 2].map(|cores| Server::on(Kind::Gateway, cores, origin.address, work).expect("a gateway"));
    for (name, count) in [("hot", 1), ("10,000 objects", 10_000)] {
        let cost = |at: usize, length, requests_max| {
            let (server, cores) = (&servers[at], at + 1);
            let loads = (0..cores).map(|_| Load {
                target: Target {
                    address: server.address,
                    path: "/o/a/chatgroups/",
                    header: server.header.clone(),
                    body: None,
                },
                connections: CONNECTIONS / 2,
                first: 0,
                count,
                length,
                requests_max,
            });
            cost_of(server, loads.collect())
        };
        for at in [0, 1] {
            cost(at, Duration::from_secs(30), 2 * count.max(1_000));
        }
        let rounds: Vec<[(f64, f64); 2]> = (0..options.rounds)
            .map(|round| {
                let mut costs = [(0.0, 0.0); 2];
                for at in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                    costs[at] = cost(at, options.length, u64::MAX);
                }
                costs
            })
            .collect();
        let cpu = |at: usize| median(rounds.iter().map(|costs| costs[at].0));
        let busy = |at: usize| median(rounds.iter().map(|costs| costs[at].1));
        let ratio = median(rounds.iter().map(|costs| costs[1].0 / costs[0].0));
        println!(
            "| {name} | {:.1}, busy {:.2} | {:.1}; **{ratio:.2}**, busy {:.2} |",
            cpu(0),
            busy(0),
            cpu(1),
            busy(1)
        );
    }
}

/// What a load on each of the first cores costs together.
fn cost_of(server: &Server, loads: Vec<Load>) -> (f64, f64) {
    measured(server, || {
        std::thread::scope(|scope| {
            let running: Vec<_> = loads
                .into_iter()
                .enumerate()
                .map(|(core, load)| {
                    scope.spawn(move || {
                        let mut cores = CpuSet::new();
                        cores.set(core);
                        sched_setaffinity(None, &cores).expect("a core of its own");
                        load.run()
                    })
                })
                .collect();
            running.into_iter().map(|load| load.join().expect("a load that ends")).collect()
        })
    })
}

fn callbacks(origin: &Origin, work: &Path, options: &Options) {
    println!("\n| CPU µs per callback | one core |\n|---|---|");
    let server = Server::start(Kind::Gateway, origin.address, work).expect("a gateway");
    let messages = |length| Load {
        target: Target {
            address: server.callbacks,
            path: "/callbacks",
            header: "Content-Type: application/json".to_owned(),
            body: Some(MESSAGE),
        },
        connections: CONNECTIONS,
        first: 0,
        count: 1,
        length,
        requests_max: u64::MAX,
    };
    cost(&server, messages(Duration::from_millis(200)));
    let rounds: Vec<f64> = (0..options.rounds).map(|_| cost(&server, messages(options.length)).0).collect();
    let cost = median(rounds.into_iter());
    println!("| a message of {} bytes, ignored | {cost:.1}; {:.0} k/s |", MESSAGE.len(), 1e3 / cost);
}

/// What a load costs from the core of this program.
fn cost(server: &Server, load: Load) -> (f64, f64) {
    measured(server, || vec![load.run()])
}

/// CPU time of the server for each request of these loads, in µs, and how many cores it kept busy.
fn measured(server: &Server, loads: impl FnOnce() -> Vec<Done>) -> (f64, f64) {
    let before = server.cpu();
    let done = loads();
    assert!(done.iter().all(|done| done.bad == 0), "answers that are none");
    let cpu = (server.cpu() - before).as_secs_f64();
    let requests: u64 = done.iter().map(|done| done.requests).sum();
    let took = done.iter().map(|done| done.took).max().unwrap_or_default();
    (cpu * 1e6 / requests as f64, cpu / took.as_secs_f64())
}
