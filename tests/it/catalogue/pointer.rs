//! Values out of JSON, against a naive walk over a tree.

use easemob_gateway::catalogue::pointer::{At, Pointers};
use proptest::prelude::*;
use serde_json::{Value, json};

const POINTERS: &[&str] = &["/a", "/a/*", "/a/*/b", "/a/b", "/b/*/a/*", "/b", ""];

fn collect(text: &str, pointer: &'static str) -> At {
    Pointers::new(&[pointer]).collect(text.as_bytes()).unwrap().at(0).clone()
}

fn values(text: &str, pointer: &'static str) -> Vec<String> {
    let at = collect(text, pointer);
    assert!(!at.unclear, "{pointer} of {text}");
    at.values
}

#[test]
fn values_stand_where_the_pointer_says() {
    assert_eq!(values(r#"{"owner":"Ann"}"#, "/owner"), ["Ann"]);
    assert_eq!(values(r#"{"id":7,"x":1}"#, "/id"), ["7"]);
    assert_eq!(values(r#"{"id":-7}"#, "/id"), ["-7"]);
    assert_eq!(values(r#"{"members":["a","b"]}"#, "/members/*"), ["a", "b"]);
    assert_eq!(values(r#"{"data":[{"id":"1"},{"x":0,"id":2}]}"#, "/data/*/id"), ["1", "2"]);
    assert_eq!(values(r#"{"members":[]}"#, "/members/*"), [""; 0]);
    assert_eq!(values(r#"{"id":"\u0041\n"}"#, "/id"), ["A\n"]);
}

#[test]
fn a_batch_of_one_may_leave_the_brackets_out() {
    assert_eq!(values(r#"{"members":"a,b"}"#, "/members/*"), ["a,b"]);
}

#[test]
fn a_repeated_member_counts_each_time() {
    assert_eq!(values(r#"{"owner":"a","owner":"b"}"#, "/owner"), ["a", "b"]);
}

#[test]
fn absent_and_null_are_nothing() {
    let at = collect("{}", "/owner");
    assert!(at.absent && !at.unclear && at.values.is_empty());
    let at = collect(r#"{"owner":null}"#, "/owner");
    assert!(!at.absent && !at.unclear && at.values.is_empty());
}

#[test]
fn what_no_tag_can_be_made_of_is_unclear() {
    for (text, pointer) in [
        (r#"{"owner":1.5}"#, "/owner"),
        (r#"{"owner":true}"#, "/owner"),
        (r#"{"owner":{"name":"a"}}"#, "/owner"),
        (r#"{"owner":["a"]}"#, "/owner"),
        (r#"{"members":{"a":1}}"#, "/members/*"),
        (r#"{"members":[["a"]]}"#, "/members/*"),
        (r#"{"data":["1"]}"#, "/data/*/id"),
        (r#"["a"]"#, "/owner"),
        (r#""a""#, "/owner"),
        (r#"{"id":18446744073709551616}"#, "/id"),
    ] {
        assert!(collect(text, pointer).unclear, "{pointer} of {text}");
    }
}

#[test]
fn an_element_without_it_is_a_gap() {
    for (text, pointer) in [
        (r#"{"data":[{"id":"1"},{}]}"#, "/data/*/id"),
        (r#"{"data":[{"id":null}]}"#, "/data/*/id"),
        (r#"{"data":[null]}"#, "/data/*"),
        (r#"{"data":{"name":"a"}}"#, "/data/id"),
    ] {
        let at = collect(text, pointer);
        assert!(at.gap && !at.absent && !at.unclear, "{pointer} of {text}");
    }
    assert!(collect(r#"{"data":[]}"#, "/data/*/id").list);
    assert!(!collect(r#"{"data":null}"#, "/data/*/id").list);
}

#[test]
fn failure_and_shape_are_noticed() {
    let of = |text: &str| Pointers::new(&[]).collect(text.as_bytes()).map(|c| (c.object, c.error)).unwrap();
    assert_eq!(of(r#"{"data":1}"#), (true, false));
    assert_eq!(of(r#"{"error":"x"}"#), (true, true));
    assert_eq!(of(r#"{"error":null}"#), (true, false));
    assert_eq!(of(r#"{"data":{"error":"x"}}"#), (true, false));
    assert_eq!(of("[]"), (false, false));
    assert_eq!(of("7"), (false, false));
}

#[test]
fn an_error_is_not_taken_back_by_its_repetition() {
    let collected = Pointers::new(&[]).collect(br#"{"error":"x","error":null}"#).unwrap();
    assert!(collected.error, "of two parsers one takes the first and one the last");
}

#[test]
fn what_is_not_one_json_text_is_refused() {
    for text in ["", "{", r#"{"a":1}x"#, r#"{"a":1}{"#, "{'a':1}", r#"{"a":"#, "\u{feff}{}", r#"{"a":01}"#] {
        assert!(Pointers::new(&["/a"]).collect(text.as_bytes()).is_err(), "{text}");
    }
    assert!(Pointers::new(&["/a"]).collect(b"{\"a\":\"\xff\"}").is_err());
    // Nested deeper than anybody means it.
    assert!(Pointers::new(&["/a"]).collect("[".repeat(100_000).as_bytes()).is_err());
}

/// The same, from the definition: a tree, and one step at a time.
fn walk(value: &Value, steps: &[&str], top: bool, at: &mut At) {
    match (value, steps) {
        (Value::Null, _) => {}
        (Value::Bool(_), _) => at.unclear = true,
        (Value::Number(number), [] | ["*"]) if !number.is_f64() => at.values.push(number.to_string()),
        (Value::String(text), [] | ["*"]) => at.values.push(text.clone()),
        (Value::Number(_) | Value::String(_), _) => at.unclear = true,
        (Value::Array(list), ["*", rest @ ..]) => {
            at.list = true;
            for value in list {
                let before = at.values.len();
                walk(value, rest, false, at);
                at.gap |= at.values.len() == before;
            }
        }
        (Value::Array(_), _) => at.unclear = true,
        (Value::Object(map), steps) => match steps.first().and_then(|first| map.get(*first)) {
            Some(value) => walk(value, &steps[1..], false, at),
            None if matches!(steps, [] | ["*", ..]) => at.unclear = true,
            None if top => at.absent = true,
            None => at.gap = true,
        },
    }
}

fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        "[a-c\"\\\\\u{e4}]{0,3}".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c*]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    // Mostly what the pointers lead into.
    prop_oneof![
        tree.clone(),
        tree.clone().prop_map(|a| json!({ "a": a })),
        (tree.clone(), tree).prop_map(|(a, b)| json!({ "a": [{ "b": a }], "b": [{ "a": b }] }))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pass_over_the_text_finds_what_a_walk_over_the_tree_finds(tree in trees(), spaced in any::<bool>()) {
        let text = if spaced { format!(" {tree:#}\n") } else { tree.to_string() };
        let collected = Pointers::new(POINTERS).collect(text.as_bytes()).unwrap();
        prop_assert_eq!(collected.object, tree.is_object());
        for (number, pointer) in POINTERS.iter().enumerate() {
            let (mut wanted, steps) = (At::default(), pointer.split('/').skip(1).collect::<Vec<_>>());
            walk(&tree, &steps, true, &mut wanted);
            let found = collected.at(number);
            let told = |at: &At| (at.values.clone(), at.unclear, at.absent, at.list, at.gap);
            prop_assert_eq!(told(found), told(&wanted), "{} of {}", pointer, text);
        }
    }
}
