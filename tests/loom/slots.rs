//! Touches against stamps: what was fetched before a write is not served to whoever comes after its answer.

use crate::cache::epoch::Epochs;
use crate::world::{NEW, OLD, World, every_order, start};

/// Of what the request does not tell.
fn touch(epochs: &Epochs) {
    epochs.touch(&[1]);
}

#[test]
fn what_was_kept_before_a_touch_is_gone_when_the_write_is_answered() {
    for touch in [touch, Epochs::flush] {
        every_order(move || {
            let world = World::new();
            world.fetch();
            assert_eq!(world.find(), Some(OLD));
            let writer = start(&world, move |world| world.write(touch));
            if world.is_answered() {
                assert_eq!(world.find(), None);
            }
            writer.join().unwrap();
            assert_eq!(world.find(), None);
        });
    }
}

#[test]
fn what_is_fetched_and_kept_during_a_write_is_not_served_after_it() {
    for touch in [touch, Epochs::flush] {
        every_order(move || {
            let world = World::new();
            let fetcher = start(&world, World::fetch);
            let writer = start(&world, move |world| world.write(touch));
            if world.is_answered() {
                assert_ne!(world.find(), Some(OLD));
            }
            fetcher.join().unwrap();
            writer.join().unwrap();
            assert_ne!(world.find(), Some(OLD));
        });
    }
}

#[test]
fn two_touches_at_once_have_two_numbers() {
    every_order(|| {
        let world = World::new();
        let other = start(&world, |world| world.epochs.touch(&[1]));
        let fetcher = start(&world, World::fetch);
        world.write(|epochs| epochs.touch(&[0]));
        assert_ne!(world.find(), Some(OLD));
        other.join().unwrap();
        fetcher.join().unwrap();
        assert_ne!(world.find(), Some(OLD));
        assert_eq!(world.epochs.now().0, 2);
    });
}

#[test]
fn of_two_answers_the_later_stays() {
    every_order(|| {
        let world = World::new();
        let early = start(&world, World::fetch);
        world.write(|epochs| epochs.touch(&[0]));
        world.fetch();
        assert_eq!(world.find(), Some(NEW));
        early.join().unwrap();
        assert_eq!(world.find(), Some(NEW));
    });
}
