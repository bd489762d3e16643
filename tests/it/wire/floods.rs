//! Callers who misuse HTTP/2, frame by frame: each costs a bounded amount, ends what the README says it ends, is
//! counted, and harms nobody else.

use crate::documentation::{quoted, rows};
use crate::support::frames::*;
use crate::support::house::{House, Vendor};
use crate::support::wire::{Talk, get, soon};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use std::collections::BTreeSet;

const GROUP: &str = SAMPLE_GROUPS[0];
const SHORT: &str = "head_timeout = \"300ms\"\nidle_timeout = \"1s\"";
/// Times that must not matter.
const LONG: &str = "head_timeout = \"5m\"\nidle_timeout = \"10m\"";

async fn house(vendor: &Vendor, listen: &str) -> House {
    let house = House::with(&vendor.origin(), "", listen).await;
    assert_eq!(house.ask(get(&kept())).await.status(), 200);
    house
}

/// A read that is answered from memory.
fn kept() -> String {
    format!("/chatgroups/{GROUP}")
}

/// How often this has been counted.
async fn counted(house: &House, event: &str) -> u64 {
    let page =
        Talk::to(house.admin).await.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.text();
    let name = format!("gateway_connection_events_total{{event=\"{event}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
}

/// Waits until this has been counted so often, since a connection ends before that is told.
pub(super) async fn assert_counted(house: &House, event: &str, times: u64) {
    soon(async { while counted(house, event).await < times {} }).await;
    assert_eq!(counted(house, event).await, times, "{event}");
}

/// Others are served, and this has been counted once. The vendor has seen one call, and no other.
async fn assert_bounded(house: &House, vendor: &Vendor, event: &str) {
    assert_eq!(house.ask(get(&kept())).await.status(), 200);
    assert_counted(house, event, 1).await;
    assert_eq!(vendor.targets().len(), 1);
}

fn is_goaway(frame: &Frame) -> bool {
    frame.kind == GOAWAY
}

#[tokio::test]
async fn frames_without_a_request_end_the_connection() {
    let floods = [
        frame(PING, 0, 0, &[0; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 0]),
        frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()),
        frame(99, 0, 0, b"nobody knows"),
    ];
    for flood in floods {
        let vendor = Vendor::start().await;
        let house = house(&vendor, &format!("{LONG}\ncontrol_frames_max = 300")).await;
        let mut peer = Peer::to(house.address, &[]).await;
        // Fewer than that between any two requests, but more in all.
        for (stream, times) in [(1, 200), (3, 300)] {
            peer.say(flood.repeat(times)).await;
            peer.say(read(stream, &kept())).await;
            assert_eq!(peer.hear_until(|frame| frame.kind == HEADERS).await.unwrap().status(), 200);
        }
        peer.say(flood.repeat(301)).await;
        peer.hear_all().await;
        assert_bounded(&house, &vendor, "flood").await;
    }
}

#[tokio::test]
async fn requests_that_are_reset_at_once_end_the_connection() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, LONG).await;
    let mut peer = Peer::to(house.address, &[]).await;
    let pairs = (0..1_000).map(|n| {
        let (stream, path) = (2 * n + 1, format!("/chatgroups/4711{n}"));
        [read(stream, &path), frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())].concat()
    });
    peer.say(pairs.flatten().collect::<Vec<u8>>()).await;
    let gone = peer.hear_until(is_goaway).await.expect("a word");
    assert_eq!(gone.error(), ENHANCE_YOUR_CALM);
    peer.hear_all().await;
    assert_eq!(house.ask(get(&kept())).await.status(), 200);
    assert_counted(&house, "bad_frames", 1).await;
    // What had begun by then was a request like any other.
    assert!(vendor.targets().len() <= 1 + 50, "{}", vendor.targets().len());
}

