//! The budget of grants: never more than it says, whatever is asked for and however often the process begins anew.

use easemob_gateway::token::budget::{APART_MS, Budget, CALM_MS, HOUR_MS, Now, Standing};
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
/// Some day of 2026, by the wall clock, when the line of the process began.
const WALL_MS: u64 = 1_790_000_000_000;

fn now(line_ms: i64) -> Now {
    Now { line_ms, wall_ms: WALL_MS.checked_add_signed(line_ms).unwrap() }
}

/// Whether a grant may be asked for; if so, it is.
fn ask(budget: &mut Budget, now: Now) -> bool {
    let may = match budget.standing(now.line_ms) {
        Standing::Within(left) => left > 0,
        Standing::Beyond(at_ms) => at_ms <= now.line_ms,
    };
    if may {
        budget.record(now);
    }
    may
}

/// When grants are asked for, in minutes, by somebody who always wants one.
fn greedy(budget: &mut Budget, minutes: std::ops::Range<i64>) -> Vec<i64> {
    minutes.filter(|minute| ask(budget, now(minute * MINUTE_MS))).collect()
}

#[test]
fn beyond_the_budget_grants_are_ever_further_apart() {
    let mut budget = Budget::new(6);
    let asked: Vec<i64> = (0..10).map(|_| 0).filter(|at| ask(&mut budget, now(*at))).collect();
    assert_eq!(asked.len(), 6, "the budget may be spent at once");
    assert_eq!(greedy(&mut budget, 0..400), [10, 30, 70, 130, 190, 250, 310, 370]);
}

#[test]
fn what_is_within_the_budget_waits_for_nothing() {
    let mut budget = Budget::new(6);
    let asked = (0..200).filter(|n| ask(&mut budget, now(n * 10 * MINUTE_MS))).count();
    assert_eq!(asked, 200, "six an hour, for ever");
    assert_eq!(budget.standing(199 * 10 * MINUTE_MS), Standing::Beyond(200 * 10 * MINUTE_MS));
}

#[test]
fn after_two_quiet_hours_the_budget_is_whole_again() {
    let mut budget = Budget::new(3);
    assert_eq!(greedy(&mut budget, 0..30), [0, 1, 2, 12]);
    let last = 12 * MINUTE_MS;
    assert!(matches!(budget.standing(last + CALM_MS - 1), Standing::Beyond(_)), "it was beyond just now");
    assert_eq!(budget.standing(last + CALM_MS), Standing::Within(3));
    assert_eq!(greedy(&mut budget, 132..140), [132, 133, 134], "and is spent as before");
}

#[test]
fn a_budget_that_was_not_exceeded_comes_back_within_the_hour() {
    let mut budget = Budget::new(6);
    assert_eq!(greedy(&mut budget, 0..5), [0, 1, 2, 3, 4]);
    assert_eq!(budget.standing(5 * MINUTE_MS), Standing::Within(1));
    assert_eq!(budget.standing(HOUR_MS), Standing::Within(2), "the first is an hour old");
    assert_eq!(budget.standing(2 * HOUR_MS), Standing::Within(6));
}

#[test]
fn what_the_future_holds_counts_as_now_and_ages_from_then_on() {
    let mut budget = Budget::new(2);
    let far = [WALL_MS + 10 * HOUR_MS as u64, u64::MAX, u64::MAX - 1];
    assert!(budget.learn(&far, now(0)), "the file should say otherwise");
    assert_eq!(budget.last_hour(0), 3);
    assert_eq!(budget.standing(0), Standing::Beyond(APART_MS[1]), "the third was beyond the budget");
    assert!(budget.names().iter().all(|name| (WALL_MS..WALL_MS + 10).contains(name)), "{:?}", budget.names());
    assert!(!budget.learn(&budget.names(), now(1)), "now it agrees");
    assert_eq!(budget.last_hour(1), 3);
    assert_eq!(budget.standing(CALM_MS), Standing::Within(2), "nobody is locked out for ever");
}

#[test]
fn within_a_process_the_wall_clock_counts_for_nothing() {
    let mut budget = Budget::new(2);
    assert!(ask(&mut budget, now(0)) && ask(&mut budget, now(1)));
    for wall_ms in [0, WALL_MS - 5 * HOUR_MS as u64, WALL_MS + 5 * HOUR_MS as u64, u64::MAX] {
        let now = Now { line_ms: 2, wall_ms };
        budget.learn(&budget.names(), now);
        assert_eq!(budget.last_hour(2), 2, "{wall_ms}");
        assert_eq!(budget.standing(2), Standing::Beyond(1 + APART_MS[0]), "{wall_ms}");
    }
}

#[test]
fn times_of_another_process_count_beside_our_own() {
    let mut budget = Budget::new(3);
    assert!(ask(&mut budget, now(0)));
    let theirs = [WALL_MS - 10, WALL_MS - 2 * HOUR_MS as u64, WALL_MS];
    assert!(!budget.learn(&theirs, now(5)), "there is nothing to correct");
    assert_eq!(budget.last_hour(5), 2, "the one at our own moment is ours");
}

#[test]
fn two_grants_in_one_millisecond_are_two() {
    let mut budget = Budget::new(6);
    assert!((0..6).all(|_| ask(&mut budget, now(0))));
    let mut next = Budget::new(6);
    next.learn(&budget.names(), now(1));
    assert_eq!(next.last_hour(1), 6);
}

#[test]
fn what_is_a_day_old_is_forgotten() {
    let mut budget = Budget::new(60);
    for hour in 0..100 {
        assert!(ask(&mut budget, now(hour * HOUR_MS)));
    }
    assert!(budget.names().len() <= 24, "{}", budget.names().len());
}

/// What happens in a life: some time passes, and a grant is wanted, or the process begins anew.
#[derive(Clone, Copy, Debug)]
enum Event {
    Wants,
    BeginsAnew,
}

fn life() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let pause = prop_oneof![Just(0), 1..MINUTE_MS, MINUTE_MS..HOUR_MS, HOUR_MS..3 * HOUR_MS];
    let event = prop_oneof![4 => Just(Event::Wants), 1 => Just(Event::BeginsAnew)];
    prop::collection::vec((pause, event), 1..120)
}

proptest! {
    /// Against the rule as it is written: six an hour; beyond that 10, 20, 40, 60 minutes apart.
    #[test]
    fn no_life_has_more_grants_than_the_rule(life in life(), per_hour in 1_usize..8) {
        let mut budget = Budget::new(per_hour);
        let (mut at_ms, mut grants, mut run) = (0, Vec::<i64>::new(), 0_usize);
        for (pause, event) in life {
            at_ms += pause;
            match event {
                Event::BeginsAnew => {
                    let file = budget.names();
                    budget = Budget::new(per_hour);
                    budget.learn(&file, now(at_ms));
                }
                Event::Wants if ask(&mut budget, now(at_ms)) => {
                    let hour = grants.iter().filter(|grant| at_ms - **grant < HOUR_MS).count();
                    let since = grants.last().map(|last| at_ms - last);
                    if since.is_none_or(|since| since >= CALM_MS) {
                        run = 0;
                    } else if hour >= per_hour || run > 0 {
                        let apart = [10, 20, 40, 60][run.min(3)] * MINUTE_MS;
                        prop_assert!(since >= Some(apart), "{since:?} after {run} beyond, {hour} in the hour");
                        run += 1;
                    }
                    grants.push(at_ms);
                }
                Event::Wants => {}
            }
        }
    }
}
