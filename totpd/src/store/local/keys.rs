//! What records are sealed under: one key, and while they are re-sealed the one before as well.

use std::sync::{Arc, Mutex};

use crate::codec;
use crate::factor::Kind;
use crate::key::{KeyId, MasterKey};
use crate::otp::time_step;
use crate::record::Record;
use crate::seal::Sealer;
use crate::store::StoreError;
use crate::store::local::lock;
use crate::store::local::meta::Floor;
use crate::store::local::rows::Row;
use crate::subject::Subject;

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
    /// What is read may still be sealed under this one.
    pub(super) older: Option<Sealer>,
    /// No code from before it is good any more.
    pub(super) floor: Option<Floor>,
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
    pub(super) fn decode(&self, subject: &Subject, row: &Row) -> Result<Record, StoreError> {
        self.before.decode(subject, row).or_else(|_| self.keys.now().decode(subject, row))
    }
}

impl Seals {
    pub(super) fn of(key: &MasterKey, floor: Option<Floor>) -> Self {
        Self { newest: Arc::new(Sealer::new(key)), id: key.id(), older: None, floor }
    }

    /// The same keys but the older one.
    pub(super) fn without_older(&self, floor: Option<Floor>) -> Self {
        Self { newest: Arc::clone(&self.newest), id: self.id.clone(), older: None, floor }
    }

    /// The record in a row of `subject`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not what was written there.
    pub(super) fn decode(&self, subject: &Subject, row: &Row) -> Result<Record, StoreError> {
        let under = |sealer| codec::decode(&row.sealed, subject, row.uid?, sealer).ok();
        let record = under(&self.newest).or_else(|| under(self.older.as_ref()?));
        let mut record = record.ok_or_else(|| StoreError::Corrupt(subject.to_string()))?;
        if let Some(floor) = self.floor {
            raise(&mut record, floor);
        }
        Ok(record)
    }

    /// Whether a row is sealed under the newest key.
    pub(super) fn is_newest(&self, subject: &Subject, row: &Row) -> bool {
        row.uid.is_some_and(|uid| codec::decode(&row.sealed, subject, uid, &self.newest).is_ok())
    }

    /// `record` as a row of `subject` holds it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the kernel gives no random bytes.
    pub(super) fn encode(&self, subject: &Subject, record: &Record) -> Result<Vec<u8>, StoreError> {
        codec::encode(record, subject, &self.newest)
            .map_err(|_| StoreError::Unavailable("the kernel gives no random bytes".into()))
    }
}

/// Takes all codes of time steps up to `floor` for used.
fn raise(record: &mut Record, floor: Floor) {
    for factor in &mut record.factors {
        if let Kind::Totp { period } = factor.kind
            && factor.created <= floor.time
        {
            let step = time_step(floor.time, period).saturating_add(floor.skew);
            factor.last_accepted = Some(factor.last_accepted.map_or(step, |last| last.max(step)));
        }
    }
}