#[tokio::test]
async fn a_head_in_endless_pieces_ends_the_connection() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, LONG).await;
    for piece in [field("x-a", "1"), Vec::new()] {
        let mut peer = Peer::to(house.address, &[]).await;
        peer.say(frame(HEADERS, END_STREAM, 1, &head("GET", &kept()))).await;
        peer.say(frame(CONTINUATION, 0, 1, &piece).repeat(1_000)).await;
        let gone = peer.hear_until(is_goaway).await.expect("a word");
        assert_eq!(gone.error(), ENHANCE_YOUR_CALM);
        peer.hear_all().await;
    }
    assert_counted(&house, "bad_frames", 2).await;
    assert_eq!(vendor.targets().len(), 1);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_one_beyond_measure_ends_the_connection() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, LONG).await;
    let mut peer = Peer::to(house.address, &[]).await;
    // Some fields in place of one: 40 KB that the limit of 32 KiB does not let in.
    let fields: Vec<u8> = (0..4).flat_map(|n| field(&format!("x-{n}"), &"a".repeat(10_000))).collect();
    let all = [head("GET", &kept()), fields].concat();
    let (first, rest) = all.split_at(16_000);
    let pieces: Vec<&[u8]> = rest.chunks(16_000).collect();
    peer.say(frame(HEADERS, END_STREAM, 1, first)).await;
    for (n, piece) in pieces.iter().enumerate() {
        let last = if n + 1 == pieces.len() { END_HEADERS } else { 0 };
        peer.say(frame(CONTINUATION, last, 1, piece)).await;
    }
    let refused = peer.hear_until(|frame| frame.kind == HEADERS).await.expect("an answer");
    assert_ne!(refused.status(), 200);
    // The connection goes on.
    peer.say(read(3, &kept())).await;
    assert_eq!(peer.hear_until(|f| f.kind == HEADERS && f.stream == 3).await.unwrap().status(), 200);
    // A bomb: one field is remembered, and then named by a byte for each time.
    let bomb =
        [head("GET", &kept()), remembered("x-a", &"a".repeat(3_900)), vec![0x80 | 62; 10_000]].concat();
    peer.say(frame(HEADERS, END_HEADERS | END_STREAM, 5, &bomb)).await;
    let gone = peer.hear_until(is_goaway).await.expect("a word");
    assert_eq!(gone.error(), ENHANCE_YOUR_CALM);
    assert_bounded(&house, &vendor, "bad_frames").await;
}

#[tokio::test]
async fn half_a_head_is_cut_off_also_while_another_request_is_open() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, "head_timeout = \"300ms\"\nidle_timeout = \"10m\"").await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let whole = read(3, &kept());
    let halves = [
        whole[..5].to_vec(),
        whole[..30].to_vec(),
        frame(HEADERS, END_STREAM, 3, &head("GET", &kept())),
        frame(HEADERS, END_STREAM, 3, &head("GET", &kept())[..9]),
    ];
    for half in &halves {
        let mut peer = Peer::to(house.address, &[]).await;
        peer.say(read(1, &format!("/chatgroups/{GROUP}/share_files"))).await;
        soon(held.arrived(1)).await;
        peer.say(half).await;
        assert!(peer.hear_all().await.iter().all(|frame| frame.kind != HEADERS));
    }
    held.release();
    assert_counted(&house, "late_head", halves.len() as u64).await;
}

#[tokio::test]
async fn half_a_head_is_cut_off_also_when_another_request_ends_meanwhile() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, "head_timeout = \"300ms\"\nidle_timeout = \"10m\"").await;
    let whole = read(3, &kept());
    for half in [&whole[..5], &whole[..30]] {
        let mut peer = Peer::to(house.address, &[]).await;
        peer.say([&read(1, &kept()), half].concat()).await;
        assert_eq!(peer.hear_until(|frame| frame.kind == HEADERS).await.unwrap().status(), 200);
        assert!(peer.hear_all().await.iter().all(|frame| frame.stream != 3));
    }
    assert_counted(&house, "late_head", 2).await;
}

#[tokio::test]
async fn what_a_caller_may_send_ahead_is_said_at_the_beginning() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, LONG).await;
    let mut peer = Peer::to(house.address, &[]).await;
    let said = peer.hear_until(|frame| frame.kind == SETTINGS).await.expect("settings");
    let setting =
        |n: u16| said.payload.chunks(6).find(|s| s[..2] == n.to_be_bytes()).map(|s| s[2..].to_vec());
    let is = |n: u32| Some(n.to_be_bytes().to_vec());
    // Requests at once, bytes of one body, and bytes of a head.
    assert_eq!((setting(3), setting(4), setting(6)), (is(200), is(64 << 10), is(32 << 10)));
    let all = peer.hear_until(|frame| frame.kind == WINDOW_UPDATE).await.expect("room");
    // Beside the 65,535 that a connection begins with (RFC 9113, 6.9.2).
    assert_eq!((all.stream, all.payload), (0, ((1_u32 << 20) - 65_535).to_be_bytes().to_vec()));
}

