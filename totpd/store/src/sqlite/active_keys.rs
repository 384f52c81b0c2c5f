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
use crate::sqlite::metadata::Floor;
use crate::sqlite::rows::Row;

/// The keys of an open store. They change while it is open: look at each use.
#[derive(Clone)]
pub(super) struct Keys(Arc<Mutex<Arc<Seals>>>);

/// The keys around the reading of a row, which may have been re-sealed in between.
pub(super) struct Around {
    before: Arc<Seals>,
    keys: Keys,
}

/// The keys at one moment.
pub(super) struct Seals {
    /// What is written is sealed under this one.
    pub(super) newest: Arc<Sealer>,
    /// The id of its key.
    pub(super) id: KeyId,
    /// Backups are signed by this one, which that key gives as well.
    pub(super) signing: Arc<SigningKey>,
    /// What is read may still be sealed under this one.
    pub(super) older: Option<Older>,
    /// No code from before it is good any more.
    pub(super) floor: Option<Floor>,
}

/// What is left of a key while another takes its place.
pub(super) struct Older {
    pub(super) sealer: Sealer,
    /// It signed backups.
    pub(super) signer: PublicKey,
}

impl Older {
    pub(super) fn of(key: &MasterKey) -> Self {
        Self { sealer: Sealer::new(key), signer: SigningKey::new(key).public() }
    }
}

impl Keys {
    pub(super) fn new(seals: Seals) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(seals))))
    }

    pub(super) fn now(&self) -> Arc<Seals> {
        Arc::clone(&lock(&self.0))
    }

    /// For a row that is read from now on.
    pub(super) fn around(&self) -> Around {
        Around { before: self.now(), keys: self.clone() }
    }

    pub(super) fn set(&self, seals: Seals) {
        *lock(&self.0) = Arc::new(seals);
    }
}

impl Around {
    /// The record in a row of `subject` that was read since.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not what was written there.
    pub(super) fn decode(&self, subject: &RecordKey, row: &Row) -> Result<Record, StoreError> {
        self.before.decode(subject, row).or_else(|_| self.keys.now().decode(subject, row))
    }
}

impl Seals {
    pub(super) fn of(key: &MasterKey, floor: Option<Floor>) -> Self {
        let (newest, signing) = (Arc::new(Sealer::new(key)), Arc::new(SigningKey::new(key)));
        Self { newest, id: key.id(), signing, older: None, floor }
    }

    /// The same keys but the older one.
    pub(super) fn without_older(&self, floor: Option<Floor>) -> Self {
        let (newest, signing) = (Arc::clone(&self.newest), Arc::clone(&self.signing));
        Self { newest, id: self.id.clone(), signing, older: None, floor }
    }

    /// The record in a row of `subject`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not what was written there.
    pub(super) fn decode(&self, subject: &RecordKey, row: &Row) -> Result<Record, StoreError> {
        let under =
            |sealer: &Sealer| record_format::decode(&row.sealed, subject, row.uid?, sealer).ok();
        let record = under(&self.newest).or_else(|| under(&self.older.as_ref()?.sealer));
        let mut record = record.ok_or_else(|| StoreError::Corrupt(subject.to_string()))?;
        if let Some(floor) = self.floor {
            raise(&mut record, floor);
        }
        Ok(record)
    }

    /// Whether a row is sealed under the newest key.
    pub(super) fn is_newest(&self, subject: &RecordKey, row: &Row) -> bool {
        row.uid.is_some_and(|uid| {
            record_format::decode(&row.sealed, subject, uid, &self.newest).is_ok()
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
        record_format::encode(record, subject, &self.newest)
            .map_err(|_| StoreError::Unavailable("the kernel gives no random bytes".into()))
    }
}

/// Takes all codes of time steps up to `floor` for used.
fn raise(record: &mut Record, floor: Floor) {
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
fn last_used(floor: Floor, period: u32) -> u64 {
    let ahead = MAX_DRIFT_SECS / u64::from(period.max(1));
    time_step(floor.time, period).saturating_add(floor.skew + ahead)
}

/// When codes of an app that changes them every 30 seconds are good again after a restoration at `time`, both in
/// seconds since 1970. `skew` is how many time steps ahead are accepted.
#[must_use]
pub fn usable_from(time: u64, skew: u64) -> u64 {
    last_used(Floor { time, skew }, 30).saturating_add(1).saturating_mul(30)
}

#[cfg(test)]
mod tests {
    use totpd_core::fixtures::{enrolled, user};

    use super::*;

    fn key() -> MasterKey {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::make(&folder.path().join("store.key")).unwrap()
    }

    fn row(keys: &Keys) -> Row {
        let sealed = keys.now().encode(&user("alice"), &enrolled(1000)).unwrap();
        Row { uid: Some(1000), sealed }
    }

    #[test]
    fn a_row_that_is_re_sealed_while_it_is_read_is_not_damaged() {
        let (old, new) = (key(), key());
        let keys = Keys::new(Seals::of(&old, None));
        let (before, under_old) = (keys.around(), row(&keys));
        keys.set(Seals { older: Some(Older::of(&old)), ..Seals::of(&new, None) });
        let (between, under_new) = (keys.around(), row(&keys));
        keys.set(keys.now().without_older(None));
        for (around, row) in [
            (&before, &under_old),
            (&before, &under_new),
            (&between, &under_old),
            (&between, &under_new),
        ] {
            assert_eq!(around.decode(&user("alice"), row).unwrap().uid, 1000);
        }
        assert!(keys.around().decode(&user("alice"), &under_old).is_err());
        assert!(before.decode(&user("bob"), &under_new).is_err());
    }

    #[test]
    fn a_floor_takes_the_steps_before_it_for_used_and_no_later_factor() {
        let floor = Floor { time: 30_000, skew: 1 };
        for (created, last, expected) in [
            (0, None, Some(1011)),
            (30_000, Some(999), Some(1011)),
            (0, Some(1015), Some(1015)),
            (30_001, None, None),
        ] {
            let mut record = enrolled(1000);
            record.factors[0].created = created;
            record.factors[0].last_accepted = last;
            raise(&mut record, floor);
            assert_eq!(record.factors[0].last_accepted, expected, "{created} {last:?}");
        }
    }

    #[test]
    fn codes_are_good_again_behind_the_floor() {
        let from = usable_from(30_007, 1);
        assert_eq!(from, 30_000 + 12 * 30);
        let mut record = enrolled(1000);
        record.factors[0].created = 0;
        raise(&mut record, Floor { time: 30_007, skew: 1 });
        assert_eq!(record.factors[0].last_accepted, Some(time_step(from, 30) - 1));
    }
}
