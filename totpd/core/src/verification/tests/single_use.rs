//! No code, and no time step, is accepted twice.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

#[test]
fn a_right_code_is_approved_once() {
    let record = enrolled();
    let first = right_code(&record, 1000, 30_000);
    let (verdict, record) = verify(record, &first, &rules(), &VoidWindows::NONE);
    assert!(is_approved(&verdict));
    assert_eq!(record.factors[0].last_accepted, Some(1000));
    assert_eq!(record.factors[0].last_used, Some(30_000));
    let (verdict, record) = verify(record, &first, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::Replayed));
    let earlier = right_code(&record, 999, 30_000);
    let (verdict, _) = verify(record, &earlier, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::Replayed), "an older code is used up too");
}

#[test]
fn a_clock_that_was_set_back_reopens_nothing() {
    let record = enrolled();
    let now = right_code(&record, 1000, 30_000);
    let (_, record) = verify(record, &now, &rules(), &VoidWindows::NONE);
    for step in [500, 999, 1000] {
        let (verdict, _) = verify(
            Record { factors: vec![verified(Kind::Totp { period: 30 }, Some(1000))], ..enrolled() },
            &right_code(&record, step, step * 30),
            &rules(),
            &VoidWindows::NONE,
        );
        assert_eq!(verdict, Verdict::Denied(Reason::Replayed), "{step}");
    }
}

#[test]
fn following_a_fast_phone_reopens_no_step() {
    let mut record = enrolled();
    let mut accepted = Vec::new();
    for round in 0..40_u64 {
        let now = 30_000 + round * 300;
        // Always the last step of the window.
        let step = record.factors[0].drift.apply(time_step(now, 30)) + 1;
        let (verdict, after) =
            verify(record, &right_code(&enrolled(), step, now), &rules(), &VoidWindows::NONE);
        assert!(is_approved(&verdict), "{round}");
        assert!(accepted.iter().all(|before| *before < step));
        accepted.push(step);
        record = after;
    }
    assert_eq!(record.factors[0].drift.steps(), 10);
}

#[test]
fn an_event_token_moves_on() {
    let mut record = enrolled();
    record.factors[0].kind = Kind::Hotp;
    for counter in [0, 3, 13] {
        let right = right_code(&record, counter, 30_000);
        let (verdict, after) = verify(record, &right, &rules(), &VoidWindows::NONE);
        assert!(is_approved(&verdict), "{counter}");
        record = after;
    }
    let used = right_code(&record, 13, 30_000);
    assert_eq!(
        verify(record, &used, &rules(), &VoidWindows::NONE).0,
        Verdict::Denied(Reason::Replayed)
    );
}

proptest! {
    /// No text is ever a way in by itself. No text makes the judge panic.
    #[test]
    fn no_text_panics(text in any::<String>(), now in any::<u64>()) {
        let _ = verify(enrolled(), &typed(&text, now), &rules(), &VoidWindows::NONE);
    }
}
