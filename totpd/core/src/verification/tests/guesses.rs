//! The number of codes that a guesser can try, and the users that are kept out.

use alloc::format;
use alloc::string::String;

use super::*;

#[test]
fn wrong_codes_are_counted_and_then_wait() {
    let mut record = enrolled();
    for n in 1..=3 {
        let answer = Answer::Code(wrong_code(&record, 30_000));
        let wrong = Attempt { answer, ..typed("", 30_000) };
        let (verdict, after) = verify(record, &wrong, &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(Reason::NoMatch));
        assert_eq!(after.throttle.unknown_sources().failures(), n);
        record = after;
    }
    let right = right_code(&record, 1000, 30_010);
    let (verdict, record) = verify(record, &right, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(20) });
    assert_eq!(record.throttle.unknown_sources().failures(), 3, "not counted");
    let right = right_code(&record, 1000, 30_030);
    let (verdict, record) = verify(record, &right, &rules(), &VoidWindows::NONE);
    assert!(is_approved(&verdict), "a throttled right code is not used up");
    assert_eq!(record.throttle.unknown_sources().failures(), 0);
}

#[test]
fn guesses_from_a_thousand_addresses_spare_a_known_one() {
    let record = enrolled();
    let first = right_code(&record, 1000, 30_000);
    let (_, mut record) = verify(record, &first, &rules(), &VoidWindows::NONE);
    let mut last = Verdict::Denied(Reason::NoMatch);
    for n in 0..10_000_u32 {
        let stranger = Source::Address(IpAddr::from((0x0a00_0000 + n % 1000).to_be_bytes()));
        let now = 30_001 + u64::from(n);
        let answer = Answer::Code(wrong_code(&record, now));
        let guess = Attempt { answer, source: stranger, ..typed("", now) };
        (last, record) = verify(record, &guess, &rules(), &VoidWindows::NONE);
        assert!(!is_approved(&last));
    }
    // Waits double to an hour, so 10,000 s leave room for few guesses, and the verdict names the
    // wait.
    assert!(matches!(last, Verdict::Throttled { retry_after: Some(1..=3600) }), "{last:?}");
    assert!(record.throttle.unknown_sources().failures() < 12);
    let home = right_code(&record, 1334, 40_020);
    assert!(is_approved(&verify(record, &home, &rules(), &VoidWindows::NONE).0));
}

#[test]
fn a_locked_user_gets_in_from_a_known_source_only() {
    let record = enrolled();
    let first = right_code(&record, 1000, 30_000);
    let (_, mut record) = verify(record, &first, &rules(), &VoidWindows::NONE);
    let mut now = 30_000;
    for _ in 0..100 {
        now += 3600;
        let answer = Answer::Code(wrong_code(&record, now));
        let stranger = Attempt { answer, source: Source::Nowhere, ..typed("", now) };
        let (verdict, after) = verify(record, &stranger, &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(Reason::NoMatch));
        record = after;
    }
    let step = time_step(now, 30);
    let elsewhere = Attempt { source: Source::Uid(0), ..right_code(&record, step, now) };
    let (verdict, record) = verify(record, &elsewhere, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Throttled { retry_after: None });
    let home = right_code(&record, step, now);
    assert!(is_approved(&verify(record, &home, &rules(), &VoidWindows::NONE).0));
}

#[test]
fn an_unenrolled_user_is_throttled_like_others() {
    let mut record = Record::new(UID);
    for _ in 0..3 {
        let (verdict, after) =
            verify(record, &typed("123456", 30_000), &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(Reason::NotEnrolled));
        record = after;
    }
    let (verdict, _) = verify(record, &typed("123456", 30_000), &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(30) });
}

/// Returns the number of codes that a guesser can try in `days`. The guesser uses `addresses`
/// addresses in turn. It tries again as soon as the daemon checks a code again. `owner` is the
/// source that the owner uses once a day.
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
        let (verdict, after) = verify(record, &guess, &rules(), &VoidWindows::NONE);
        record = after;
        match verdict {
            Verdict::Denied(_) => tried += 1,
            Verdict::Throttled { retry_after } => now += retry_after.unwrap_or(3600),
            Verdict::Approved { .. } => unreachable!("wrong codes are never approved"),
            Verdict::Void { .. } => unreachable!("no window is void"),
        }
    }
    tried
}

/// Returns the chance to meet one of the three codes that are right at a time, in `tries` tries.
fn chance(tries: u64) -> String {
    let missed = (1.0 - 3e-6_f64).powf(f64::from(u32::try_from(tries).unwrap()));
    format!("{:.3} %", (1.0 - missed) * 100.0)
}

#[test]
fn the_documented_table_of_guesses_is_right() {
    let mut table = String::from(
        "| who guesses | codes in a day | codes in a year | chance in a day | chance in a year |\n\
         |---|---|---|---|---|\n",
    );
    let owner = Some(Source::Nowhere);
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
    std::println!("{table}");
    let documentation = include_str!("../../../../../docs/reference/throttle.md");
    assert!(
        documentation.contains(&table),
        "docs/reference/throttle.md must hold this table:\n{table}"
    );
}
