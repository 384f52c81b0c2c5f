use alloc::vec;

use super::*;
use crate::factor::{FactorId, Status};
use crate::fixtures::{THROTTLE_RULES, code_of, enrolled, recovery_codes, verified};
use crate::seed::Seed;
use crate::shadow::{Differed, LONGEST_LOGIN, MAX_OPEN, WEEK};
use crate::source::Source;
use crate::verification::{Method, Methods};

/// Time step 100,000.
const NOW: u64 = 3_000_000;
const STEP: u64 = 100_000;
const RULES: Rules = Rules { skew: 1, throttle: THROTTLE_RULES };

fn attempt(answer: Answer, now: u64) -> Attempt {
    Attempt {
        answer,
        factor: None,
        methods: Methods::ALL,
        service: Some("sshd".into()),
        source: Source::Nowhere,
        uid: 1000,
        now,
    }
}

fn judged(record: Record, code: Code, nonce: u8) -> Record {
    let attempt = attempt(Answer::Code(code), NOW);
    judge(record, &attempt, &RULES, &VoidWindows::NONE, false, [nonce; 16])
}

/// Returns the cause that is noted for `code`, if the stack let in the login.
fn cause_of(record: &Record, code: Code) -> Option<Cause> {
    let mut after = judged(record.clone(), code, 255);
    after.shadow.let_in([255; 16], NOW).unwrap().refused_by
}

fn with(factor: Factor) -> Record {
    Record { factors: vec![factor], ..Record::new(1000) }
}

#[test]
fn a_right_code_is_used_up_and_a_wrong_one_changes_nothing() {
    let record = enrolled(1000);
    let right = judged(record.clone(), code_of(&record.factors[0], STEP), 1);
    assert_eq!(right.factors[0].last_accepted, Some(STEP));
    assert_eq!(right.factors[0].last_used, Some(NOW));
    assert_eq!(cause_of(&right, code_of(&record.factors[0], STEP)), Some(Cause::Used));
    let mut wrong = record.clone();
    for nonce in 0..200 {
        wrong = judged(wrong, code_of(&record.factors[0], STEP + 500), nonce);
    }
    assert_eq!(wrong.factors[0].last_accepted, None);
    assert_eq!(wrong.throttle, record.throttle, "nobody waits here for guesses made there");
    assert_eq!(cause_of(&wrong, code_of(&record.factors[0], STEP)), None);
}

#[test]
fn a_wait_here_neither_holds_nor_ends() {
    let mut record = enrolled(1000);
    (0..50).for_each(|_| record.throttle.fail(&Source::Nowhere, NOW));
    let after = judged(record.clone(), code_of(&record.factors[0], STEP), 1);
    assert_eq!(after.throttle, record.throttle);
    assert_eq!(after.factors[0].last_accepted, Some(STEP));
}

#[test]
fn a_token_that_counts_presses_keeps_up() {
    let mut record = with(verified(Kind::Hotp, Some(4)));
    for counter in (5..200).step_by(5) {
        let code = code_of(&record.factors[0], counter);
        record = judged(record, code, 1);
        assert_eq!(record.factors[0].last_accepted, Some(counter));
    }
}

#[test]
fn a_recovery_code_is_used_up_too() {
    let (codes, hashes) = recovery_codes(2, 1);
    let record = Record { recovery: hashes.clone(), ..enrolled(1000) };
    let guess = || Answer::Recovery(codes[0].hash(hashes.salt()));
    let mut after =
        judge(record, &attempt(guess(), NOW), &RULES, &VoidWindows::NONE, false, [1; 16]);
    assert_eq!(after.recovery.left(), 1);
    assert_eq!(after.shadow.let_in([1; 16], NOW).unwrap().refused_by, None);
    // What a code of an app leaves: the next real login still tells of the use.
    let code = code_of(&after.factors[0], STEP);
    let mut after = judged(after, code, 2);
    assert!(after.recovery.take_unreported_use().is_some());
}

#[test]
fn each_cause_is_told() {
    let totp = || verified(Kind::Totp { period: 30 }, None);
    let record = enrolled(1000);
    let at = |step| code_of(&totp(), step);
    let other = Factor { seed: Seed::new(vec![9; 20]).unwrap(), ..totp() };
    let pending = Status::Unverified { expires: u64::MAX, wrong_codes: 0 };
    for (record, code, expected) in [
        (record.clone(), at(STEP), None),
        (record.clone(), at(STEP - 2), Some(Cause::Window)),
        (record.clone(), at(STEP + 11), Some(Cause::Window)),
        (record.clone(), at(STEP - 12), Some(Cause::Clock)),
        (record.clone(), at(STEP + 120), Some(Cause::Clock)),
        (record.clone(), at(STEP + 121), Some(Cause::Wrong)),
        (with(other), at(STEP), Some(Cause::Wrong)),
        (with(Factor { digits: 8, ..totp() }), at(STEP), Some(Cause::Digits)),
        (Record::new(1000), at(STEP), Some(Cause::NoFactor)),
        (with(Factor { status: pending, ..totp() }), at(STEP), Some(Cause::Unconfirmed)),
        (with(Factor { status: Status::Disabled, ..totp() }), at(STEP), Some(Cause::NotAllowed)),
        (with(Factor { last_accepted: Some(STEP), ..totp() }), at(STEP), Some(Cause::Used)),
        (
            with(verified(Kind::Hotp, Some(4))),
            code_of(&verified(Kind::Hotp, None), 60),
            Some(Cause::Window),
        ),
    ] {
        assert_eq!(cause_of(&record, code), expected, "{record:?}");
    }
    // Of two factors, the one that the code misses by the least counts.
    let mut two = with(Factor { digits: 8, ..totp() });
    two.factors.push(Factor { id: FactorId::from_random([9; 5]), ..totp() });
    assert_eq!(cause_of(&two, at(STEP - 5)), Some(Cause::Window));
}

