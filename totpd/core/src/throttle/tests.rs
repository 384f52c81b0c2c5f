//! The waits of sources, and the choice of known ones.

use alloc::vec;
use core::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::fixtures::THROTTLE_RULES as RULES;

fn address(last: u8) -> Source {
    Source::Address(IpAddr::from([192, 0, 2, last]))
}

#[test]
fn waits_double_up_to_the_longest_and_end_in_a_lock() {
    for (failures, expected) in [
        (0, ThrottleState::Open),
        (2, ThrottleState::Open),
        (3, ThrottleState::Waiting(30)),
        (4, ThrottleState::Waiting(60)),
        (9, ThrottleState::Waiting(1920)),
        (10, ThrottleState::Waiting(3600)),
        (99, ThrottleState::Waiting(3600)),
        (100, ThrottleState::Locked),
        (u32::MAX, ThrottleState::Locked),
    ] {
        let budget = Budget { failures, last_failure: 1000 };
        assert_eq!(budget.state(1000, &RULES), expected, "{failures}");
    }
}

#[test]
fn a_wait_counts_down_and_ends() {
    let budget = Budget { failures: 3, last_failure: 1000 };
    for (now, expected) in [
        (1001, ThrottleState::Waiting(29)),
        (1029, ThrottleState::Waiting(1)),
        (1030, ThrottleState::Open),
    ] {
        assert_eq!(budget.state(now, &RULES), expected, "{now}");
    }
}

#[test]
fn a_thousand_doublings_do_not_overflow() {
    let rules = ThrottleRules { lock_after: u32::MAX, ..RULES };
    let budget = Budget { failures: 1003, last_failure: 1000 };
    assert_eq!(budget.state(1000, &rules), ThrottleState::Waiting(3600));
}

#[test]
fn unknown_sources_share_one_budget() {
    let mut throttle = Throttle::default();
    throttle.succeed(&address(1), 0, &RULES);
    for stranger in 2..102 {
        throttle.fail(&address(stranger), 10);
    }
    assert_eq!(throttle.state(&address(2), 10, &RULES), ThrottleState::Locked);
    assert_eq!(throttle.state(&address(200), 10, &RULES), ThrottleState::Locked);
    assert_eq!(throttle.state(&Source::Nowhere, 10, &RULES), ThrottleState::Locked);
    assert_eq!(throttle.state(&address(1), 10, &RULES), ThrottleState::Open);
    for _ in 0..3 {
        throttle.fail(&address(1), 10);
    }
    assert_eq!(throttle.state(&address(1), 10, &RULES), ThrottleState::Waiting(30));
}

#[test]
fn a_success_resets_the_budget_of_its_source_alone() {
    let mut throttle = Throttle::default();
    throttle.succeed(&address(1), 0, &RULES);
    throttle.fail(&address(1), 1);
    throttle.fail(&address(2), 1);
    throttle.succeed(&address(1), 2, &RULES);
    assert_eq!(throttle.known_sources()[0].budget.failures(), 0);
    assert_eq!(throttle.unknown_sources().failures(), 1);
    throttle.succeed(&address(2), 3, &RULES);
    assert_eq!(throttle.unknown_sources().failures(), 0);
}

#[test]
fn a_source_is_known_for_a_while_only() {
    let mut throttle = Throttle::default();
    throttle.succeed(&address(1), 0, &RULES);
    for _ in 0..100 {
        throttle.fail(&address(2), 0);
    }
    let last = RULES.known_source - 1;
    assert_eq!(throttle.state(&address(1), last, &RULES), ThrottleState::Open);
    assert_eq!(throttle.state(&address(1), last + 1, &RULES), ThrottleState::Locked);
    throttle.expire_and_clamp(last + 1, &RULES);
    assert!(throttle.known_sources().is_empty());
}

#[test]
fn the_least_recent_of_nine_known_sources_is_removed() {
    let mut throttle = Throttle::default();
    for source in 1..=8 {
        throttle.succeed(&address(source), u64::from(source), &RULES);
    }
    throttle.succeed(&address(1), 9, &RULES);
    throttle.succeed(&address(9), 10, &RULES);
    assert_eq!(throttle.known_sources().len(), 8);
    assert!(throttle.known_sources().iter().all(|known| known.source != address(2)));
    assert!(throttle.known_sources().iter().any(|known| known.source == address(1)));
}

#[test]
fn a_host_name_never_becomes_a_known_source() {
    let mut throttle = Throttle::default();
    throttle.succeed(&Source::Nowhere, 0, &RULES);
    assert!(throttle.known_sources().is_empty());
}

#[test]
fn no_source_becomes_known_if_the_rule_is_off() {
    let mut throttle = Throttle::default();
    throttle.succeed(&address(1), 0, &ThrottleRules { known_source: 0, ..RULES });
    assert!(throttle.known_sources().is_empty());
}

