use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::codec::{decode, encode};
use crate::factor::tests::{code_of, verified};
use crate::otp::time_step;
use crate::recovery::{Recovery, RecoveryCode, Used};
use crate::seal::tests::sealer;
use crate::subject::Subject;
use crate::throttle::tests::RULES as THROTTLE;
use crate::user::UserName;

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
    Attempt { answer: typed_code(text), factor: None, service: None, source: home(), uid: UID, now }
}

fn right_code(record: &Record, step: u64, now: u64) -> Attempt {
    let answer = Answer::Code(code_of(&record.factors[0], step));
    Attempt { answer, ..typed("", now) }
}

fn is_approved(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Approved { .. })
}

/// Any code that is not right in the window around `now`.
fn wrong_code(record: &Record, now: u64) -> Code {
    (0..10)
        .map(|n| Code::parse(&format!("00000{n}")).unwrap())
        .find(|code| record.factors.iter().all(|f| f.matches(code, now, 1) == Match::None))
        .unwrap()
}

#[test]
fn a_right_code_is_approved_once() {
    let record = enrolled();
    let first = right_code(&record, 1000, 30_000);
    let (verdict, record) = attempt(record, &first, &rules());
    assert!(is_approved(&verdict));
    assert_eq!(record.factors[0].last_accepted, Some(1000));
    assert_eq!(record.factors[0].last_used, Some(30_000));
    let (verdict, record) = attempt(record, &first, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::Used));
    let earlier = right_code(&record, 999, 30_000);
    let (verdict, _) = attempt(record, &earlier, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::Used), "an older code is used up too");
}

#[test]
fn a_clock_that_was_set_back_reopens_nothing() {
    let record = enrolled();
    let now = right_code(&record, 1000, 30_000);
    let (_, record) = attempt(record, &now, &rules());
    for step in [500, 999, 1000] {
        let (verdict, _) = attempt(
            Record { factors: vec![verified(Kind::Totp { period: 30 }, Some(1000))], ..enrolled() },
            &right_code(&record, step, step * 30),
            &rules(),
        );
        assert_eq!(verdict, Verdict::Denied(Reason::Used), "{step}");
    }
}

#[test]
fn what_cannot_be_a_code_is_denied_and_not_counted() {
    for text in ["", "12345", "123456789", "abcdef", "١٢٣٤٥٦", "\u{8}\n\r\u{7f}INCORRECT"] {
        let (verdict, record) = attempt(enrolled(), &typed(text, 30_000), &rules());
        assert_eq!(verdict, Verdict::Denied(Reason::Malformed), "{text:?}");
        assert_eq!(record.throttle.strangers().failures(), 0, "{text:?}");
    }
}

#[test]
fn wrong_codes_are_counted_and_then_wait() {
    let mut record = enrolled();
    for n in 1..=3 {
        let answer = Answer::Code(wrong_code(&record, 30_000));
        let wrong = Attempt { answer, ..typed("", 30_000) };
        let (verdict, after) = attempt(record, &wrong, &rules());
        assert_eq!(verdict, Verdict::Denied(Reason::Wrong));
        assert_eq!(after.throttle.strangers().failures(), n);
        record = after;
    }
    let right = right_code(&record, 1000, 30_010);
    let (verdict, record) = attempt(record, &right, &rules());
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(20) });
    assert_eq!(record.throttle.strangers().failures(), 3, "not counted");
    let right = right_code(&record, 1000, 30_030);
    let (verdict, record) = attempt(record, &right, &rules());
    assert!(is_approved(&verdict), "a throttled right code is not used up");
    assert_eq!(record.throttle.strangers().failures(), 0);
}

#[test]
fn ten_thousand_wrong_codes_from_a_thousand_addresses_do_not_keep_out_a_known_one() {
    let record = enrolled();
    let first = right_code(&record, 1000, 30_000);
    let (_, mut record) = attempt(record, &first, &rules());
    let mut last = Verdict::Denied(Reason::Wrong);
    for n in 0..10_000_u32 {
        let stranger = Source::Address(IpAddr::from((0x0a00_0000 + n % 1000).to_be_bytes()));
        let now = 30_001 + u64::from(n);
        let answer = Answer::Code(wrong_code(&record, now));
        let guess = Attempt { answer, source: stranger, ..typed("", now) };
        (last, record) = attempt(record, &guess, &rules());
        assert!(!is_approved(&last));
    }
    // Waits double to an hour, so 10,000 s leave room for few guesses, and the wait is told.
    assert!(matches!(last, Verdict::Throttled { retry_after: Some(1..=3600) }), "{last:?}");
    assert!(record.throttle.strangers().failures() < 12);
    let home = right_code(&record, 1334, 40_020);
    assert!(is_approved(&attempt(record, &home, &rules()).0));
}

