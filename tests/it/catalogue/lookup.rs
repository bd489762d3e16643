//! Which row a request is, by method and path.

use super::toy::{toy, with};
use easemob_gateway::catalogue::{
    Catalogue, Endpoint, NotFound,
    Verb::{Get, Put},
};
use http::Method;

fn row(catalogue: &Catalogue, method: Method, path: &str) -> &'static str {
    match catalogue.look_up(&method, path) {
        Ok(found) => catalogue[found.endpoint].endpoint.name,
        Err(_) => "refused",
    }
}

fn values(catalogue: &Catalogue, path: &str) -> Vec<String> {
    let found = catalogue.look_up(&Method::DELETE, path).unwrap();
    let matched = found.canonical.as_deref().unwrap_or(path);
    found.spans.values(matched).map(str::to_owned).collect()
}

#[test]
fn method_and_path_name_a_row() {
    let toy = toy();
    for (method, path, name) in [
        (Method::GET, "/box/7", "box.read"),
        (Method::GET, "/boxes/7", "box.read"),
        (Method::POST, "/box/7", "box.put"),
        (Method::DELETE, "/box/7/a,b", "box.take"),
        (Method::DELETE, "/box/7/a/b", "box.other"),
        (Method::PATCH, "/box/7/a/b/c", "box.other"),
        (Method::GET, "/", "unlisted"),
        (Method::GET, "", "unlisted"),
        (Method::DELETE, "/lid/7", "unlisted"),
        (Method::GET, "/Box/7", "unlisted"),
    ] {
        assert_eq!(row(&toy, method.clone(), path), name, "{method} {path}");
    }
}

#[test]
fn a_slash_at_the_end_is_not_in_the_path_that_was_matched() {
    let toy = toy();
    for (came, matched) in [("/box/7/", Some("/box/7")), ("/box/%37/", Some("/box/7")), ("/box/7", None)] {
        assert_eq!(toy.look_up(&Method::GET, came).unwrap().canonical.as_deref(), matched, "{came}");
    }
}

#[test]
fn a_static_word_wins_over_a_parameter() {
    let toy = with(&[Endpoint::relay("count", Get, "/box/count")]).unwrap();
    assert_eq!(row(&toy, Method::GET, "/box/count"), "count");
    assert_eq!(row(&toy, Method::GET, "/box/counts"), "box.read");
    // Also when it comes escaped.
    assert_eq!(row(&toy, Method::GET, "/box/c%6Funt"), "count");
}

#[test]
fn a_known_path_names_the_methods_it_has() {
    let toy = with(&[Endpoint::relay("box.paint", Put, "/box/{id}")]).unwrap();
    let Err(NotFound::Method(verbs)) = toy.look_up(&Method::DELETE, "/box/7") else {
        panic!("not refused so")
    };
    let mut names: Vec<&str> = verbs.iter().map(|verb| verb.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["GET", "POST", "PUT"]);
    assert_eq!(row(&toy, Method::from_bytes(b"PURGE").unwrap(), "/box/7"), "refused");
}

#[test]
fn a_row_for_any_method_takes_what_others_leave() {
    let toy = toy();
    assert_eq!(row(&toy, Method::from_bytes(b"PURGE").unwrap(), "/box/7/a/b"), "box.other");
    assert_eq!(row(&toy, Method::HEAD, "/box/7/a/b"), "box.other");
}

#[test]
fn parameters_are_those_of_the_path_as_it_was_matched() {
    let toy = toy();
    assert_eq!(values(&toy, "/box/7/a,b"), ["7", "a,b"]);
    assert_eq!(values(&toy, "/box/%37/a%2Cb"), ["7", "a,b"]);
    assert_eq!(values(&toy, "/box/7/%e4"), ["7", "%E4"]);
    assert_eq!(values(&toy, "/box/7/a/b/c"), ["7", "a", "b/c"]);
}

#[test]
fn a_path_with_two_meanings_is_no_row_at_all() {
    let toy = toy();
    for path in ["/box//7", "/box/7//", "/box/../7", "/box/%2e%2e", "/box/7%2fa", "/box/7;a", "/box/%zz"] {
        assert_eq!(row(&toy, Method::GET, path), "refused", "{path}");
    }
}

#[test]
fn a_path_too_long_to_point_into_is_refused() {
    let toy = toy();
    let path = format!("/box/{}", "7".repeat(usize::from(u16::MAX) - 5));
    assert_eq!(row(&toy, Method::GET, &path), "box.read");
    assert!(matches!(toy.look_up(&Method::GET, &format!("{path}7")), Err(NotFound::TooLong)));
}
