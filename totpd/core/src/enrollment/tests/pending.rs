//! Pending factors belong to their makers, and end.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::moment::Moment;

#[test]
fn a_pending_factor_replaces_what_is_verified_if_there_is_room_for_one() {
    let record = with(vec![
        factor(1, Status::Verified),
        factor(2, Status::Disabled),
        pending(3, ALICE),
        pending(4, Maker::Root),
    ]);
    let replaced = |number: usize, rules| -> Vec<&str> {
        replaced_by(&record, &record.factors[number], rules).map(FactorId::as_str).collect()
    };
    assert_eq!(replaced(2, &RULES), [id(1).as_str()]);
    assert!(replaced(2, &TWO).is_empty(), "it stays beside it");
    assert!(replaced(0, &RULES).is_empty(), "it is verified itself");
}

#[test]
fn a_pending_factor_replaces_those_of_its_maker_only() {
    let mut record = with(vec![pending(1, Maker::Root), pending(2, ALICE)]);
    add(&mut record, pending(3, ALICE), NOW, &RULES).unwrap();
    assert_eq!(ids(&record), [id(1).as_str(), id(3).as_str()]);
}

#[test]
fn a_verified_factor_removes_pending_ones_except_roots() {
    let began = || vec![pending(1, Maker::Root), pending(2, ALICE), pending(3, Maker::Uid(7))];
    let mut record = with(began());
    assert_eq!(confirm_rightly(&mut record, ALICE, 2, NOW), Confirmation::Verified);
    assert_eq!(ids(&record), [id(1).as_str(), id(2).as_str()]);
    let mut record = with(began());
    add(&mut record, factor(4, Status::Verified), NOW, &RULES).unwrap();
    assert_eq!(ids(&record), [id(4).as_str()]);
}

#[test]
fn a_factor_is_confirmed_by_its_maker_alone() {
    for (maker, caller, expected) in [
        (ALICE, ALICE, Confirmation::Verified),
        (ALICE, Maker::Root, Confirmation::NotMaker),
        (ALICE, Maker::Uid(1001), Confirmation::NotMaker),
        (Maker::Root, Maker::Root, Confirmation::Verified),
        (Maker::Root, ALICE, Confirmation::NotMaker),
        (Maker::Login(nonce(1)), ALICE, Confirmation::NotMaker),
        (Maker::Login(nonce(1)), Maker::Root, Confirmation::NotMaker),
        (Maker::Unknown, Maker::Root, Confirmation::NotMaker),
        (Maker::Unknown, Maker::Unknown, Confirmation::NotMaker),
    ] {
        let mut record = with(vec![pending(1, maker)]);
        let confirmation = confirm_rightly(&mut record, caller, 1, NOW);
        assert_eq!(confirmation, expected, "{maker} {caller}");
        assert_eq!(record.factors[0].is_verified(), confirmation == Confirmation::Verified);
    }
    // Wrong codes of another user do not drop it.
    let mut record = with(vec![pending(1, Maker::Root)]);
    for _ in 0..9 {
        let wrong = Code::parse("000000").unwrap();
        confirm(
            &mut record,
            ALICE,
            id(1).as_str(),
            &wrong,
            Moment { now: NOW, voids: &VoidWindows::NONE },
            &RULES,
            &THROTTLE,
        );
    }
    assert_eq!(confirm_rightly(&mut record, Maker::Root, 1, NOW), Confirmation::Verified);
}

