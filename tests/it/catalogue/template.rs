//! Tags: what fills them, and that two spellings of one thing are one tag.

use super::toy::{toy, with};
use easemob_gateway::catalogue::template::{Values, normal};
use easemob_gateway::catalogue::{Catalogue, Endpoint, EndpointId, Tags, Verb};
use http::Method;

/// The tags that a request touches or shows, with its body and its answer.
fn tags(catalogue: &Catalogue, request: (Method, &str), body: Option<&str>, answer: Option<&str>) -> Tags {
    let found = catalogue.look_up(&request.0, request.1).unwrap();
    let row = &catalogue[found.endpoint];
    let read = |text: Option<&str>, pointers: &Option<easemob_gateway::catalogue::pointer::Pointers>| {
        Some(pointers.as_ref()?.collect(text?.as_bytes()).unwrap())
    };
    let (body, answer) = (read(body, &row.tags.body), read(answer, &row.tags.answer));
    let path = found.canonical.as_deref().unwrap_or(request.1);
    let values = Values { path, spans: found.spans, body: body.as_ref(), answer: answer.as_ref() };
    resolve(catalogue, found.endpoint, &values)
}

fn resolve(catalogue: &Catalogue, id: EndpointId, values: &Values<'_>) -> Tags {
    match catalogue[id].endpoint.effect.as_str() {
        "write" => catalogue.touches(id, values),
        _ => catalogue.tags(id, values),
    }
}

#[test]
fn a_path_fills_tags_one_for_each_element_of_a_list() {
    let tags = tags(&toy(), (Method::DELETE, "/box/7/b,a,b"), None, None);
    assert_eq!(tags.names, ["box:7", "thing:a", "thing:b"]);
    assert!(!tags.unclear);
}

#[test]
fn two_spellings_of_one_thing_are_one_tag() {
    let toy = toy();
    let wanted = tags(&toy, (Method::DELETE, "/box/7/ann"), None, None);
    for path in ["/box/7/Ann", "/box/7/%41NN", "/box/%37/ann,Ann"] {
        assert_eq!(tags(&toy, (Method::DELETE, path), None, None), wanted, "{path}");
    }
    let put = (Method::POST, "/box/7");
    for body in [r#"{"things":["Ann"]}"#, r#"{"things":"org#app_ann"}"#, r#"{"things":[" ann "]}"#] {
        assert_eq!(tags(&toy, put.clone(), Some(body), None), wanted, "{body}");
    }
    assert_eq!(tags(&toy, put.clone(), Some(r#"{"things":[7]}"#), None).names, ["box:7", "thing:7"]);
    assert_eq!(tags(&toy, put, Some(r#"{"things":"a,b"}"#), None).names, ["box:7", "thing:a", "thing:b"]);
}

#[test]
fn bytes_that_are_no_text_are_still_a_value() {
    assert_eq!(normal("%C3%9Cber", ""), "\u{fc}ber");
    assert_eq!(normal("a%FFb", ""), "a\u{fffd}b");
}

#[test]
fn what_may_be_left_out_of_a_body_is_not_unclear() {
    let catalogue = easemob_gateway::easemob::catalogue("org", "app").unwrap();
    let row = |body: &str| {
        let found = catalogue.look_up(&Method::PUT, "/chatgroups/7").unwrap();
        let body = catalogue[found.endpoint].tags.body.as_ref().unwrap().collect(body.as_bytes()).unwrap();
        let values = Values { path: "/chatgroups/7", spans: found.spans, body: Some(&body), answer: None };
        catalogue.touches(found.endpoint, &values).names
    };
    assert!(!row(r#"{"groupname":"a"}"#).contains(&"users/groups".to_owned()));
    assert!(row(r#"{"newowner":"bob"}"#).contains(&"user:bob/groups".to_owned()));
    assert!(row(r#"{"newowner":["bob"]}"#).contains(&"users/groups".to_owned()));
}

#[test]
fn a_body_that_is_unclear_touches_the_coarse_tags_too() {
    let toy = toy();
    // Also one that says it by a name that we do not know.
    for body in [r#"{"things":{"a":1}}"#, r#"{"things":["a",1.5]}"#, r#"["a"]"#, r#"{"names":["a"]}"#, "{}"] {
        let tags = tags(&toy, (Method::POST, "/box/7"), Some(body), None);
        assert!(tags.names.contains(&"things".to_owned()), "{body}");
        assert!(tags.names.contains(&"box:7".to_owned()), "{body}");
    }
    // Nobody read it.
    assert!(tags(&toy, (Method::POST, "/box/7"), None, None).names.contains(&"things".to_owned()));
    assert!(
        !tags(&toy, (Method::POST, "/box/7"), Some(r#"{"things":[]}"#), None)
            .names
            .contains(&"things".to_owned())
    );
}

#[test]
fn an_answer_adds_tags_and_one_that_does_not_say_is_unclear() {
    let (toy, read) = (toy(), (Method::GET, "/box/7"));
    let of = |answer| tags(&toy, read.clone(), None, answer);
    let shown = of(Some(r#"{"things":[{"id":"A"},{"id":2}]}"#));
    assert_eq!(
        (shown.names, shown.unclear),
        (vec!["box.read".into(), "box:7".into(), "thing:2".into(), "thing:a".into()], false),
        "and the name of the read, which all its answers have"
    );
    assert_eq!(of(Some(r#"{"things":[]}"#)).names, ["box.read", "box:7"]);
    assert!(of(Some("{}")).unclear, "a list that is not there is not an empty list");
    assert!(of(Some(r#"{"things":[{"id":"a"},{}]}"#)).unclear);
    assert_eq!(of(None).names, ["box.read", "box:7"]);
}

#[test]
fn an_answer_may_show_it_in_one_of_several_places() {
    let row = Endpoint::read("box.list", Verb::Get, "/boxes", &["things", "box:{answer:/a/*/id|/b/*/ID}"]);
    let write = Endpoint::write("box.shake", Verb::Post, "/boxes", &["things"]);
    let toy = with(&[row, write]).unwrap();
    let of = |answer| tags(&toy, (Method::GET, "/boxes"), None, Some(answer));
    for answer in [r#"{"a":[{"id":1}]}"#, r#"{"b":[{"ID":1}]}"#] {
        let names = vec!["box.list".into(), "box:1".into(), "things".into()];
        assert_eq!((of(answer).names, of(answer).unclear), (names, false));
    }
    assert!(of(r#"{"c":[]}"#).unclear);
}

#[test]
fn no_element_of_a_list_is_lost_however_it_is_packed() {
    let tags = tags(&toy(), (Method::DELETE, "/box/7/a,,b,"), None, None);
    assert_eq!(tags.names, ["box:7", "thing:", "thing:a", "thing:b"]);
}

#[test]
fn prefixes_are_cut_once_and_only_from_the_front() {
    assert_eq!(normal("org#app_org#app_ann", "org#app_"), "org#app_ann");
    assert_eq!(normal("ORG%23App_ann", "org#app_"), "ann");
    assert_eq!(normal("x_org#app_ann", "org#app_"), "x_org#app_ann");
    assert_eq!(normal("org#app_", "org#app_"), "");
    assert_eq!(normal("Ann", ""), "ann");
}
