//! Codes on paper.

use alloc::vec::Vec;

use super::*;
use crate::recovery_codes::{RecoveryCode, RecoveryCodes, ScratchCode, Usage};

fn with_recovery() -> (Record, Vec<RecoveryCode>) {
    let (codes, kept) = crate::fixtures::recovery_codes(3, 1);
    (Record { recovery: kept, ..enrolled() }, codes)
}

fn on_paper(record: &Record, code: &RecoveryCode) -> Attempt {
    Attempt { answer: Answer::Recovery(code.hash(record.recovery.salt())), ..typed("", 30_000) }
}

#[test]
fn a_recovery_code_is_approved_once_and_reported_once() {
    let (record, codes) = with_recovery();
    let attempt = on_paper(&record, &codes[1]);
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    let expected = Verdict::Approved {
        factor: None,
        used: None,
        method: Method::Recovery,
        recovery_codes_left: 2,
        unreported_use: None,
    };
    assert_eq!(verdict, expected);
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::NoRecoveryCode));
    assert_eq!(
        record.throttle.known_sources()[0].budget.failures(),
        1,
        "it counts as a wrong code"
    );
    let right = right_code(&record, 1000, 30_000);
    let (verdict, record) = verify(record, &right, &rules(), &VoidWindows::NONE);
    let Verdict::Approved { recovery_codes_left, unreported_use, .. } = verdict else { panic!() };
    assert_eq!((recovery_codes_left, unreported_use), (2, Some(Usage { when: 30_000 })));
    let right = right_code(&record, 1001, 30_000);
    let (verdict, _) = verify(record, &right, &rules(), &VoidWindows::NONE);
    assert!(
        matches!(verdict, Verdict::Approved { unreported_use: None, .. }),
        "it is reported once"
    );
}

#[test]
fn a_recovery_code_is_denied_where_a_factor_would_be() {
    let (mut record, codes) = with_recovery();
    let attempt = on_paper(&record, &codes[0]);
    let other = Attempt { uid: 1001, ..on_paper(&record, &codes[0]) };
    let (verdict, _) = verify(record.clone(), &other, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::UidChanged));
    let named = Attempt { factor: Some("f-aeaqcaib".into()), ..on_paper(&record, &codes[0]) };
    let (verdict, _) = verify(record.clone(), &named, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::NoRecoveryCode));
    for (status, reason) in [
        (Status::Disabled, Some(Reason::Disabled)),
        (Status::Unverified { expires: 9, wrong_codes: 0 }, Some(Reason::NotEnrolled)),
        (Status::Unsynchronized, None),
    ] {
        record.factors[0].status = status;
        let (verdict, after) = verify(record.clone(), &attempt, &rules(), &VoidWindows::NONE);
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
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(30) });
    assert_eq!(record.recovery.left(), 3, "a throttled one is not used up");
}

/// Eight digits may be a code of a factor or a scratch code.
fn eight_digits(record: &Record, text: &str) -> Attempt {
    let code = Code::parse(text).unwrap();
    let guess = ScratchCode::from_code(&code).unwrap().hash(record.recovery.salt());
    Attempt { answer: Answer::CodeOrScratch(code, guess), ..typed("", 30_000) }
}

fn with_scratch_codes() -> Record {
    let codes = [ScratchCode::parse("93240982").unwrap(), ScratchCode::parse("10000000").unwrap()];
    Record { recovery: RecoveryCodes::of_scratch_codes(&codes, [7; 16]), ..enrolled() }
}

#[test]
fn a_scratch_code_is_approved_once() {
    let record = with_scratch_codes();
    let attempt = eight_digits(&record, "9324 0982");
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    let Verdict::Approved { method, recovery_codes_left, factor, .. } = verdict else { panic!() };
    assert_eq!((method, recovery_codes_left, factor), (Method::Recovery, 1, None));
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::NoMatch));
    assert_eq!(record.throttle.known_sources()[0].budget.failures(), 1, "a wrong code");
}

#[test]
fn eight_digits_of_a_factor_are_a_code_first() {
    let mut record = with_scratch_codes();
    record.factors[0].digits = 8;
    let code = crate::fixtures::code_of(&record.factors[0], 1000);
    let attempt = eight_digits(&record, &alloc::format!("{:08}", code.value()));
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert!(matches!(verdict, Verdict::Approved { method: Method::Totp, .. }));
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, record.recovery.left()), (Verdict::Denied(Reason::Replayed), 2));
}

#[test]
fn a_scratch_code_counts_where_recovery_codes_do() {
    let record = with_scratch_codes();
    let methods = Methods::of(&[Method::Totp]).unwrap();
    let attempt = Attempt { methods, ..eight_digits(&record, "93240982") };
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, record.recovery.left()), (Verdict::Denied(Reason::NoMatch), 2));
}

#[test]
fn a_scratch_code_is_good_while_the_tokens_are_lost() {
    let mut record = with_scratch_codes();
    record.factors[0].status = crate::factor::Status::Unsynchronized;
    let (verdict, _) =
        verify(record.clone(), &eight_digits(&record, "11111111"), &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Denied(Reason::Unsynchronized));
    let attempt = eight_digits(&record, "93240982");
    let (verdict, _) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert!(matches!(verdict, Verdict::Approved { method: Method::Recovery, .. }));
}
