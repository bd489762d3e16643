//! How it ends: nothing that has been accepted is lost, nothing that is idle holds it up, and a second signal waits
//! for nobody.

use crate::support::house::{Vendor, configuration};
use crate::support::program::Served;
use crate::support::wire::{Talk, get, request, soon};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use futures_util::future::join_all;
use http::Method;
use serde_json::Value;
use tokio::net::TcpStream;

const GROUP: &str = SAMPLE_GROUPS[0];

async fn start(vendor: &Vendor, listen: &str) -> Served {
    Served::start(&configuration(&vendor.origin(), "", listen)).await
}

#[tokio::test]
async fn requests_in_flight_are_answered_and_new_connections_refused() {
    let vendor = Vendor::start().await;
    let mut served = start(&vendor, "").await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let mute = format!("/chatgroups/{GROUP}/mute");
    let (mut reader, mut writer) = (served.talk().await, served.talk().await);
    reader.say(get(&format!("/chatgroups/{GROUP}"))).await;
    writer.say(request("POST", &mute, r#"{"usernames":["carol"],"mute_duration":60000}"#)).await;
    soon(held.arrived(2)).await;
    served.program.signal("TERM");
    served.program.says("draining").await;
    // Operators still see it, and that it is no longer to be used.
    soon(async { while served.look("/readyz").await.0 != 503 {} }).await;
    assert_eq!(served.look("/livez").await.0, 200);
    // The listener closes within an instant of that.
    soon(async { while TcpStream::connect(served.address).await.is_ok() {} }).await;
    held.release();
    for talk in [&mut reader, &mut writer] {
        let answer = talk.hear().await.expect("what was in flight is answered");
        assert!(answer.status() == 200 && answer.whole && answer.closes(), "{answer:?}");
    }
    assert_eq!(served.program.ends().await, Some(0));
    let muted = vendor.control.behind(Method::GET, &mute, Value::Null).1;
    assert_eq!(muted["data"][0]["user"], "carol");
}

#[tokio::test]
async fn a_download_in_the_middle_is_finished() {
    let vendor = Vendor::start().await;
    let mut served = start(&vendor, "").await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Arrival);
    let mut talk = served.talk().await;
    talk.say(get(&format!("/chatgroups/{GROUP}/share_files/{}", easemob_gateway::simulator::SAMPLE_FILE)))
        .await;
    soon(held.arrived(1)).await;
    served.program.signal("TERM");
    served.program.says("draining").await;
    held.release();
    let answer = talk.hear().await.expect("an answer");
    assert!(answer.status() == 200 && answer.whole && !answer.body.is_empty());
    assert_eq!(served.program.ends().await, Some(0));
}

#[tokio::test]
async fn a_write_whose_caller_left_still_ends_well() {
    let vendor = Vendor::start().await;
    let mut served = start(&vendor, "").await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Arrival);
    let mut talk = served.talk().await;
    let mute = format!("/chatgroups/{GROUP}/mute");
    talk.say(request("POST", &mute, r#"{"usernames":["carol"],"mute_duration":60000}"#)).await;
    soon(held.arrived(1)).await;
    drop(talk);
    served.program.signal("TERM");
    served.program.says("draining").await;
    held.release();
    assert_eq!(served.program.ends().await, Some(0));
    let said = served.program.said.join("\n");
    assert!(said.contains("group.mutes.add"), "the audit line is written: {said}");
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let vendor = Vendor::start().await;
    // Longer than a test may take: whoever waits for one of these hangs.
    let mut served =
        start(&vendor, "head_timeout = \"1m\"\nidle_timeout = \"10m\"\ndrain_timeout = \"10m\"").await;
    let mut used = served.talk().await;
    assert_eq!(used.ask(get(&format!("/chatgroups/{GROUP}"))).await.status(), 200);
    let unused = served.talk().await;
    let mut begun = served.talk().await;
    begun.say("P").await;
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
    assert!(used.hear().await.is_none() && unused.hear_all().await.is_empty());
}

#[tokio::test]
async fn the_drains_timeout_ends_what_does_not_end() {
    let vendor = Vendor::start().await;
    let mut served = start(&vendor, "drain_timeout = \"200ms\"").await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let mut talk = served.talk().await;
    talk.say(get(&format!("/chatgroups/{GROUP}"))).await;
    soon(held.arrived(1)).await;
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(0));
    assert!(talk.hear().await.is_none());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let vendor = Vendor::start().await;
    let mut served = start(&vendor, "drain_timeout = \"10m\"").await;
    let _held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let mut talk = served.talk().await;
    talk.say(get(&format!("/chatgroups/{GROUP}"))).await;
    served.program.signal("TERM");
    served.program.says("draining").await;
    // By its own clock a second has passed.
    let uptime = async || {
        let status: Value = serde_json::from_str(&served.look("/status").await.1).unwrap();
        status["uptime_seconds"].as_u64().unwrap()
    };
    let told = uptime().await;
    soon(async { while uptime().await < told + 2 {} }).await;
    served.program.signal("TERM");
    assert_eq!(served.program.ends().await, Some(1));
}

#[tokio::test]
async fn a_signal_that_is_given_twice_in_one_breath_is_one() {
    let vendor = Vendor::start().await;
    let mut served = start(&vendor, "drain_timeout = \"10m\"").await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let mut talk = served.talk().await;
    talk.say(get(&format!("/chatgroups/{GROUP}"))).await;
    soon(held.arrived(1)).await;
    // It hears all of them in the instant in which it goes on.
    for name in ["STOP", "TERM", "INT", "CONT"] {
        served.program.signal(name);
    }
    served.program.says("draining").await;
    soon(async { while served.look("/readyz").await.0 != 503 {} }).await;
    held.release();
    assert_eq!(talk.hear().await.expect("an answer").status(), 200);
    assert_eq!(served.program.ends().await, Some(0));
}

/// Asks on one connection until it ends; how many answers there were, or what was lost.
async fn ask_until_it_ends(mut talk: Talk, path: String) -> Result<usize, String> {
    for answers in 1.. {
        talk.say(get(&path)).await;
        match talk.hear().await {
            Some(answer) if answer.status() != 200 || !answer.whole => return Err(format!("{answer:?}")),
            Some(answer) if answer.closes() => return Ok(answers),
            Some(_) => {}
            None => return Err(format!("the connection ended under request {answers}")),
        }
    }
    Ok(0)
}

#[tokio::test]
async fn fifty_busy_connections_lose_nothing() {
    let vendor = Vendor::start().await;
    let mut served = start(&vendor, "workers = 2").await;
    let mut talks = Vec::new();
    for n in 0..50 {
        // Some are new at that moment, some have been used.
        let mut talk = served.talk().await;
        if n % 2 == 0 {
            assert_eq!(talk.ask(get(&format!("/chatgroups/{GROUP}"))).await.status(), 200);
        }
        talks.push(talk);
    }
    let asked = join_all(talks.into_iter().enumerate().map(|(n, talk)| {
        // Hits, and reads that go to the vendor every time.
        let path =
            if n % 5 == 0 { format!("/chatgroups/{GROUP}?x={n}") } else { format!("/chatgroups/{GROUP}") };
        ask_until_it_ends(talk, path)
    }));
    let end = async {
        // In the middle of it: when the vendor has seen some of the calls.
        while vendor.targets().len() < 20 {
            tokio::task::yield_now().await;
        }
        served.program.signal("TERM");
        served.program.ends().await
    };
    let (asked, code) = soon(async { tokio::join!(asked, end) }).await;
    assert_eq!(code, Some(0));
    let lost: Vec<_> = asked.iter().filter_map(|asked| asked.as_ref().err()).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(asked.iter().flatten().sum::<usize>() >= 50);
}
