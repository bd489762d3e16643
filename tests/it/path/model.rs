//! The promise under every interleaving: random histories against a naive reference.
//!
//! Readers of single things, of several at once and of lists, writers, changes behind the gateway's back, lost and
//! late answers, callers who leave, deadlines, and a memory that is too small. What overtakes what is drawn, not left
//! to chance: calls are held at the vendor and released by steps of their own. The reference knows no cache, no tag
//! and no flight; it knows what the vendor's state has been and what the documentation promises.
//!
//! `PROPTEST_CASES` asks for more histories, `PROPTEST_RNG_SEED` for others.

mod callers;
mod history;
mod line;
mod reference;
mod score;
mod stage;
mod things;

use history::histories;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use score::Score;
use std::cell::RefCell;

const CASES: u32 = 250;
const LONGEST: usize = 50;

#[test]
fn no_history_shows_a_reader_what_is_over() {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(6_6),
        fixed => fixed,
    };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { CASES };
    let config = ProptestConfig { cases, rng_seed, failure_persistence: None, ..default };
    let total = RefCell::new(Score::default());
    let result = TestRunner::new(config).run(&histories(LONGEST), |history| {
        let score = stage::play(&history).map_err(TestCaseError::fail)?;
        total.borrow_mut().add(&score);
        Ok(())
    });
    match result {
        Err(TestError::Fail(why, history)) => panic!("{why}\nof the history\n{history:?}"),
        Err(abort) => panic!("{abort}"),
        Ok(()) => total.borrow().assert_rich(cases as usize),
    }
}
