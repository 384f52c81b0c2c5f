//! What records are sealed under: one key, and while they are re-sealed the one before as well.

use std::sync::{Arc, Mutex};

use totpd_core::factor::{Kind, MAX_DRIFT_SECS};
use totpd_core::otp::time_step;
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;

use crate::StoreError;
use crate::backup::{PublicKey, SigningKey};
use crate::master_key::{KeyId, MasterKey};
use crate::record_format;
use crate::sealer::Sealer;
use crate::sqlite::lock;
use crate::sqlite::metadata::ReplayFloor;
use crate::sqlite::rows::Row;

/// The keys of an open store. They change while it is open: look at each use.
#[derive(Clone)]
pub(super) struct ActiveKeys(Arc<Mutex<Arc<KeySet>>>);

/// The keys around the reading of a row, which may have been re-sealed in between.
pub(super) struct KeySnapshot {
    before: Arc<KeySet>,
    keys: ActiveKeys,
}

/// The keys at one moment.
pub(super) struct KeySet {
    /// What is written is sealed under this one.
    pub(super) current: Arc<Sealer>,
    /// The id of its key.
    pub(super) id: KeyId,
    /// Backups are signed by this one, which that key gives as well.
    pub(super) signing: Arc<SigningKey>,
    /// What is read may still be sealed under this one.
    pub(super) previous: Option<PreviousKey>,
    /// No code from before it is good any more.
    pub(super) floor: Option<ReplayFloor>,
}

/// What is left of a key while another takes its place.
pub(super) struct PreviousKey {
    pub(super) sealer: Sealer,
    /// It signed backups.
    pub(super) signer: PublicKey,
}

impl PreviousKey {
    pub(super) fn of(key: &MasterKey) -> Self {
        Self { sealer: Sealer::new(key), signer: SigningKey::new(key).public() }
    }
}

impl ActiveKeys {
    pub(super) fn new(key_set: KeySet) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(key_set))))
    }

    pub(super) fn now(&self) -> Arc<KeySet> {
        Arc::clone(&lock(&self.0))
    }

    /// For a row that is read from now on.
    pub(super) fn snapshot(&self) -> KeySnapshot {
        KeySnapshot { before: self.now(), keys: self.clone() }
    }

    pub(super) fn set(&self, key_set: KeySet) {
        *lock(&self.0) = Arc::new(key_set);
    }
}

impl KeySnapshot {
    /// The record in a row of `subject` that was read since.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not what was written there.
    pub(super) fn decode(&self, subject: &RecordKey, row: &Row) -> Result<Record, StoreError> {
        self.before.decode(subject, row).or_else(|_| self.keys.now().decode(subject, row))
    }
}

impl KeySet {
    pub(super) fn of(key: &MasterKey, floor: Option<ReplayFloor>) -> Self {
        let (current, signing) = (Arc::new(Sealer::new(key)), Arc::new(SigningKey::new(key)));
        Self { current, id: key.id(), signing, previous: None, floor }
    }

    /// The same keys but the older one.
    pub(super) fn without_previous(&self, floor: Option<ReplayFloor>) -> Self {
        let (current, signing) = (Arc::clone(&self.current), Arc::clone(&self.signing));
        Self { current, id: self.id.clone(), signing, previous: None, floor }
    }

    /// The record in a row of `subject`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not what was written there.
    pub(super) fn decode(&self, subject: &RecordKey, row: &Row) -> Result<Record, StoreError> {
        let under =
            |sealer: &Sealer| record_format::decode(&row.sealed, subject, row.uid?, sealer).ok();
        let record = under(&self.current).or_else(|| under(&self.previous.as_ref()?.sealer));
        let mut record = record.ok_or_else(|| StoreError::Corrupt(subject.to_string()))?;
        if let Some(floor) = self.floor {
            apply_floor(&mut record, floor);
        }
        Ok(record)
    }

    /// Whether a row is sealed under the newest key.
    pub(super) fn is_sealed_with_current(&self, subject: &RecordKey, row: &Row) -> bool {
        row.uid.is_some_and(|uid| {
            record_format::decode(&row.sealed, subject, uid, &self.current).is_ok()
        })
    }

