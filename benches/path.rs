//! What the pieces of the path cost, in this process and without sockets: `cargo bench --bench path`.
//!
//! Absolute times belong to the machine they were taken on; compare two runs on one machine, or two rows of one
//! run. What a whole request costs against other proxies is measured over the wire, not here.

#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has failed")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use easemob_gateway::app::{Parts, known};
use easemob_gateway::body::Body;
use easemob_gateway::cache::{self, Cache, Cause, Entry, Key, Secret};
use easemob_gateway::catalogue::{Effect, EndpointId};
use easemob_gateway::clock;
use easemob_gateway::config::{self, Config};
use easemob_gateway::easemob;
use easemob_gateway::gateway::{Gateway, Outcome};
use easemob_gateway::limit::{Limits, PoolId, PoolSettings, Settings};
use easemob_gateway::tasks::Tasks;
use easemob_gateway::units::Rate;
use easemob_gateway::upstream::Upstream;
use http::{Method, Request, Response};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const DETAILS: &str =
    r#"{"action":"get","data":[{"id":"7","name":"a group","owner":"alice","affiliations":[]}]}"#;

/// A vendor that answers everything with one body of about a kibibyte, which is a token too.
fn stub() -> Upstream {
    let body = DETAILS.replacen('{', r#"{"access_token":"YWMt","expires_in":86400,"application":"x","#, 1);
    let body = format!("{body}{}", " ".repeat(1024 - body.len()));
    let body = bytes::Bytes::from(body);
    Upstream::service(tower::service_fn(move |_| {
        let response = Response::builder().header("content-type", "application/json");
        let response = response.body(Body::Kept(body.clone())).expect("a response");
        async move { Ok(response) }
    }))
}

fn configuration() -> Config {
    let text = r#"
        [vendor]
        origin = "http://127.0.0.1:1"
        org = "o"
        app = "a"
        client_id = "id"
        client_secret = "secret"
        [log]
        hits_one_in = 0
        [endpoints."group.read"]
        rate = "4000000/s"
    "#;
    config::parse(text, std::iter::empty(), &known()).expect("a configuration").config
}

fn gateway(change: impl FnOnce(&mut Config)) -> Gateway {
    let mut config = configuration();
    change(&mut config);
    let parts = Parts::new(&config, stub(), Tasks::new(), fastrand::Rng::with_seed(1)).expect("the parts");
    parts.worker(stub()).0
}

fn read(group: u32) -> Request<Body> {
    Request::builder()
        .uri(format!("/o/a/chatgroups/{group}"))
        .header("host", "localhost")
        .body(Body::Empty)
        .expect("a request")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn path(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("path");
    group.throughput(Throughput::Elements(1));
    let kept = gateway(|_| {});
    runtime.block_on(async {
        for number in 0..10_000 {
            let _ = kept.call(read(number)).await;
        }
    });
    group.bench_function("hit", |b| {
        b.iter_batched(|| read(7), |request| at_hand(kept.call(request)), BatchSize::SmallInput);
    });
    let mut dice = fastrand::Rng::with_seed(2);
    group.bench_function("hit, 10,000 objects", |b| {
        b.iter_batched(
            || read(dice.u32(..10_000)),
            |request| at_hand(kept.call(request)),
            BatchSize::SmallInput,
        );
    });
    let forgetful = gateway(|config| {
        config.endpoints.entry("group.read".into()).and_modify(|own| own.fresh = Some(Duration::ZERO));
    });
    group.bench_function("miss, passed through", |b| {
        b.iter_batched(
            || read(7),
            |request| runtime.block_on(forgetful.call(request)),
            BatchSize::SmallInput,
        );
    });
    let mut number = 10_000;
    group.bench_function("miss, stored", |b| {
        let next = || {
            number += 1;
            read(number)
        };
        b.iter_batched(next, |request| runtime.block_on(kept.call(request)), BatchSize::SmallInput);
    });
    group.finish();
}

/// A hit makes no future; anything else would be another benchmark.
fn at_hand(outcome: Outcome) -> Response<Body> {
    match outcome {
        Outcome::Ready(Some(response)) => response,
        _ => panic!("not a hit"),
    }
}

fn pieces(c: &mut Criterion) {
    let catalogue = easemob::catalogue("o", "a").expect("a catalogue");
    let secret = Secret::new([7; 16]);
    c.bench_function("classify", |b| {
        b.iter(|| catalogue.look_up(&Method::GET, black_box("/chatgroups/66016455491585/mute")));
    });
    let found = catalogue.look_up(&Method::GET, "/chatgroups/66016455491585").expect("a row");
    let Effect::Read(read) = &catalogue[found.endpoint].endpoint.effect else { panic!("not a read") };
    c.bench_function("key", |b| {
        let path = ("/chatgroups/66016455491585", &found.spans);
        b.iter(|| Key::new(&secret, found.endpoint, read, black_box(path), None, None));
    });
}

/// Touches and checks beside so many kept answers, each with tags of its own.
fn coherence(c: &mut Criterion) {
    let secret = Secret::new([7; 16]);
    let settings = cache::Settings {
        bytes_max: 2 << 30,
        slots: configuration().cache.slots,
        tags_max: 1_024,
        settle: Duration::ZERO,
        doubt: Duration::from_secs(60),
        fetch_max: Duration::from_secs(100),
    };
    for entries in [1_000_u32, 1_000_000] {
        let cache = Cache::new(settings.clone(), &secret);
        let tags = |group: u32| -> Vec<String> {
            ["", "/info", "/members", "/admins"].map(|of| format!("group:{group}{of}")).into()
        };
        let now = clock::now();
        for group in 0..entries {
            let key = Key::element(&secret, EndpointId(1), &group.to_string());
            let (stamp, times) = (cache.epochs.now(), (now, now + Duration::from_secs(3_600)));
            let entry = Entry::new(&key, &cache.slots(&tags(group)), (200, b"{}"), stamp, times);
            cache.keep(&key, Arc::new(entry.expect("an entry")), now);
        }
        assert!(cache.size().0 >= u64::from(entries) * 99 / 100, "there is room for all");
        let key = Key::element(&secret, EndpointId(1), "7");
        let entry = cache.find(&key).expect("it is kept");
        c.bench_function(&format!("stamp check of four tags beside {entries} entries"), |b| {
            b.iter(|| black_box(cache.current(black_box(&entry))));
        });
        let (touched, mut dice) = (tags(8), fastrand::Rng::with_seed(3));
        c.bench_function(&format!("touch of four tags beside {entries} entries"), |b| {
            b.iter(|| cache.touch(black_box(&touched), Cause::Write));
        });
        c.bench_function(&format!("touch of any four tags beside {entries} entries"), |b| {
            let next = || tags(dice.u32(..entries));
            b.iter_batched(next, |tags| cache.touch(&tags, Cause::Write), BatchSize::SmallInput);
        });
    }
}

fn pool(c: &mut Criterion) {
    let runtime = runtime();
    let limits = Limits::new(
        vec![PoolSettings { name: "pool".into(), rate: Rate::per_second(4_000_000), per_call: 1 }],
        Settings {
            window_margin: 0.03,
            waiting_max: 1024,
            ready_max: 8,
            pause_default: Duration::from_secs(1),
            pause_max: Duration::from_secs(30),
        },
    );
    c.bench_function("permit from an idle pool", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let mut place = limits.queue([PoolId(0)], Duration::from_secs(1)).expect("room");
                place.near().await.expect("near");
                place.admit().await.expect("a permit")
            })
        });
    });
}

criterion_group!(benches, path, pieces, coherence, pool);
criterion_main!(benches);
