//! The part of a store failure that callers and the journal learn. Only root and the journal learn
//! the reason. The daemon reports a lost disk once, not at each login, and so its return.

use std::sync::atomic::{AtomicBool, Ordering};

use totpd_interface::Error;
use totpd_journal::Entry;
use totpd_store::StoreError;

use crate::audit::condition::Condition;

/// The flag that the last write found the store unavailable.
#[derive(Debug, Default)]
pub(crate) struct StoreHealth(AtomicBool);

impl StoreHealth {
    /// Returns the record of a failure for the journal, unless the journal has it already. Also
    /// returns the error for a caller.
    pub(crate) fn report_failure(&self, error: &StoreError) -> (Option<Entry>, Error) {
        match error {
            StoreError::Corrupt(_) => (
                Some(entry(error)),
                Error::StoreCorrupt(
                    "the record of this user is damaged; the journal of totpd says more".into(),
                ),
            ),
            StoreError::Refused(reason) => {
                (Some(entry(error)), Error::StoreUnavailable(reason.clone()))
            }
            StoreError::Unavailable(_) => (
                (!self.0.swap(true, Ordering::Relaxed)).then(|| entry(error)),
                Error::StoreUnavailable(
                    "cannot read or write the store; the journal of totpd says why".into(),
                ),
            ),
        }
    }

    /// Returns the record for the journal after a write, if the store was unavailable until now.
    pub(crate) fn report_success(&self) -> Option<Entry> {
        let message = "the store can be read and written again";
        let was_unavailable = self.0.swap(false, Ordering::Relaxed);
        was_unavailable.then(|| Condition::StoreAvailable.entry(message.into()))
    }
}

/// Returns the record and the error of a failure during a task of the store as a whole. The journal
/// and root get all of it.
#[must_use]
pub(crate) fn report_to_root(error: &StoreError) -> (Entry, Error) {
    let error_for_root = match error {
        StoreError::Corrupt(_) => Error::StoreCorrupt(error.to_string()),
        StoreError::Refused(reason) => Error::StoreUnavailable(reason.clone()),
        StoreError::Unavailable(_) => Error::StoreUnavailable(error.to_string()),
    };
    (entry(error), error_for_root)
}

fn entry(error: &StoreError) -> Entry {
    let condition = match error {
        StoreError::Corrupt(_) => Condition::RecordDamaged,
        StoreError::Refused(_) => Condition::StoreRefused,
        StoreError::Unavailable(_) => Condition::StoreUnavailable,
    };
    condition.entry(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_failure_and_its_end_are_reported_once() {
        let store_health = StoreHealth::default();
        assert!(store_health.report_success().is_none());
        let gone = StoreError::Unavailable("disk sdb has gone".into());
        for _ in 0..2 {
            for first in [true, false, false] {
                let (entry, error) = store_health.report_failure(&gone);
                let entry = entry.map(|entry| String::from_utf8(entry.native()).unwrap());
                assert_eq!(entry.is_some_and(|entry| entry.contains("sdb")), first);
                assert!(
                    matches!(error, Error::StoreUnavailable(reason) if !reason.contains("sdb"))
                );
            }
            assert!(
                store_health.report_success().is_some() && store_health.report_success().is_none()
            );
        }
    }

    #[test]
    fn every_damaged_record_and_refusal_is_reported() {
        let store_health = StoreHealth::default();
        for _ in 0..2 {
            let (entry, error) = store_health.report_failure(&StoreError::Corrupt("alice".into()));
            assert!(
                entry.is_some()
                    && matches!(error, Error::StoreCorrupt(reason) if !reason.contains("alice"))
            );
            let (entry, error) = store_health
                .report_failure(&StoreError::Refused("the disk is full: free some".into()));
            assert!(
                entry.is_some()
                    && matches!(error, Error::StoreUnavailable(reason) if reason.contains("full"))
            );
        }
        assert!(store_health.report_success().is_none());
    }

    #[test]
    fn root_learns_the_reason() {
        let (_, error) = report_to_root(&StoreError::Unavailable("disk sdb has gone".into()));
        assert!(matches!(error, Error::StoreUnavailable(reason) if reason.contains("sdb")));
        let (_, error) = report_to_root(&StoreError::Corrupt("alice".into()));
        assert!(matches!(error, Error::StoreCorrupt(reason) if reason.contains("alice")));
    }
}
