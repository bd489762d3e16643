//! Purging: what an operator says has changed is fetched anew, under every tag; and what nobody has is refused.

use super::oracle::{Ask, assert_true};
use crate::support::world::World;
use easemob_gateway::catalogue::Effect;
use easemob_gateway::gateway::purge::{NAMES_MAX, Purge};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use futures_util::poll;
use http::Method;
use serde_json::{Value, json};

const A: &str = SAMPLE_GROUPS[0];
const B: &str = SAMPLE_GROUPS[1];

fn purge(world: &World, body: &Value) -> Result<Option<usize>, String> {
    let house = &world.parts.house;
    Purge::read(body.to_string().as_bytes(), &house.catalogue).map(|purge| house.purge(&purge))
}

fn reads() -> Vec<Ask> {
    let of = |group: &str| {
        [
            Ask::get(format!("/chatgroups/{group}")),
            Ask::get(format!("/chatgroups/{group}/announcement")),
            Ask::get(format!("/chatgroups/{group}/mute")),
        ]
    };
    [of(A), of(B)].concat()
}

/// Reads all of them twice, and says which are kept.
async fn kept(world: &World, asks: &[Ask]) -> Vec<bool> {
    let mut kept = Vec::new();
    for ask in asks {
        kept.push(ask.through(world).await.is_hit());
    }
    kept
}

#[tokio::test(start_paused = true)]
async fn what_is_named_is_fetched_anew_and_nothing_else() {
    let (all, none) = ([false; 6], [true; 6]);
    let info = |group: &str| json!({ "tags": [format!("group:{group}/announcement")] });
    let cases = [
        (json!({ "all": true }), all),
        (json!({ "endpoints": ["*"] }), all),
        (json!({ "endpoints": ["group.announcement.*"] }), [true, false, true, true, false, true]),
        (json!({ "endpoints": ["group.read", "room.*"] }), [false, true, true, false, true, true]),
        (info(A), [true, false, true, true, true, true]),
        (
            json!({ "tags": [format!("group:{B}/mutes"), format!("group:{A}/info")] }),
            [false, true, true, true, true, false],
        ),
        (json!({ "tags": [format!("group:{A}/*")] }), [false, false, false, true, true, true]),
        (
            json!({ "tags": [format!("group:EASEMOB-DEMO#chat_{A}")] }),
            [false, false, false, true, true, true],
        ),
        (json!({ "tags": ["group:nobody/*", "users/groups"] }), none),
    ];
    for (body, expected) in cases {
        let (world, asks) = (World::new(), reads());
        kept(&world, &asks).await;
        assert_eq!(kept(&world, &asks).await, none, "before {body}");
        purge(&world, &body).unwrap_or_else(|why| panic!("{body}: {why}"));
        assert_eq!(kept(&world, &asks).await, expected, "{body}");
        assert_eq!(world.metric("gateway_invalidations_total{cause=\"purge\"}"), 1.0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_answer_carries_is_refused_as_a_whole() {
    let (world, asks) = (World::new(), reads());
    kept(&world, &asks).await;
    let (good, many) = (format!("group:{A}"), vec!["groups"; NAMES_MAX + 1]);
    let bad = [
        json!({}),
        json!([]),
        json!({ "all": false }),
        json!({ "all": true, "tags": ["groups"] }),
        json!({ "tags": ["groups"], "endpoints": ["group.*"] }),
        json!({ "tag": "groups" }),
        json!({ "tags": [] }),
        json!({ "tags": many }),
        json!({ "tags": [good, "group:"] }),
        json!({ "tags": [good, "gruop:7"] }),
        json!({ "tags": [good, "group:7/mebmers"] }),
        json!({ "tags": [good, "group:1,2"] }),
        json!({ "tags": [good, "group:{group}"] }),
        json!({ "tags": [good, "*"] }),
        json!({ "tags": [good, 7] }),
        json!({ "endpoints": ["group.read", "gruop.*"] }),
        json!({ "endpoints": ["group.update"] }),
        json!({ "endpoints": [""] }),
    ];
    for body in bad {
        assert!(purge(&world, &body).is_err(), "{body}");
    }
    assert!(Purge::read(b"{\"all\": true", &world.parts.house.catalogue).is_err());
    assert_eq!(kept(&world, &asks).await, [true; 6], "nothing was touched");
    assert_eq!(world.metric("gateway_invalidations_total{cause=\"purge\"}"), 0.0);
}

/// As after a write: whoever asks after the purge was answered is not given what was on its way.
#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_is_overtaken() {
    for body in [
        json!({ "all": true }),
        json!({ "endpoints": ["group.announcement.read"] }),
        json!({ "tags": [format!("group:{A}/*")] }),
    ] {
        let (world, read) = (World::new(), Ask::get(format!("/chatgroups/{A}/announcement")));
        let hold = world.vendor.hold(Matcher::exactly(&read.path).times(1), HoldAt::Answer);
        let mut early = Box::pin(read.through(&world));
        assert!(poll!(&mut early).is_pending());
        world.settle().await;
        hold.arrived(1).await;
        let (status, _) =
            world.vendor.behind(Method::POST, &read.path, json!({ "announcement": "by the console" }));
        assert_eq!(status, 200);
        purge(&world, &body).unwrap();
        assert_true(&world, &read, &read.through(&world).await);
        hold.release();
        early.await;
        assert_true(&world, &read, &read.through(&world).await);
    }
}

/// The vendor's own copies may lag behind what the operator has heard of.
#[tokio::test(start_paused = true)]
async fn what_was_purged_settles() {
    for body in [json!({ "all": true }), json!({ "endpoints": ["group.read"] })] {
        let (world, read) = (World::new(), Ask::get(format!("/chatgroups/{A}")));
        read.through(&world).await;
        purge(&world, &body).unwrap();
        for _ in 0..2 {
            assert!(!read.through(&world).await.is_hit(), "{body}");
        }
        tokio::time::advance(crate::support::world::base_config().cache.settle).await;
        read.through(&world).await;
        assert!(read.through(&world).await.is_hit(), "{body}");
    }
}

/// A read that no pattern and no tag reaches could not be purged.
#[tokio::test(start_paused = true)]
async fn every_read_can_be_named() {
    let world = World::new();
    let catalogue = &world.parts.house.catalogue;
    for (_, row) in catalogue.rows() {
        let Effect::Read(read) = &row.endpoint.effect else { continue };
        assert_eq!(catalogue.named_tags(row.endpoint.name), [row.endpoint.name]);
        for tag in read.tags {
            let mut said = String::new();
            let mut rest = *tag;
            while let Some((text, after)) = rest.split_once('{') {
                said += &format!("{text}Seven");
                rest = after.split_once('}').expect("a closed brace").1;
            }
            said += rest;
            assert!(catalogue.named_tags(&said).contains(&said.replace("Seven", "seven")), "{said}");
        }
    }
}
