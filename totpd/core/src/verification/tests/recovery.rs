//! Codes on paper.

use alloc::vec::Vec;

use super::*;
use crate::recovery_codes::{RecoveryCode, Usage};

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
