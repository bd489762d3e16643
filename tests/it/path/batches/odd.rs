//! Lists and answers that are not what they should be: asked whole, passed on, and only what is clear is kept.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_that_is_not_there_is_not_kept_and_the_others_are() {
    let (world, tap) = tapped(|_| {}, |_| {});
    let all = list(&[A, "4711", B]);
    for _ in 0..2 {
        let reply = world.get(&all).await;
        assert!(!reply.is_hit());
        assert_whole(&world, &all, &reply);
        assert_eq!(reply.data()[1]["error"], "group id doesn't exist");
    }
    assert_eq!(asked(&tap), [all.clone(), list(&["4711"]), all.clone()]);
    let hit = world.get(&list(&[B, A])).await;
    assert!(!hit.is_hit(), "nothing was whole yet that could be put around them");
    world.vendor.add_group("4711", "erin", &[]);
    tokio::time::advance(Duration::from_secs(3)).await;
    let reply = world.get(&all).await;
    assert_whole(&world, &all, &reply);
    assert!(reply.header("cache-status").starts_with("easemob-gateway; fwd=partial"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_stands_twice_is_passed_on_and_its_elements_are_kept() {
    let (world, tap) = tapped(|_| {}, |_| {});
    world.get(&list(&[B, C])).await;
    let twice = list(&[A, B, A]);
    for _ in 0..2 {
        let reply = world.get(&twice).await;
        assert!(!reply.is_hit());
        assert_whole(&world, &twice, &reply);
    }
    assert_eq!(asked(&tap)[1..], [twice.clone(), twice]);
    assert!(world.get(&list(&[A, C])).await.is_hit());
    // Which of the two forms this is, nobody knows.
    let one = list(&[A, A]);
    assert_whole(&world, &one, &world.get(&one).await);
    assert!(!world.get(&one).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_written_plainly_is_kept_whole() {
    let (world, tap) = tapped(|_| {}, |_| {});
    world.get(&list(&[A, B])).await;
    for path in [
        format!("/chatgroups/{A},%20{B}"),
        format!("/chatgroups/{A},{B},"),
        list(&[A, B]) + "?joined_time=true",
    ] {
        assert_whole(&world, &path.replace("?joined_time=true", ""), &world.get(&path).await);
        assert_eq!(asked(&tap).last(), Some(&path));
        assert!(world.get(&path).await.is_hit(), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_word_is_no_element() {
    let (world, tap) = tapped(|_| {}, |_| {});
    world.get(&list(&[A, B])).await;
    let path = list(&[A, "count"]);
    world.get(&path).await;
    assert_eq!(asked(&tap).last(), Some(&path));
}

fn answer(data: Value, more: Value) -> Fault {
    let mut said = json!({"action": "get", "data": data, "count": 2, "timestamp": 1, "duration": 0});
    said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Fault::body(StatusCode::OK, said.to_string())
}

/// What of a batch of two is put together from memory after this answer: the batch, turned around.
async fn turned(fault: Fault) -> Reply {
    let world = World::new();
    world.vendor.next(Matcher::path("/chatgroups"), fault);
    world.get(&list(&[A, B])).await;
    world.get(&list(&[B, A])).await
}

#[tokio::test(start_paused = true)]
async fn an_envelope_that_is_not_known_is_put_around_nothing() {
    let both = || json!([{"id": A, "name": "a"}, {"id": B, "name": "b"}]);
    let plain = [
        json!({}),
        json!({"uri": format!("http://x/{A},{B}?a=b"), "params": {}}),
        json!({"path": "/chatgroups"}),
    ];
    for more in plain {
        let reply = turned(answer(both(), more.clone())).await;
        assert!(reply.is_hit(), "{more}");
        assert_eq!(reply.data(), json!([{"id": B, "name": "b"}, {"id": A, "name": "a"}]));
        let uri = more.get("uri").map(|_| format!("http://x/{B},{A}?a=b"));
        assert_eq!(reply.json().get("uri").and_then(Value::as_str), uri.as_deref());
    }
    let odd = [
        json!({"count": 3}),
        json!({"total": 2}),
        json!({"params": {"ids": [A, B]}}),
        json!({"entities": [{"id": A}]}),
        json!({"uri": format!("http://x/{A};{B}")}),
        json!({"uri": format!("http://x/{A},{B},")}),
        json!({"path": format!("/chatgroups/{A}%2C{B}")}),
        json!({"cursor": "next"}),
        json!({"error": "partly"}),
    ];
    for more in odd {
        assert!(!turned(answer(both(), more.clone())).await.is_hit(), "{more}");
    }
    let data = [
        json!([{"id": A}]),
        json!([{"id": A}, {"id": A}]),
        json!([{"id": A}, {"id": B}, {"id": B}]),
        json!([{"id": A}, {"id": B}, {"id": C}]),
        json!([{"id": A}, {"id": B, "error": "gone"}]),
        json!([{"id": A}, {"name": "b"}]),
        json!([{"id": A}, {"id": {"is": B}}]),
        json!([{"id": A}, null]),
        json!({"0": {"id": A}, "1": {"id": B}}),
        json!("none"),
    ];
    for data in data {
        assert!(!turned(answer(data.clone(), json!({}))).await.is_hit(), "{data}");
    }
    let doubled = format!(r#"{{"data":[{{"id":"{A}"}},{{"id":"{B}"}}],"data":[]}}"#);
    assert!(!turned(Fault::body(StatusCode::OK, doubled)).await.is_hit());
}

#[tokio::test(start_paused = true)]
async fn elements_that_bear_one_name_are_not_kept() {
    let world = World::new();
    world.get(&list(&[B, C])).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    let data = json!([{"id": A, "name": "one"}, {"id": B}, {"id": A, "name": "other"}]);
    world.vendor.next(Matcher::path("/chatgroups"), answer(data, json!({"count": 3})));
    world.get(&list(&[A, B, C])).await;
    let reply = world.get(&list(&[A, B])).await;
    assert_eq!(reply.data()[0]["name"], "book club", "asked anew");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_who_fails_for_a_part_is_not_asked_for_the_whole() {
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::TOO_MANY_REQUESTS] {
        let (world, tap) = tapped(|_| {}, |_| {});
        world.get(&list(&[A, B])).await;
        world.vendor.next(Matcher::path("/chatgroups"), Fault::status(status));
        assert_eq!(world.get(&list(&[A, B, C])).await.status, status);
        assert_eq!(asked(&tap).len(), 2);
    }
    // What it declines for a part may be right for the whole.
    let (world, _) = tapped(|_| {}, |_| {});
    world.get(&list(&[A, B])).await;
    world.vendor.next(Matcher::path("/chatgroups"), Fault::status(StatusCode::FORBIDDEN));
    let all = list(&[A, B, C]);
    assert_whole(&world, &all, &world.get(&all).await);
}
