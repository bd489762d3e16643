//! The same controls over HTTP: each is reached, and what cannot be meant is refused with a sentence.

use bytes::Bytes;
use easemob_gateway::simulator::BatchForm;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{Vendor, credentials, group};

async fn control(vendor: &Vendor, method: Method, name: &str, body: Value) -> (StatusCode, Value) {
    let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = http::Request::builder().method(method).uri(format!("/_control/{name}"));
    let response = vendor.simulator.answer(request.body(Full::new(bytes)).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice::<Value>(&bytes).unwrap())
}

async fn set(vendor: &Vendor, name: &str, body: Value) -> Value {
    let (status, answer) = control(vendor, Method::POST, name, body).await;
    assert_eq!(status, StatusCode::OK, "{name}: {answer}");
    answer
}

async fn look(vendor: &Vendor, name: &str) -> Value {
    control(vendor, Method::GET, name, Value::Null).await.1
}

#[tokio::test(start_paused = true)]
async fn calls_are_answered_held_and_counted_over_http() {
    let vendor = Vendor::new().await;
    let next = json!({"method": "GET", "path": "/chatgroups", "status": 503, "times": 1, "body": {"a": 1}});
    set(&vendor, "next", next).await;
    let answer = vendor.call(Method::GET, &group(""), Value::Null).await;
    assert_eq!(answer, (StatusCode::SERVICE_UNAVAILABLE, json!({"a": 1})));
    let behind = json!({"method": "put", "path": group(""), "body": {"groupname": "new"}});
    assert_eq!(set(&vendor, "behind", behind).await["status"], 200);
    assert_eq!(vendor.get(&group("")).await["data"][0]["name"], "new");
    let counters = look(&vendor, "counters").await;
    assert_eq!(counters["calls"]["GET /chatgroups/{group_id}"]["statuses"]["503"], 1);
    assert_eq!(look(&vendor, "calls").await.as_array().unwrap().len(), 3);
    assert_eq!(look(&vendor, "windows?ms=1000").await["GET /chatgroups/{group_id}"], 2);
    set(&vendor, "reset", Value::Null).await;
    assert_eq!(vendor.control().counters().total(), 0);
    set(&vendor, "hold", json!({"path": "/chatgroups", "at": "answer"})).await;
    let released = async {
        while vendor.control().calls().is_empty() {
            tokio::task::yield_now().await;
        }
        set(&vendor, "release", Value::Null).await
    };
    let path = group("");
    let (_, released) = tokio::join!(vendor.get(&path), released);
    assert_eq!(released, json!({"released": 1}));
}

