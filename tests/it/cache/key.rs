//! The name of a read: spellings of one read share it, two reads never do.

use super::{a_read, secret};
use easemob_gateway::cache::Key;
use easemob_gateway::catalogue::{Catalogue, Effect};
use easemob_gateway::easemob;
use http::Method;
use proptest::prelude::*;
use std::sync::LazyLock;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| easemob::catalogue("org", "app").unwrap());

/// As the gateway names it; `None` when it may not be shared.
fn name(target: &str, body: Option<&[u8]>) -> Option<Key> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let found = CATALOGUE.look_up(&method, path).ok()?;
    let Effect::Read(read) = &CATALOGUE[found.endpoint].endpoint.effect else { return None };
    let path = found.canonical.as_deref().unwrap_or(path);
    Key::new(&secret(), found.endpoint, read, (path, &found.spans), query, body)
}

#[test]
fn spellings_of_one_read_share_a_name() {
    for spellings in [
        &["/chatgroups/1,2", "/chatgroups/1%2C2", "/chatgroups/%31%2c2"][..],
        &["/chatgroups/user/ann", "/chatgroups/users/ann", "/chatgroups/user/%61nn?"],
        &["/chatgroups/7/users?pagenum=1&pagesize=9", "/chatgroups/7/users?pagesize=9&pagenum=1"],
        &["/chatgroups/7/users?pagenum=1&&", "/chatgroups/7/users?pagenum=1"],
        &["/thread?cursor", "/thread?cursor="],
    ] {
        let names: Vec<_> = spellings.iter().map(|target| name(target, None).unwrap()).collect();
        assert!(names.iter().all(|name| *name == names[0]), "{spellings:?}");
    }
}

#[test]
fn two_reads_have_two_names() {
    let targets = [
        "/chatgroups",
        "/chatgroups/1",
        "/chatgroups/1,2",
        "/chatgroups/2,1",
        "/chatgroups/12",
        "/chatgroups/1/users",
        "/chatgroups/1/admin",
        "/chatgroups/1/mute",
        "/chatrooms/1/mute",
        "/chatgroups/1/user/2/is_joined",
        "/chatgroups/2/user/1/is_joined",
        "/chatgroups/user/1",
        "/users/1/joined_chatgroups",
        "/chatgroups/1/users?pagenum=1",
        "/chatgroups/1/users?pagenum=2",
        "/chatgroups/1/users?pagesize=1",
        "/chatgroups/1/users?pagenum=1&pagenum=2",
        "/chatgroups/1/users?pagenum=2&pagenum=1",
        "/chatgroups/1/users?cursor=a&limit=b",
        "/chatgroups/1/users?cursor=a?limit=b",
        "/chatgroups/Ann",
        "/chatgroups/ann",
        "/thread",
        "/threads/user/1",
        "/threads/chatgroups/1/user/2",
    ];
    let names: Vec<_> = targets.iter().map(|target| name(target, None).expect(target)).collect();
    for (at, one) in names.iter().enumerate() {
        for (other, target) in names[at + 1..].iter().zip(&targets[at + 1..]) {
            assert!(one != other && one.hash() != other.hash(), "{} and {target}", targets[at]);
        }
    }
}

