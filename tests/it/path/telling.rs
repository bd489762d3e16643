//! What operators are told: each request counted once, one line per exchange, one per write, and no surprises in
//! the names.

use super::callers::{key_of, with_callers};
use crate::support::lines::Lines;
use crate::support::world::{World, request};
use easemob_gateway::app::endpoint_names;
use easemob_gateway::body::Body;
use easemob_gateway::simulator::{Fault, HoldAt, Matcher, SAMPLE_GROUPS};
use easemob_gateway::telemetry::metrics::COMMIT;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const CALLERS: &str = "[[callers]]\nname = \"orders\"\n[[callers]]\nname = \"rooms\"\nallow = [\"room.*\"]\n";

fn group() -> String {
    format!("/chatgroups/{}", SAMPLE_GROUPS[0])
}

fn by(name: &str, method: Method, path: &str, body: Option<Value>) -> Request<Body> {
    let mut request = request(method, path, body);
    let bearer = format!("Bearer {}", key_of(name)).parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    request
}

fn mute() -> Option<Value> {
    Some(json!({"usernames": ["bob"], "mute_duration": 60_000}))
}

/// A bit of everything: hits, misses, joined, writes, relays, refusals, vendor errors, callers who hang up.
/// Gives the number of requests.
async fn all_sorts(world: &World) -> usize {
    let group = group();
    let get = |path: &str| by("orders", Method::GET, path, None);
    let mute_path = format!("{group}/mute");
    let mut sent = 0;
    for request in [
        get(&group),
        get(&group),
        get(&format!("{group}?unknown=1")),
        get("/chatgroups/0"),
        get("/elsewhere"),
        get("/users/alice/joined_chatgroups?pagenum=0"),
        get("/chatgroups/1/../2"),
        by("orders", Method::PATCH, &group, None),
        by("orders", Method::POST, &mute_path, mute()),
        by("rooms", Method::GET, &group, None),
        by("stranger", Method::GET, &group, None),
        by("orders", Method::GET, "/token", None),
        request(Method::GET, &group, None),
    ] {
        world.send(request).await;
        sent += 1;
    }
    world.vendor.next(Matcher::path("/chatgroups/9"), Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
    world.send(get("/chatgroups/9")).await;
    // Two share a fetch, and one of them hangs up; so does a writer; all while the vendor is slow.
    let hold = world.vendor.hold(Matcher::path("/chatgroups"), HoldAt::Arrival);
    let (a, b) = (world.send(get("/chatgroups/8")), world.send(get("/chatgroups/8")));
    let hangs_up = tokio::time::timeout(Duration::from_millis(5), b);
    let writer = world.send(by("orders", Method::POST, &mute_path, mute()));
    let writer = tokio::time::timeout(Duration::from_millis(5), writer);
    let release = async {
        tokio::time::sleep(Duration::from_millis(9)).await;
        hold.release();
    };
    let (_, b, writer, ()) = tokio::join!(a, hangs_up, writer, release);
    assert!(b.is_err() && writer.is_err());
    // And one who is gone before anything was done, one whose answer is not read to its end.
    drop(world.gateway.call(get("/chatgroups/7")));
    drop(world.gateway.call(get(&format!("{group}/share_files/x"))).await);
    world.settle().await;
    sent + 6
}

fn world() -> World {
    World::with(|config| with_callers(config, CALLERS), |_| {})
}

/// The series of one metric: labels and value.
fn series(page: &str, name: &str) -> Vec<(String, f64)> {
    let of = |line: &str| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        (labels.is_empty() || labels.starts_with('{')).then(|| (labels.to_owned(), value.parse().unwrap()))
    };
    page.lines().filter_map(of).collect()
}

fn sum(page: &str, name: &str) -> usize {
    series(page, name).iter().map(|(_, value)| *value as usize).sum()
}

#[tokio::test(start_paused = true)]
async fn every_request_is_counted_once() {
    let world = world();
    let sent = all_sorts(&world).await;
    let page = world.metrics();
    assert_eq!(sum(&page, "gateway_requests_total"), sent);
    let gone =
        series(&page, "gateway_requests_total").into_iter().filter(|(labels, _)| labels.contains("gone"));
    assert_eq!(gone.map(|(_, value)| value as usize).sum::<usize>(), 3, "who hung up");
    // Two had no key, one a stranger's: nobody's; the token request was refused before anybody was known.
    assert_eq!(sum(&page, "gateway_caller_requests_total"), sent - 3);
    let refused = ["ambiguous_path", "wrong_method", "forbidden", "unidentified", "bad_grant"];
    let told: BTreeSet<String> =
        series(&page, "gateway_refusals_total").into_iter().map(|(l, _)| l).collect();
    assert_eq!(told, refused.iter().map(|reason| format!("{{reason=\"{reason}\"}}")).collect());
    assert_eq!(sum(&page, "gateway_refusals_total"), 6);
    assert_eq!(sum(&page, "gateway_vendor_calls_total"), world.calls(), "each call that the vendor saw");
    assert_eq!(sum(&page, "gateway_pool_admitted_total"), world.calls());
}

