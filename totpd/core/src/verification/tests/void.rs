//! What is void: codes that may have been used, and whose records were lost.

use alloc::vec;

use super::*;
use crate::void_windows::VoidWindow;

/// The steps 990 to 1002 of 30 s are void.
fn voids() -> VoidWindows {
    let mut voids = VoidWindows::NONE;
    voids.add(VoidWindow::new(30_010, 30_070));
    voids
}

#[test]
fn while_all_present_codes_are_void_no_code_is_judged() {
    let record = enrolled();
    let right = right_code(&record, 1001, 30_030);
    let wrong = Attempt { answer: Answer::Code(wrong_code(&record, 30_030)), ..typed("", 30_030) };
    for attempt in [&right, &wrong, &typed("?", 30_030)] {
        let (verdict, after) = verify(record.clone(), attempt, &rules(), &voids());
        assert_eq!(verdict, Verdict::Void { retry_after: 60 });
        assert_eq!(after.factors[0].last_accepted, None, "it is not used up");
        assert_eq!(after.throttle.unknown_sources().failures(), 0, "nor counted");
        // A name without a factor has the same answer.
        let (verdict, _) = verify(Record::new(NO_UID), attempt, &rules(), &voids());
        assert_eq!(verdict, Verdict::Void { retry_after: 60 });
    }
    // An hour earlier or later, and after the wait, all is as usual.
    for now in [26_400, 30_090, 33_600] {
        let right = right_code(&record, now / 30, now);
        assert!(is_approved(&verify(record.clone(), &right, &rules(), &voids()).0), "{now}");
    }
}

#[test]
fn a_wait_after_wrong_codes_comes_before_the_wait_of_void_codes() {
    let mut record = enrolled();
    for _ in 0..3 {
        record.throttle.fail(&home(), 30_030);
    }
    let right = right_code(&record, 1001, 30_030);
    let (verdict, _) = verify(record, &right, &rules(), &voids());
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(30) });
}

#[test]
fn a_right_code_of_a_void_step_is_refused_and_not_counted() {
    // The present step is good, and the one before is not.
    let record = enrolled();
    let before = right_code(&record, 1002, 30_090);
    let (verdict, after) = verify(record.clone(), &before, &rules(), &voids());
    assert_eq!(verdict, Verdict::Denied(Reason::CodeVoid));
    assert_eq!(after.throttle.unknown_sources().failures(), 0);
    assert_eq!(after.factors[0].last_accepted, None);
    let wrong = Attempt { answer: Answer::Code(wrong_code(&record, 30_090)), ..typed("", 30_090) };
    let (verdict, after) = verify(after, &wrong, &rules(), &voids());
    assert_eq!(verdict, Verdict::Denied(Reason::NoMatch));
    assert_eq!(after.throttle.unknown_sources().failures(), 1, "a wrong one is counted");
    let right = right_code(&record, 1003, 30_090);
    assert!(is_approved(&verify(after, &right, &rules(), &voids()).0));
}

#[test]
fn the_step_decides_and_not_the_clock() {
    // A phone that is far ahead shows void codes before the window.
    let mut record = enrolled();
    record.factors[0].drift = crate::factor::Drift::from_steps(100);
    let ahead = right_code(&record, 1001, 27_030);
    assert_eq!(
        verify(record, &ahead, &rules(), &voids()).0,
        Verdict::Void { retry_after: 27_060 + 30 - 27_030 },
    );
}

#[test]
fn other_kinds_of_codes_are_judged() {
    let hotp = verified(Kind::Hotp, None);
    let slow = verified(Kind::Totp { period: 300 }, None);
    for (other, counter) in [(hotp, 3), (slow, 100)] {
        let id = FactorId::from_random([9; 5]);
        let other = Factor { id: id.clone(), ..other };
        let code = Answer::Code(code_of(&other, counter));
        let record = Record { factors: vec![other, enrolled().factors.remove(0)], ..enrolled() };
        let attempt = Attempt { answer: code, ..typed("", 30_030) };
        let (verdict, record) = verify(record, &attempt, &rules(), &voids());
        assert!(is_approved(&verdict), "{verdict:?}");
        // Beside it, a void code is refused and not counted.
        let void = Attempt { answer: Answer::Code(code_of(&record.factors[1], 1001)), ..attempt };
        let (verdict, record) = verify(record, &void, &rules(), &voids());
        assert_eq!(verdict, Verdict::Denied(Reason::CodeVoid));
        assert_eq!(record.throttle.unknown_sources().failures(), 0);
    }
}

#[test]
fn of_two_factors_that_fit_the_one_that_is_not_void_is_used() {
    // The code of step 1000 belongs to both: to the slow one in an hour of its own.
    let mut record = enrolled();
    let slow = Factor {
        id: FactorId::from_random([9; 5]),
        drift: crate::factor::Drift::from_steps(900),
        ..verified(Kind::Totp { period: 300 }, None)
    };
    record.factors.push(slow);
    let attempt = right_code(&record, 1000, 30_030);
    let (verdict, _) = verify(record, &attempt, &rules(), &voids());
    assert!(
        matches!(&verdict, Verdict::Approved { factor: Some(id), .. } if *id == FactorId::from_random([9; 5])),
        "{verdict:?}",
    );
}