#[test]
fn a_body_that_is_asked_by_is_part_of_the_name() {
    let of = |body: &str| name("/metadata/chatgroup/7/get", Some(body.as_bytes())).unwrap();
    assert_eq!(of(r#"{"targets":["a"]}"#), of(r#"{"targets":["a"]}"#));
    assert_ne!(of(r#"{"targets":["a"]}"#), of(r#"{"targets":["b"]}"#));
    // Spelt otherwise, it asks the same.
    let said = of(r#"{"targets":["a","b"],"of":{"x":1,"y":null}}"#);
    for same in [
        r#" { "targets" : [ "a" , "b" ] , "of" : { "x" : 1 , "y" : null } } "#,
        r#"{"of":{"y":null,"x":1},"targets":["a","b"]}"#,
        r#"{"targets":["\u0061","b"],"\u006ff":{"x":1,"y":null}}"#,
    ] {
        assert_eq!(of(same), said, "{same}");
    }
    for other in [
        r#"{"targets":["b","a"],"of":{"x":1,"y":null}}"#,
        r#"{"targets":["a","b"],"of":{"x":1}}"#,
        r#"{"targets":["a","b"],"of":{"x":"1","y":null}}"#,
        r#"{"targets":["a,b"],"of":{"x":1,"y":null}}"#,
        r#"{"targets":["a","b"],"of":[{"x":1,"y":null}]}"#,
    ] {
        assert_ne!(of(other), said, "{other}");
    }
    // Of what may be read in two ways, each spelling is another.
    for (one, other) in [
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
        (r#"{"a":1.0}"#, r#"{"a":1}"#),
        (r#"{"a":18446744073709551616}"#, r#"{"a":18446744073709551617}"#),
        ("nothing", "[]"),
    ] {
        assert_ne!(of(one), of(other), "{one} {other}");
    }
}

#[test]
fn what_nobody_understands_has_no_name() {
    for target in [
        "/chatgroups/1?_v=1700000000000",
        "/chatgroups/1/users?pagenum=1&resource=",
        "/chatgroups/1/users?Pagenum=1",
        "/chatgroups/1/users?page%6eum=1",
        "/chatgroups/1/users?pagenum[]=1",
    ] {
        assert!(name(target, None).is_none(), "{target}");
    }
    // More of them than anybody has a reason to send.
    let many = format!("/thread?{}", "limit=1&".repeat(9));
    assert!(name(&many, None).is_none());
}

#[test]
fn a_name_under_another_secret_is_another_place() {
    let secrets = [secret(), easemob_gateway::cache::Secret::new([8; 16])];
    let spans = Default::default();
    let hashes = secrets.map(|secret| {
        let endpoint = easemob_gateway::catalogue::EndpointId(0);
        Key::new(&secret, endpoint, &a_read(&[]), ("", &spans), None, None).unwrap().hash()
    });
    assert_ne!(hashes[0], hashes[1]);
}

/// Ids and values from few letters, so that what could run together does.
fn reads() -> impl Strategy<Value = (usize, String, String, Vec<(usize, String)>)> {
    let value = prop_oneof!["[a,=?#~]{0,2}", "[?/]?(limit|pagesize)=[a?]?"];
    let query = proptest::collection::vec((0_usize..2, value), 0..4);
    (0_usize..4, "[ab,]{1,3}", "[ab,]{1,3}", query)
}

/// The target of a read, and what it means: two with the same meaning must share a name, others must not.
fn target((shape, one, two, query): &(usize, String, String, Vec<(usize, String)>)) -> (String, String) {
    let path = match shape {
        0 => format!("/chatgroups/{one}/users"),
        1 => format!("/chatgroups/{one}/share_files"),
        2 => format!("/threads/user/{one}"),
        _ => format!("/threads/chatgroups/{one}/user/{two}"),
    };
    let names = if *shape < 2 { ["pagenum", "pagesize"] } else { ["cursor", "limit"] };
    let mut pairs: Vec<(&str, String)> =
        query.iter().map(|(at, value)| (names[*at], value.replace('#', "~"))).collect();
    let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.sort_by_key(|(name, _)| *name);
    let join = if text.is_empty() { String::new() } else { format!("?{}", text.join("&")) };
    (format!("{path}{join}"), format!("{path} {pairs:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn names_are_equal_exactly_when_reads_are(one in reads(), two in reads()) {
            let ((one, means_one), (two, means_two)) = (target(&one), target(&two));
        let names = (name(&one, None).unwrap(), name(&two, None).unwrap());
        prop_assert_eq!(names.0 == names.1, means_one == means_two, "{} and {}", one, two);
        prop_assert_eq!(names.0.hash() == names.1.hash(), names.0 == names.1);
        // A pair that is part of the value before it is another read.
        if let Some((before, after)) = one.rsplit_once('&') {
            for glue in ["?", "=", "/", ","] {
                let glued = name(&format!("{before}{glue}{after}"), None);
                prop_assert_ne!(glued.unwrap(), names.0.clone(), "{} with {}", one, glue);
            }
        }
    }
}