    /// `record` as a row of `subject` holds it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the kernel gives no random bytes.
    pub(super) fn encode(
        &self,
        subject: &RecordKey,
        record: &Record,
    ) -> Result<Vec<u8>, StoreError> {
        record_format::encode(record, subject, &self.current)
            .map_err(|_| StoreError::Unavailable("the kernel gives no random bytes".into()))
    }
}

/// Takes all codes of time steps up to `floor` for used.
fn apply_floor(record: &mut Record, floor: ReplayFloor) {
    for factor in &mut record.factors {
        if let Kind::Totp { period } = factor.kind
            && factor.created <= floor.time
        {
            let step = last_used(floor, period);
            factor.last_accepted = Some(factor.last_accepted.map_or(step, |last| last.max(step)));
        }
    }
}

/// The last time step of `period` seconds that may have been used when the floor was made: that of a phone which ran
/// ahead.
fn last_used(floor: ReplayFloor, period: u32) -> u64 {
    let ahead = MAX_DRIFT_SECS / u64::from(period.max(1));
    time_step(floor.time, period).saturating_add(floor.skew + ahead)
}

/// When codes of an app that changes them every 30 seconds are good again after a restoration at `time`, both in
/// seconds since 1970. `skew` is how many time steps ahead are accepted.
#[must_use]
pub fn usable_from(time: u64, skew: u64) -> u64 {
    last_used(ReplayFloor { time, skew }, 30).saturating_add(1).saturating_mul(30)
}

#[cfg(test)]
mod tests {
    use totpd_core::fixtures::{enrolled, user};

    use super::*;

    fn key() -> MasterKey {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::create(&folder.path().join("store.key")).unwrap()
    }

    fn row(keys: &ActiveKeys) -> Row {
        let sealed = keys.now().encode(&user("alice"), &enrolled(1000)).unwrap();
        Row { uid: Some(1000), sealed }
    }

    #[test]
    fn a_row_that_is_re_sealed_while_it_is_read_is_not_damaged() {
        let (old, new) = (key(), key());
        let keys = ActiveKeys::new(KeySet::of(&old, None));
        let (before, under_old) = (keys.snapshot(), row(&keys));
        keys.set(KeySet { previous: Some(PreviousKey::of(&old)), ..KeySet::of(&new, None) });
        let (between, under_new) = (keys.snapshot(), row(&keys));
        keys.set(keys.now().without_previous(None));
        for (around, row) in [
            (&before, &under_old),
            (&before, &under_new),
            (&between, &under_old),
            (&between, &under_new),
        ] {
            assert_eq!(around.decode(&user("alice"), row).unwrap().uid, 1000);
        }
        assert!(keys.snapshot().decode(&user("alice"), &under_old).is_err());
        assert!(before.decode(&user("bob"), &under_new).is_err());
    }

    #[test]
    fn a_floor_takes_the_steps_before_it_for_used_and_no_later_factor() {
        let floor = ReplayFloor { time: 30_000, skew: 1 };
        for (created, last, expected) in [
            (0, None, Some(1011)),
            (30_000, Some(999), Some(1011)),
            (0, Some(1015), Some(1015)),
            (30_001, None, None),
        ] {
            let mut record = enrolled(1000);
            record.factors[0].created = created;
            record.factors[0].last_accepted = last;
            apply_floor(&mut record, floor);
            assert_eq!(record.factors[0].last_accepted, expected, "{created} {last:?}");
        }
    }

    #[test]
    fn codes_are_good_again_behind_the_floor() {
        let from = usable_from(30_007, 1);
        assert_eq!(from, 30_000 + 12 * 30);
        let mut record = enrolled(1000);
        record.factors[0].created = 0;
        apply_floor(&mut record, ReplayFloor { time: 30_007, skew: 1 });
        assert_eq!(record.factors[0].last_accepted, Some(time_step(from, 30) - 1));
    }
}
