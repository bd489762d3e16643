//! What a request costs over the wire, beside nginx and HAProxy on the same work: `cargo bench --bench wire`.
//!
//! The server under test has core 0 and one worker; the load and the origin behind the proxies share core 1. All
//! servers stay up, each measurement visits them in turn, and the order shifts with each round. The figure is CPU
//! time (user and system, all threads of the server) per request; quoted are medians over the rounds, and medians of
//! the ratios within a round, since machines drift. That a hit was a hit and a miss a miss is proved by counting the
//! requests that reach the origin. Absolute figures of two runs do not compare.
//!
//! Options: `--rounds N` (5), `--seconds S` of one measurement (1), `--only ROW` (a part of a row's name),
//! `--no-memory`, `--kept N` answers to measure memory by (40,000). Needs `taskset`; a peer that is not installed is left out.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

mod load;
mod origin;
mod own;
mod peers;

use load::{Load, Target};
use origin::Origin;
use peers::{Kind, Server};
use std::time::Duration;

/// The rows of the table.
const ROWS: &[Row] = &[
    Row { name: "hit, hot", path: "/o/a/chatgroups/", ids: Ids::One, calls: 0 },
    Row { name: "hit, 10,000 objects", path: "/o/a/chatgroups/", ids: Ids::Some(10_000), calls: 0 },
    Row { name: "miss, passed through", path: "/o/a/passed/", ids: Ids::New, calls: 1 },
    Row { name: "miss, fetched and stored", path: "/o/a/chatgroups/", ids: Ids::New, calls: 1 },
];

struct Row {
    name: &'static str,
    path: &'static str,
    ids: Ids,
    /// Calls to the origin for each request.
    calls: u64,
}

#[derive(Clone, Copy)]
enum Ids {
    One,
    Some(u64),
    New,
}

struct Options {
    rounds: usize,
    length: Duration,
    only: Option<String>,
    memory: bool,
    kept: u64,
}

impl Options {
    fn wants(&self, row: &str) -> bool {
        self.only.as_ref().is_none_or(|only| row.contains(only.as_str()))
    }
}

/// One measurement of one server.
#[derive(Clone, Copy)]
struct Figure {
    cpu_us: f64,
    per_second: f64,
    busy: f64,
    p50_us: f64,
    p99_us: f64,
}

/// Connections with one request each under way.
const CONNECTIONS: usize = 64;

fn main() {
    let options = options();
    if std::env::var_os("WIRE_PINNED").is_none() {
        // The load and the origin have a core of their own, and inherit it.
        let program = std::env::current_exe().expect("the path of this program");
        let status = std::process::Command::new("taskset")
            .args(["-c", "1"])
            .arg(program)
            .args(std::env::args_os().skip(1))
            .env("WIRE_PINNED", "1")
            .status();
        std::process::exit(status.expect("taskset, from util-linux").code().unwrap_or(1));
    }
    // In memory where there is such a place: nginx keeps its answers in files.
    let shm = std::path::Path::new("/dev/shm");
    let place = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
    let work = tempfile::tempdir_in(place).expect("a directory for files");
    let origin = Origin::start();
    let servers: Vec<Server> =
        Kind::ALL.iter().filter_map(|kind| Server::start(*kind, origin.address, work.path())).collect();
    let mut new = 1_000_000_000;
    println!("| CPU µs per request | {} |", names(&servers));
    println!("|---|{}", "---|".repeat(servers.len()));
    for row in ROWS.iter().filter(|row| options.wants(row.name)) {
        let rounds = measure(row, &servers, &origin, &options, &mut new);
        println!("{}", line(row.name, &rounds));
    }
    drop(servers);
    own::rows(&origin, work.path(), &options);
    if options.memory && options.only.is_none() {
        memory(&origin, work.path(), options.kept);
    }
}

fn options() -> Options {
    let mut options =
        Options { rounds: 5, length: Duration::from_secs(1), only: None, memory: true, kept: 40_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("a value after the option");
        match argument.as_str() {
            "--rounds" => options.rounds = value().parse().expect("a number of rounds"),
            "--seconds" => options.length = Duration::from_secs_f64(value().parse().expect("seconds")),
            "--only" => options.only = Some(value()),
            "--no-memory" => options.memory = false,
            "--kept" => options.kept = value().parse().expect("a number of answers"),
            // What cargo adds by itself.
            "--bench" => {}
            other => panic!("no such option: {other}"),
        }
    }
    options
}

