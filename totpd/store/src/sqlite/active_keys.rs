//! The keys that records are sealed under: one, and during a rekey the previous one as well.

use std::hint::black_box;
use std::sync::{Arc, Mutex};

use totpd_core::account::NO_UID;
use totpd_core::decoy;
use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::restoration::{ReplayFloor, apply_floor};

use crate::backend::StoreError;
use crate::backup::{PublicKey, SigningKey};
use crate::master_key::{KeyId, MasterKey};
use crate::mutex::lock;
use crate::record_format::{self, SealedSeeds};
use crate::sealer::Sealer;
use crate::sqlite::failure::unavailable;
use crate::sqlite::row::Row;

/// The keys of an open store. They change while it is open: get them for each use.
#[derive(Clone)]
pub(super) struct ActiveKeys(Arc<Mutex<Arc<KeySet>>>);

/// The keys before and after the reading of a row, which may be re-sealed in between.
pub(super) struct KeySnapshot {
    before: Arc<KeySet>,
    keys: ActiveKeys,
}

/// The keys at one moment.
pub(super) struct KeySet {
    /// Seals what is written.
    pub(super) current: Arc<Sealer>,
    /// The id of its key.
    pub(super) id: KeyId,
    /// Signs backups; derived from the same key.
    pub(super) signing_key: Arc<SigningKey>,
    /// The previous key, which may have sealed records that are read.
    pub(super) previous: Option<PreviousKey>,
    /// The replay floor. No code from before it is accepted.
    pub(super) floor: Option<ReplayFloor>,
    /// A row of the usual size. It is unsealed in the place of a row that is missing, so that the
    /// time does not tell whether a name has a record.
    pub(super) decoy: Arc<Row>,
}

/// The rest of a key while another key replaces it.
pub(super) struct PreviousKey {
    pub(super) sealer: Sealer,
    /// The public key that signed backups.
    pub(super) signer: PublicKey,
}

impl PreviousKey {
    pub(super) fn new(key: &MasterKey) -> Self {
        Self { sealer: Sealer::new(key), signer: SigningKey::new(key).public() }
    }
}

impl ActiveKeys {
    pub(super) fn new(key_set: KeySet) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(key_set))))
    }

    pub(super) fn get(&self) -> Arc<KeySet> {
        Arc::clone(&lock(&self.0))
    }

    /// Returns the keys for a row that is read from now on.
    pub(super) fn snapshot(&self) -> KeySnapshot {
        KeySnapshot { before: self.get(), keys: self.clone() }
    }

    pub(super) fn set(&self, key_set: KeySet) {
        *lock(&self.0) = Arc::new(key_set);
    }
}

impl KeySnapshot {
    /// Unseals a row of `key` that was read after the snapshot.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the row is not what was written there.
    pub(super) fn decode(&self, key: &RecordKey, row: &Row) -> Result<Record, StoreError> {
        self.before.decode(key, row).or_else(|_| self.keys.get().decode(key, row))
    }

    /// Unseals a row of `key` that was read after the snapshot, without its seeds. If there is no
    /// row, it does as much work.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the row is not what was written there.
    pub(super) fn decode_outline(
        &self,
        key: &RecordKey,
        row: Option<&Row>,
    ) -> Result<Option<Outline>, StoreError> {
        let Some(row) = row else {
            black_box(self.before.decode_outline(&DECOY_KEY, &self.before.decoy)).ok();
            return Ok(None);
        };
        let decode = |keys: &KeySet| keys.decode_outline(key, row);
        decode(&self.before).or_else(|_| decode(&self.keys.get())).map(Some)
    }
}

impl KeySet {
    pub(super) fn new(key: &MasterKey, floor: Option<ReplayFloor>) -> Self {
        let (current, signing_key) = (Arc::new(Sealer::new(key)), Arc::new(SigningKey::new(key)));
        let decoy = Arc::new(decoy_row(&current));
        Self { current, id: key.id(), signing_key, previous: None, floor, decoy }
    }

    /// Returns the same keys but the previous one.
    pub(super) fn without_previous(&self, floor: Option<ReplayFloor>) -> Self {
        let (current, signing_key) = (Arc::clone(&self.current), Arc::clone(&self.signing_key));
        let decoy = Arc::clone(&self.decoy);
        Self { current, id: self.id.clone(), signing_key, previous: None, floor, decoy }
    }

    /// Returns the sealers that may have sealed what is read, the current one first.
    pub(super) fn sealers(&self) -> impl Iterator<Item = &Sealer> {
        [Some(&*self.current), self.previous.as_ref().map(|previous| &previous.sealer)]
            .into_iter()
            .flatten()
    }

    /// Unseals a row of `key`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not what was written there.
    pub(super) fn decode(&self, key: &RecordKey, row: &Row) -> Result<Record, StoreError> {
        let unseal = |sealer: &Sealer| {
            record_format::decode(&row.sealed, key, row.uid?, sealer).ok().map(|(record, _)| record)
        };
        self.above_floor(key, self.sealers().find_map(unseal))
    }

    /// Unseals a row of `key`, without its seeds.
    fn decode_outline(&self, key: &RecordKey, row: &Row) -> Result<Outline, StoreError> {
        let unseal = |sealer: &Sealer| {
            record_format::decode_outline(&row.sealed, key, row.uid?, sealer).ok()
        };
        self.above_floor(key, self.sealers().find_map(unseal))
    }

