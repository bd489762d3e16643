//! Entity tags and `If-None-Match`.

use super::*;

#[tokio::test(start_paused = true)]
async fn who_has_it_already_gets_only_the_head() {
    let world = World::new();
    let miss = get(&world, &[]).await;
    let hit = get(&world, &[]).await;
    let tag = miss.header("etag").to_owned();
    assert_eq!((hit.header("etag"), hit.is_hit()), (tag.as_str(), true));
    assert!(tag.len() == 18 && tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
    tokio::time::advance(Duration::from_secs(7)).await;
    let weak = format!("W/{tag}");
    let list = format!("\"a,b\", {weak} ,W/\"c\"");
    for condition in [tag.as_str(), &weak, &list, "*", " * "] {
        let reply = get(&world, &[("if-none-match", condition)]).await;
        assert_eq!((reply.status, reply.body.len()), (StatusCode::NOT_MODIFIED, 0), "{condition}");
        assert_eq!((reply.header("etag"), reply.header("age"), reply.is_hit()), (tag.as_str(), "7", true));
        assert!(!reply.headers.contains_key("content-type") && !reply.headers.contains_key("content-length"));
    }
    let two = [("if-none-match", "\"a\""), ("if-none-match", tag.as_str())];
    assert_eq!(get(&world, &two).await.status, StatusCode::NOT_MODIFIED);
    let unquoted = tag.trim_matches('"');
    for condition in ["", "\"\"", "W/\"*\"", "\"*\"", unquoted, &tag[..17], &format!("\"x,{unquoted}\"")] {
        let reply = get(&world, &[("if-none-match", condition)]).await;
        assert_eq!((reply.status, reply.is_hit()), (StatusCode::OK, true), "{condition}");
        assert_eq!(reply.body, miss.body);
    }
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_tag_does_not_outlive_a_touch() {
    let (world, read) = (World::new(), notice());
    let tag = get(&world, &[]).await.header("etag").to_owned();
    let write = Ask::new(Method::POST, &read.path, json!({"announcement": "new"}));
    assert_eq!(write.through(&world).await.status, 200);
    // Fetched anew, whether it may be kept or not.
    for seconds in [0, 2] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let reply = get(&world, &[("if-none-match", &tag)]).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_true(&world, &read, &reply);
        assert_ne!(reply.header("etag"), tag);
    }
    let now = get(&world, &[]).await;
    assert!(now.is_hit());
    let reply = get(&world, &[("if-none-match", now.header("etag"))]).await;
    assert_eq!(reply.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test(start_paused = true)]
async fn a_condition_waits_for_a_fetch_that_a_touch_overtakes() {
    let (world, read) = (World::new(), notice());
    let hold = world.vendor.hold(Matcher::exactly(&read.path).method(Method::GET).times(1), HoldAt::Answer);
    let mut early = Box::pin(get(&world, &[]));
    assert!(poll!(&mut early).is_pending());
    hold.arrived(1).await;
    let write = Ask::new(Method::POST, &read.path, json!({"announcement": "new"}));
    assert_eq!(write.through(&world).await.status, 200);
    let late = get(&world, &[("if-none-match", "*")]).await;
    hold.release();
    let early = early.await;
    assert_eq!(late.status, StatusCode::NOT_MODIFIED);
    assert_ne!(late.header("etag"), early.header("etag"));
    assert_eq!(early.data()["announcement"], "next meeting on Thursday", "he asked before the write");
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_fetched_anew_have_the_same_tag() {
    let world = World::new();
    let tag = get(&world, &[]).await.header("etag").to_owned();
    let same = get(&world, &[]).await.body;
    world.vendor.next(Matcher::path("/chatgroups"), Fault::body(StatusCode::OK, same));
    let reply = get(&world, &[("cache-control", "no-cache"), ("if-none-match", &tag)]).await;
    assert_eq!((reply.status, world.calls()), (StatusCode::NOT_MODIFIED, 2));
    assert_eq!(reply.header("cache-status"), "easemob-gateway; fwd=request; stored");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_or_not_whole_has_no_tag() {
    let world = World::new();
    for _ in 0..2 {
        let reply = ask(&world, Method::GET, "/chatgroups/4711", &[("if-none-match", "*")]).await;
        assert_eq!((reply.status, reply.header("etag")), (StatusCode::NOT_FOUND, ""));
    }
    world.vendor.next(Matcher::path("/chatgroups"), Fault::body(StatusCode::OK, "not json"));
    assert_eq!(get(&world, &[("if-none-match", "*")]).await.status, StatusCode::OK);
    let post = format!("/chatgroups/{A}/user/bob/is_joined");
    for _ in 0..2 {
        let reply = ask(&world, Method::POST, &post, &[("if-none-match", "*")]).await;
        assert_eq!(reply.status, StatusCode::OK, "a condition of GET and HEAD");
    }
}