#[tokio::test(start_paused = true)]
async fn names_and_labels_come_from_closed_sets() {
    let world = world();
    all_sorts(&world).await;
    let page = world.metrics();
    let mut allowed: BTreeSet<&str> = endpoint_names().into_iter().collect();
    let outcomes = "none hit miss joined bypass write relay gone 2xx 3xx 4xx 5xx orders rooms default users \
        good token_refused vendor_limited plan_exhausted absent declined failed unreachable not_sent broken \
        timed_out granted refused unreached start renewal expired secret stored overtaken in_doubt older unknown patience queue_full paused \
        ambiguous_path wrong_method forbidden unidentified bad_grant users.delete.batch \
        began late full deserted in_use idle token work loop";
    allowed.extend(outcomes.split_whitespace());
    allowed.extend(endpoint_names().into_iter().map(|name| name.split('.').next().unwrap()));
    allowed.insert(env!("CARGO_PKG_VERSION"));
    allowed.insert(COMMIT);
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line.split_once(['{', ' ']).unwrap();
        if name.starts_with("process_") {
            continue;
        }
        assert!(name.starts_with("gateway_"), "{line}");
        let units = "_total _seconds _bytes _calls _entries _doubts _tasks _usable _grants _info _connections _under_way _paused _bucket _sum _count \
            _refused _settings";
        let mut units = units.split(' ');
        assert!(units.any(|unit| name.ends_with(unit)), "{line}");
        if let Some((labels, _)) = labels.split_once('}') {
            for label in labels.split("\",").map(|label| label.trim_end_matches('"')) {
                let (key, value) = label.split_once("=\"").unwrap();
                if key == "le" {
                    continue;
                }
                assert!(
                    [
                        "endpoint", "cache", "status", "caller", "reason", "outcome", "cause", "pool",
                        "version", "commit", "family", "event", "state", "kind"
                    ]
                    .contains(&key),
                    "{line}"
                );
                assert!(allowed.contains(value), "{value} in {line}");
            }
        }
    }
    assert!(!page.contains(SAMPLE_GROUPS[0]) && !page.contains("alice"), "no ids");
}

#[tokio::test(start_paused = true)]
async fn one_line_tells_of_each_exchange() {
    let lines = Lines::at("info");
    let world = World::with(
        |config| {
            with_callers(config, CALLERS);
            config.log.hits_one_in = 1;
        },
        |_| {},
    );
    let sent = all_sorts(&world).await;
    let told = lines.of("gateway::exchange");
    assert_eq!(told.len(), sent);
    for line in &told {
        for field in [
            "http.method",
            "http.path",
            "gateway.endpoint",
            "gateway.caller",
            "gateway.cache",
            "gateway.refusal",
            "message",
        ] {
            assert!(!line[field].as_str().unwrap_or_default().is_empty(), "{field} in {line}");
        }
        for field in ["http.status", "gateway.calls", "duration_us"] {
            assert!(line[field].is_u64(), "{field} in {line}");
        }
        assert!(!line.to_string().contains("unknown=1"), "no query");
    }
    let hit = &told[1];
    assert_eq!(hit["http.method"], "GET");
    assert_eq!(hit["http.path"], json!(group()));
    assert_eq!(hit["http.status"], 200);
    assert_eq!(hit["gateway.endpoint"], "group.read");
    assert_eq!(hit["gateway.caller"], "orders");
    assert_eq!(hit["gateway.cache"], "hit");
    assert_eq!(hit["gateway.calls"], 0);
    assert_eq!(hit["gateway.refusal"], "-");
    let forbidden = told.iter().find(|line| line["gateway.refusal"] == "forbidden").unwrap();
    assert_eq!((&forbidden["gateway.caller"], &forbidden["http.status"]), (&json!("rooms"), &json!(403)));
    assert_eq!(
        (&forbidden["gateway.endpoint"], &forbidden["http.path"]),
        (&json!("group.read"), &json!(group()))
    );
}