#[test]
fn a_locked_user_gets_in_from_a_known_source_only() {
    let record = enrolled();
    let first = right_code(&record, 1000, 30_000);
    let (_, mut record) = attempt(record, &first, &rules());
    let mut now = 30_000;
    for _ in 0..100 {
        now += 3600;
        let answer = Answer::Code(wrong_code(&record, now));
        let stranger = Attempt { answer, source: Source::Unplaced, ..typed("", now) };
        let (verdict, after) = attempt(record, &stranger, &rules());
        assert_eq!(verdict, Verdict::Denied(Reason::Wrong));
        record = after;
    }
    let step = time_step(now, 30);
    let elsewhere = Attempt { source: Source::Uid(0), ..right_code(&record, step, now) };
    let (verdict, record) = attempt(record, &elsewhere, &rules());
    assert_eq!(verdict, Verdict::Throttled { retry_after: None });
    let home = right_code(&record, step, now);
    assert!(is_approved(&attempt(record, &home, &rules()).0));
}

#[test]
fn another_uid_under_the_same_name_inherits_nothing() {
    let record = enrolled();
    let right = Attempt { uid: 1001, ..right_code(&record, 1000, 30_000) };
    let (verdict, record) = attempt(record, &right, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::UidChanged));
    assert_eq!(record.factors[0].last_accepted, None);
}

#[test]
fn only_verified_factors_open_the_door() {
    let waiting = Status::Unverified { expires: u64::MAX, wrong_codes: 0 };
    for (status, reason) in [(Status::Disabled, Reason::Disabled), (waiting, Reason::NotEnrolled)] {
        let mut record = enrolled();
        record.factors[0].status = status;
        let right = right_code(&record, 1000, 30_000);
        let (verdict, record) = attempt(record, &right, &rules());
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
    let (verdict, record) = attempt(record, &Attempt { factor: Some(first), ..right }, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::Wrong));
    let right = right_code(&record, 1000, 30_000);
    let (verdict, _) = attempt(record, &Attempt { factor: Some(second), ..right }, &rules());
    assert!(is_approved(&verdict));
}

fn with_recovery() -> (Record, Vec<RecoveryCode>) {
    let (codes, kept) = Recovery::generate(3).unwrap();
    (Record { recovery: kept, ..enrolled() }, codes)
}

fn on_paper(record: &Record, code: &RecoveryCode) -> Attempt {
    Attempt { answer: Answer::Recovery(code.hashed(record.recovery.salt())), ..typed("", 30_000) }
}

#[test]
fn a_recovery_code_is_approved_once_and_told_at_the_next_login() {
    let (record, codes) = with_recovery();
    let one = on_paper(&record, &codes[1]);
    let (verdict, record) = attempt(record, &one, &rules());
    let expected = Verdict::Approved { factor: None, method: "recovery", left: 2, used: None };
    assert_eq!(verdict, expected);
    let (verdict, record) = attempt(record, &one, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::Wrong));
    assert_eq!(record.throttle.known()[0].budget.failures(), 1, "it counts as a wrong code");
    let right = right_code(&record, 1000, 30_000);
    let (verdict, record) = attempt(record, &right, &rules());
    let told = Some(Used { when: 30_000 });
    assert!(matches!(verdict, Verdict::Approved { used, left: 2, .. } if used == told));
    let right = right_code(&record, 1001, 30_000);
    let (verdict, _) = attempt(record, &right, &rules());
    assert!(matches!(verdict, Verdict::Approved { used: None, .. }), "told once");
}

