use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use super::*;
use crate::enrollment::Request;
use crate::factor::{FactorId, Kind, Status};
use crate::fixtures::{THROTTLE_RULES, code_of, enrolled, recovery_codes, verified};
use crate::moment::Moment;
use crate::source::Source;
use crate::verification::{Answer, Attempt, Methods, Rules};

const ALICE: u32 = 1000;
const NOW: u64 = 30_000;
const RULES: EnrollmentRules =
    EnrollmentRules { unverified_lifetime: 600, max_factors: 5, skew: 1 };

fn proof(answer: Answer, is_given: bool) -> Reauthentication {
    let source = Source::Uid(ALICE);
    let attempt = Attempt {
        answer,
        methods: Methods::ALL,
        factor: None,
        service: None,
        source,
        uid: ALICE,
        now: NOW,
    };
    let rules = Rules { skew: 1, throttle: THROTTLE_RULES };
    Reauthentication::CurrentCode { attempt: Box::new(attempt), is_given, rules }
}

fn right() -> Reauthentication {
    proof(Answer::Code(code_of(&enrolled(ALICE).factors[0], 1000)), true)
}

fn wrong() -> Reauthentication {
    proof(Answer::Malformed, true)
}

fn nothing() -> Reauthentication {
    proof(Answer::Malformed, false)
}

fn id() -> String {
    enrolled(ALICE).factors[0].id.as_str().to_owned()
}

fn new_factor() -> Factor {
    let status = Status::Unverified { expires: NOW + 600, wrong_codes: 0 };
    let id = FactorId::from_random([9; 5]);
    let mut factor = Factor { id, status, created: NOW, ..verified(Kind::Hotp, None) };
    factor.seed = crate::seed::Seed::new(alloc::vec![9; 20]).unwrap();
    factor
}

fn request(made_by: Maker) -> Request {
    let new = Factor { made_by, ..new_factor() };
    Request { new, uid: ALICE, verify: None, resume: false, if_unenrolled: false }
}

/// Returns the outcome of every change that a code protects.
fn changes(proof: &Reauthentication, record: &Record) -> [(Result<(), Refusal>, Record); 4] {
    let uid = Maker::Uid(ALICE);
    let (enrolled, added) =
        enroll(record.clone(), proof, &VoidWindows::NONE, &request(uid), NOW, &RULES);
    let named = FactorChanges { name: Some("x".to_owned()), ..FactorChanges::default() };
    [
        (enrolled.map(drop), added),
        remove(record.clone(), proof, &VoidWindows::NONE, &id(), uid, NOW),
        edit_factor(record.clone(), proof, &VoidWindows::NONE, (uid, ALICE), &id(), &named),
        renew_recovery_codes(
            record.clone(),
            proof,
            &VoidWindows::NONE,
            ALICE,
            &recovery_codes(3, 1).1,
        ),
    ]
}

#[test]
fn each_change_of_ones_own_needs_a_right_code_and_uses_it_up() {
    let record = enrolled(ALICE);
    for (changed, after) in changes(&right(), &record) {
        assert_eq!(changed, Ok(()));
        // A removed factor leaves its last code in what was spent.
        let is_used = |factor: &Factor| factor.last_accepted == Some(1000);
        assert!(after.factors.iter().any(is_used) || !after.spent.is_empty());
    }
    for (proof, refusal) in [(nothing(), Refusal::CodeNeeded), (wrong(), Refusal::CodeWrong)] {
        for (changed, after) in changes(&proof, &record) {
            assert_eq!(changed, Err(refusal));
            assert_eq!(after.factors.len(), 1);
            assert_eq!((after.factors[0].name.as_str(), after.recovery.left()), ("test", 0));
        }
    }
}

#[test]
fn a_used_code_changes_nothing() {
    // Any used code is an attempt. The one that was accepted last is no guess.
    for (last, counted) in [(1001, 1), (1000, 0)] {
        let mut record = enrolled(ALICE);
        record.factors[0].last_accepted = Some(last);
        for (changed, after) in changes(&right(), &record) {
            assert_eq!(changed, Err(Refusal::CodeWrong));
            assert_eq!(after.throttle.unknown_sources().failures(), counted, "{last}");
        }
    }
}

#[test]
fn a_throttled_caller_changes_nothing() {
    let mut record = enrolled(ALICE);
    for _ in 0..3 {
        record.throttle.fail(&Source::Uid(ALICE), NOW);
    }
    for (changed, after) in changes(&right(), &record) {
        assert_eq!(changed, Err(Refusal::Throttled));
        assert_eq!(after.factors[0].last_accepted, None, "the code was not looked at");
    }
}

#[test]
fn a_refused_change_keeps_the_code_used() {
    let (removed, after) =
        remove(enrolled(ALICE), &right(), &VoidWindows::NONE, "f-aaaaaaaa", Maker::Uid(ALICE), NOW);
    assert_eq!(removed, Err(Refusal::NothingRemoved));
    assert_eq!(after.factors[0].last_accepted, Some(1000));
}

#[test]
fn a_user_without_a_verified_factor_shows_no_code() {
    let mut record = Record::new(ALICE);
    record.factors.push(Factor { made_by: Maker::Uid(ALICE), ..new_factor() });
    for proof in [nothing(), wrong()] {
        let id = record.factors[0].id.as_str().to_owned();
        assert_eq!(
            remove(record.clone(), &proof, &VoidWindows::NONE, &id, Maker::Uid(ALICE), NOW).0,
            Ok(())
        );
    }
}