#[tokio::test(start_paused = true)]
async fn of_so_many_hits_one_is_logged_whatever_the_read() {
    for (one_in, logged) in [(0, 0), (1, 40), (4, 10), (100, 1)] {
        for by_body in [false, true] {
            let lines = Lines::at("info");
            let world = World::with(|config| config.log.hits_one_in = one_in, |_| {});
            let read = || match by_body {
                false => request(Method::GET, &group(), None),
                true => {
                    let body = json!({"targets": ["bob"], "properties": ["nick"]});
                    request(
                        Method::POST,
                        &format!("/metadata/chatgroup/{}/get", SAMPLE_GROUPS[0]),
                        Some(body),
                    )
                }
            };
            world.send(read()).await;
            for _ in 0..40 {
                assert!(world.send(read()).await.is_hit());
            }
            assert_eq!(lines.of("gateway::exchange").len(), 1 + logged, "1 in {one_in}, by body: {by_body}");
            assert_eq!(sum(&world.metrics(), "gateway_requests_total"), 41, "counted all the same");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_write_leaves_one_audit_line() {
    let lines = Lines::at("info");
    let world = world();
    let path = format!("{}/mute", group());
    let write = || by("orders", Method::POST, &path, mute());
    let faults = [
        None,
        Some(Fault::status(StatusCode::FORBIDDEN)),
        Some(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)),
        Some(Fault::ResetAfter),
    ];
    for fault in faults {
        fault.into_iter().for_each(|fault| world.vendor.next(Matcher::exactly(path.clone()), fault));
        world.send(write()).await;
    }
    let hold = world.vendor.hold(Matcher::exactly(path.clone()), HoldAt::Answer);
    let left = tokio::time::timeout(Duration::from_millis(5), world.send(write())).await;
    assert!(left.is_err(), "the writer has hung up");
    hold.release();
    world.settle().await;
    world.send(by("orders", Method::GET, &path, None)).await;
    let audit = lines.of("gateway::audit");
    let outcomes: Vec<&str> = audit.iter().map(|line| line["gateway.outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["good", "declined", "failed", "unknown", "good"]);
    for line in &audit {
        assert_eq!(line["gateway.caller"], "orders");
        assert_eq!(line["gateway.endpoint"], "group.mutes.add");
        assert_eq!(line["http.path"], json!(path));
        assert!(!line.to_string().contains("bob"), "no bodies");
    }
}

#[tokio::test(start_paused = true)]
async fn so_does_what_is_passed_on_and_what_was_refused_before_it_left() {
    let lines = Lines::at("info");
    let world = World::with(
        |config| {
            with_callers(config, CALLERS);
            config.listen.requests_max = 1;
        },
        |_| {},
    );
    let path = format!("{}/mute", group());
    let message = || {
        let body = json!({"from": "alice", "to": ["bob"], "type": "txt", "body": {"msg": "secret words"}});
        by("orders", Method::POST, "/messages/users", Some(body))
    };
    let dead = Fault::ResetBefore;
    let mut expected = Vec::new();
    let mut tell = |endpoint: &'static str, outcome: &'static str| expected.push((endpoint, outcome));
    world.send(message()).await;
    tell("message.users", "good");
    world.vendor.next(Matcher::path("/messages"), Fault::status(StatusCode::BAD_REQUEST));
    world.send(message()).await;
    tell("message.users", "declined");
    world.vendor.next(Matcher::path("/messages"), dead);
    world.send(message()).await;
    tell("message.users", "unknown");
    world.send(by("orders", Method::DELETE, "/elsewhere/7", None)).await;
    tell("other", "absent");
    // Who hangs up takes his request with him, but not the line.
    let hold = world.vendor.hold(Matcher::path("/messages"), HoldAt::Answer);
    assert!(tokio::time::timeout(Duration::from_millis(5), world.send(message())).await.is_err());
    hold.release();
    tell("message.users", "abandoned");
    world.send(by("rooms", Method::POST, &path, mute())).await;
    tell("group.mutes.add", "forbidden");
    let mut garbled = by("orders", Method::POST, "/thread", None);
    *garbled.body_mut() = Body::Kept("{".into());
    world.send(garbled).await;
    tell("thread.create", "malformed_body");
    let mut long = by("orders", Method::POST, &path, None);
    *long.body_mut() = Body::Kept(vec![b'x'; 17 << 20].into());
    world.send(long).await;
    tell("group.mutes.add", "body_too_large");
    let hold = world.vendor.hold(Matcher::exactly(path.clone()), HoldAt::Arrival);
    let write = world.send(by("orders", Method::POST, &path, mute()));
    let second = async {
        hold.arrived(1).await;
        assert_eq!(world.send(message()).await.refusal(), "full");
        hold.release();
    };
    tokio::join!(write, second);
    tell("message.users", "full");
    tell("group.mutes.add", "good");
    // What only asks leaves none, however it ends.
    world.send(by("rooms", Method::GET, &path, None)).await;
    world.send(by("orders", Method::GET, "/elsewhere", None)).await;
    world.send(by("stranger", Method::POST, &path, mute())).await;
    let audit = lines.of("gateway::audit");
    let told: Vec<_> = audit
        .iter()
        .map(|line| (line["gateway.endpoint"].as_str().unwrap(), line["gateway.outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(told, expected);
    assert!(!lines.text().contains("secret words"), "no bodies");
    assert!(audit.iter().all(|line| line["http.path"].as_str().unwrap().starts_with('/')));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_could_not_leave_is_told_of_once_and_changes_nothing() {
    let lines = Lines::at("info");
    let world = World::with(|config| config.limits.patience = Duration::ZERO, |_| {});
    assert_eq!(world.get(&group()).await.status, 200);
    let path = format!("{}/mute", group());
    world.vendor.next(Matcher::exactly(path.clone()), Fault::status(StatusCode::TOO_MANY_REQUESTS));
    for _ in 0..2 {
        world.send(request(Method::POST, &path, mute())).await;
    }
    let audit = lines.of("gateway::audit");
    let told: Vec<_> = audit.iter().map(|line| line["gateway.outcome"].as_str().unwrap()).collect();
    assert_eq!(told, ["vendor_limited", "budget_spent"]);
}
