use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::factor::Status;
use crate::fixtures::{enrolled, verified};

fn windows(spans: &[(u64, u64)]) -> VoidWindows {
    let mut voids = VoidWindows::NONE;
    spans.iter().for_each(|(from, until)| voids.add(VoidWindow::new(*from, *until)));
    voids
}

#[test]
fn the_largest_skew_lies_before_a_window_and_nothing_after_it() {
    // The steps 1000 to 1002 of 30 s, and 500 to 501 of 60 s.
    let voids = windows(&[(30_010, 30_070)]);
    for (period, step, expected) in [
        (30, 989, false),
        (30, 990, true),
        (30, 1002, true),
        (30, 1003, false),
        (60, 489, false),
        (60, 490, true),
        (60, 501, true),
        (60, 502, false),
        (61, 491, false),
        (300, 100, false),
    ] {
        let kind = Kind::Totp { period };
        assert_eq!(voids.include(kind, step), expected, "{period} {step}");
    }
    assert!(!voids.include(Kind::Hotp, 1000));
    assert!(!VoidWindows::NONE.include(Kind::Totp { period: 30 }, 1000));
}

#[test]
fn a_window_at_either_end_of_time_does_not_overflow() {
    let voids = windows(&[(0, 60), (u64::MAX, u64::MAX), (9, 3)]);
    assert!(voids.include(Kind::Totp { period: 30 }, 0));
    assert!(voids.include(Kind::Totp { period: 1 }, u64::MAX));
    assert_eq!(voids.wait_of(1, Drift::default(), u64::MAX), u64::MAX);
    assert_eq!(VoidWindow::new(9, 3), VoidWindow::new(9, 9));
    assert_eq!((VoidWindow::new(3, 9).from(), VoidWindow::new(3, 9).until()), (3, 9));
}

#[test]
fn the_wait_ends_with_the_first_step_that_is_not_void() {
    let voids = windows(&[(30_010, 30_070)]);
    let with = |period, drift| {
        let factor = verified(Kind::Totp { period }, None);
        Record {
            factors: vec![Factor { drift: Drift::from_steps(drift), ..factor }],
            ..enrolled(1)
        }
    };
    for (record, now, expected) in [
        (with(30, 0), 30_010, Some(80)),
        (with(30, 0), 30_089, Some(1)),
        (with(30, 0), 30_090, None),
        (with(60, 0), 30_010, Some(110)),
        // The phone is ahead, so it shows a good code earlier.
        (with(30, 2), 30_010, Some(20)),
        (with(30, -1), 30_010, Some(110)),
        (with(61, 0), 30_010, None),
        // A clock that was set back waits for what is before its window alone.
        (with(30, 0), 29_000, None),
        (with(30, 0), 29_700, Some(390)),
        // A name without a factor.
        (Record::new(1), 30_010, Some(80)),
    ] {
        assert_eq!(voids.wait(&record, now), expected, "{record:?} {now}");
        assert_eq!(VoidWindows::NONE.wait(&record, now), None);
    }
    let beside = windows(&[(30_010, 30_070), (30_095, 30_155), (90_000, 90_060)]);
    assert_eq!(beside.wait(&with(30, 0), 30_010), Some(30_180 - 30_010));
}

#[test]
fn a_factor_that_is_not_void_ends_the_wait_of_the_record() {
    let voids = windows(&[(30_010, 30_070)]);
    let totp = verified(Kind::Totp { period: 30 }, None);
    for (kind, status, expected) in [
        (Kind::Hotp, Status::Verified, None),
        (Kind::Hotp, Status::Disabled, Some(80)),
        (Kind::Totp { period: 300 }, Status::Verified, None),
        (Kind::Totp { period: 60 }, Status::Verified, Some(80)),
    ] {
        let other = Factor { status, ..verified(kind, None) };
        let record = Record { factors: vec![totp.clone(), other], ..Record::new(1) };
        assert_eq!(voids.wait(&record, 30_010), expected, "{kind:?} {status:?}");
    }
}

#[test]
fn of_too_many_windows_the_closest_become_one() {
    let far = |n: u64| (n * 1_000_000, n * 1_000_000 + 60);
    let mut spans: Vec<_> = (1..=32).map(far).collect();
    let mut voids = windows(&spans);
    assert_eq!(voids.iter().count(), MAX_WINDOWS);
    // A second time changes nothing.
    voids.add(VoidWindow::new(1_000_000, 1_000_060));
    assert_eq!(voids.iter().count(), MAX_WINDOWS);
    voids.add(VoidWindow::new(5_000_500, 5_000_560));
    spans[4] = (5_000_000, 5_000_560);
    assert_eq!(voids, windows(&spans));
    let totp = Kind::Totp { period: 30 };
    assert!(voids.include(totp, 5_000_300 / 30), "what lies between is void too");
    assert!(!voids.include(totp, 6_500_000 / 30), "there is no floor");
    // One inside another does not shorten it.
    let mut nested = windows(&spans[..31]);
    nested.add(VoidWindow::new(1_000_010, 1_000_020));
    nested.add(VoidWindow::new(99_000_000, 99_000_060));
    assert!(nested.iter().any(|window| window == VoidWindow::new(1_000_000, 1_000_060)));
    let mut both = windows(&spans[..2]);
    both.merge(&windows(&spans[1..3]));
    assert_eq!(both, windows(&spans[..3]));
}
