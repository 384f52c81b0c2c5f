//! A store that fails: who learns what of it. Its reason is root's and the journal's; a disk that is gone is told
//! once, not at each login, and that it is back is told too.

use std::sync::atomic::{AtomicBool, Ordering};

use totpd_interface::Error;
use totpd_journal::{Entry, Priority};
use totpd_store::StoreError;

/// Whether the store is unavailable, as far as was seen.
#[derive(Debug, Default)]
pub(crate) struct StoreHealth(AtomicBool);

impl StoreHealth {
    /// The store failed: what the journal gets, if it does not have it yet, and what a caller may learn.
    pub(crate) fn report_failure(&self, error: &StoreError) -> (Option<Entry>, Error) {
        match error {
            StoreError::Corrupt(_) => (
                Some(entry(error)),
                Error::StoreCorrupt(
                    "the record of this user is damaged; the journal of totpd says more".into(),
                ),
            ),
            StoreError::Refused(why) => (Some(entry(error)), Error::StoreUnavailable(why.clone())),
            StoreError::Unavailable(_) => (
                (!self.0.swap(true, Ordering::Relaxed)).then(|| entry(error)),
                Error::StoreUnavailable(
                    "cannot read or write the store; the journal of totpd says why".into(),
                ),
            ),
        }
    }

    /// The store took a record: what the journal gets, if it was in trouble until now.
    pub(crate) fn report_success(&self) -> Option<Entry> {
        let text = "the store can be read and written again";
        let was = self.0.swap(false, Ordering::Relaxed);
        was.then(|| Entry::new(Priority::Notice, text.into()))
    }
}

/// What root learns of a failure of the store when it works on the store as a whole: all of it.
#[must_use]
pub(crate) fn told_to_root(error: &StoreError) -> (Entry, Error) {
    let told = match error {
        StoreError::Corrupt(_) => Error::StoreCorrupt(error.to_string()),
        StoreError::Refused(why) => Error::StoreUnavailable(why.clone()),
        StoreError::Unavailable(_) => Error::StoreUnavailable(error.to_string()),
    };
    (entry(error), told)
}

fn entry(error: &StoreError) -> Entry {
    Entry::new(Priority::Error, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_gone_is_told_once_without_its_reason_and_so_is_its_return() {
        let store_health = StoreHealth::default();
        assert!(store_health.report_success().is_none());
        let gone = StoreError::Unavailable("disk sdb has gone".into());
        for _ in 0..2 {
            for first in [true, false, false] {
                let (entry, told) = store_health.report_failure(&gone);
                let entry = entry.map(|entry| String::from_utf8(entry.native()).unwrap());
                assert_eq!(entry.is_some_and(|entry| entry.contains("sdb")), first);
                assert!(matches!(told, Error::StoreUnavailable(why) if !why.contains("sdb")));
            }
            assert!(
                store_health.report_success().is_some() && store_health.report_success().is_none()
            );
        }
    }

    #[test]
    fn each_damaged_record_and_each_refusal_is_told() {
        let store_health = StoreHealth::default();
        for _ in 0..2 {
            let (entry, told) = store_health.report_failure(&StoreError::Corrupt("alice".into()));
            assert!(
                entry.is_some()
                    && matches!(told, Error::StoreCorrupt(why) if !why.contains("alice"))
            );
            let (entry, told) = store_health
                .report_failure(&StoreError::Refused("the disk is full: free some".into()));
            assert!(
                entry.is_some()
                    && matches!(told, Error::StoreUnavailable(why) if why.contains("full"))
            );
        }
        assert!(store_health.report_success().is_none());
    }

    #[test]
    fn root_learns_why() {
        let (_, told) = told_to_root(&StoreError::Unavailable("disk sdb has gone".into()));
        assert!(matches!(told, Error::StoreUnavailable(why) if why.contains("sdb")));
        let (_, told) = told_to_root(&StoreError::Corrupt("alice".into()));
        assert!(matches!(told, Error::StoreCorrupt(why) if why.contains("alice")));
    }
}
