//! How often a caller may ask: for everything, and for what a pattern names.

use super::callers::{get_by, group, key_of, with_callers};
use super::refusals::assert_refused;
use crate::support::world::{Reply, World, request};
use easemob_gateway::config::Config;
use http::Method;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

const ORDERS: &str = "[[callers]]\nname = \"orders\"\n";

fn world(quotas: &str) -> World {
    World::with(by(quotas), |_| {})
}

/// `orders` with these lines, and `support` with none.
fn by(quotas: &str) -> impl FnOnce(&mut Config) {
    let callers = format!("{ORDERS}{quotas}\n[[callers]]\nname = \"support\"\n");
    move |config| with_callers(config, &callers)
}

fn mutes() -> String {
    format!("{}/mute", group())
}

async fn mute(world: &World) -> Reply {
    let body = json!({"usernames": ["bob"], "mute_duration": 60_000});
    let mut request = request(Method::POST, &mutes(), Some(body));
    let bearer = format!("Bearer {}", key_of("orders"));
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    world.send(request).await
}

fn assert_limited(reply: &Reply, policy: &str) {
    assert_refused(reply, 429, "reach_limit", "caller_limited");
    assert_eq!(reply.header("ratelimit-policy"), policy);
    let name = policy.split(';').next().unwrap();
    let after = reply.header("retry-after");
    assert_eq!(reply.header("ratelimit"), format!("{name};r=0;t={after}"));
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_a_pattern_is_for_what_it_names_and_for_its_caller() {
    let world = world(r#"quotas = { "group.*" = "3/s" }"#);
    for _ in 0..3 {
        assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
    }
    let calls = world.calls();
    assert_limited(&get_by(&world, "orders", &group()).await, r#""quotas.group.*";q=3;w=1"#);
    assert_limited(&mute(&world).await, r#""quotas.group.*";q=3;w=1"#);
    assert_eq!(world.calls(), calls);
    assert_eq!(get_by(&world, "orders", "/chatrooms/1").await.refusal(), "", "rooms have none");
    assert_eq!(get_by(&world, "support", &group()).await.status, 200, "nor has anybody else");
    sleep(Duration::from_millis(334)).await;
    assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn of_several_patterns_the_longest_counts() {
    let world = world(
        r#"quotas = { "*" = "1/min", "group.*" = "4/min", "*.list" = "2/min", "group.mutes.list" = "3/min" }"#,
    );
    let allowed = async |path: &str| {
        let mut good = 0;
        while get_by(&world, "orders", path).await.refusal() != "caller_limited" {
            good += 1;
        }
        good
    };
    assert_eq!(allowed(&mutes()).await, 3);
    assert_eq!(allowed(&group()).await, 4);
    assert_eq!(allowed(&format!("{}/announcement", group())).await, 0, "spent by its sister");
    assert_eq!(allowed("/chatrooms/1/admin").await, 2);
    assert_eq!(allowed("/elsewhere").await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_quota_of_a_pattern_refuses_spends_nothing_of_the_one_for_all() {
    let world = world("quota = \"5/min\"\nquotas = { \"group.read\" = \"2/min\" }");
    for at in 0..20 {
        let reply = get_by(&world, "orders", &group()).await;
        assert_eq!(reply.refusal().is_empty(), at < 2);
    }
    for _ in 0..3 {
        assert_eq!(mute(&world).await.status, 200);
    }
    assert_limited(&mute(&world).await, r#""quota";q=5;w=60"#);
}

#[tokio::test(start_paused = true)]
async fn a_secret_bearing_row_is_counted_by_patterns_too() {
    let callers = "[[callers]]\nname = \"login\"\nallow = [\"token.user\"]\nquotas = { \"*\" = \"1/min\" }\n";
    let world = World::with(|config| with_callers(config, callers), |_| {});
    let ask = async || {
        let user = json!({"grant_type": "inherit", "username": "alice"});
        let mut request = request(Method::POST, "/token", Some(user));
        let bearer = format!("Bearer {}", key_of("login"));
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        world.send(request).await
    };
    assert_eq!(ask().await.status, 200);
    assert_limited(&ask().await, r#""quotas.*";q=1;w=60"#);
}

#[tokio::test(start_paused = true)]
async fn a_callers_own_token_is_a_request_like_any_other() {
    let world = world("quota = \"2/min\"\nquotas = { \"*\" = \"1/day\" }");
    let grant = |key: String| json!({"grant_type": "client_credentials", "client_id": "orders", "client_secret": key});
    let wrong = world.post("/token", grant(key_of("stranger"))).await;
    assert_eq!(wrong.refusal(), "bad_grant", "who is not known spends nothing");
    for _ in 0..2 {
        assert_eq!(world.post("/token", grant(key_of("orders"))).await.status, 200);
    }
    assert_limited(&world.post("/token", grant(key_of("orders"))).await, r#""quota";q=2;w=60"#);
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_a_pattern_that_stays_keeps_what_was_spent_of_it() {
    let world = world(r#"quotas = { "group.*" = "2/min" }"#);
    for _ in 0..2 {
        assert_eq!(get_by(&world, "orders", &group()).await.status, 200);
    }
    for same in [
        r#"quotas = { "group.*" = "2/min" }"#,
        r#"quotas = { "*" = "9/min", "group.*" = "2/min", "room.*" = "9/min" }"#,
        "quota = \"9/min\"\nquotas = { \"group.*\" = \"2/min\" }",
    ] {
        assert!(world.reload(by(same)));
        assert_eq!(get_by(&world, "orders", &group()).await.refusal(), "caller_limited", "{same}");
    }
    for other in [r#"quotas = { "group.*" = "3/min" }"#, r#"quotas = { "group.read" = "2/min" }"#, ""] {
        assert!(world.reload(by(other)));
        assert_eq!(get_by(&world, "orders", &group()).await.status, 200, "{other}");
    }
}