#[test]
fn an_old_source_that_cannot_be_known_is_removed() {
    let known = |source, last_success, failures| {
        let budget = Budget { failures, last_failure: 0 };
        KnownSource { source, last_success, budget }
    };
    let old = |text: &str| Source::Address(text.parse().unwrap());
    let unknown_sources = Budget { failures: 100, last_failure: 0 };
    let lost = [Source::Uid(0), old("127.0.0.1"), old("::1")];
    let mut throttle = Throttle {
        unknown_sources,
        known: lost.iter().map(|source| known(source.clone(), 1, 0)).collect(),
    };
    for source in &lost {
        assert_eq!(throttle.state(source, 9, &RULES), ThrottleState::Locked, "{source}");
    }
    throttle.expire_and_clamp(9, &RULES);
    assert!(throttle.known_sources().is_empty());
}

#[test]
fn the_most_recent_of_two_old_addresses_counts() {
    let home = Source::Address("2001:db8:1:2::".parse().unwrap());
    let known = |last_success, failures| KnownSource {
        source: home.clone(),
        last_success,
        budget: Budget { failures, last_failure: 0 },
    };
    let mut throttle =
        Throttle { unknown_sources: Budget::default(), known: vec![known(4, 0), known(5, 2)] };
    assert_eq!(throttle.state(&home, 9, &RULES), ThrottleState::Open);
    throttle.fail(&home, 9);
    assert_eq!(throttle.known_sources()[1].budget.failures(), 3);
    assert_eq!(throttle.state(&home, 9, &RULES), ThrottleState::Waiting(30));
    throttle.succeed(&home, 40, &RULES);
    assert_eq!(throttle.known_sources().len(), 1);
}

#[test]
fn a_clock_that_ran_ahead_does_not_lock_out_for_years() {
    let mut throttle = Throttle::default();
    for _ in 0..3 {
        throttle.fail(&address(1), 4_000_000_000);
    }
    throttle.expire_and_clamp(1000, &RULES);
    assert_eq!(throttle.state(&address(1), 1000, &RULES), ThrottleState::Waiting(30));
    assert_eq!(throttle.state(&address(1), 1030, &RULES), ThrottleState::Open);
}

#[test]
fn a_success_in_the_future_counts_as_one_of_now() {
    let mut throttle = Throttle::default();
    throttle.succeed(&address(1), 4_000_000_000, &RULES);
    for _ in 0..100 {
        throttle.fail(&address(2), 1000);
    }
    throttle.expire_and_clamp(1000, &RULES);
    assert_eq!(throttle.known_sources()[0].last_success, 1000);
    let end = 1000 + RULES.known_source;
    assert_eq!(throttle.state(&address(1), end - 1, &RULES), ThrottleState::Open);
    assert_eq!(throttle.state(&address(1), end, &RULES), ThrottleState::Locked);
}

/// Sources of a record, by the time of their last right code and their wrong ones, least recent
/// first.
fn arbitrary() -> impl Strategy<Value = Throttle> {
    let budget = || {
        (0_u32..120, 0_u64..10_000_000)
            .prop_map(|(failures, last_failure)| Budget { failures, last_failure })
    };
    let known = prop::collection::vec((0_u64..10_000_000, budget()), 0..=MAX_KNOWN_SOURCES);
    (budget(), known).prop_map(|(unknown_sources, known)| {
        let known = known.into_iter().zip(1..).map(|((last_success, budget), last)| KnownSource {
            source: address(last),
            last_success,
            budget,
        });
        Throttle { unknown_sources, known: known.collect() }
    })
}

proptest! {
    #[test]
    fn clamping_removes_future_times_and_no_known_source(
        before in arbitrary(),
        now in 0_u64..10_000_000,
        later in 0_u64..10_000_000,
    ) {
        let mut settled = before.clone();
        settled.expire_and_clamp(now, &RULES);
        for known in settled.known_sources() {
            prop_assert!(known.last_success <= now && known.budget.last_failure <= now);
        }
        let mut again = settled.clone();
        again.expire_and_clamp(now, &RULES);
        prop_assert_eq!(&again, &settled);
        for known in before.known_sources() {
            let remaining = settled.known_sources().iter().find(|remaining| remaining.source == known.source);
            let was_known = is_fresh(known, now, &RULES);
            prop_assert_eq!(remaining.is_some(), was_known, "nobody becomes a stranger by it");
            if let Some(remaining) = remaining.filter(|_| known.last_success <= now) {
                prop_assert_eq!(remaining.last_success, known.last_success);
            }
        }
        // Whatever the record said, without another right code nobody is known for longer than the
        // rule has it.
        let end = now + RULES.known_source + later;
        settled.expire_and_clamp(end, &RULES);
        prop_assert!(settled.known_sources().is_empty());
    }
}

#[test]
fn a_list_of_sources_that_is_too_long_does_not_grow() {
    let known = |last| KnownSource {
        source: address(last),
        last_success: u64::from(last),
        budget: Budget::default(),
    };
    let unknown_sources = Budget::default();
    let mut throttle = Throttle { unknown_sources, known: (1..=10).map(known).collect() };
    throttle.succeed(&address(11), 11, &RULES);
    assert_eq!(throttle.known_sources().len(), 10);
    assert_eq!(throttle.known_sources()[0].source, address(2));
}
