//! What of a verdict may be answered before its record is durable.

use super::*;
use crate::mark::Acceptance;
use crate::record_key::RecordKey;
use crate::user_name::UserName;

#[test]
fn a_login_by_a_factor_names_its_user_factor_and_time_step() {
    let record = enrolled();
    let attempt = right_code(&record, 1000, 30_000);
    let (verdict, record) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    let alice = crate::fixtures::user("alice");
    let login = verdict.leaning_login(&alice, 30_000).unwrap();
    let user = UserName::parse("alice").unwrap();
    let factor = record.factors[0].id.clone();
    assert_eq!(login.acceptance, Acceptance { user, factor, step: 1000 });
    assert_eq!((login.used.counter(), login.now), (1000, 30_000));
    assert_eq!(verdict.leaning_login(&RecordKey::Bucket(1), 30_000), None, "nobody has a bucket");
    let (verdict, _) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict.leaning_login(&alice, 30_000), None, "{verdict:?}");
}

#[test]
fn no_login_by_a_recovery_code_leans() {
    let (codes, recovery) = crate::fixtures::recovery_codes(1, 1);
    let record = Record { recovery, ..enrolled() };
    let answer = Answer::Recovery(codes[0].hash(record.recovery.salt()));
    let attempt = Attempt { answer, ..typed("", 30_000) };
    let (verdict, _) = verify(record, &attempt, &rules(), &VoidWindows::NONE);
    assert!(is_approved(&verdict));
    assert_eq!(verdict.leaning_login(&crate::fixtures::user("alice"), 30_000), None);
}
