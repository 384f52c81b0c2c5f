//! Lines of a usersfile, made from the documented layout.

use totpd_core::factor::Kind;

use super::*;
use crate::readers::tests::{entries_of, factor_of, left_of};
use crate::reading::{Format, ImportedFactor};

/// 2026-11-27T23:30:10Z.
const NOW: u64 = 1_795_822_210;
const SEED: &str = "3132333435363738393031323334353637383930";

fn rules() -> Rules {
    Rules { utc_offsets: vec![3600], ..Rules::at(NOW) }
}

fn factor(line: &str) -> ImportedFactor {
    factor_of(Format::Oath, line.as_bytes(), &rules())
}

fn left(line: &str) -> Reason {
    left_of(Format::Oath, line.as_bytes(), &rules())
}

fn code(step: u64, digits: u8) -> String {
    let seed = Seed::new(b"12345678901234567890".to_vec()).unwrap();
    let code = code_at(&seed, Algorithm::Sha1, step, digits);
    format!("{code:0width$}", width = usize::from(digits))
}

#[test]
fn every_type_of_the_module_is_read() {
    for (kind, expected, digits) in [
        ("HOTP", Kind::Hotp, 6),
        ("HOTP/E", Kind::Hotp, 6),
        ("HOTP/E/7", Kind::Hotp, 7),
        ("HOTP/T30", Kind::Totp { period: 30 }, 6),
        ("HOTP/T60", Kind::Totp { period: 60 }, 6),
        ("HOTP/T60/8", Kind::Totp { period: 60 }, 8),
    ] {
        let factor = factor(&format!("{kind}\talice\t-\t{SEED}\n"));
        assert_eq!((factor.kind, factor.digits), (expected, digits), "{kind}");
        assert_eq!((factor.last_accepted, factor.changes.len()), (None, 0), "{kind}");
        assert_eq!(factor.seed.bytes(), b"12345678901234567890");
    }
}

#[test]
fn the_counter_is_the_next_one_until_a_code_was_used() {
    for (columns, last) in [
        ("", None),
        ("0", None),
        ("5", Some(4)),
        ("0 755224 2026-11-27T22:00:00L", Some(0)),
        ("5 254676 2026-11-27T22:00:00L", Some(5)),
    ] {
        let factor = factor(&format!("HOTP alice - {SEED} {columns}\n"));
        assert_eq!((factor.last_accepted, factor.ahead), (last, 5), "{columns}");
    }
}

#[test]
fn the_last_step_is_found_near_its_local_time() {
    let step = NOW / 30;
    for (away, time) in [
        (0, "2026-11-28T00:30:10L"),
        (-5, "2026-11-28T00:30:10L"),
        (5, "2026-11-28T00:30:10L"),
        (-120, "2026-11-27T23:30:10L"),
    ] {
        let step = step.saturating_add_signed(away);
        let line = format!("HOTP/T30/6 alice - {SEED} 3 {} {time}\n", code(step, 6));
        let factor = factor(&line);
        assert_eq!((factor.last_accepted, factor.changes.len()), (Some(step), 0), "{away}");
    }
}

#[test]
fn a_last_code_that_does_not_fit_closes_its_whole_window() {
    let at = |columns: &str, rules: &Rules| {
        let line = format!("HOTP/T30/6 alice - {SEED} 3 {columns}\n");
        let factor = factor_of(Format::Oath, line.as_bytes(), rules);
        assert_eq!(factor.changes, [Change::LastCodeByTime], "{columns}");
        factor.last_accepted
    };
    let step = NOW / 30;
    assert_eq!(at("000001 2026-11-27T23:30:10L", &rules()), Some(step - 120 + 5));
    assert_eq!(at("000001 2027-11-27T23:30:10L", &rules()), Some(step + 5), "of the future");
    assert_eq!(at("000001", &rules()), Some(step + 5), "without a time");
    // In which zone it was is not known: it may be now.
    assert_eq!(at("000001 2026-11-27T20:30:10L", &Rules::at(NOW)), Some(step + 5));
}

#[test]
fn the_digits_of_an_accepted_code_count() {
    let line = format!("HOTP/T30/8 alice - {SEED} 0 {} 2026-11-28T00:30:10L\n", code(NOW / 30, 6));
    let found = factor(&line);
    assert_eq!((found.digits, found.last_accepted), (6, Some(NOW / 30)));
    assert_eq!(found.changes, [Change::DigitsOfLastCode(6)]);
    let rules = Rules { oath_digits: Some(8), ..rules() };
    let line = format!("HOTP/T30 alice - {SEED}\n");
    assert_eq!(factor_of(Format::Oath, line.as_bytes(), &rules).digits, 8);
}

#[test]
fn comments_and_blank_lines_are_no_entries() {
    let text = format!(
        "# HOTP alice - {SEED}\r\n\r\n  HOTP/T30  bob  secret  {SEED}\r\n#\nHOTP bob + {SEED}"
    );
    let entries = entries_of(Format::Oath, text.as_bytes(), &rules());
    let places: Vec<_> = entries.iter().map(|entry| entry.place).collect();
    assert_eq!(places, [Place::Line(3), Place::Line(5)]);
    let changes = entries.into_iter().map(|entry| match entry.outcome {
        Outcome::Factor(factor) => (entry.owner, factor.changes),
        Outcome::Left(reason) => panic!("{reason}"),
    });
    let bob = || Some("bob".to_owned());
    assert_eq!(
        changes.collect::<Vec<_>>(),
        [(bob(), vec![Change::PasswordLeft]), (bob(), vec![Change::MayBeCut])]
    );
}

#[test]
fn what_cannot_be_taken_is_left() {
    for kind in ["MOTP", "TOTP", "hotp", "HOTP/T45", "HOTP/E/5", "HOTP/T30/6/x", "HOTP/", "HOTPX"] {
        let reason = left(&format!("{kind} alice - {SEED}\n"));
        assert_eq!(reason, Reason::SkippedThere(kind.to_owned()));
    }
    for (line, expected) in [
        ("HOTP alice -\n".to_owned(), Reason::NoSeed),
        (format!("HOTP alice - {SEED} 99999999999999999999\n"), Reason::CounterTooLarge),
        (format!("HOTP alice - {SEED} 9223372036854775809\n"), Reason::CounterTooLarge),
        ("HOTP alice - 313233343536373839\n".to_owned(), Reason::SeedTooShort(72)),
    ] {
        assert_eq!(left(&line), expected, "{line}");
    }
    for columns in
        ["-1", "x", "0 12x456", "0 12345", "0 123456 yesterday", "0 123456 2026-02-30T00:00:00L"]
    {
        let reason = left(&format!("HOTP/T30 alice - {SEED} {columns}\n"));
        assert!(matches!(reason, Reason::Malformed(_)), "{columns}: {reason}");
    }
    for seed in ["313", "31zz", "GEZDGNBV"] {
        let reason = left(&format!("HOTP alice - {seed}\n"));
        assert!(matches!(reason, Reason::SeedUnreadable(_)), "{seed}: {reason}");
    }
}
