//! `HEAD`: what `GET` would say, without the body.

use super::*;

async fn head(world: &World, path: &str) -> Reply {
    ask(world, Method::HEAD, path, &[]).await
}

#[tokio::test(start_paused = true)]
async fn the_head_comes_from_a_kept_get() {
    let world = World::new();
    let miss = get(&world, &[]).await;
    let head = head(&world, &notice().path).await;
    assert_eq!((head.status, head.is_hit(), head.body.len()), (StatusCode::OK, true, 0));
    assert_eq!(head.header("content-length"), miss.body.len().to_string());
    assert_eq!(head.header("content-type"), miss.header("content-type"));
    assert_eq!(head.header("etag"), miss.header("etag"));
    let tag = [("if-none-match", miss.header("etag"))];
    let same = ask(&world, Method::HEAD, &notice().path, &tag).await;
    assert_eq!((same.status, same.header("content-length")), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_vendor_is_asked_by_get_and_the_answer_is_kept_for_both() {
    let (world, tap) = World::tapped(1, |_, _| {}, |_| {}, |_| {});
    let head = head(&world, &notice().path).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("cache-status"), "easemob-gateway; fwd=miss; stored");
    assert_eq!(tap.last().method, Method::GET);
    let hit = get(&world, &[]).await;
    assert!(hit.is_hit());
    assert_eq!(head.header("content-length"), hit.body.len().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_head_shares_the_fetch_of_a_get_and_sees_a_write() {
    let (world, read) = (World::new(), notice());
    let hold = world.vendor.hold(Matcher::exactly(&read.path).method(Method::GET).times(1), HoldAt::Answer);
    let mut early = Box::pin(get(&world, &[]));
    assert!(poll!(&mut early).is_pending());
    hold.arrived(1).await;
    let mut joined = Box::pin(head(&world, &read.path));
    assert!(poll!(&mut joined).is_pending());
    let write = Ask::new(Method::POST, &read.path, json!({"announcement": "quite another length"}));
    assert_eq!(write.through(&world).await.status, 200);
    let late = head(&world, &read.path).await;
    hold.release();
    let (early, joined) = (early.await, joined.await);
    assert_eq!(joined.header("content-length"), early.body.len().to_string());
    assert_eq!(late.header("content-length"), get(&world, &[]).await.body.len().to_string());
    assert_ne!(late.header("content-length"), joined.header("content-length"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_kept_is_asked_by_get_as_well() {
    let never = |config: &mut easemob_gateway::config::Config| {
        let fresh = Some(Duration::ZERO);
        config
            .endpoints
            .insert("group.announcement.read".into(), EndpointOverride { rate: None, fresh, stale: None });
    };
    let (world, tap) = World::tapped(1, |_, _| {}, never, |_| {});
    let head = head(&world, &notice().path).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(
        (tap.last().method, head.header("cache-status")),
        (Method::GET, "easemob-gateway; fwd=bypass")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_through_is_passed_as_it_came() {
    let (world, tap) = World::tapped(1, |_, _| {}, |_| {}, |_| {});
    let file = format!("/chatgroups/{A}/share_files/{SAMPLE_FILE}");
    assert_eq!(head(&world, &file).await.body.len(), 0);
    assert_eq!(tap.last().method, Method::HEAD);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_and_an_error_have_no_body_either() {
    let world = World::new();
    let refused = head(&world, &format!("/chatgroups/{A}/ban")).await;
    assert_eq!((refused.status.as_u16(), refused.refusal(), refused.body.len()), (405, "wrong_method", 0));
    let token = head(&world, "/token").await;
    assert_eq!((token.status.as_u16(), token.refusal(), token.body.len()), (400, "bad_grant", 0));
    let missing = head(&world, "/chatgroups/4711").await;
    assert_eq!((missing.status.as_u16(), missing.body.len()), (404, 0));
    assert_ne!(missing.header("content-length"), "");
}
