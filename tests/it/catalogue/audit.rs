//! Every mistake that a catalogue must not have, each shown by one bad row beside good ones.

use super::toy::{OTHER, PUT, READ, SHARED, TAKE, UNLISTED, compile, toy, with};
use easemob_gateway::catalogue::{
    Endpoint, Pool,
    Verb::{Any, Delete, Get, Post},
};
use easemob_gateway::units::Rate;

/// The row adds exactly this mistake, and no other.
#[track_caller]
fn is_refused(row: Endpoint, mistake: &str) {
    let name = row.name;
    let found = with(&[row]).expect_err("the row is taken");
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, [format!("{name} {mistake}")]);
}

#[test]
fn a_good_catalogue_has_no_mistake() {
    assert_eq!(toy().rows().len(), 5);
}

#[test]
fn two_rows_with_one_name() {
    is_refused(
        Endpoint::relay("box.read", Get, "/a").limit(Rate::per_second(100)),
        "is the name of two rows",
    );
}

#[test]
fn two_rows_for_one_path() {
    is_refused(Endpoint::relay("a", Get, "/box/{id}"), "has a path that another row has: /box/{id}");
    is_refused(
        Endpoint::relay("a", Get, "/a/{b}").also(&[(Get, "/boxes/{id}")]),
        "has a path that another row has: /boxes/{id}",
    );
}

#[test]
fn a_path_that_two_rows_would_match() {
    let found = with(&[Endpoint::relay("a", Get, "/box/{*rest}")]).unwrap_err();
    assert!(found.iter().any(|mistake| mistake.what.contains("conflict")), "{found:?}");
}

#[test]
fn a_spelling_with_other_parameters() {
    is_refused(
        Endpoint::relay("a", Get, "/a/{b}").also(&[(Get, "/a/{b}/{c}")]),
        "has other parameters in /a/{b}/{c}",
    );
}

#[test]
fn more_parameters_than_are_kept() {
    is_refused(Endpoint::relay("a", Get, "/{a}/{b}/{c}/{d}/{e}/f"), "has more than 4 parameters");
}

#[test]
fn a_read_of_what_no_write_touches() {
    is_refused(
        Endpoint::read("box.a", Get, "/a/{box}", &["box:{box}", "box:{box}/colour"]),
        "carries box:{box}/colour, which no write touches",
    );
}

#[test]
fn a_read_that_only_its_answer_explains() {
    is_refused(
        Endpoint::read("box.a", Get, "/a", &["thing:{answer:/things/*/id}"]),
        "has no tag that is known before the answer",
    );
}

#[test]
fn a_read_that_shows_nothing() {
    is_refused(Endpoint::read("box.a", Get, "/a", &[]), "has no tag that is known before the answer");
}

#[test]
fn a_write_that_touches_nothing() {
    is_refused(Endpoint::write("box.a", Post, "/a", &[]), "is a write and touches nothing");
}

#[test]
fn a_write_that_hopes_for_its_body_or_its_answer() {
    const WHAT: &str = "takes a tag from a body or an answer, and has none for when that is unclear";
    is_refused(Endpoint::write("box.a", Post, "/a", &["box:{answer:/id}"]), WHAT);
    is_refused(Endpoint::write("box.a", Post, "/a", &["box:{body:/id}"]), WHAT);
}

#[test]
fn a_family_without_a_last_row() {
    let found = compile(&[READ, PUT, TAKE, UNLISTED]).unwrap_err();
    assert_eq!(found[0].to_string(), "box is a family without a last row for what is not listed");
    assert_eq!(found.len(), 1);
    // One for any method of one path is not the last row of a family.
    let lid = Endpoint::write("lid.self", Any, "/lid/{box}", &["box:{box}"]).spends(SHARED);
    assert!(with(&[lid]).unwrap_err()[0].to_string().starts_with("lid is a family"));
}

#[test]
fn a_row_that_spends_nothing() {
    is_refused(Endpoint::relay("a", Get, "/a").spends(&[]), "spends nothing");
}

#[test]
fn a_row_that_spends_from_more_pools_than_can_be_asked_together() {
    const fn pool(name: &'static str) -> Pool {
        Pool::new(name, Rate::per_second(1))
    }
    const MANY: &[&Pool] = &[&pool("a"), &pool("b"), &pool("c"), &pool("d"), &pool("e")];
    is_refused(Endpoint::relay("many", Get, "/a").spends(MANY), "spends from more than 4 pools");
    assert!(with(&[Endpoint::relay("four", Get, "/a").spends(MANY.split_at(4).0)]).is_ok());
}

#[test]
fn a_pool_with_two_sizes() {
    const OTHER_SIZE: &[&Pool] = &[&Pool::new("shared", Rate::per_second(11))];
    is_refused(Endpoint::relay("a", Get, "/a").spends(OTHER_SIZE), "has another size for the pool shared");
    // A row's own limit is a pool too, under its name.
    const AS_READ: &[&Pool] = &[&Pool::new("box.read", Rate::per_second(1))];
    is_refused(Endpoint::relay("a", Get, "/a").spends(AS_READ), "has another size for the pool box.read");
}

#[test]
fn a_tag_that_cannot_be_filled() {
    for (tag, what) in [
        ("box:{lid}", "tag box:{lid}: the path has no parameter lid"),
        ("box:{box", "tag box:{box: a brace is not closed"),
        ("box:{head:/id}", "tag box:{head:/id}: head:/id is neither body nor answer"),
    ] {
        let tags: &'static [&'static str] = vec![tag].leak();
        is_refused(Endpoint::write("box.a", Delete, "/a/{box}", tags).otherwise(&["things"]), what);
    }
}

#[test]
fn no_row_for_what_is_not_listed() {
    let found = compile(&[READ, PUT, TAKE, OTHER]).unwrap_err();
    assert_eq!(found[0].to_string(), "unlisted is named as the row for unlisted paths, and is not there");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let rows = [READ, TAKE, OTHER, UNLISTED, Endpoint::write("box.a", Post, "/a", &[]).spends(&[])];
    // Nothing touches a thing by its id any more but `take`, which does.
    let found = compile(&rows).unwrap_err();
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_weight_that_nothing_could_pay_and_one_that_nobody_reads() {
    const NEVER: &[&Pool] = &[&Pool::new("heads", Rate::per_second(3)).weighs("/to/*", 4)];
    is_refused(Endpoint::relay("a", Get, "/a").spends(NEVER), "can never spend from heads");
    const NOBODY: &[&Pool] = &[&Pool::new("heads", Rate::per_second(3)).weighs("/to/*", 0)];
    is_refused(Endpoint::relay("a", Get, "/a").spends(NOBODY), "can never spend from heads");
    const HEADS: &[&Pool] = &[&Pool::new("heads", Rate::per_second(3)).weighs("/to/*", 3)];
    is_refused(Endpoint::write("box.a", Post, "/a", &["box"]).spends(HEADS), "is weighed and is no relay");
    assert!(with(&[Endpoint::relay("a", Get, "/a").spends(HEADS)]).is_ok());
}
