//! The moment of closing: what has been sent by then is answered, and told that it was the last.

use crate::support::house::{House, Vendor};
use crate::support::wire::{Talk, get, soon};
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_GROUPS};
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GROUP: &str = SAMPLE_GROUPS[0];

#[tokio::test]
async fn connections_that_stand_in_the_queue_are_answered() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let path = format!("/chatgroups/{GROUP}");
    assert_eq!(house.ask(get(&path)).await.status(), 200);
    // Accepting happens on this thread, so nothing of this is seen before the end has been asked for.
    let queued: Vec<std::net::TcpStream> = (0..40)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(house.address).unwrap();
            stream.write_all(get(&path).as_bytes()).unwrap();
            stream
        })
        .collect();
    house.stop();
    for stream in queued {
        stream.set_nonblocking(true).unwrap();
        let answer = Talk::on(TcpStream::from_std(stream).unwrap()).hear().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
    house.ended().await;
    assert!(TcpStream::connect(house.address).await.is_err());
}

#[tokio::test]
async fn who_closes_half_of_his_connection_is_gone() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let hold = vendor.control.hold(Matcher::path("/chatgroups"), HoldAt::Arrival);
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(get(&format!("/chatgroups/{GROUP}")).as_bytes()).await.unwrap();
    soon(hold.arrived(1)).await;
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    soon(stream.read_to_end(&mut heard)).await.unwrap();
    assert!(heard.is_empty(), "README: he gets no answer");
    hold.release();
}

#[tokio::test]
async fn an_idle_connection_gets_one_last_answer() {
    let vendor = Vendor::start().await;
    let house = House::before(&vendor.origin()).await;
    let path = format!("/chatgroups/{GROUP}");
    let mut used = house.talk().await;
    assert!(!used.ask(get(&path)).await.closes());
    let mut unused = house.talk().await;
    // A request on each of them crosses the end.
    house.stop();
    used.say(get(&path)).await;
    unused.say(get(&path)).await;
    for talk in [&mut used, &mut unused] {
        let answer = talk.hear().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
    house.ended().await;
    assert!(used.hear().await.is_none() && unused.hear().await.is_none());
}