#[tokio::test]
async fn data_frames_without_data_end_the_connection() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, LONG).await;
    let mut peer = Peer::to(house.address, &[]).await;
    let path = format!("/chatgroups/{GROUP}");
    peer.say(frame(HEADERS, END_HEADERS, 1, &head("PUT", &path))).await;
    peer.say(frame(DATA, 0, 1, &[]).repeat(1_000)).await;
    let gone = peer.hear_until(is_goaway).await.expect("a word");
    assert_eq!(gone.error(), ENHANCE_YOUR_CALM);
    peer.hear_all().await;
    assert_bounded(&house, &vendor, "bad_frames").await;
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_one_by_one() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, &format!("{LONG}\nstreams_max = 3")).await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let mut peer = Peer::to(house.address, &[]).await;
    let path = |n: u32| format!("/chatgroups/{n}/share_files");
    peer.say((0..5).flat_map(|n| read(2 * n + 1, &path(n))).collect::<Vec<u8>>()).await;
    for stream in [7, 9] {
        let refused = peer.hear_until(|frame| frame.kind == RST_STREAM).await.expect("a reset");
        assert_eq!((refused.stream, refused.error()), (stream, REFUSED_STREAM));
    }
    soon(held.arrived(3)).await;
    held.release();
    for _ in 0..3 {
        assert!(peer.hear_until(|frame| frame.kind == HEADERS).await.is_some());
    }
    assert_eq!(vendor.targets().len(), 1 + 3);
}

#[tokio::test]
async fn an_answer_of_which_nothing_is_taken_is_given_up_and_the_connection_goes_on() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, "head_timeout = \"5m\"\nidle_timeout = \"1s\"\nstreams_max = 1").await;
    // Its window is closed from the beginning.
    let mut peer = Peer::to(house.address, &setting(4, 0)).await;
    peer.say(read(1, &kept())).await;
    let reset = peer.hear_until(|frame| frame.kind == RST_STREAM).await.expect("a reset");
    assert_eq!((reset.stream, reset.error()), (1, CANCEL));
    assert_bounded(&house, &vendor, "stalled").await;
}

#[tokio::test]
async fn a_slow_vendor_stalls_no_stream() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, SHORT).await;
    let held = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Answer);
    let mut peer = Peer::to(house.address, &[]).await;
    peer.say(read(1, &format!("/chatgroups/{GROUP}/share_files"))).await;
    soon(held.arrived(1)).await;
    // A connection that is idle meanwhile ends: so long has passed.
    let mut idle = Peer::to(house.address, &[]).await;
    assert!(idle.hear_until(is_goaway).await.is_some());
    held.release();
    assert!(peer.hear_until(|frame| frame.kind == HEADERS).await.is_some());
    assert_eq!(counted(&house, "stalled").await, 0);
}

#[tokio::test]
async fn pings_do_not_keep_a_connection_on_which_nothing_is_asked() {
    let vendor = Vendor::start().await;
    let house = house(&vendor, &format!("{SHORT}\ncontrol_frames_max = 1000000")).await;
    let mut peer = Peer::to(house.address, &[]).await;
    // Each answer to a ping is followed by the next ping, as long as the connection lasts; and by room for an answer that
    // nobody asked for.
    let alive = [frame(PING, 0, 0, &[0; 8]), frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes())].concat();
    peer.say(&alive).await;
    let gone = loop {
        match peer.hear().await {
            None => break false,
            Some(frame) if frame.kind == GOAWAY => break true,
            Some(pong) if pong.kind == PING => {
                peer.say(&alive).await;
            }
            Some(_) => {}
        }
    };
    assert!(gone, "it is told");
    // What it is told it does not answer: that does not keep it either.
    peer.hear_all().await;
    assert_bounded(&house, &vendor, "idle").await;
}

#[test]
fn the_readme_has_each_of_these_limits() {
    let shown: BTreeSet<String> =
        rows("### Callers who misuse HTTP/2").iter().flat_map(|row| quoted(&row[3])).collect();
    let counted = ["bad_frames", "flood", "idle", "late_head", "stalled", "unread"];
    assert_eq!(shown, counted.map(str::to_owned).into());
}