#[test]
fn a_login_that_a_rule_lets_by_is_no_difference() {
    let attempt = Attempt {
        methods: Methods::of(&[Method::Totp]).unwrap(),
        ..attempt(Answer::Malformed, NOW)
    };
    let mut after = judge(Record::new(1000), &attempt, &RULES, &VoidWindows::NONE, true, [1; 16]);
    assert_eq!(after.shadow.let_in([1; 16], NOW).unwrap().refused_by, None);
    assert_eq!((after.shadow.agreed, after.shadow.differences()), (1, 0));
}

#[test]
fn both_agree_or_differ() {
    let record = enrolled(1000);
    let right = || code_of(&record.factors[0], STEP);
    let wrong = || Code::parse("000000").unwrap();
    let mut shadow = judged(record.clone(), right(), 1).shadow;
    assert!(shadow.let_in([2; 16], NOW).is_none(), "another login");
    assert!(shadow.let_in([1; 16], NOW).is_some());
    assert!(shadow.let_in([1; 16], NOW).is_none(), "it counts once");
    assert_eq!((shadow.agreed, shadow.differences()), (1, 0));
    // The stack lets in neither: after the longest time of a login that is known.
    let mut shadow = judged(record.clone(), wrong(), 1).shadow;
    shadow.expire(NOW + LONGEST_LOGIN);
    assert_eq!((shadow.agreed, shadow.differences()), (0, 0));
    shadow.expire(NOW + LONGEST_LOGIN + 1);
    assert_eq!((shadow.agreed, shadow.differences()), (1, 0));
    assert!(shadow.let_in([1; 16], NOW + LONGEST_LOGIN + 1).is_none());
    let mut shadow = judged(record.clone(), right(), 1).shadow;
    shadow.expire(NOW + LONGEST_LOGIN + 1);
    let expected = Differed { cause: Cause::StackRefused, count: 1, last: NOW };
    assert_eq!((shadow.agreed, shadow.differed), (0, vec![expected]));
}

#[test]
fn a_flood_of_wrong_codes_pushes_out_no_right_one() {
    let mut record = enrolled(1000);
    let right = code_of(&record.factors[0], STEP);
    record = judged(record, right, 1);
    for nonce in 2..100 {
        record = judged(record, Code::parse("000000").unwrap(), nonce);
        assert!(record.shadow.open.len() <= MAX_OPEN);
    }
    assert_eq!(record.shadow.let_in([1; 16], NOW).unwrap().refused_by, None);
    // Right codes push out the oldest.
    let rule = |record, nonce| {
        let attempt = attempt(Answer::Malformed, NOW);
        judge(record, &attempt, &RULES, &VoidWindows::NONE, true, [nonce; 16])
    };
    let mut record = (1..=20).fold(Record::new(1000), rule);
    assert!(record.shadow.let_in([12; 16], NOW).is_none());
    assert!(record.shadow.let_in([13; 16], NOW).is_some());
}

#[test]
fn who_would_be_shut_out_is_told_by_the_last_login() {
    let record = enrolled(1000);
    let at = |step| code_of(&record.factors[0], step);
    let shut_out = |record: &Record, now| record.shadow.would_be_shut_out(now);
    let mut record_now = judged(record.clone(), at(STEP - 5), 1);
    assert!(!shut_out(&record_now, NOW), "the stack may refuse it too");
    let _ = record_now.shadow.let_in([1; 16], NOW);
    assert!(shut_out(&record_now, NOW) && shut_out(&record_now, NOW + WEEK));
    assert!(!shut_out(&record_now, NOW + WEEK + 1));
    record_now = judged(record_now, at(STEP), 2);
    let _ = record_now.shadow.let_in([2; 16], NOW);
    assert!(!shut_out(&record_now, NOW));
    record_now = judged(record_now, at(STEP), 3);
    let _ = record_now.shadow.let_in([3; 16], NOW);
    assert!(!shut_out(&record_now, NOW), "the next code is good");
    assert_eq!(record_now.shadow.differences(), 2);
}

#[test]
fn a_user_who_takes_over_a_name_has_no_verdicts() {
    let mut record = judged(Record::new(1000), Code::parse("000000").unwrap(), 1);
    let _ = record.shadow.let_in([1; 16], NOW);
    assert!(!record.shadow.is_empty());
    assert!(record.clone().for_account(1001, NOW).shadow.is_empty());
    let key = crate::fixtures::user("alice");
    let account = crate::account::Account { key, uid: Some(1001), is_uncertain: false };
    assert!(account.record(Some(record)).shadow.is_empty());
}