#[tokio::test(start_paused = true)]
async fn the_vendor_is_changed_over_http() {
    let vendor = Vendor::new().await;
    set(&vendor, "latency", json!({"ms": 0})).await;
    set(&vendor, "limits", json!({"enforced": true, "factor": 0.01})).await;
    vendor.get(&group("")).await;
    vendor.fails(Method::GET, &group(""), Value::Null, 429, "reach_limit").await;
    set(&vendor, "limits", json!({"enforced": false})).await;
    set(&vendor, "batch", json!({"without": ["owner", "name"], "leaves_out_missing": true})).await;
    let two = vendor.get(&group(",9")).await;
    assert_eq!((two["count"].as_u64(), two["data"][0].get("name")), (Some(1), None));
    vendor.control().batch(BatchForm::default());
    set(&vendor, "room", json!({"id": "r1", "owner": "zoe"})).await;
    assert_eq!(vendor.get("/chatrooms/r1").await["data"][0]["owner"], "zoe");
    set(&vendor, "tokens", json!({"expires_in": -1, "dies_after_ms": 5})).await;
    assert_eq!(vendor.post("/token", credentials()).await["expires_in"], -1);
    set(&vendor, "tokens", json!({"without_expires_in": true})).await;
    assert_eq!(vendor.post("/token", credentials()).await.get("expires_in"), None);
    set(&vendor, "tokens", json!({"unit": "milliseconds"})).await;
    assert_eq!(vendor.post("/token", credentials()).await["expires_in"], 5_184_000_000_u64);
    set(&vendor, "ttl", json!({"seconds": 9})).await;
    set(&vendor, "tokens", Value::Null).await;
    assert_eq!(vendor.post("/token", credentials()).await["expires_in"], 9);
    set(&vendor, "next", json!({"unauthorized": "blank"})).await;
    vendor.fails(Method::GET, &group(""), Value::Null, 401, "group_authorization").await;
    set(&vendor, "revoke", Value::Null).await;
    vendor.fails(Method::GET, &group(""), Value::Null, 401, "unauthorized").await;
    assert_eq!(look(&vendor, "connections").await, json!({"open": 0, "opened": 0, "most": 0}));
    assert_eq!(look(&vendor, "ambiguities").await, json!({"counts": {}, "last": []}));
    set(&vendor, "heads", json!({"recorded": false})).await;
    set(&vendor, "seed", Value::Null).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_meant_is_refused_with_a_sentence() {
    let vendor = Vendor::new().await;
    let cases = [
        ("next", json!({}), "say what happens"),
        ("next", json!({"status": 99}), "HTTP status"),
        ("next", json!({"status": 70000}), "70000"),
        ("next", json!({"status": 200, "methd": "GET"}), "unknown field `methd`"),
        ("next", json!({"status": 200, "times": 0}), "at least 1"),
        ("next", json!({"status": 200, "times": -1}), "-1"),
        ("next", json!({"status": 200, "chance": 1.5}), "between 0 and 1"),
        ("next", json!({"status": 200, "seed": 1}), "only with a chance"),
        ("next", json!({"status": 200, "method": "a b"}), "HTTP method"),
        ("next", json!({"status": 200, "path": "/a", "shape": "/b"}), "not both"),
        ("next", json!({"status": 200, "exact": true}), "exact needs a path"),
        ("next", json!({"status": 200, "body": {}, "page": true}), "not several"),
        ("next", json!({"breaks": "reset", "text": "a"}), "needs a status"),
        ("next", json!({"breaks": "in_two"}), "half_head"),
        ("next", json!({"breaks": "reset", "every_ms": 3}), "belongs to drip"),
        ("next", json!({"unauthorized": "no"}), "expired_code"),
        ("next", json!({"unauthorized": "blank", "status": 401}), "its own status"),
        ("next", json!({"reset": "during"}), "before or after"),
        ("next", json!({"reset": "before", "status": 200}), "no answer"),
        ("next", json!({"status": 200, "headers": {"a b": "c"}}), "header's name"),
        ("next", json!({"status": 200, "headers": {"a": "b\n"}}), "header's value"),
        ("hold", json!({"at": "noon"}), "arrival or answer"),
        ("latency", json!({}), "missing field `ms`"),
        ("limits", json!({"factor": 0}), "above 0"),
        ("tokens", json!({"answer": "none"}), "without_token"),
        ("tokens", json!({"unit": "days"}), "life or milliseconds"),
        ("tokens", json!({"unit": "life", "expires_in": 1}), "not several"),
        ("batch", json!({"without": "owner"}), "expected a sequence"),
        ("behind", json!({"path": "/chatgroups", "method": " "}), "HTTP method"),
        ("room", json!({"id": "1"}), "missing field `owner`"),
        ("reset", json!({"all": true}), "unknown field `all`"),
        ("revoke", json!([1]), "expected"),
    ];
    for (name, body, why) in cases {
        let (status, answer) = control(&vendor, Method::POST, name, body.clone()).await;
        let said = answer["error"].as_str().unwrap_or_default().to_owned();
        assert!(status == StatusCode::BAD_REQUEST && said.contains(why), "{name} {body}: {status} {said}");
    }
    for (method, name) in [(Method::GET, "nonsense"), (Method::POST, "nonsense"), (Method::PUT, "next")] {
        assert_eq!(control(&vendor, method, name, Value::Null).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(control(&vendor, Method::GET, "windows", Value::Null).await.0, StatusCode::BAD_REQUEST);
    vendor.get(&group("")).await;
}
