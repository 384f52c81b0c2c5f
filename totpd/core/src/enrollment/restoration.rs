//! A record that comes back from a backup.

use alloc::vec::Vec;

use crate::factor::{Factor, Kind, Status};
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;

/// Prepares a record of a backup that is restored at `now` (seconds since 1970). Reports whether a
/// token in it has to be resynchronized. Codes of the token and recovery codes may have been used
/// after the backup was made.
///
/// A disabled token is marked too, because enabling it would make used presses good again. Pending
/// factors are dropped. No factor is newer than the restoration, so all codes up to it count as
/// used. A resynchronization does not accept them either, even of an imported seed.
pub fn restore(record: &mut Record, now: u64) -> bool {
    record.recovery = RecoveryCodes::default();
    // The times of the factors are those of the backup here, as the counters are.
    lower_implausible_counters(record, now);
    record.retire(now, |factor| !factor.is_pending());
    for factor in &mut record.factors {
        factor.created = factor.created.min(now);
        factor.is_imported = false;
        if factor.kind == Kind::Hotp {
            factor.status = Status::Unsynchronized;
        }
    }
    record.factors.iter().any(|factor| factor.status == Status::Unsynchronized)
}

/// Keeps what the present record of a user knows of used codes, at `now` (seconds since 1970).
/// `restored` is the record that replaces it: that of a backup, or a new one if the backup has
/// none.
///
/// Factors belong together by their seeds. The counters of factors that `restored` lacks are kept
/// as those of removed ones. A drift that root found to be large is kept too: the floor of a
/// restoration reaches no further than a clock that right codes lead.
pub fn keep_used_codes(restored: &mut Record, present: &Record, now: u64) {
    let mut present = present.clone();
    lower_implausible_counters(&mut present, now);
    for factor in &mut restored.factors {
        let known = present.factors.iter().filter(|known| have_same_codes(known, factor));
        for known in known.collect::<Vec<_>>() {
            factor.last_accepted = factor.last_accepted.max(known.last_accepted);
            factor.last_used = factor.last_used.max(known.last_used);
            if factor.kind.period().is_some_and(|period| known.drift.is_far(period)) {
                factor.drift = known.drift;
            }
        }
    }
    present
        .retire(now, |known| restored.factors.iter().any(|factor| have_same_codes(known, factor)));
    restored.merge_spent_seeds(present);
}

fn have_same_codes(factor: &Factor, other: &Factor) -> bool {
    factor.kind == other.kind && factor.seed.is(&other.seed)
}

/// Lowers the last accepted counters to which no code can have led. The clock of this machine ran
/// ahead, and a restore has left its floor. The floor hides the counter of the last real use, so
/// all that this use can have been stays used.
fn lower_implausible_counters(record: &mut Record, now: u64) {
    for factor in &mut record.factors {
        let (limit, used) = (factor.counter_limit(now), factor.greatest_used_counter());
        factor.last_accepted =
            factor.last_accepted.map(|last| if last > limit { used } else { last });
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::factor::Drift;
    use crate::fixtures::{enrolled, verified};
    use crate::seed::Seed;

    #[test]
    fn only_a_counter_that_no_code_can_have_reached_is_lowered() {
        const NOW: u64 = 30_000;
        let factor = verified(Kind::Totp { period: 30 }, None);
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
        const NOW: u64 = 30_000;
        let totp = Kind::Totp { period: 30 };
        let pending = Status::Unverified { expires: u64::MAX, wrong_codes: 0 };
        for (kind, before, after, resync) in [
            (Kind::Hotp, Status::Verified, Some(Status::Unsynchronized), true),
            (Kind::Hotp, Status::Disabled, Some(Status::Unsynchronized), true),
            (Kind::Hotp, pending, None, false),
            (totp, Status::Verified, Some(Status::Verified), false),
            (totp, Status::Disabled, Some(Status::Disabled), false),
            (totp, pending, None, false),
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
        const NOW: u64 = 30_000;
        let totp = Kind::Totp { period: 30 };
        let with = |last, drift| {
            let factor = Factor { drift: Drift::from_steps(drift), ..verified(totp, last) };
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
        const NOW: u64 = 30_000;
        let totp = Kind::Totp { period: 30 };
        for (created, last_used, last) in
            [(0, None, Some(20)), (0, Some(9000 * 30), Some(9001)), (9000 * 30, None, Some(9001))]
        {
            let known = Factor { created, last_used, ..verified(totp, Some(9001)) };
            let present = Record { factors: vec![known], ..Record::new(1000) };
            let mut restored = enrolled(1000);
            keep_used_codes(&mut restored, &present, NOW);
            assert_eq!(restored.factors[0].last_accepted, last, "{created} {last_used:?}");
            assert_eq!(restored.factors[0].last_used, last_used);
        }
    }
}
