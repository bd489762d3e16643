//! Another configuration while requests are under way: who is let in, what is counted, and what stays as it was.

use super::callers::{key_of, with_callers};
use super::refusals::assert_refused;
use crate::support::world::{Reply, World, request};
use easemob_gateway::config::{Config, Unlisted};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use easemob_gateway::units::Rate;
use http::Method;
use std::time::Duration;
use tokio::time::{advance, sleep};

const BOTH: &str = "[[callers]]\nname = \"orders\"\nquota = \"5/min\"\n[[callers]]\nname = \"support\"\n";
const ORDERS: &str = "[[callers]]\nname = \"orders\"\nquota = \"5/min\"\n";
const SUPPORT: &str = "[[callers]]\nname = \"support\"\n";

fn group() -> String {
    format!("/chatgroups/{}", SAMPLE_GROUPS[0])
}

fn world(callers: &str) -> World {
    World::with(|config| with_callers(config, callers), |_| {})
}

async fn get_by(world: &World, name: &str, path: &str) -> Reply {
    let mut request = request(Method::GET, path, None);
    request.headers_mut().insert("authorization", format!("Bearer {}", key_of(name)).parse().unwrap());
    world.send(request).await
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_removed_loses_its_key_at_once_and_may_come_back() {
    let world = world(BOTH);
    assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
    assert_eq!(get_by(&world, "support", &group()).await.status, 200);
    assert!(world.reload(|config| with_callers(config, SUPPORT)));
    for key in ["orders", "orders2"] {
        assert_refused(&get_by(&world, key, &group()).await, 401, "unauthorized", "unidentified");
    }
    assert_eq!(get_by(&world, "support", &group()).await.status, 200);
    assert!(world.reload(|config| with_callers(config, ORDERS)));
    assert_refused(&get_by(&world, "support", &group()).await, 401, "unauthorized", "unidentified");
    assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
    // Whatever number each has had meanwhile, what is counted is his own.
    assert_eq!(world.metric("gateway_caller_requests_total{caller=\"orders\"}"), 2.0);
    assert_eq!(world.metric("gateway_caller_requests_total{caller=\"support\"}"), 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_operators_that_is_removed_is_nobodys_at_once() {
    let world = World::with(|config| with_operator(config, "orders"), |_| {});
    let knows = |name: &str| {
        let policy = world.parts.house.policy.load();
        policy.operators.of_key(key_of(name).as_bytes()).is_some()
    };
    assert!(knows("orders") && !knows("support"));
    assert!(world.reload(|config| with_operator(config, "support")));
    assert!(!knows("orders") && knows("support"));
}

/// Gives operators the key of this name.
fn with_operator(config: &mut Config, name: &str) {
    // Read as a caller's, whose digest looks the same.
    let mut callers = config.clone();
    with_callers(&mut callers, &format!("[[callers]]\nname = \"{name}\"\n"));
    config.admin.keys.clone_from(&callers.callers[0].keys);
}

#[tokio::test(start_paused = true)]
async fn rules_that_change_hold_for_the_next_request() {
    let world = world("[[callers]]\nname = \"orders\"\nallow = [\"group.*\"]\n");
    assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
    assert!(
        world.reload(|config| with_callers(config, "[[callers]]\nname = \"orders\"\nallow = [\"room.*\"]\n"))
    );
    assert_refused(&get_by(&world, "orders", &group()).await, 403, "forbidden_op", "forbidden");
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_stays_keeps_what_was_spent_of_it() {
    let world = world(BOTH);
    for _ in 0..5 {
        assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
    }
    for callers in
        [BOTH, ORDERS, "[[callers]]\nname = \"new\"\n[[callers]]\nname = \"orders\"\nquota = \"5/min\"\n"]
    {
        assert!(world.reload(|config| with_callers(config, callers)));
        assert_refused(&get_by(&world, "orders", &group()).await, 429, "reach_limit", "caller_limited");
    }
    assert!(world.reload(|config| with_callers(config, &ORDERS.replace("5/min", "6/min"))));
    assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_under_the_policy_it_began_with() {
    let world = world(BOTH);
    let held = world.vendor.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let asked = get_by(&world, "orders", "/chatgroups/404");
    let reload = async {
        held.arrived(1).await;
        assert!(world.reload(|config| {
            with_callers(config, SUPPORT);
            config.cache.absent = Duration::ZERO;
        }));
        held.release();
    };
    let (reply, ()) = tokio::join!(asked, reload);
    // Nobody's request any more, it is answered; and what it says is kept, as was the rule when it began.
    assert_eq!((reply.status.as_u16(), reply.refusal()), (404, ""));
    assert!(get_by(&world, "support", "/chatgroups/404").await.is_hit());
    assert_refused(&get_by(&world, "orders", &group()).await, 401, "unauthorized", "unidentified");
    // The next one is under the new rule.
    for _ in 0..2 {
        assert!(!get_by(&world, "support", "/chatgroups/405").await.is_hit());
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_of_endpoints_change_and_what_is_kept_stays() {
    let world = World::new();
    assert_eq!(world.get(&group()).await.status, 200);
    assert!(world.reload(|config| config.vendor.unlisted = Unlisted::Refuse));
    assert!(world.get(&group()).await.is_hit());
    assert_refused(&world.get("/elsewhere").await, 404, "service_resource_not_found", "unknown_endpoint");
    assert!(world.reload(|config| {
        let own = easemob_gateway::config::EndpointOverride {
            rate: None,
            fresh: Some(Duration::ZERO),
            stale: None,
        };
        config.endpoints.insert("group.read".to_owned(), own);
    }));
    // What was kept lasts as long as was said then; what comes next is not kept.
    advance(Duration::from_secs(31)).await;
    assert!(!world.get(&group()).await.is_hit());
    assert!(!world.get(&group()).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn a_pool_takes_its_new_size_and_remembers_what_it_has_given() {
    let world = World::with(|config| config.limits.patience = Duration::ZERO, |_| {});
    let sized = |rate: &str| {
        let rate: Rate = rate.parse().unwrap();
        let own = easemob_gateway::config::EndpointOverride {
            rate: Some(rate),
            fresh: Some(Duration::ZERO),
            stale: None,
        };
        move |config: &mut easemob_gateway::config::Config| {
            config.limits.patience = Duration::ZERO;
            config.endpoints.insert("group.read".to_owned(), own);
        }
    };
    assert!(world.reload(sized("4/min")));
    let admitted = async |of: usize| {
        let mut good = 0;
        for n in 0..of {
            good += usize::from(world.get(&format!("{}?x={n}", group())).await.status == 200);
        }
        good
    };
    assert_eq!(admitted(10).await, 4);
    // The same again: nothing is forgotten.
    assert!(world.reload(sized("4/min")));
    assert_eq!(admitted(10).await, 0);
    assert!(world.reload(sized("6/min")));
    assert_eq!(admitted(10).await, 2);
    assert!(world.reload(sized("3/min")));
    assert_eq!(admitted(10).await, 0);
    sleep(Duration::from_secs(62)).await;
    assert_eq!(admitted(10).await, 3);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_pool_that_grows_need_not_wait_as_long() {
    let world = World::new();
    let sized = |rate: &str| {
        let rate: Rate = rate.parse().unwrap();
        let own = easemob_gateway::config::EndpointOverride {
            rate: Some(rate),
            fresh: Some(Duration::ZERO),
            stale: None,
        };
        move |config: &mut easemob_gateway::config::Config| {
            config.limits.patience = Duration::from_secs(60);
            config.endpoints.insert("group.read".to_owned(), own);
        }
    };
    assert!(world.reload(sized("1/30s")));
    assert_eq!(world.get(&group()).await.status, 200);
    let began = tokio::time::Instant::now();
    let path = format!("{}?x=1", group());
    let waiting = world.get(&path);
    let grow = async {
        sleep(Duration::from_secs(1)).await;
        assert!(world.reload(sized("2/30s")));
    };
    let (reply, ()) = tokio::join!(waiting, grow);
    assert_eq!(reply.status, 200);
    // It waited, and no longer than until there was room.
    let waited = began.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(2)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_restart_is_named_and_stays_as_it_was() {
    let world = world(BOTH);
    assert!(world.reload(|config| {
        with_callers(config, SUPPORT);
        config.listen.workers = 7;
        config.cache.settle = Duration::from_secs(9);
        config.vendor.org = "other".to_owned();
    }));
    assert_eq!(world.parts.office.reloads.state().restart, ["vendor.org", "listen.workers", "cache.settle"]);
    assert_eq!(get_by(&world, "support", &group()).await.status, 200);
    assert_refused(&get_by(&world, "orders", &group()).await, 401, "unauthorized", "unidentified");
    // Taken back, nothing waits any more.
    assert!(world.reload(|_| {}));
    assert!(world.parts.office.reloads.state().restart.is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_reload_opens_a_door_that_was_bound_for_callers() {
    let world = World::with(
        |config| {
            with_callers(config, BOTH);
            config.listen.address = "0.0.0.0:8080".parse().unwrap();
        },
        |_| {},
    );
    // A good file: nobody is configured, and the address is loopback. But that address is not in force.
    let taken = world.reload(|config| {
        config.callers.clear();
        config.listen.address = "127.0.0.1:8080".parse().unwrap();
    });
    assert!(!taken);
    let (why, _) = world.parts.office.reloads.state().refused.expect("it is told");
    assert!(why.contains("0.0.0.0:8080") && why.contains("no callers"), "{why}");
    assert_refused(&world.get(&group()).await, 401, "unauthorized", "unidentified");
    assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
}