#[test]
fn a_recovery_code_opens_nothing_that_a_factor_would_not() {
    let (mut record, codes) = with_recovery();
    let one = on_paper(&record, &codes[0]);
    let other = Attempt { uid: 1001, ..on_paper(&record, &codes[0]) };
    let (verdict, _) = attempt(record.clone(), &other, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::UidChanged));
    let named = Attempt { factor: Some("f-aeaqcaib".into()), ..on_paper(&record, &codes[0]) };
    let (verdict, _) = attempt(record.clone(), &named, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::Wrong));
    for (status, reason) in [
        (Status::Disabled, Some(Reason::Disabled)),
        (Status::Unverified { expires: 9, wrong_codes: 0 }, Some(Reason::NotEnrolled)),
        (Status::Unsynchronised, None),
    ] {
        record.factors[0].status = status;
        let (verdict, after) = attempt(record.clone(), &one, &rules());
        match reason {
            Some(reason) => assert_eq!(verdict, Verdict::Denied(reason), "{status:?}"),
            None => assert!(is_approved(&verdict), "{status:?}"),
        }
        assert_eq!(after.recovery.left(), if reason.is_some() { 3 } else { 2 });
    }
    record.factors[0].status = Status::Verified;
    for _ in 0..3 {
        record.throttle.fail(&home(), 30_000);
    }
    let (verdict, record) = attempt(record, &one, &rules());
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(30) });
    assert_eq!(record.recovery.left(), 3, "a throttled one is not used up");
}

#[test]
fn a_factor_with_limits_opens_only_what_it_may() {
    let mut record = enrolled();
    record.factors[0].limits.services = vec!["sshd".into()];
    let elsewhere = Attempt { service: Some("sudo".into()), ..right_code(&record, 1000, 30_000) };
    let (verdict, record) = attempt(record, &elsewhere, &rules());
    assert_eq!(verdict, Verdict::Denied(Reason::NotHere));
    assert_eq!(record.factors[0].last_accepted, None, "it is not used up");
    assert_eq!(record.throttle.strangers().failures(), 1, "and counts as a wrong one");
    let here = Attempt { service: Some("sshd".into()), ..right_code(&record, 1000, 30_000) };
    let (verdict, record) = attempt(record, &here, &rules());
    assert!(is_approved(&verdict));
    let place = record.factors[0].last_place.as_ref().unwrap();
    assert_eq!((place.service.as_str(), place.source.as_str()), ("sshd", "192.0.2.1"));
}

#[test]
fn of_two_factors_with_the_same_code_the_one_that_is_good_here_counts() {
    let mut record = enrolled();
    let mut twin = verified(Kind::Totp { period: 30 }, None);
    twin.id = FactorId::from_random([9; 5]);
    record.factors.push(twin);
    let right = right_code(&record, 1000, 30_000);
    let (_, both) = attempt(record.clone(), &right, &rules());
    assert_eq!(both.factors[0].last_accepted, Some(1000), "the older of two");
    record.factors[0].limits.not_after = Some(1);
    let right = right_code(&record, 1000, 30_000);
    let (verdict, record) = attempt(record, &right, &rules());
    assert!(is_approved(&verdict));
    assert_eq!(record.factors[1].last_accepted, Some(1000));
}

#[test]
fn a_phone_that_runs_fast_is_followed_and_no_used_step_returns() {
    let mut record = enrolled();
    let mut accepted = Vec::new();
    for round in 0..40_u64 {
        let now = 30_000 + round * 300;
        // Always the last step of the window.
        let step = record.factors[0].drift.apply(time_step(now, 30)) + 1;
        let (verdict, after) = attempt(record, &right_code(&enrolled(), step, now), &rules());
        assert!(is_approved(&verdict), "{round}");
        assert!(accepted.iter().all(|before| *before < step));
        accepted.push(step);
        record = after;
    }
    assert_eq!(record.factors[0].drift.steps(), 10);
}

#[test]
fn who_has_no_factor_is_throttled_like_everybody() {
    let mut record = Record::new(UID);
    for _ in 0..3 {
        let (verdict, after) = attempt(record, &typed("123456", 30_000), &rules());
        assert_eq!(verdict, Verdict::Denied(Reason::NotEnrolled));
        record = after;
    }
    let (verdict, _) = attempt(record, &typed("123456", 30_000), &rules());
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(30) });
}

#[test]
fn an_event_token_moves_on() {
    let mut record = enrolled();
    record.factors[0].kind = Kind::Hotp;
    for counter in [0, 3, 13] {
        let right = right_code(&record, counter, 30_000);
        let (verdict, after) = attempt(record, &right, &rules());
        assert!(is_approved(&verdict), "{counter}");
        record = after;
    }
    let used = right_code(&record, 13, 30_000);
    assert_eq!(attempt(record, &used, &rules()).0, Verdict::Denied(Reason::Used));
}