#[test]
fn only_an_identical_request_of_root_is_resumed() {
    let mut renamed = pending(2, Maker::Root);
    renamed.name = "Token".into();
    let mut imported = pending(2, Maker::Root);
    imported.is_imported = true;
    let mut same_seed = imported.clone();
    same_seed.seed = factor(1, Status::Verified).seed;
    let mut longer = pending(2, Maker::Root);
    longer.digits = 8;
    for (old, new, resumed) in [
        (pending(1, Maker::Root), pending(2, Maker::Root), true),
        (pending(1, Maker::Root), renamed, false),
        (pending(1, Maker::Root), imported, false),
        (pending(1, Maker::Root), same_seed.clone(), true),
        (pending(1, Maker::Root), longer, false),
        (same_seed, pending(2, Maker::Root), false),
        (pending(1, ALICE), pending(2, Maker::Root), false),
        (pending(1, Maker::Unknown), pending(2, Maker::Root), false),
        (pending(1, Maker::Login(nonce(1))), pending(2, Maker::Root), false),
        // A program of a user is not known from a thief's.
        (pending(1, ALICE), pending(2, ALICE), false),
        (pending(1, Maker::Root), pending(2, ALICE), false),
    ] {
        let asked = Request { resume: true, ..request(new) };
        let (enrolled, record) = enroll(with(vec![old.clone()]), &asked, NOW, &RULES);
        let (answer, what) = enrolled.unwrap();
        assert_eq!(what == Enrolled::Resumed, resumed, "{old:?}");
        assert_eq!(answer.seed.is(&old.seed), resumed, "{old:?}");
        assert!(record.factors.iter().any(|factor| factor.id == answer.id));
        // There is nothing to resume after its time.
        let (late, _) = enroll(with(vec![old]), &asked, NOW + 600, &RULES);
        assert_eq!(late.unwrap().1, Enrolled::Added);
    }
}

#[test]
fn root_verifies_its_own_pending_factor_by_its_id() {
    let named = |number: u8| Request {
        verify: Some(id(number).to_string()),
        ..request(factor(9, Status::Verified))
    };
    let state =
        || with(vec![pending(1, Maker::Root), pending(2, ALICE), factor(3, Status::Verified)]);
    for (number, is_valid) in [(1, true), (2, false), (3, false), (4, false)] {
        let (enrolled, record) = enroll(state(), &named(number), NOW, &RULES);
        match is_valid {
            true => {
                let (factor, what) = enrolled.unwrap();
                assert_eq!((factor.id, what), (id(number), Enrolled::Verified));
                assert_eq!(ids(&record), [id(number).as_str()], "it replaces the old one");
                assert_eq!(record.factors[0].last_accepted, None);
            }
            false => {
                assert_eq!(enrolled.unwrap_err(), Refusal::NotPending, "{number}");
                assert_eq!(record.factors.len(), 3, "{number}");
                assert!(record.factors[2].is_verified());
            }
        }
    }
    let (late, _) = enroll(state(), &named(1), NOW + 600, &RULES);
    assert_eq!(late.unwrap_err(), Refusal::NotPending);
}

#[test]
fn a_pending_factor_expires() {
    for (now, there) in [(NOW + 599, true), (NOW + 600, false), (NOW - 1, false)] {
        let state = || with(vec![pending(1, ALICE), factor(2, Status::Verified)]);
        let mut record = state();
        expire(&mut record, now);
        assert_eq!(record.factors.len(), if there { 2 } else { 1 }, "{now}");
        let mut record = state();
        let confirmation = confirm_rightly(&mut record, ALICE, 1, now);
        assert_eq!(confirmation == Confirmation::Verified, there, "{now}");
        let left = if there { id(1) } else { id(2) };
        assert_eq!(ids(&record), [left.as_str()], "{now}");
    }
}

#[test]
fn a_pending_factor_is_removed_by_its_maker_or_root() {
    for (by, left) in [(ALICE, vec![1, 3]), (Maker::Uid(7), vec![1, 2, 3]), (Maker::Root, vec![])] {
        let makers = [Maker::Root, ALICE, Maker::Login(nonce(1))];
        let mut record = with((1..).zip(makers).map(|(n, maker)| pending(n, maker)).collect());
        remove(&mut record, "", by, NOW);
        let left: Vec<_> = left.into_iter().map(id).collect();
        assert_eq!(record.factors.iter().map(|f| f.id.clone()).collect::<Vec<_>>(), left, "{by}");
    }
}
