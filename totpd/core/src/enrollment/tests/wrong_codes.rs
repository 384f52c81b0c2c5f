//! Wrong first codes, and what they say of the verified factor.

use alloc::vec;

use super::*;
use crate::moment::Moment;

/// Gives a first code of the factor 2 that is one of the factor 1.
fn confirm_by_the_old_one(record: &mut Record, maker: Maker, now: u64) -> Confirmation {
    let code = code_of(&factor(1, Status::Verified), now / 30);
    confirm(
        record,
        maker,
        id(2).as_str(),
        &code,
        Moment { now, voids: &VoidWindows::NONE },
        &RULES,
        &THROTTLE,
    )
}

#[test]
fn five_wrong_first_codes_remove_the_pending_factor() {
    let mut record = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    let wrong = |left| Confirmation::Wrong { left, diagnosis: Diagnosis::Unknown };
    for (code, expected) in [
        ("000000", wrong(4)),
        ("000001", wrong(3)),
        ("000002", wrong(2)),
        ("12345678", wrong(1)),
        ("000000", Confirmation::TooManyAttempts),
        ("000000", Confirmation::NotPending),
    ] {
        let code = Code::parse(code).unwrap();
        assert_eq!(
            confirm(
                &mut record,
                ALICE,
                id(2).as_str(),
                &code,
                Moment { now: NOW, voids: &VoidWindows::NONE },
                &RULES,
                &THROTTLE
            ),
            expected
        );
    }
    assert_eq!(record.factors.len(), 1);
    assert!(record.factors[0].is_verified());
}

#[test]
fn a_first_code_of_the_verified_factor_counts_as_a_guess() {
    let mut record = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    let wrong = |left, diagnosis| Confirmation::Wrong { left, diagnosis };
    let old = confirm_by_the_old_one(&mut record, ALICE, NOW);
    assert_eq!(old, wrong(4, Diagnosis::OtherFactor));
    assert_eq!(record.throttle.unknown_sources().failures(), 1);
    // A code of no factor carries information too.
    let nonsense = Code::parse("000000").unwrap();
    let confirmation = confirm(
        &mut record,
        ALICE,
        id(2).as_str(),
        &nonsense,
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &RULES,
        &THROTTLE,
    );
    assert_eq!(confirmation, wrong(3, Diagnosis::Unknown));
    assert_eq!(record.throttle.unknown_sources().failures(), 2);
    assert_eq!(confirm_by_the_old_one(&mut record, ALICE, NOW), wrong(2, Diagnosis::OtherFactor));
    // The limit is the same as at a login. From here on the daemon neither checks nor counts the
    // code.
    assert_eq!(confirm_by_the_old_one(&mut record, ALICE, NOW), wrong(1, Diagnosis::Unknown));
    assert_eq!(record.throttle.unknown_sources().failures(), 3);
    let state = record.throttle.state(&Source::Uid(1000), NOW, &THROTTLE);
    assert_eq!(state, ThrottleState::Waiting(30));
    assert_eq!(confirm_rightly(&mut record, ALICE, 2, NOW), Confirmation::Verified);
}

#[test]
fn a_wrong_first_code_counts_against_its_maker_alone() {
    let mut known = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    known.throttle.succeed(&Source::Uid(1000), NOW, &THROTTLE);
    confirm_by_the_old_one(&mut known, ALICE, NOW);
    assert_eq!(known.throttle.unknown_sources().failures(), 0);
    assert_eq!(known.throttle.known_sources()[0].budget.failures(), 1);
    // Root is no guesser.
    let mut by_root = with(vec![factor(1, Status::Verified), pending(2, Maker::Root)]);
    let confirmation = confirm_by_the_old_one(&mut by_root, Maker::Root, NOW);
    assert_eq!(confirmation, Confirmation::Wrong { left: 4, diagnosis: Diagnosis::OtherFactor });
    // There is nothing to try, or it is a code of the new factor.
    let mut first = with(vec![factor(1, Status::Disabled), pending(2, ALICE)]);
    confirm_by_the_old_one(&mut first, ALICE, NOW);
    let mut late = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    let code = code_of(&factor(2, Status::Verified), NOW / 30 - 2);
    confirm(
        &mut late,
        ALICE,
        id(2).as_str(),
        &code,
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &RULES,
        &THROTTLE,
    );
    for record in [by_root, first, late] {
        assert_eq!(record.throttle, crate::throttle::Throttle::default());
    }
}

#[test]
fn a_right_first_code_of_a_void_step_is_refused_and_not_counted() {
    let mut record = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    let mut voids = VoidWindows::NONE;
    voids.add(crate::void_windows::VoidWindow::new(NOW, NOW + 60));
    let code = code_of(&record.factors[1], NOW / 30);
    let (id, rules) = (id(2), &RULES);
    let void = confirm(
        &mut record,
        ALICE,
        id.as_str(),
        &code,
        Moment { now: NOW, voids: &voids },
        rules,
        &THROTTLE,
    );
    assert_eq!(void, Confirmation::CodeVoid);
    assert!(matches!(record.factors[1].status, Status::Unverified { wrong_codes: 0, .. }));
    assert_eq!(record.throttle.unknown_sources().failures(), 0);
    assert_eq!(confirm_rightly(&mut record, ALICE, 2, NOW), Confirmation::Verified);
}
