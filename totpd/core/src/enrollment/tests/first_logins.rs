//! Factors that logins make.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::moment::Moment;

/// Returns the id of the factor that a login of this nonce is shown. If it is offered none, the
/// function returns nothing.
fn offered(record: Record, login: u8, number: u8) -> (Option<FactorId>, Record) {
    let new = pending(number, Maker::Login(nonce(login)));
    let (factor, record) = offer(record, 1000, &new, NOW, &RULES);
    (factor.map(|factor| factor.id), record)
}

fn token(number: u8) -> LoginToken {
    LoginToken::new([number; 16], id(number), UserName::parse("alice").unwrap())
}

fn prove_rightly(record: &mut Record, login: u8, number: u8) -> Result<(), Confirmation> {
    let code = code_of(&factor(number, Status::Verified), 1000);
    let digest = token(number).digest("sshd");
    prove(
        record,
        (nonce(login), 1000),
        id(number).as_str(),
        &code,
        digest,
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &RULES,
    )
}

fn end_of(number: u8, service: &str) -> LoginEnd {
    LoginEnd {
        factor: id(number),
        token: token(number).digest(service),
        is_of_user: true,
        uid: 1000,
        service: Some(service.into()),
        source: Source::Uid(7),
    }
}

fn completed(record: &mut Record, number: u8, service: &str, now: u64) -> Completion {
    let end = end_of(number, service);
    let (completion, after) = complete_login(record.clone(), &end, now, &RULES, &THROTTLE);
    *record = after;
    completion
}

#[test]
fn each_authentication_is_shown_a_key_of_its_own() {
    let (first, record) = offered(with(vec![pending(9, Maker::Root)]), 1, 1);
    assert_eq!(first, Some(id(1)));
    let (again, record) = offered(record, 1, 2);
    assert_eq!(again, Some(id(1)), "the same authentication asks again");
    let (other, record) = offered(record, 2, 3);
    assert_eq!(other, Some(id(3)));
    assert_eq!(ids(&record), [id(9).as_str(), id(1).as_str(), id(3).as_str()], "nobody's goes");
    for status in [Status::Verified, Status::Disabled, Status::Unsynchronized] {
        let mut enrolled = record.clone();
        enrolled.factors[0].status = status;
        assert_eq!(offered(enrolled.clone(), 3, 4).0, None, "{status:?}");
        assert_eq!(offered(Record { uid: 4711, ..enrolled }, 3, 4).0, None, "another's");
    }
}

#[test]
fn abandoned_logins_evict_no_factor_of_another_maker() {
    let mut record = with(vec![pending(100, Maker::Root), pending(101, ALICE)]);
    (_, record) = offered(record, 1, 1);
    prove_rightly(&mut record, 1, 1).unwrap();
    for number in 2..60 {
        (_, record) = offered(record, number, number);
    }
    assert_eq!(record.factors.len(), 2 + 16);
    for number in [100, 101, 1, 59] {
        assert!(record.factors.iter().any(|factor| factor.id == id(number)), "{number}");
    }
    assert_eq!(completed(&mut record, 1, "sshd", NOW), Completion::Verified);
    assert_eq!(ids(&record), [id(100).as_str(), id(1).as_str()], "what waits for root waits");
}

#[test]
fn the_login_that_verifies_a_factor_is_its_first_use() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    prove_rightly(&mut record, 1, 1).unwrap();
    assert_eq!(completed(&mut record, 1, "sshd", NOW), Completion::Verified);
    assert_eq!(record.factors[0].last_used, Some(NOW));
    let place = record.factors[0].last_place.clone().unwrap();
    assert_eq!((&place.service[..], &place.source[..]), ("sshd", "uid:7"));
    assert_eq!(
        record.throttle.known_sources()[0].source,
        Source::Uid(7),
        "and its source is known"
    );
    assert!(record.repeats_last_code(&code_of(&record.factors[0], 1000)), "its code is no guess");
}

#[test]
fn the_login_of_another_user_or_account_completes_nothing() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    prove_rightly(&mut record, 1, 1).unwrap();
    for other in [
        LoginEnd { is_of_user: false, ..end_of(1, "sshd") },
        LoginEnd { uid: 1001, ..end_of(1, "sshd") },
    ] {
        let (completion, after) = complete_login(record.clone(), &other, NOW, &RULES, &THROTTLE);
        assert_eq!(completion, Completion::Unknown, "{other:?}");
        assert!(after.factors[0].is_pending() && after.throttle == record.throttle, "{other:?}");
    }
    assert_eq!(completed(&mut record, 1, "sshd", NOW), Completion::Verified);
}

