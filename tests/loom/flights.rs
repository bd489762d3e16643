//! Flights against touches: who may share a fetch, and that everyone inside is told once how it ended.

use crate::cache::epoch::Stamp;
use crate::cache::flight::{Flights, Pilot, Seat, Ticket};
use crate::cache::key::Key;
use crate::world::{KNOWN, NEW, OLD, SHOWN, World, most_orders, start};
use loom::future::block_on;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

const KEY: Key = Key(b"a read");

fn board(flights: &Arc<Flights<u64>>, world: &World, came: Stamp) -> Seat<u64> {
    flights.board(&KEY, &KNOWN, (came, false), &world.epochs).unwrap()
}

/// As the task of a flight does it.
fn fly(pilot: Pilot<u64>, world: &World) {
    pilot.depart(&world.epochs);
    let said = world.ask();
    world.keep(pilot.stamp(), said);
    pilot.land(said);
}

/// As `Passage::shared`: whether a reader may be given what a flight brought.
fn may_have(world: &World, came: Stamp, stamp: Stamp) -> bool {
    stamp >= came || world.epochs.current(stamp, SHOWN.into_iter())
}

/// A read from its arrival to its answer.
fn read(flights: &Arc<Flights<u64>>, world: &World) -> u64 {
    let came = world.epochs.now();
    loop {
        match board(flights, world, came) {
            Seat::Lead(pilot, ticket) => {
                fly(pilot, world);
                return told(&ticket).expect("it has landed").0;
            }
            Seat::Join(ticket) => {
                let (said, stamp) = told(&ticket).expect("it has landed");
                if may_have(world, came, stamp) {
                    return said;
                }
            }
        }
    }
}

fn told(ticket: &Ticket<u64>) -> Option<(u64, Stamp)> {
    block_on(ticket.landed())
}

#[test]
fn whoever_comes_after_a_write_is_not_given_a_fetch_from_before_it() {
    // The slot that is known from the request, and the one that only the answer tells of.
    for slot in SHOWN {
        most_orders(move || {
            let (world, flights) = (World::new(), Flights::new(4, 4));
            let theirs = Arc::clone(&flights);
            let early = start(&world, move |world| read(&theirs, world));
            world.write(|epochs| epochs.touch(&[slot]));
            assert_eq!(read(&flights, &world), NEW);
            assert_ne!(world.find(), Some(OLD));
            early.join().unwrap();
            assert_ne!(world.find(), Some(OLD));
        });
    }
}

#[test]
fn a_third_who_has_seen_the_answer_is_not_given_the_old_either() {
    most_orders(|| {
        let (world, flights) = (World::new(), Flights::new(4, 4));
        let Seat::Lead(pilot, ticket) = board(&flights, &world, world.epochs.now()) else {
            panic!("nobody flies");
        };
        let flight = start(&world, move |world| fly(pilot, world));
        let writer = start(&world, |world| world.write(|epochs| epochs.touch(&[1])));
        if world.is_answered() {
            assert_eq!(read(&flights, &world), NEW);
        }
        assert!(told(&ticket).is_some());
        flight.join().unwrap();
        writer.join().unwrap();
    });
}

#[test]
fn everyone_inside_is_told_when_it_lands_and_when_it_fails() {
    for lands in [true, false] {
        most_orders(move || {
            let (world, flights) = (World::new(), Flights::new(4, 4));
            let Seat::Lead(pilot, mine) = board(&flights, &world, world.epochs.now()) else {
                panic!("nobody flies");
            };
            let theirs = Arc::clone(&flights);
            let joiner = start(&world, move |world| match board(&theirs, world, world.epochs.now()) {
                Seat::Join(ticket) => assert_eq!(told(&ticket).is_some(), lands),
                // It was over.
                Seat::Lead(..) => {}
            });
            let flight = start(&world, move |world| if lands { fly(pilot, world) } else { drop(pilot) });
            assert_eq!(told(&mine).is_some(), lands);
            joiner.join().unwrap();
            flight.join().unwrap();
        });
    }
}

#[test]
fn whoever_boards_a_flight_while_its_leader_leaves_is_not_left_behind() {
    most_orders(|| {
        let (world, flights) = (World::new(), Flights::new(4, 4));
        let Seat::Lead(pilot, leader) = board(&flights, &world, world.epochs.now()) else {
            panic!("nobody flies");
        };
        let joiner = start(&world, move |world| match board(&flights, world, world.epochs.now()) {
            Seat::Join(ticket) => assert!(told(&ticket).is_some(), "given up with somebody inside"),
            Seat::Lead(..) => {}
        });
        let flight = start(&world, move |world| {
            let given_up = pin!(pilot.deserted()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if !given_up {
                fly(pilot, world);
            }
        });
        drop(leader);
        joiner.join().unwrap();
        flight.join().unwrap();
    });
}

#[test]
fn a_flight_that_everybody_leaves_hears_of_it() {
    most_orders(|| {
        let (world, flights) = (World::new(), Flights::new(4, 4));
        let Seat::Lead(pilot, leader) = board(&flights, &world, world.epochs.now()) else {
            panic!("nobody flies");
        };
        let Seat::Join(other) = board(&flights, &world, world.epochs.now()) else {
            panic!("it has not left");
        };
        let leaves = start(&world, move |_| drop(other));
        let flight = start(&world, move |_| block_on(pilot.deserted()));
        drop(leader);
        leaves.join().unwrap();
        flight.join().unwrap();
    });
}
