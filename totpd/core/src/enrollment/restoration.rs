//! A record that comes back from a backup.

use crate::factor::{Kind, Status};
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

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::factor::Factor;
    use crate::fixtures::verified;

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
}