#[test]
fn no_change_of_another_maker_reaches_a_pending_factor() {
    let uid = Maker::Uid(ALICE);
    let none = Reauthentication::NotNeeded;
    let nothing = FactorChanges::default;
    let all = [
        FactorChanges { name: Some("x".to_owned()), ..nothing() },
        FactorChanges { purpose: Some("x".to_owned()), ..nothing() },
        FactorChanges { not_before: Some(Some(1)), ..nothing() },
        FactorChanges { not_after: Some(Some(9)), ..nothing() },
        FactorChanges { services: Some(alloc::vec!["sshd".to_owned()]), ..nothing() },
    ];
    let asked = Request { resume: true, ..request(Maker::Root) };
    let (_, record) = enroll(Record::new(ALICE), &none, &VoidWindows::NONE, &asked, NOW, &RULES);
    let id = record.factors[0].id.as_str().to_owned();
    for changes in &all {
        for (by, expected) in [
            (uid, Err(Refusal::NotMaker)),
            (Maker::Uid(1001), Err(Refusal::NotMaker)),
            (Maker::Root, Ok(())),
        ] {
            let (changed, after) =
                edit_factor(record.clone(), &none, &VoidWindows::NONE, (by, ALICE), &id, changes);
            assert_eq!(changed, expected, "{by:?} {changes:?}");
            let (again, _) = enroll(after, &none, &VoidWindows::NONE, &asked, NOW, &RULES);
            let is_resumed = again.is_ok_and(|(_, outcome)| outcome == Enrolled::Resumed);
            assert!(is_resumed || by == Maker::Root, "root's command shows its factor again");
        }
    }
}

#[test]
fn an_account_inherits_nothing_of_its_name() {
    const MALLORY: u32 = 1001;
    let record = enrolled(ALICE);
    let none = Reauthentication::NotNeeded;
    let named = FactorChanges { name: Some("x".to_owned()), ..FactorChanges::default() };
    let (edited, record) =
        edit_factor(record, &none, &VoidWindows::NONE, (Maker::Root, MALLORY), &id(), &named);
    assert_eq!(edited, Err(Refusal::NoSuchFactor));
    let codes = recovery_codes(3, 1).1;
    let (renewed, record) =
        renew_recovery_codes(record, &none, &VoidWindows::NONE, MALLORY, &codes);
    assert_eq!(renewed, Err(Refusal::NotEnrolled));
    let code = || code_of(&enrolled(ALICE).factors[0], 1000);
    let (outcome, record) = resync(
        record,
        ("", MALLORY),
        (Maker::Root, (&code(), &code())),
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &RULES,
    );
    assert_eq!(outcome, ResyncOutcome::NoToken);
    let maker = (Maker::Root, MALLORY);
    let (confirmation, record) = confirm(
        record,
        maker,
        (&id(), &code()),
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &RULES,
        &THROTTLE_RULES,
    );
    assert_eq!(confirmation, Confirmation::NotPending);
    let visible = restrict_to_owner(record.clone(), MALLORY);
    assert_eq!((visible.uid, visible.factors.len()), (MALLORY, 0));
    assert_eq!(restrict_to_owner(record, ALICE).factors.len(), 1);
}

#[test]
fn recovery_codes_stand_in_for_a_verified_factor_only() {
    let codes = recovery_codes(3, 1).1;
    let (added, record) = add_recovery_codes(Record::new(ALICE), &codes);
    assert!(!added && record.recovery.left() == 0);
    let (added, record) = add_recovery_codes(enrolled(ALICE), &codes);
    assert!(added && record.recovery.left() == 3);
    let (again, record) = add_recovery_codes(record, &recovery_codes(9, 2).1);
    assert!(!again && record.recovery.left() == 3, "those that are left stay");
}

#[test]
fn unlocking_forgets_wrong_codes_and_nothing_else() {
    let mut record = enrolled(ALICE);
    record.throttle.fail(&Source::Nowhere, NOW);
    let record = unlock(record);
    assert_eq!((record.throttle.unknown_sources().failures(), record.factors.len()), (0, 1));
}

#[test]
fn each_change_ends_what_is_remembered_and_a_refused_one_does_not() {
    let record = enrolled(ALICE);
    let before = record.trust.endings();
    for (changed, after) in changes(&right(), &record) {
        assert_eq!((changed, after.trust.endings()), (Ok(()), before + 1));
    }
    for proof in [nothing(), wrong()] {
        for (changed, after) in changes(&proof, &record) {
            assert!(changed.is_err() && after.trust.endings() == before);
        }
    }
    let time = Moment { now: NOW, voids: &VoidWindows::NONE };
    let code = |step| code_of(&enrolled(ALICE).factors[0], step);
    for (first, second, ends) in [(990, 991, 1), (990, 992, 0)] {
        let codes = (&code(first), &code(second));
        let (_, after) = resync(record.clone(), (&id(), ALICE), (Maker::Root, codes), time, &RULES);
        assert_eq!(after.trust.endings(), before + ends);
    }
    let mut pending = Record::new(ALICE);
    pending.factors.push(Factor { made_by: Maker::Root, ..new_factor() });
    let new = pending.factors[0].clone();
    for (counter, ends) in [(0, 1), (900, 0)] {
        let given = (new.id.as_str(), &code_of(&new, counter));
        let maker = (Maker::Root, ALICE);
        let (_, after) = confirm(pending.clone(), maker, given, time, &RULES, &THROTTLE_RULES);
        assert_eq!(after.trust.endings(), before + ends);
    }
    assert_eq!(unlock(record.clone()).trust.endings(), before + 1);
    assert_eq!(end_trust(record).trust.endings(), before + 1);
}

#[test]
fn managers_show_no_code() {
    for (changed, _) in changes(&Reauthentication::NotNeeded, &enrolled(ALICE)) {
        assert_eq!(changed, Ok(()));
    }
}
