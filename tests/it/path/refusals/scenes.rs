//! One scene for each refusal, named after its reason: the least that brings it about.

use super::*;
use crate::path::callers::{key_of, with_callers};
use bytes::Bytes;
use easemob_gateway::app::Parts;
use easemob_gateway::tasks::Tasks;
use futures_util::StreamExt;
use http_body::Frame;
use std::pin::pin;

/// Asks, and counts what the vendor saw of it.
async fn scene(world: &World, request: Request<Body>) -> Scene {
    let before = world.calls();
    let reply = world.send(request).await;
    Scene { reply, calls: world.calls() - before }
}

async fn asked(world: &World, method: Method, path: &str, body: Option<Value>) -> Scene {
    scene(world, request(method, path, body)).await
}

async fn get(world: &World, path: &str) -> Scene {
    asked(world, Method::GET, path, None).await
}

fn set(change: impl FnOnce(&mut Config)) -> World {
    World::with(change, |_| {})
}

fn with_body(method: Method, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("{APP}{path}"))
        .header("host", "localhost")
        .body(body)
        .unwrap()
}

/// A second request while a first one is held at the vendor.
async fn while_one_is_held(world: &World, first: &str, second: Request<Body>) -> Scene {
    let hold = world.vendor.hold(Matcher::path("/chatgroups"), HoldAt::Arrival);
    let mut held = pin!(world.get(first));
    assert!(futures_util::poll!(held.as_mut()).is_pending());
    hold.arrived(1).await;
    let scene = scene(world, second).await;
    hold.release();
    assert_eq!(held.await.status, 200, "the first is not harmed");
    scene
}

pub(super) async fn full() -> Scene {
    let world = set(|config| config.listen.requests_max = 1);
    while_one_is_held(&world, &group(), request(Method::GET, "/chatgroups/2", None)).await
}

pub(super) async fn flight_full() -> Scene {
    // Too many readers of one fetch is the same to the caller as too many fetches.
    let world = set(|config| config.cache.waiters_max = 1);
    while_one_is_held(&world, &group(), request(Method::GET, &group(), None)).await;
    let world = set(|config| config.cache.flights_max = 1);
    while_one_is_held(&world, &group(), request(Method::GET, "/chatgroups/2", None)).await
}

pub(super) async fn unidentified() -> Scene {
    let world = set(|config| with_callers(config, "[[callers]]\nname = \"orders\"\n"));
    get(&world, &group()).await
}

async fn with_header(world: &World, name: &'static str, value: &str) -> Scene {
    let mut request = request(Method::GET, &group(), None);
    request.headers_mut().insert(name, value.parse().unwrap());
    scene(world, request).await
}

pub(super) async fn not_kept() -> Scene {
    with_header(&World::new(), "cache-control", "only-if-cached").await
}

pub(super) async fn vendor_token() -> Scene {
    with_header(&World::new(), "authorization", "Bearer YWMtabc").await
}

pub(super) async fn origin() -> Scene {
    with_header(&World::new(), "origin", "https://evil.example").await
}

pub(super) async fn host() -> Scene {
    with_header(&World::new(), "host", "evil.example").await
}

pub(super) async fn forbidden() -> Scene {
    let callers = "[[callers]]\nname = \"orders\"\nallow = [\"room.*\"]\n";
    let world = set(|config| with_callers(config, callers));
    with_header(&world, "authorization", &format!("Bearer {}", key_of("orders"))).await
}

pub(super) async fn caller_limited() -> Scene {
    let callers = "[[callers]]\nname = \"orders\"\nquota = \"1/min\"\n";
    let world = set(|config| with_callers(config, callers));
    let bearer = format!("Bearer {}", key_of("orders"));
    assert_eq!(with_header(&world, "authorization", &bearer).await.reply.status, 200);
    with_header(&world, "authorization", &bearer).await
}

pub(super) async fn unknown_app() -> Scene {
    let request = Request::get("/easemob-demo/other/chatgroups/1").header("host", "localhost");
    scene(&World::new(), request.body(Body::Empty).unwrap()).await
}

pub(super) async fn unknown_endpoint() -> Scene {
    let world = set(|config| config.vendor.unlisted = Unlisted::Refuse);
    get(&world, "/elsewhere").await
}

pub(super) async fn wrong_method() -> Scene {
    asked(&World::new(), Method::PATCH, &group(), Some(json!({}))).await
}

pub(super) async fn ambiguous_path() -> Scene {
    get(&World::new(), "/chatgroups/1/../2").await
}

pub(super) async fn bad_target() -> Scene {
    asked(&World::new(), Method::TRACE, &group(), None).await
}

