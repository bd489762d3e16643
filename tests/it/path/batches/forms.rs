//! One group alone, and the same among others: two forms, which are one only if a setting says so.

use super::*;

fn equal(config: &mut Config) {
    config.vendor.group_forms_equal = true;
}

fn without_owner(vendor: &mut Settings) {
    vendor.batch.without = vec!["owner".into()];
}

#[tokio::test(start_paused = true)]
async fn one_alone_feeds_no_batch_and_a_batch_feeds_none_alone() {
    let (world, tap) = tapped(|_| {}, without_owner);
    for path in [list(&[A]), list(&[A, B]), list(&[B])] {
        assert_whole(&world, &path, &world.get(&path).await);
    }
    assert_eq!(asked(&tap), [list(&[A]), list(&[A, B]), list(&[B])]);
    for path in [list(&[A]), list(&[A, B]), list(&[B])] {
        let hit = world.get(&path).await;
        assert!(hit.is_hit());
        assert_whole(&world, &path, &hit);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_missing_and_has_another_form_alone_is_asked_for_in_company() {
    let (world, tap) = tapped(|_| {}, without_owner);
    world.get(&list(&[A, B])).await;
    let all = list(&[A, B, C]);
    // It is found out once: the answer is the direct one.
    assert_whole(&world, &all, &world.get(&all).await);
    assert_eq!(asked(&tap)[1..], [list(&[C]), all.clone()]);
    assert_eq!(rename(B, "new").through(&world).await.status, 200);
    let reply = world.get(&all).await;
    assert_whole(&world, &all, &reply);
    assert_eq!(asked(&tap)[4..], [list(&[B, A])], "from then on in one call");
}

/// Whoever asks again must not be told something older.
#[tokio::test(start_paused = true)]
async fn what_is_fetched_in_company_is_shown_and_not_what_was_held() {
    let (world, _) = tapped(|config| config.cache.settle = Duration::ZERO, without_owner);
    let (pair, all) = (list(&[A, B]), list(&[A, B, C]));
    world.get(&pair).await;
    // It is found out that one alone has another form.
    world.get(&all).await;
    let (status, _) = rename(A, "by a device").behind(&world);
    assert_eq!(status, 200);
    assert_eq!(rename(B, "new").through(&world).await.status, 200);
    tokio::time::advance(Duration::from_secs(3)).await;
    let mixed = world.get(&pair).await;
    assert_eq!(
        (mixed.header("cache-status"), mixed.header("age")),
        ("easemob-gateway; fwd=partial; stored", "0")
    );
    assert_whole(&world, &pair, &mixed);
    let hit = world.get(&pair).await;
    assert!(hit.is_hit());
    assert_eq!(hit.data(), mixed.data());
}

#[tokio::test(start_paused = true)]
async fn two_that_are_missing_are_asked_for_together() {
    let (world, tap) = tapped(|_| {}, without_owner);
    world.get(&list(&[A, B])).await;
    world.vendor.add_group("d", "erin", &[]);
    let all = list(&["d", A, C]);
    assert_whole(&world, &all, &world.get(&all).await);
    assert_eq!(asked(&tap), [list(&[A, B]), list(&["d", C])]);
}

#[tokio::test(start_paused = true)]
async fn forms_that_are_equal_feed_each_other() {
    let (world, tap) = tapped(equal, |_| {});
    world.get(&list(&[A, B])).await;
    for path in [list(&[A]), list(&[B])] {
        let hit = world.get(&path).await;
        assert!(hit.is_hit());
        assert_whole(&world, &path, &hit);
    }
    world.get(&list(&[C])).await;
    let hit = world.get(&list(&[C, A])).await;
    assert!(hit.is_hit());
    assert_whole(&world, &list(&[C, A]), &hit);
    assert_eq!(asked(&tap), [list(&[A, B]), list(&[C])]);
    assert_eq!(rename(A, "new").through(&world).await.status, 200);
    for path in [list(&[A]), list(&[C, A])] {
        let reply = world.get(&path).await;
        assert!(!reply.is_hit());
        assert_whole(&world, &path, &reply);
    }
}
