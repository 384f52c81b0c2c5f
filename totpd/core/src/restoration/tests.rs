//! Records that come back from a backup.

mod histories;

use alloc::vec;

use super::*;
use crate::code::Code;
use crate::enrollment::{Confirmation, EnrollmentRules, Request, add, confirm, enroll, remove};
use crate::factor::{Drift, FactorId, Maker};
use crate::fixtures::THROTTLE_RULES as THROTTLE;
use crate::fixtures::{code_of, enrolled, verified};
use crate::seed::Seed;
use crate::source::Source;
use crate::void_windows::VoidWindows;

const RULES: EnrollmentRules =
    EnrollmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };
const TWO: EnrollmentRules = EnrollmentRules { max_factors: 2, ..RULES };
/// The start of time step 1000.
const NOW: u64 = 30_000;
const TOTP: Kind = Kind::Totp { period: 30 };

fn id(id: u8) -> FactorId {
    FactorId::from_random([id; 5])
}

/// Returns a factor with a seed of its own.
fn factor(number: u8, status: Status) -> Factor {
    let seed = Seed::new(vec![number; 20]).unwrap();
    Factor { id: id(number), seed, status, created: NOW, ..verified(TOTP, None) }
}

fn with(factors: Vec<Factor>) -> Record {
    Record { factors, ..Record::new(1000) }
}

fn request(new: Factor) -> Request {
    Request { new, uid: 1000, verify: None, resume: false, if_unenrolled: false }
}

#[test]
fn only_a_counter_that_no_code_can_have_reached_is_lowered() {
    let factor = verified(TOTP, None);
    let (limit, used) = (factor.counter_limit(NOW), factor.greatest_used_counter());
    for (last, lowered) in [(limit, limit), (limit + 1, used)] {
        let factor = Factor { last_accepted: Some(last), ..factor.clone() };
        let mut record = Record { factors: vec![factor], ..Record::new(1000) };
        lower_implausible_counters(&mut record, NOW);
        assert_eq!(record.factors[0].last_accepted, Some(lowered));
    }
}

#[test]
fn a_restored_token_is_unsynchronized_also_if_it_was_disabled() {
    let pending = Status::Unverified { expires: u64::MAX, wrong_codes: 0 };
    for (kind, before, after, resync) in [
        (Kind::Hotp, Status::Verified, Some(Status::Unsynchronized), true),
        (Kind::Hotp, Status::Disabled, Some(Status::Unsynchronized), true),
        (Kind::Hotp, pending, None, false),
        (TOTP, Status::Verified, Some(Status::Verified), false),
        (TOTP, Status::Disabled, Some(Status::Disabled), false),
        (TOTP, pending, None, false),
    ] {
        let factor = Factor { status: before, created: NOW + 9, ..verified(kind, Some(7)) };
        let mut record = Record { factors: vec![factor], ..Record::new(1000) };
        assert_eq!(restore(&mut record, NOW), resync, "{kind:?} {before:?}");
        assert_eq!(record.factors.first().map(|factor| factor.status), after, "{before:?}");
        assert!(record.factors.iter().all(|factor| factor.created <= NOW), "a clock ran ahead");
    }
}

#[test]
fn a_drift_that_root_found_after_the_backup_is_kept() {
    let with = |last, drift| {
        let factor = Factor { drift: Drift::from_steps(drift), ..verified(TOTP, last) };
        Record { factors: vec![factor], ..Record::new(1000) }
    };
    for (present, last, drift) in [
        (with(Some(1119), 119), Some(1119), 119),
        (with(Some(1119), 3), Some(1119), 0),
        (with(Some(900), -40), Some(990), -40),
        // The clock of this machine ran ahead.
        (with(Some(1131), 0), Some(990), 0),
        (with(None, 0), Some(990), 0),
        (Record::new(1000), Some(990), 0),
    ] {
        let mut restored = with(Some(990), 0);
        keep_used_codes(&mut restored, &present, NOW);
        let factor = &restored.factors[0];
        assert_eq!((factor.last_accepted, factor.drift.steps()), (last, drift), "{present:?}");
    }
    let mut other = with(Some(1119), 119);
    other.factors[0].seed = Seed::new(vec![9; 20]).unwrap();
    let mut restored = with(Some(990), 0);
    keep_used_codes(&mut restored, &other, NOW);
    assert_eq!(restored.factors[0].last_accepted, Some(990), "another key");
}

#[test]
fn a_code_that_was_used_under_a_clock_that_ran_ahead_stays_used() {
    for (created, last_used, last) in
        [(0, None, Some(20)), (0, Some(9000 * 30), Some(9001)), (9000 * 30, None, Some(9001))]
    {
        let known = Factor { created, last_used, ..verified(TOTP, Some(9001)) };
        let present = Record { factors: vec![known], ..Record::new(1000) };
        let mut restored = enrolled(1000);
        keep_used_codes(&mut restored, &present, NOW);
        assert_eq!(restored.factors[0].last_accepted, last, "{created} {last_used:?}");
        assert_eq!(restored.factors[0].last_used, last_used);
    }
}