/// All rounds of one row: for each, one figure for each server.
fn measure(
    row: &Row,
    servers: &[Server],
    origin: &Origin,
    options: &Options,
    new: &mut u64,
) -> Vec<Vec<Figure>> {
    let mut target = |length: Duration, server: &Server| {
        let (first, count) = match row.ids {
            Ids::One => (7, 1),
            Ids::Some(count) => (0, count),
            Ids::New => {
                *new += 10_000_000;
                (*new, u64::MAX)
            }
        };
        Load {
            target: Target {
                address: server.address,
                path: row.path,
                header: server.header.clone(),
                body: None,
            },
            connections: CONNECTIONS,
            first,
            count,
            length,
            requests_max: u64::MAX,
        }
    };
    for server in servers {
        // Kept answers are there before the first round, and buffers have grown.
        let mut warm = target(Duration::from_secs(30), server);
        warm.requests_max = if let Ids::Some(count) = row.ids { 2 * count } else { 2_000 };
        assert_eq!(warm.run().bad, 0, "{}: answers that are none", server.name);
    }
    (0..options.rounds)
        .map(|round| {
            let mut figures = vec![None; servers.len()];
            for turn in 0..servers.len() {
                let at = (turn + round) % servers.len();
                let server = &servers[at];
                let (before, called) = (server.cpu(), origin.requests());
                let result = target(options.length, server).run();
                let (cpu, called) = (server.cpu() - before, origin.requests() - called);
                assert_eq!(result.bad, 0, "{}: {} answers that are none", server.name, result.bad);
                let expected = row.calls * result.requests;
                assert!(
                    called.abs_diff(expected) <= CONNECTIONS as u64,
                    "{}, {}: {called} calls reached the origin for {} requests",
                    row.name,
                    server.name,
                    result.requests,
                );
                figures[at] = Some(Figure {
                    cpu_us: cpu.as_secs_f64() * 1e6 / result.requests as f64,
                    per_second: result.requests as f64 / result.took.as_secs_f64(),
                    busy: cpu.as_secs_f64() / result.took.as_secs_f64(),
                    p50_us: result.quantile_us(0.5),
                    p99_us: result.quantile_us(0.99),
                });
            }
            figures.into_iter().flatten().collect()
        })
        .collect()
}

fn names(servers: &[Server]) -> String {
    servers.iter().map(|server| server.name).collect::<Vec<_>>().join(" | ")
}

/// One row of the table: the gateway, then each peer with the gateway's ratio to it.
fn line(name: &str, rounds: &[Vec<Figure>]) -> String {
    let column = |at: usize, of: fn(&Figure) -> f64| median(rounds.iter().map(|round| of(&round[at])));
    let cells: Vec<String> = (0..rounds.first().map_or(0, Vec::len))
        .map(|at| {
            let ratio = median(rounds.iter().map(|round| round[0].cpu_us / round[at].cpu_us));
            let against = if at == 0 { String::new() } else { format!(" **{ratio:.2}**,") };
            format!(
                "{:.1};{against} {:.0} k/s, busy {:.2}, p50 {:.0}, p99 {:.0} µs",
                column(at, |figure| figure.cpu_us),
                column(at, |figure| figure.per_second) / 1e3,
                column(at, |figure| figure.busy),
                column(at, |figure| figure.p50_us),
                column(at, |figure| figure.p99_us),
            )
        })
        .collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        even if even.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// Resident memory: at the start, for each idle connection, for each kept answer. Each server is started anew.
fn memory(origin: &Origin, work: &std::path::Path, kept: u64) {
    const IDLE: usize = 5_000;
    println!(
        "\n| memory | at the start, MB | an idle connection, KB | each of {kept} kept answers of 1 KiB, KB | with them, MB |"
    );
    println!("|---|---|---|---|---|");
    for kind in Kind::ALL {
        let load = |server: &Server, connections, (first, count), requests_max| Load {
            target: Target {
                address: server.address,
                path: "/o/a/chatgroups/",
                header: server.header.clone(),
                body: None,
            },
            connections,
            first,
            count,
            length: Duration::from_secs(120),
            requests_max,
        };
        let Some(server) = Server::start(*kind, origin.address, work) else { continue };
        load(&server, CONNECTIONS, (0, 2_000), 2_000).run();
        let start = server.memory_kb();
        let held = load(&server, IDLE, (7, 1), IDLE as u64).hold();
        let idle = server.memory_kb();
        drop(held);
        drop(server);
        let Some(server) = Server::start(*kind, origin.address, work) else { continue };
        load(&server, CONNECTIONS, (0, 2_000), 2_000).run();
        let empty = server.memory_kb();
        load(&server, CONNECTIONS, (500_000, kept), kept).run();
        let full = server.memory_kb();
        println!(
            "| {} | {:.1} | {:.1} | {:.2}{} | {:.0} |",
            server.name,
            start / 1024.0,
            (idle - start) / IDLE as f64,
            (full - empty) / kept as f64,
            if *kind == Kind::Nginx { " and the bodies in files" } else { "" },
            full / 1024.0,
        );
    }
}
