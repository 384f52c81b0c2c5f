mod guesses;
mod leaning;
mod recovery;
mod repeats;
mod single_use;
mod void;

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::*;
use crate::account::NO_UID;
use crate::code::Code;
use crate::factor::{Kind, Status};
use crate::fixtures::THROTTLE_RULES as THROTTLE;
use crate::fixtures::{code_of, verified};
use crate::otp::time_step;
use crate::source::Source;

const UID: u32 = 1000;

fn rules() -> Rules {
    Rules { skew: 1, throttle: THROTTLE }
}

fn enrolled() -> Record {
    let mut record = Record::new(UID);
    record.factors.push(verified(Kind::Totp { period: 30 }, None));
    record
}

fn home() -> Source {
    Source::Address(IpAddr::from([192, 0, 2, 1]))
}

fn typed_code(text: &str) -> Answer {
    Code::parse(text).map_or(Answer::Malformed, Answer::Code)
}

fn typed(text: &str, now: u64) -> Attempt {
    Attempt {
        answer: typed_code(text),
        methods: Methods::ALL,
        factor: None,
        service: None,
        source: home(),
        uid: UID,
        now,
    }
}

fn right_code(record: &Record, step: u64, now: u64) -> Attempt {
    let answer = Answer::Code(code_of(&record.factors[0], step));
    Attempt { answer, ..typed("", now) }
}

fn is_approved(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Approved { .. })
}

/// Returns a code that is not right in the window around `now`.
fn wrong_code(record: &Record, now: u64) -> Code {
    (0..10)
        .map(|n| Code::parse(&format!("00000{n}")).unwrap())
        .find(|code| record.factors.iter().all(|f| f.matches(code, now, 1).is_none()))
        .unwrap()
}

#[test]
fn a_malformed_code_is_denied_and_not_counted() {
    for text in ["", "12345", "123456789", "abcdef", "١٢٣٤٥٦", "\u{8}\n\r\u{7f}INCORRECT"] {
        let (verdict, record) =
            verify(enrolled(), &typed(text, 30_000), &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(Reason::Malformed), "{text:?}");
        assert_eq!(record.throttle.unknown_sources().failures(), 0, "{text:?}");
    }
}

#[test]
fn the_fake_password_of_sshd_is_named_and_not_counted_for_every_user() {
    let (mut disabled, mut unknown) = (enrolled(), Record::new(NO_UID));
    disabled.factors[0].status = Status::Disabled;
    unknown.uid = NO_UID;
    for record in [enrolled(), disabled, Record::new(UID), unknown] {
        let blocked = Attempt { answer: Answer::BlockedBySshd, ..typed("", 30_000) };
        let (verdict, record) = verify(record, &blocked, &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(Reason::BlockedBySshd));
        assert_eq!(record.throttle.unknown_sources().failures(), 0);
    }
}

#[test]
fn another_uid_under_the_same_name_inherits_nothing() {
    let record = enrolled();
    let right = Attempt { uid: 1001, ..right_code(&record, 1000, 30_000) };
    let (verdict, record) = verify(record, &right, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::UidChanged));
    assert_eq!(record.factors[0].last_accepted, None);
}

#[test]
fn only_verified_factors_are_accepted() {
    let waiting = Status::Unverified { expires: u64::MAX, wrong_codes: 0 };
    for (status, reason) in [(Status::Disabled, Reason::Disabled), (waiting, Reason::NotEnrolled)] {
        let mut record = enrolled();
        record.factors[0].status = status;
        let right = right_code(&record, 1000, 30_000);
        let (verdict, record) = verify(record, &right, &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(reason), "{status:?}");
        assert_eq!(record.factors[0].last_accepted, None);
    }
}

#[test]
fn a_named_factor_is_the_only_one_that_counts() {
    let mut record = enrolled();
    let mut other = verified(Kind::Totp { period: 30 }, None);
    other.id = FactorId::from_random([9; 5]);
    let (first, second) = (record.factors[0].id.to_string(), other.id.to_string());
    record.factors.push(other);
    record.factors[0].status = Status::Disabled;
    let right = right_code(&record, 1000, 30_000);
    let (verdict, record) =
        verify(record, &Attempt { factor: Some(first), ..right }, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::NoMatch));
    let right = right_code(&record, 1000, 30_000);
    let (verdict, _) =
        verify(record, &Attempt { factor: Some(second), ..right }, &rules(), &VoidWindows::NONE);
    assert!(is_approved(&verdict));
}