proptest! {
    /// Over any interleaving of codes, sources, restarts and times that go forth and back, no time
    /// step is ever accepted twice, and the last accepted one only grows.
    #[test]
    fn no_time_step_is_accepted_twice(
        tries in prop::collection::vec(
            (0_u64..12, 0_u64..12, 0_u8..3, any::<bool>(), any::<bool>()),
            1..200,
        ),
        hotp in any::<bool>(),
    ) {
        let (_folder, sealer) = sealer();
        let subject = Subject::User(UserName::parse("alice").unwrap());
        let mut record = enrolled();
        if hotp {
            record.factors[0].kind = Kind::Hotp;
        }
        let mut accepted = Vec::new();
        for (step, clock, source, right, restart) in tries {
            let now = clock * 30 + 7;
            let code = if right {
                code_of(&record.factors[0], step)
            } else {
                Code::parse("000000").unwrap()
            };
            let source = Source::Uid(u32::from(source));
            let one = Attempt { answer: Answer::Code(code), source, ..typed("", now) };
            let (verdict, after) = attempt(record, &one, &rules());
            record = after;
            if is_approved(&verdict) {
                let last = record.factors[0].last_accepted.unwrap();
                prop_assert!(accepted.iter().all(|before| *before < last), "{accepted:?} {last}");
                accepted.push(last);
            }
            if restart {
                let sealed = encode(&record, &subject, &sealer).unwrap();
                record = decode(&sealed, &subject, UID, &sealer).unwrap();
            }
        }
    }

    /// No text is ever a way in by itself, and none makes the judge panic.
    #[test]
    fn no_text_panics(text in any::<String>(), now in any::<u64>()) {
        let _ = attempt(enrolled(), &typed(&text, now), &rules());
    }
}

/// How many codes a guesser gets to try in `days`, from `addresses` addresses in turn, trying
/// again as soon as that may be looked at. `owner` is what the owner does once a day.
fn guesses(days: u64, addresses: u32, known: bool, owner: Option<Source>) -> u64 {
    let address = |n: u64| {
        let number = 0x0a00_0000 + u32::try_from(n % u64::from(addresses)).unwrap();
        Source::Address(IpAddr::from(number.to_be_bytes()))
    };
    let start = 1_800_000_000;
    let (mut record, mut now, mut tried, mut day) = (enrolled(), start, 0, 0);
    if known {
        record.throttle.succeed(&address(0), now, &THROTTLE);
    }
    while now < start + days * 86_400 {
        if let Some(source) = owner.as_ref().filter(|_| (now - start) / 86_400 > day) {
            day = (now - start) / 86_400;
            record.throttle.succeed(source, now, &THROTTLE);
        }
        let guess = Attempt {
            answer: Answer::Code(wrong_code(&record, now)),
            service: None,
            source: address(tried),
            ..typed("", now)
        };
        let (verdict, after) = attempt(record, &guess, &rules());
        record = after;
        match verdict {
            Verdict::Denied(_) => tried += 1,
            Verdict::Throttled { retry_after } => now += retry_after.unwrap_or(3600),
            Verdict::Approved { .. } => unreachable!("wrong codes are never approved"),
        }
    }
    tried
}

/// The chance to meet one of the three codes that are right at a time, in `tries` tries.
fn chance(tries: u64) -> String {
    let missed = (1.0 - 3e-6_f64).powf(f64::from(u32::try_from(tries).unwrap()));
    format!("{:.3} %", (1.0 - missed) * 100.0)
}

#[test]
fn the_table_of_what_a_guesser_gets_is_the_one_in_the_documentation() {
    let mut table = String::from(
        "| who guesses | codes in a day | codes in a year | chance in a day | chance in a year |\n\
         |---|---|---|---|---|\n",
    );
    let owner = Some(Source::Unplaced);
    for (who, addresses, known, owner) in [
        ("one strange address", 1, false, None),
        ("10,000 strange addresses", 10_000, false, None),
        ("one address from which the owner logs in", 1, true, None),
        (
            "10,000 strange addresses, while the owner gets in from a strange one each day",
            10_000,
            false,
            owner,
        ),
    ] {
        let (day, year) =
            (guesses(1, addresses, known, owner.clone()), guesses(365, addresses, known, owner));
        table.push_str(&format!(
            "| {who} | {day} | {year} | {} | {} |\n",
            chance(day),
            chance(year)
        ));
    }
    println!("{table}");
    let documentation = include_str!("../../../docs/throttle.md");
    assert!(documentation.contains(&table), "docs/throttle.md must hold this table:\n{table}");
}
