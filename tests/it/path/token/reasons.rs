//! Why tokens were asked for, as operators see it.

use super::{HOUR, any_grant, group, renew, secs, uncached};
use crate::support::world::World;
use easemob_gateway::simulator::{Fault, Matcher};
use http::StatusCode;
use std::collections::BTreeMap;
use tokio::time::sleep;

fn grants(world: &World) -> BTreeMap<(&'static str, &'static str), u64> {
    world.parts.house.tokens.grants()
}

#[tokio::test(start_paused = true)]
async fn each_reason_is_told_with_what_came_of_it() {
    let world = World::with(uncached, |vendor| vendor.token_ttl = 2 * HOUR);
    world.vendor.next(any_grant(), Fault::status(StatusCode::BAD_GATEWAY));
    world.get(&group()).await;
    sleep(secs(30)).await;
    world.get(&group()).await;
    let mut told = BTreeMap::from([(("start", "failed"), 1), (("start", "granted"), 1)]);
    assert_eq!(grants(&world), told);
    // Nobody renews here, so the token ends.
    sleep(3 * HOUR).await;
    world.get(&group()).await;
    told.insert(("expired", "granted"), 1);
    assert_eq!(grants(&world), told);
    world.vendor.next(Matcher::path("/chatgroups"), Fault::status(StatusCode::UNAUTHORIZED));
    assert_eq!(world.get(&group()).await.status, StatusCode::OK);
    told.insert(("refused", "granted"), 1);
    assert_eq!(grants(&world), told);
    world.parts.house.tokens.replace_secret("demo-secret".into());
    world.get(&group()).await;
    told.insert(("secret", "granted"), 1);
    assert_eq!(grants(&world), told);
    renew(&world);
    sleep(2 * HOUR).await;
    told.insert(("renewal", "granted"), 1);
    assert_eq!(grants(&world), told);
    let page = world.metrics();
    for ((reason, outcome), count) in told {
        let series =
            format!("gateway_token_grants_total{{outcome=\"{outcome}\",reason=\"{reason}\"}} {count}\n");
        assert!(page.contains(&series), "{series}");
    }
    assert!(world.grants() as u64 == grants(&world).values().sum::<u64>(), "each that the vendor saw");
}
