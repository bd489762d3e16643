//! What bodies weigh: never less than they name, and nothing where that cannot be told.

use super::toy::{UNLISTED, compile};
use easemob_gateway::catalogue::weight::Weightless;
use easemob_gateway::catalogue::{Endpoint, Pool, Verb::Post};
use easemob_gateway::units::Rate;
use http::Method;
use proptest::prelude::*;
use serde_json::json;

const POOLS: &[&Pool] = &[
    &Pool::new("heads", Rate::per_second(50)).weighs("/to/*", 10),
    &Pool::new("calls", Rate::per_second(5)),
    &Pool::new("things", Rate::per_second(50)).weighs("/body/things/*/id", 7),
];

/// What this weighs in heads, calls and things.
fn weigh(body: &str) -> Result<Vec<u32>, Weightless> {
    let send = Endpoint::relay("send.things", Post, "/send").spends(POOLS);
    let catalogue = compile(&[send, UNLISTED]).unwrap();
    let row = &catalogue[catalogue.look_up(&Method::POST, "/send").unwrap().endpoint];
    let names: Vec<&str> = row.pools.iter().map(|pool| catalogue.pools()[usize::from(*pool)].name).collect();
    assert_eq!(names, ["heads", "calls", "things"]);
    row.weights.as_ref().unwrap().weigh(body.as_bytes())
}

#[test]
fn each_pool_counts_what_it_points_at() {
    let body = json!({"to": ["a", "b"], "body": {"things": [{"id": 1}, {"id": 2}, {"id": "x"}]}});
    assert_eq!(weigh(&body.to_string()).unwrap(), [2, 1, 3]);
    assert_eq!(weigh("{}").unwrap(), [1, 1, 1]);
    assert_eq!(weigh(r#"{"to":[],"body":{"things":[]}}"#).unwrap(), [1, 1, 1]);
}

#[test]
fn what_is_no_list_of_names_has_no_weight() {
    for body in [r#"{"to":{}}"#, r#"{"to":[1.5]}"#, r#"{"to":[true]}"#, r#"{"to":["a",null]}"#] {
        assert!(matches!(weigh(body), Err(Weightless::Uncountable)), "{body}");
    }
    for body in ["", "to=a", r#"{"to":["a"]"#] {
        assert!(matches!(weigh(body), Err(Weightless::Malformed(_))), "{body}");
    }
}

#[test]
fn a_row_without_such_pools_is_not_weighed() {
    let catalogue = compile(&[Endpoint::relay("a", Post, "/a"), UNLISTED]).unwrap();
    assert!(catalogue[catalogue.look_up(&Method::POST, "/a").unwrap().endpoint].weights.is_none());
}

proptest! {
    #[test]
    fn nobody_is_forgotten(names in prop::collection::vec("[a-z]{1,4}(,[a-z]{1,4}){0,2}", 0..40), twice: bool) {
        let list = json!(names).to_string();
        let text = if twice { format!(r#"{{"to":{list},"to":{list}}}"#) } else { format!(r#"{{"to":{list}}}"#) };
        let heads: usize = names.iter().map(|name| name.split(',').count()).sum();
        let all = heads * if twice { 2 } else { 1 };
        prop_assert_eq!(weigh(&text).unwrap()[0], all.max(1) as u32);
    }
}
