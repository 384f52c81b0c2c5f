//! The used codes that the present store knows, for the store that replaces it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use rusqlite::Connection;
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::restoration::keep_used_codes;
use totpd_core::user_name::UserName;

use crate::backend::StoreError;
use crate::sqlite::active_keys::KeySet;
use crate::sqlite::failure::unavailable;
use crate::sqlite::row::Row;
use crate::sqlite::rows;

/// Which rows of the present store were read already. A row that changes afterwards is read again.
pub(super) struct UsedCodes {
    keys: Arc<KeySet>,
    /// A hash of the sealed record of each user. Each sealing has other bytes.
    read: HashMap<String, u64>,
}

impl UsedCodes {
    pub(super) fn new(keys: Arc<KeySet>) -> Self {
        Self { keys, read: HashMap::new() }
    }

    pub(super) fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys)
    }

    /// Keeps in the records of `new` what the present rows know of used codes, at `now` (seconds
    /// since 1970). `page` reads at most so many present rows after a name.
    ///
    /// # Errors
    /// [`StoreError`] if a row cannot be read or written. A damaged row counts as none.
    pub(super) fn keep_from(
        &mut self,
        new: &Connection,
        now: u64,
        page: impl Fn(&str, usize) -> Result<Vec<(UserName, Row)>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let rows = page(&after, PAGE_SIZE)?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = last.as_str().to_owned();
            for (name, row) in rows {
                let hash = hash(&row.sealed);
                if self.read.insert(name.as_str().to_owned(), hash) != Some(hash) {
                    self.keep(new, &RecordKey::User(name), &row, now)?;
                }
            }
        }
    }

    fn keep(
        &self,
        new: &Connection,
        key: &RecordKey,
        row: &Row,
        now: u64,
    ) -> Result<(), StoreError> {
        let Ok(present) = self.keys.decode(key, row) else { return Ok(()) };
        // The floor of an earlier restore is not that of the new store.
        let keys = self.keys.without_previous(None);
        let restored = rows::read(new, key).map_err(unavailable)?;
        let mut record = match restored {
            Some(row) => keys.decode(key, &row)?,
            None => Record::new(present.uid),
        };
        keep_used_codes(&mut record, &present, now);
        if record.factors.is_empty() && record.spent.is_empty() {
            return Ok(());
        }
        rows::write(new, key, record.uid, &keys.encode(key, &record)?).map_err(unavailable)
    }
}

fn hash(sealed: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    sealed.hash(&mut hasher);
    hasher.finish()
}

const PAGE_SIZE: usize = 500;
