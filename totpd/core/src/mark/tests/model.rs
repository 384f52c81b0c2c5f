//! A small world in which logins lean on marks, through cuts, faults and clocks that are set.
//!
//! It proves three things of histories: no code is accepted twice; a right code that was not used
//! is accepted outside of void windows; no wrong code and no learned drift is forgotten. The store
//! that is to lean on marks follows `host.rs`.

use std::string::String;
use std::vec::Vec;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::mark::tests::model::history::History;
use crate::mark::tests::model::host::Host;
use crate::mark::tests::model::random::histories;
use crate::mark::tests::model::rules::Rule;

mod disk;
mod history;
mod host;
mod logins;
mod oracle;
mod random;
mod rules;
mod starts;
mod users;

/// Plays `history` without one rule. Returns what is wrong with it.
fn play(history: &History, left_out: Option<Rule>) -> Result<(), String> {
    let mut host = Host::new(history.skew, left_out);
    for (number, item) in history.items.iter().enumerate() {
        host.play(item).map_err(|found| std::format!("{found} (item {number}: {item:?})"))?;
    }
    Ok(())
}

#[test]
fn no_history_accepts_a_code_twice_or_refuses_a_right_one() {
    #[expect(clippy::disallowed_methods, reason = "the one who runs the tests says how much")]
    let scale = std::env::var("TEST_SCALE").map_or(0.01, |scale| scale.parse().expect("a number"));
    let cases = (f64::from(FULL) * scale) as u32;
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config)
        .run(&histories(), |history| play(&history, None).map_err(TestCaseError::fail));
    match outcome {
        Err(TestError::Fail(reason, history)) => panic!("{reason}: {history:#?}"),
        other => other.unwrap(),
    }
}

#[test]
fn each_rule_is_needed() {
    let unneeded: Vec<_> = Rule::ALL
        .iter()
        .filter(|rule| {
            let history = rule.history();
            assert_eq!(play(&history, None), Ok(()), "{rule:?} holds");
            play(&history, Some(**rule)).is_ok()
        })
        .collect();
    assert!(unneeded.is_empty(), "nothing is wrong without {unneeded:?}");
}

/// Random histories find most rules too, so they look where it matters.
#[test]
fn random_histories_find_what_a_missing_rule_breaks() {
    let found = Rule::ALL.iter().filter(|rule| {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config {
            cases: SEARCHED,
            failure_persistence: None,
            max_shrink_iters: 0,
            ..Config::default()
        };
        let found = TestRunner::new_with_rng(config, rng)
            .run(&histories(), |history| play(&history, Some(**rule)).map_err(TestCaseError::fail));
        found.is_err()
    });
    let found: Vec<_> = found.collect();
    std::println!("{} of {}: {found:?}", found.len(), Rule::ALL.len());
    assert!(found.len() >= LEAST_FOUND, "of {}, only {found:?}", Rule::ALL.len());
}

/// Histories at the full TEST_SCALE.
const FULL: u32 = 400_000;
/// Histories in which a missing rule is searched.
const SEARCHED: u32 = 1000;
/// Rules that as many histories find at least.
const LEAST_FOUND: usize = 25;
