//! A record that comes back from a backup.

use crate::factor::{Factor, Kind, MAX_RESYNC_SECS, Status};
use crate::otp::time_step;
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;

/// Prepares a record of a backup that is restored at `now` (seconds since 1970). Reports whether a
/// token in it has to be resynchronized. Codes of the token and recovery codes may have been used
/// after the backup was made.
///
/// A disabled token is marked too, because enabling it would make used presses good again. Pending
/// factors are dropped. No factor is newer than the restoration, so all codes up to it count as
/// used.
pub fn restore(record: &mut Record, now: u64) -> bool {
    record.recovery = RecoveryCodes::default();
    record.retire(|factor| !factor.is_pending());
    for factor in &mut record.factors {
        factor.created = factor.created.min(now);
        if factor.kind == Kind::Hotp {
            factor.status = Status::Unsynchronized;
        }
    }
    record.factors.iter().any(|factor| factor.status == Status::Unsynchronized)
}

/// Keeps what the present record of a user knows about the factors in `restored` at `now` (seconds
/// since 1970). These are the used codes and the drift of clocks that root found to be far ahead.
///
/// The floor of a restoration reaches no further than a clock that right codes lead.
/// Times beyond an hour come from a clock of this machine that ran ahead, and are left behind.
pub fn keep_far_drift(restored: &mut Record, present: &Record, now: u64) {
    for factor in &mut restored.factors {
        let Some(period) = factor.kind.period() else { continue };
        let latest = time_step(now, period).saturating_add(MAX_RESYNC_SECS / u64::from(period));
        let same = |other: &&Factor| other.kind == factor.kind && other.seed.is(&factor.seed);
        let Some(known) = present.factors.iter().find(same) else { continue };
        let used = known.last_accepted.filter(|last| *last <= latest);
        factor.last_accepted = factor.last_accepted.max(used);
        if known.drift.is_far(period) {
            factor.drift = known.drift;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::factor::Drift;
    use crate::fixtures::verified;
    use crate::seed::Seed;

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
            (with(Some(1121), 0), Some(990), 0),
            (with(None, 0), Some(990), 0),
            (Record::new(1000), Some(990), 0),
        ] {
            let mut restored = with(Some(990), 0);
            keep_far_drift(&mut restored, &present, NOW);
            let factor = &restored.factors[0];
            assert_eq!((factor.last_accepted, factor.drift.steps()), (last, drift), "{present:?}");
        }
        let mut other = with(Some(1119), 119);
        other.factors[0].seed = Seed::new(vec![9; 20]).unwrap();
        let mut restored = with(Some(990), 0);
        keep_far_drift(&mut restored, &other, NOW);
        assert_eq!(restored.factors[0].last_accepted, Some(990), "another key");
    }
}