#[test]
fn a_login_that_completes_nothing_leaves_no_trace() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    prove_rightly(&mut record, 1, 1).unwrap();
    let used = (record.factors[0].last_used, record.factors[0].last_place.clone());
    for (number, service) in [(1, "sudo"), (2, "sshd")] {
        assert_eq!(completed(&mut record, number, service, NOW), Completion::Unknown);
        assert!(record.throttle.known_sources().is_empty(), "{service}");
        let factor = &record.factors[0];
        assert_eq!((factor.last_used, factor.last_place.clone()), used, "{service}");
    }
}

#[test]
fn a_first_code_alone_does_not_verify_the_factor_of_a_login() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    assert_eq!(prove_rightly(&mut record, 2, 1), Err(Confirmation::NotMaker), "of another login");
    prove_rightly(&mut record, 1, 1).unwrap();
    assert!(!record.is_enrolled() && record.factors[0].is_pending());
    assert_eq!(record.factors[0].last_accepted, Some(1000), "the code is used up");
    assert_eq!(prove_rightly(&mut record, 1, 1), Err(Confirmation::NotPending));
    for (number, service, now, completion) in [
        (2, "sshd", NOW, Completion::Unknown),
        (1, "sudo", NOW, Completion::Unknown),
        (1, "sshd", NOW + 180, Completion::Expired),
        (1, "sshd", NOW - 1, Completion::Expired),
        (1, "sshd", NOW + 179, Completion::Verified),
    ] {
        let mut record = record.clone();
        assert_eq!(completed(&mut record, number, service, now), completion, "{service} {now}");
        assert_eq!(record.is_enrolled(), completion == Completion::Verified);
        if completion == Completion::Verified {
            assert_eq!(completed(&mut record, 1, "sshd", now), Completion::AlreadyVerified, "once");
            record.factors[0].status = Status::Disabled;
            assert_eq!(completed(&mut record, 1, "sshd", now), Completion::Unknown, "disabled");
        }
    }
    add(&mut record, factor(5, Status::Verified), NOW, &TWO).unwrap();
    assert_ne!(completed(&mut record, 1, "sshd", NOW), Completion::Verified, "root was faster");
}

#[test]
fn three_wrong_first_codes_remove_the_factor_of_a_login() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    let wrong = Code::parse("000000").unwrap();
    let digest = token(1).digest("sshd");
    let mut left = Vec::new();
    for _ in 0..3 {
        let id = id(1);
        left.push(
            match prove(
                &mut record,
                (nonce(1), 1000),
                id.as_str(),
                &wrong,
                digest,
                Moment { now: NOW, voids: &VoidWindows::NONE },
                &RULES,
            ) {
                Err(Confirmation::Wrong { left, .. }) => left,
                Err(Confirmation::TooManyAttempts) => 0,
                other => panic!("{other:?}"),
            },
        );
    }
    assert_eq!(left, [2, 1, 0]);
    assert!(record.factors.is_empty());
}

#[test]
fn nullok_skips_only_who_has_no_factor_at_all() {
    let mut pending = crate::fixtures::enrolled(1000);
    pending.factors[0].status = Status::Unverified { expires: 9, wrong_codes: 0 };
    assert!(may_skip(&Record::new(7), 1000));
    assert!(may_skip(&pending, 1000));
    assert!(!may_skip(&pending, 1001));
    assert!(!may_skip(&crate::fixtures::enrolled(1000), 1000));
    assert!(
        !may_skip(&crate::fixtures::enrolled(1000), 1001),
        "a recreated account is no way around"
    );
}

#[test]
fn a_key_whose_first_code_was_given_is_not_shown_again() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    prove_rightly(&mut record, 1, 1).unwrap();
    assert_eq!(offered(record, 1, 2).0, Some(id(2)));
}

#[test]
fn a_login_adds_no_factor_to_an_enrolled_user() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    prove_rightly(&mut record, 1, 1).unwrap();
    record.factors.push(factor(5, Status::Verified));
    assert_eq!(prove_rightly(&mut record.clone(), 1, 1), Err(Confirmation::NotPending));
    assert_eq!(completed(&mut record, 1, "sshd", NOW), Completion::AlreadyEnrolled);
    assert_eq!(ids(&record), [id(5).as_str()]);
}

#[test]
fn a_first_code_at_a_login_needs_its_own_unenrolled_account() {
    let (_, record) = offered(with(Vec::new()), 1, 1);
    let mut enrolled = record.clone();
    enrolled.factors.push(factor(5, Status::Verified));
    let mut recreated = Record { uid: 1001, ..record };
    for record in [&mut enrolled, &mut recreated] {
        assert_eq!(prove_rightly(record, 1, 1), Err(Confirmation::NotPending));
        assert!(record.factors[0].awaits_first_code());
    }
}