#[test]
fn a_restricted_factor_is_accepted_for_its_service_only() {
    let mut record = enrolled();
    record.factors[0].restrictions.services = vec!["sshd".into()];
    let elsewhere = Attempt { service: Some("sudo".into()), ..right_code(&record, 1000, 30_000) };
    let (verdict, record) = verify(record, &elsewhere, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::Restricted));
    assert_eq!(record.factors[0].last_accepted, None, "it is not used up");
    assert_eq!(record.throttle.unknown_sources().failures(), 1, "and counts as a wrong one");
    let here = Attempt { service: Some("sshd".into()), ..right_code(&record, 1000, 30_000) };
    let (verdict, record) = verify(record, &here, &rules(), &VoidWindows::NONE);
    assert!(is_approved(&verdict));
    let place = record.factors[0].last_place.as_ref().unwrap();
    assert_eq!((place.service.as_str(), place.source.as_str()), ("sshd", "192.0.2.1"));
}

#[test]
fn an_allowed_factor_wins_over_a_restricted_twin() {
    let mut record = enrolled();
    let mut twin = verified(Kind::Totp { period: 30 }, None);
    twin.id = FactorId::from_random([9; 5]);
    record.factors.push(twin);
    let right = right_code(&record, 1000, 30_000);
    let (_, both) = verify(record.clone(), &right, &rules(), &VoidWindows::NONE);
    // Both have the seed, so both know that the code is used. Only one was used.
    let used: Vec<_> = both.factors.iter().map(|factor| factor.last_used).collect();
    assert_eq!(used, [Some(30_000), None], "the older of two");
    record.factors[0].restrictions.not_after = Some(1);
    let right = right_code(&record, 1000, 30_000);
    let (verdict, record) = verify(record, &right, &rules(), &VoidWindows::NONE);
    assert!(is_approved(&verdict));
    assert_eq!(record.factors[1].last_accepted, Some(1000));
}

#[test]
fn a_token_that_is_not_synchronized_is_denied() {
    let mut record = enrolled();
    record.factors[0].status = Status::Unsynchronized;
    let right = right_code(&record, 1000, 30_000);
    let (verdict, record) = verify(record, &right, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::Unsynchronized));
    assert_eq!(record.throttle.unknown_sources().failures(), 1);
}

#[test]
fn a_code_from_before_the_import_of_its_seed_is_not_counted() {
    let mut record = enrolled();
    record.factors[0].is_imported = true;
    record.factors[0].last_accepted = Some(1001);
    let early = right_code(&record, 1000, 30_000);
    let (verdict, mut record) = verify(record, &early, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::NotYetUsable));
    assert_eq!(record.throttle.unknown_sources().failures(), 0);
    record.factors[0].last_used = Some(9);
    let (verdict, record) = verify(record, &early, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::Replayed));
    assert_eq!(record.throttle.unknown_sources().failures(), 1);
}

#[test]
fn a_code_that_one_factor_accepted_last_is_valid_for_no_other() {
    let mut record = enrolled();
    // One seed, and one number that is a counter to the one and a time step to the other.
    let mut hotp = verified(Kind::Hotp, Some(1000));
    hotp.id = FactorId::from_random([9; 5]);
    for index in [0, 1] {
        record.factors.insert(index, hotp.clone());
        let right = right_code(&record, 1000, 30_000);
        let (verdict, after) = verify(record.clone(), &right, &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(Reason::Replayed));
        assert_eq!(after.throttle.unknown_sources().failures(), 0);
        let (verdict, _) = verify(
            record.clone(),
            &right_code(&record, 1001, 30_000),
            &rules(),
            &VoidWindows::NONE,
        );
        assert!(is_approved(&verdict), "{verdict:?}");
        record.factors.remove(index);
    }
}

#[test]
fn a_record_keeps_64_characters_of_a_service() {
    let record = enrolled();
    let long = Attempt { service: Some("é".repeat(65)), ..right_code(&record, 1000, 30_000) };
    let (_, record) = verify(record, &long, &rules(), &VoidWindows::NONE);
    assert_eq!(record.factors[0].last_place.as_ref().unwrap().service, "é".repeat(64));
}
