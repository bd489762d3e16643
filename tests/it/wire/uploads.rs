//! Bodies: large ones in both directions, announced ones, endless ones, and answers without any.

use crate::support::house::{House, Vendor};
use crate::support::wire::{APP, Mirror, get};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_FILE, SAMPLE_GROUPS};

const GROUP: &str = SAMPLE_GROUPS[0];
const MIB: usize = 1024 * 1024;

/// Bytes that show when a piece is lost, doubled or out of order.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

fn multipart(content: &[u8]) -> Vec<u8> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
                Content-Type: application/octet-stream\r\n\r\n";
    [head.as_bytes(), content, b"\r\n--b--\r\n"].concat()
}

fn upload_head(length: &str) -> String {
    format!(
        "POST {APP}/chatgroups/{GROUP}/share_files HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: multipart/form-data; boundary=b\r\n{length}\r\n"
    )
}

#[tokio::test]
async fn ten_megabytes_go_up_and_come_down_unchanged() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let mut talk = house.talk().await;
    let content = pattern(10_000_000);
    let body = multipart(&content);
    talk.say(upload_head(&format!("Content-Length: {}\r\n", body.len()))).await;
    talk.say(&body).await;
    let answer = talk.hear().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let file = answer.json()["data"]["file_id"].as_str().expect("an id").to_owned();
    let answer = talk.ask(get(&format!("/chatgroups/{GROUP}/share_files/{file}"))).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.whole && answer.body == content, "{} bytes", answer.body.len());
    assert_eq!(vendor.targets().len(), 2);
}

#[tokio::test]
async fn an_upload_in_chunks_arrives_whole() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    for length in [3_000, 3 * MIB] {
        let mut talk = house.talk().await;
        let content = pattern(length);
        talk.say(upload_head("Transfer-Encoding: chunked\r\n")).await;
        for piece in multipart(&content).chunks(100_000) {
            talk.say(format!("{:x}\r\n", piece.len())).await;
            talk.say(piece).await;
            talk.say("\r\n").await;
        }
        talk.say("0\r\n\r\n").await;
        let answer = talk.hear().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(answer.json()["data"]["file_size"], length);
    }
}

#[tokio::test]
async fn an_upload_that_waits_for_leave_gets_it() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let body = multipart(&pattern(3 * MIB));
    let mut talk = house.talk().await;
    let expects = format!("Expect: 100-continue\r\nContent-Length: {}\r\n", body.len());
    let leave = talk.ask(upload_head(&expects)).await;
    assert_eq!(leave.start, "HTTP/1.1 100 Continue");
    let answer = talk.ask(&body).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

#[tokio::test]
async fn an_upload_that_is_too_long_gets_no_leave() {
    let mirror = Mirror::start().await;
    let house = House::before(&format!("http://{}", mirror.address)).await;
    let mut talk = house.talk().await;
    let answer = talk.ask(upload_head("Expect: 100-continue\r\nContent-Length: 17000000\r\n")).await;
    assert_eq!((answer.status(), answer.header("gateway-error")), (413, "body_too_large"));
    assert!(talk.hear_all().await.is_empty());
    assert!(mirror.seen().is_empty());
}

#[tokio::test]
async fn an_upload_that_turns_out_too_long_is_refused_as_such() {
    let mirror = Mirror::start().await;
    let house = House::with(&format!("http://{}", mirror.address), "", "body_bytes_max = \"2MiB\"").await;
    let mut talk = house.talk().await;
    talk.say(upload_head("Transfer-Encoding: chunked\r\n")).await;
    let piece = pattern(MIB);
    for _ in 0..3 {
        talk.say(format!("{:x}\r\n", piece.len())).await;
        talk.say(&piece).await;
        talk.say("\r\n").await;
    }
    let answer = talk.hear().await.expect("an answer");
    assert_eq!((answer.status(), answer.header("gateway-error")), (413, "body_too_large"));
    assert!(mirror.seen().iter().all(|call| !call.whole), "half a body must not look whole");
}

#[tokio::test]
async fn a_caller_who_leaves_in_the_middle_of_an_upload_completes_nothing() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let mut talk = house.talk().await;
    talk.say(upload_head("Content-Length: 5000000\r\n")).await;
    talk.say(pattern(2 * MIB)).await;
    drop(talk);
    // Something after it, so that it would have arrived.
    let files = format!("/chatgroups/{GROUP}/share_files");
    let answer = house.ask(get(&files)).await;
    let names: Vec<_> =
        answer.json()["data"].as_array().unwrap().iter().map(|file| file["file_id"].clone()).collect();
    assert_eq!(names, [SAMPLE_FILE]);
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_first_byte_of_an_answer() {
    let vendor = Vendor::start().await;
    let house = House::with(&vendor.origin(), "first_byte_timeout = \"300ms\"", "").await;
    let body = multipart(&pattern(3 * MIB));
    let (first, rest) = body.split_at(2 * MIB);
    let mut talk = house.talk().await;
    talk.say(upload_head(&format!("Content-Length: {}\r\n", body.len()))).await;
    talk.say(first).await;
    // As long as that: a read that the vendor does not answer is given up after it.
    let _held = vendor.control.hold(Matcher::exactly("/chatgroups/1"), HoldAt::Arrival);
    assert_eq!(house.ask(get("/chatgroups/1")).await.status(), 504);
    talk.say(rest).await;
    let answer = talk.hear().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

#[tokio::test]
async fn an_answer_to_head_says_nothing_of_a_body_that_it_has_not() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let mut talk = house.talk().await;
    talk.say(format!("HEAD {APP}/chatgroups/{GROUP} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    let answer = talk.hear_head().await.expect("an answer");
    assert!(answer.header("content-length") != "0" || answer.status() == 405, "{answer:?}");
    // Nothing follows the head: the next answer is where it should be.
    assert_eq!(talk.ask(get(&format!("/chatgroups/{GROUP}"))).await.status(), 200);
}
