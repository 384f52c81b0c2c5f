//! One record at a time: what logins do with the store.

use std::path::Path;
use std::sync::Arc;

use nix::sys::statvfs::statvfs;
use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::void_windows::VoidWindows;

use crate::backend::{Backend, Change, Changed, Listed, Pending, StoreError};
use crate::sqlite::failure::{EVERYBODY, thread_ended};
use crate::sqlite::local::Local;
use crate::sqlite::log_sizes::{PAGE_BYTES, PAGES_PER_ROW};
use crate::sqlite::marker::Effect;
use crate::sqlite::reader::Answer;
use crate::sqlite::row::Row;
use crate::sqlite::rows;

impl Backend for Local {
    fn read(&self, key: RecordKey) -> Pending<Option<Record>> {
        let keys = self.keys().snapshot();
        let row = self.read_row(&key);
        Box::pin(async move {
            let row = row?.await.unwrap_or_else(|_| Err(thread_ended()))?;
            row.map(|row| keys.decode(&key, &row)).transpose()
        })
    }

    fn read_outline(&self, key: RecordKey) -> Pending<Option<Outline>> {
        let keys = self.keys().snapshot();
        let row = self.read_row(&key);
        Box::pin(async move {
            let row = row?.await.unwrap_or_else(|_| Err(thread_ended()))?;
            keys.decode_outline(&key, row.as_ref())
        })
    }

    fn update(&self, key: RecordKey, mut change: Change) -> Pending<()> {
        let (keys, directory) = (self.keys().clone(), self.layout().directory().to_path_buf());
        let completion = self.writer().and_then(|writer| {
            writer.submit(key.as_row_name().into_owned(), move |connection, voids| {
                let key_set = keys.get();
                let row = rows::read(connection, &key)?;
                let (before, seeds) = key_set.decode_for_change(&key, row.as_ref())?;
                let factors_before = before.as_ref().map_or(0, |record| record.factors.len());
                // Here the decision runs: `totpd_core::verification`.
                let Changed { record, login } = change(before, voids);
                match record {
                    None => {
                        rows::delete(connection, &key)?;
                        Ok(Effect { pages: PAGES_PER_ROW, login })
                    }
                    Some(record) => {
                        if record.factors.len() > factors_before {
                            check_free_space(&directory)?;
                        }
                        let sealed = key_set.encode_change(&key, &record, &seeds)?;
                        rows::write(connection, &key, record.uid, &sealed)?;
                        let overflow = 2 * (sealed.len() as u64 / PAGE_BYTES);
                        Ok(Effect { pages: PAGES_PER_ROW + overflow, login })
                    }
                }
            })
        });
        Box::pin(async move { completion?.await.unwrap_or_else(|_| Err(thread_ended())) })
    }

    fn void_windows(&self) -> Arc<VoidWindows> {
        self.marker().windows()
    }

    fn note_prompt(&self, now: u64) {
        if let Ok(writer) = self.writer() {
            writer.request_mark(now);
        }
    }

    fn discard(&self, key: RecordKey) -> Pending<()> {
        let completion = self.writer().and_then(|writer| {
            writer.submit(key.as_row_name().into_owned(), move |connection, _| {
                rows::delete(connection, &key)?;
                Ok(Effect { pages: PAGES_PER_ROW, login: None })
            })
        });
        Box::pin(async move { completion?.await.unwrap_or_else(|_| Err(thread_ended())) })
    }

    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>> {
        let keys = self.keys().snapshot();
        let users = self.reader().and_then(|reader| {
            reader.submit(EVERYBODY.into(), move |connection| {
                rows::users(connection, &after, limit as usize)
            })
        });
        Box::pin(async move {
            let users = users?.await.unwrap_or_else(|_| Err(thread_ended()))?;
            let listed = users.into_iter().map(|(name, row)| Listed {
                record: keys.decode(&RecordKey::User(name.clone()), &row),
                name,
            });
            Ok(listed.collect())
        })
    }
}

impl Local {
    /// Reads the row of `key`, as it is in the file.
    fn read_row(&self, key: &RecordKey) -> Result<Answer<Option<Row>>, StoreError> {
        let (about, key) = (key.as_row_name().into_owned(), key.clone());
        self.reader()?.submit(about, move |connection| rows::read(connection, &key))
    }
}

/// Refuses to grow the store when the disk is nearly full: logins need the rest.
fn check_free_space(directory: &Path) -> Result<(), StoreError> {
    let free = statvfs(directory).map(|disk| disk.blocks_available() * disk.fragment_size());
    if free.is_ok_and(|free| free < RESERVED_FOR_LOGINS_BYTES) {
        return Err(StoreError::Refused(format!(
            "the disk with {} is full: the rest is reserved for logins; free some space on it, then \
             enroll again",
            directory.display()
        )));
    }
    Ok(())
}

/// Free bytes of the disk below which no factor is added. The log and the free pages of the file,
/// which logins use, are reserved beside this.
const RESERVED_FOR_LOGINS_BYTES: u64 = 128 << 10;
