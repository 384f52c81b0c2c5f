//! The record that stands in for one that is missing, so that a login does as much work.

use alloc::vec;

use crate::account::NO_UID;
use crate::factor::{Drift, Factor, FactorId, Kind, LastUse, Maker, Restrictions, Status};
use crate::otp::Algorithm;
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;
use crate::seed::Seed;
use crate::source::Source;

/// Returns a record of the usual size: one factor, used once, and ten recovery codes. No code of it
/// is ever accepted.
/// Always `Some`: the seed has a length that [`Seed::new`] takes.
#[must_use]
pub fn record() -> Option<Record> {
    let mut record = Record::new(NO_UID);
    record.factors.push(Factor {
        id: FactorId::from_random([0; 5]),
        name: "phone".into(),
        kind: Kind::Totp { period: 30 },
        algorithm: Algorithm::Sha1,
        digits: 6,
        seed: Seed::new(vec![0; 20])?,
        status: Status::Disabled,
        created: 0,
        last_used: None,
        last_accepted: None,
        restrictions: Restrictions::default(),
        drift: Drift::default(),
        last_place: Some(LastUse::new(Some("sshd"), &Source::Nowhere)),
        made_by: Maker::Unknown,
        is_imported: false,
    });
    record.recovery = RecoveryCodes::decoy();
    Some(record)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_decoy_has_a_factor_that_accepts_nothing() {
        let record = super::record().unwrap();
        assert_eq!((record.factors.len(), record.verified().count()), (1, 0));
    }

    #[test]
    fn the_decoy_has_as_many_recovery_codes_as_a_usual_record() {
        assert_eq!(super::record().unwrap().recovery.left(), 10);
    }
}