    /// Unseals a row of `key` that will change. [`KeySet::encode_change`] keeps the seeds. If there
    /// is no row, or no seed in it, this does as much work.
    ///
    /// # Errors
    /// Those of [`KeySet::decode`].
    pub(super) fn decode_for_change(
        &self,
        key: &RecordKey,
        row: Option<&Row>,
    ) -> Result<(Option<Record>, SealedSeeds), StoreError> {
        let Some(row) = row else {
            black_box(self.decode(&DECOY_KEY, &self.decoy)).ok();
            return Ok((None, SealedSeeds::default()));
        };
        let current = row
            .uid
            .and_then(|uid| record_format::decode(&row.sealed, key, uid, &self.current).ok());
        let Some((record, seeds)) = current else {
            // The previous key sealed it, so its seeds are sealed again too.
            return Ok((Some(self.decode(key, row)?), SealedSeeds::default()));
        };
        if record.factors.is_empty() {
            self.seal_decoy();
        }
        Ok((Some(self.above_floor(key, Some(record))?), seeds))
    }

    /// Marks what the floor marks in a record that was unsealed.
    fn above_floor<S>(
        &self,
        key: &RecordKey,
        record: Option<Record<S>>,
    ) -> Result<Record<S>, StoreError> {
        let mut record = record.ok_or_else(|| StoreError::Corrupt(key.to_string()))?;
        if let Some(floor) = self.floor {
            apply_floor(&mut record, floor);
        }
        Ok(record)
    }

    /// Does the work of unsealing a seed, so that the time does not tell whether a record has one.
    fn seal_decoy(&self) {
        let _ = black_box(self.current.seal(&[0; DECOY_SEED], b"totpd decoy"));
    }

    /// Reports whether a row is sealed under the current key.
    pub(super) fn is_sealed_with_current(&self, key: &RecordKey, row: &Row) -> bool {
        row.uid
            .is_some_and(|uid| record_format::decode(&row.sealed, key, uid, &self.current).is_ok())
    }

    /// Seals `record` for the row of `key`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if getrandom fails.
    pub(super) fn encode(&self, key: &RecordKey, record: &Record) -> Result<Vec<u8>, StoreError> {
        self.encode_change(key, record, &SealedSeeds::default())
    }

    /// Seals `record` for the row of `key`, from which `seeds` were unsealed.
    ///
    /// # Errors
    /// Those of [`KeySet::encode`].
    pub(super) fn encode_change(
        &self,
        key: &RecordKey,
        record: &Record,
        seeds: &SealedSeeds,
    ) -> Result<Vec<u8>, StoreError> {
        record_format::encode(record, seeds, key, &self.current).map_err(unavailable)
    }
}

/// Returns the decoy. Without random bytes it is empty, but nothing can be sealed then either.
fn decoy_row(sealer: &Sealer) -> Row {
    let seal = |record: Record| {
        record_format::encode(&record, &SealedSeeds::default(), &DECOY_KEY, sealer).ok()
    };
    let sealed = decoy::record().and_then(seal).unwrap_or_default();
    Row { uid: Some(NO_UID), sealed }
}

/// The key that the decoy is sealed for. The decoy is in no row.
const DECOY_KEY: RecordKey = RecordKey::Bucket(0);
/// Bytes of the usual seed.
const DECOY_SEED: usize = 20;

#[cfg(test)]
mod tests {
    use totpd_core::fixtures::{enrolled, recovery_codes, user};

    use super::*;

    fn master_key() -> MasterKey {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::create(&folder.path().join("store.key")).unwrap()
    }

    fn row(keys: &ActiveKeys) -> Row {
        let sealed = keys.get().encode(&user("alice"), &enrolled(1000)).unwrap();
        Row { uid: Some(1000), sealed }
    }

    #[test]
    fn a_missing_row_costs_the_unsealing_of_a_whole_one() {
        let keys = KeySet::new(&master_key(), None);
        assert_eq!(keys.decode(&DECOY_KEY, &keys.decoy).unwrap().factors.len(), 1);
        let next = keys.without_previous(None);
        assert!(next.decode_outline(&DECOY_KEY, &next.decoy).is_ok());
    }

    #[test]
    fn the_decoy_has_the_size_of_the_usual_row() {
        let keys = KeySet::new(&master_key(), None);
        let mut usual = enrolled(1000);
        usual.recovery = recovery_codes(10, 1).1;
        let usual = keys.encode(&user("alice"), &usual).unwrap();
        // The encryption works in blocks of 64 bytes.
        assert!(
            usual.len().abs_diff(keys.decoy.sealed.len()) < 32,
            "{} {}",
            usual.len(),
            keys.decoy.sealed.len()
        );
    }

    #[test]
    fn a_row_re_sealed_during_a_read_is_not_damaged() {
        let (old, new) = (master_key(), master_key());
        let keys = ActiveKeys::new(KeySet::new(&old, None));
        let (before, under_old) = (keys.snapshot(), row(&keys));
        let previous = Some(PreviousKey::new(&old));
        keys.set(KeySet { previous, ..KeySet::new(&new, None) });
        let (between, under_new) = (keys.snapshot(), row(&keys));
        keys.set(keys.get().without_previous(None));
        for (snapshot, row) in [
            (&before, &under_old),
            (&before, &under_new),
            (&between, &under_old),
            (&between, &under_new),
        ] {
            assert_eq!(snapshot.decode(&user("alice"), row).unwrap().uid, 1000);
            let outline = snapshot.decode_outline(&user("alice"), Some(row)).unwrap().unwrap();
            assert_eq!(outline.uid, 1000);
        }
        let after = keys.snapshot();
        assert!(after.decode(&user("alice"), &under_old).is_err());
        assert!(after.decode_outline(&user("alice"), Some(&under_old)).is_err());
        assert!(before.decode(&user("bob"), &under_new).is_err());
    }
}