pub(super) async fn malformed_body() -> Scene {
    let world = World::new();
    scene(&world, with_body(Method::POST, "/thread", Body::Kept("{\"group_id\":".into()))).await
}

pub(super) async fn too_heavy() -> Scene {
    let to: Vec<String> = (0..601).map(|n| format!("u{n}")).collect();
    asked(&World::new(), Method::POST, "/messages/users", Some(json!({ "to": to }))).await
}

pub(super) async fn uncountable() -> Scene {
    asked(&World::new(), Method::POST, "/messages/users", Some(json!({"to": {"user": "ann"}}))).await
}

pub(super) async fn body_too_large() -> Scene {
    let world = set(|config| config.listen.body_bytes_max = ByteSize::kib(1));
    scene(&world, with_body(Method::POST, "/thread", Body::Kept(Bytes::from(vec![b'x'; 1_025])))).await
}

pub(super) async fn body_encoded() -> Scene {
    let mut request = request(Method::POST, "/thread", Some(json!({})));
    request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    scene(&World::new(), request).await
}

pub(super) async fn body_cut() -> Scene {
    // A caller who hangs up in the middle of his body, then one who never goes on.
    let begun = || futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"{\"usernames\":")))]);
    let cut = begun().chain(futures_util::stream::iter([Err(BodyError::TimedOut)]));
    let path = format!("{}/mute", group());
    let world = World::new();
    let first = scene(&world, with_body(Method::POST, &path, Body::stream(StreamBody::new(cut)))).await;
    assert_eq!((first.reply.refusal(), first.calls), ("body_cut", 0));
    let slow = begun().chain(futures_util::stream::pending());
    scene(&world, with_body(Method::POST, &path, Body::stream(StreamBody::new(slow)))).await
}

pub(super) async fn bad_grant() -> Scene {
    asked(&World::new(), Method::POST, "/token", Some(json!({"grant_type": "agora"}))).await
}

pub(super) async fn budget_spent() -> Scene {
    let world = World::new();
    world
        .vendor
        .next(Matcher::path("/chatgroups"), Fault::status(StatusCode::TOO_MANY_REQUESTS).retry_after(7));
    assert_eq!(world.get(&group()).await.refusal(), "", "the vendor's own is passed on");
    get(&world, &group()).await
}

pub(super) async fn no_token() -> Scene {
    let world = World::new();
    world.vendor.next(Matcher::exactly("/token"), Fault::ResetBefore);
    get(&world, &group()).await
}

pub(super) async fn send_again() -> Scene {
    let world = World::new();
    world.vendor.next(Matcher::path("/chatgroups"), Fault::status(StatusCode::UNAUTHORIZED));
    let body = Body::Kept(Bytes::from(vec![b'x'; 2 << 20]));
    scene(&world, with_body(Method::POST, &format!("{}/share_files", group()), body)).await
}

pub(super) async fn token_refused() -> Scene {
    let world = World::new();
    world.vendor.next(Matcher::path("/chatgroups").times(2), Fault::status(StatusCode::UNAUTHORIZED));
    get(&world, &group()).await
}

pub(super) async fn unreachable() -> Scene {
    let world = World::new();
    world.vendor.next(Matcher::path("/chatgroups"), Fault::ResetBefore);
    get(&world, &group()).await
}

pub(super) async fn timed_out() -> Scene {
    let world = World::new();
    assert_eq!(world.get("/chatgroups/1").await.status, 404, "there is a token");
    world.vendor.latency(Duration::from_secs(60));
    get(&world, &group()).await
}

/// Whatever panics in the middle of a request ends that request only.
pub(super) async fn broken() -> Scene {
    let simulator = Simulator::new(Default::default());
    let panics = Upstream::service(tower::service_fn(|_: Request<Body>| async {
        let nothing = std::hint::black_box(None::<Result<http::Response<Body>, SendError>>);
        nothing.expect("a mistake in the gateway")
    }));
    let grants = Tap::new(|_, _| {}).way_to(&simulator);
    let config = crate::support::world::base_config();
    let parts = Parts::new(&config, grants, Tasks::new(), fastrand::Rng::with_seed(1)).unwrap();
    let (gateway, _desk) = parts.worker(panics);
    let relayed = gateway.call(request(Method::GET, "/elsewhere", None)).now_or_never();
    assert!(relayed.is_none(), "it waits for a token");
    let shared = read(gateway.call(request(Method::GET, &group(), None)).await.unwrap()).await;
    assert_eq!(shared.refusal(), "broken", "a fetch that others may have joined");
    let reply = read(gateway.call(request(Method::GET, "/elsewhere", None)).await.unwrap()).await;
    Scene { reply, calls: simulator.control().counters().total() as usize - 1 }
}
