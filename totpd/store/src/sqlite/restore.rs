//! Replacing the store with a backup.
//!
//! The store writes a new file beside the present one while logins continue. When the new file is
//! complete and on disk, it replaces the present one in one step. The old file stays beside it
//! until the new one was opened. From this moment on every code that may have been accepted before
//! counts as used.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use rusqlite::Connection;
use tokio::sync::oneshot;
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::restoration::ReplayFloor;
use totpd_core::user_name::UserName;
use totpd_core::void_windows::VoidWindows;

use crate::backend::StoreError;
use crate::fsync::{remove, sync_directory};
use crate::sqlite::active_keys::KeySet;
use crate::sqlite::database::Database;
use crate::sqlite::failure::{WorkError, thread_ended, unavailable};
use crate::sqlite::layout::{Layout, create_store_file, wal_path};
use crate::sqlite::local::Local;
use crate::sqlite::metadata::{self, KeyRole, Secrets};
use crate::sqlite::rows::RowError;
use crate::sqlite::schema::create_tables;
use crate::sqlite::used_codes::UsedCodes;
use crate::sqlite::{connection, mark_rows, reserve, rows};

/// A restore that has begun. Dropping it leaves the store as it is.
pub struct PendingRestore<'a> {
    local: &'a Local,
    /// `None` once it is complete.
    new: Option<Connection>,
    keys: Arc<KeySet>,
    users: u64,
    _task: MutexGuard<'a, ()>,
}

/// The result of a restore.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RestoreReport {
    /// Users of the backup. The store also remembers used codes of others.
    pub users: u64,
    /// The floor of the codes that count as used.
    pub floor: ReplayFloor,
}

impl Local {
    /// Counts the users with a factor.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn enrolled_users(&self) -> Result<u64, StoreError> {
        let (mut after, mut enrolled) = (String::new(), 0);
        let keys = self.keys().get();
        loop {
            let from = after.clone();
            let page = self.read_now(move |rows| rows::users(rows, &from, PAGE_SIZE))?;
            let Some((last, _)) = page.last() else { return Ok(enrolled) };
            after = last.as_str().to_owned();
            for (name, row) in &page {
                // A damaged record may have been a factor.
                let record = keys.decode(&RecordKey::User(name.clone()), row);
                enrolled += u64::from(record.map_or(true, |record| !record.factors.is_empty()));
            }
        }
    }

    /// Begins a restore.
    ///
    /// # Errors
    /// [`StoreError`] if the disk has no space for a second file, or a rekey is not finished.
    pub fn begin_restore(&self) -> Result<PendingRestore<'_>, StoreError> {
        let task = self.begin_task()?;
        let keys = self.keys().get();
        if keys.previous.is_some() {
            return Err(StoreError::Refused(
                "cannot restore: a rekey is not finished; run \"totpctl rekey\" first".into(),
            ));
        }
        let layout = self.layout();
        layout
            .remove_new_store()
            .and_then(|()| layout.remove_old_store())
            .and_then(|()| create_store_file(&layout.new_store()))
            .map_err(unavailable)?;
        // Its drop removes the file.
        let mut restore = PendingRestore { local: self, new: None, keys, users: 0, _task: task };
        restore.new = Some(begin_new_store(&layout.new_store()).map_err(StoreError::Unavailable)?);
        Ok(restore)
    }
}

impl PendingRestore<'_> {
    /// Adds the record of a user.
    ///
    /// # Errors
    /// [`StoreError`] if the disk is full or fails.
    pub fn add(&mut self, name: UserName, record: &Record) -> Result<(), StoreError> {
        let key = RecordKey::User(name);
        let sealed = self.keys.encode(&key, record)?;
        let new = self.new.as_ref().ok_or_else(thread_ended)?;
        rows::write(new, &key, record.uid, &sealed).map_err(unavailable)?;
        self.users += 1;
        Ok(())
    }

    /// Replaces the present store, and keeps what it knows of used codes. `created` is the time of
    /// the creation of the backup. `started` is the time of the first record that was added. `now`
    /// returns the time when the present store accepts no more codes. All are in seconds since
    /// 1970. `skew` is the number of time steps ahead that the present store accepted.
    ///
    /// # Errors
    /// [`StoreError`]. The store is as it was, unless the error says that the new one is
    /// in place.
    pub fn finish(
        mut self,
        created: u64,
        started: u64,
        now: impl FnOnce() -> u64 + Send + 'static,
        skew: u64,
    ) -> Result<RestoreReport, StoreError> {
        let layout = self.local.layout().clone();
        let new = self.new.take().ok_or_else(thread_ended)?;
        let mut used_codes = UsedCodes::new(Arc::clone(&self.keys));
        used_codes.keep_from(&new, started, |after, limit| {
            let from = after.to_owned();
            self.local.read_now(move |rows| rows::users(rows, &from, limit))
        })?;
        new.execute_batch("COMMIT").map_err(unavailable)?;
        new.pragma_update(None, "journal_mode", "WAL").map_err(unavailable)?;
        new.close().map_err(|(_, error)| unavailable(error))?;
        File::open(layout.new_store()).and_then(|new| new.sync_all()).map_err(unavailable)?;

        let (active, keys) = (self.local.keys().clone(), Arc::clone(&self.keys));
        let (sender, answer) = oneshot::channel();
        self.local.writer()?.exclusive(move |database| {
            // Factors are made no later than this moment, also if the clock is set back now.
            let floor = ReplayFloor { time: now().max(started), skew };
            // The floor is set before the files change. After an error the new file may be in place
            // nevertheless, and no used code may become valid. The old file loses nothing by the
            // floor.
            active.set(keys.without_previous(Some(floor)));
            let result = replace(database, &layout, used_codes, floor, created);
            if let Err(error) = &result {
                database.close_after_work(error);
            }
            let _ = sender.send(result.map(|()| floor).map_err(|error| error.to_string()));
        })?;
        let floor = answer.blocking_recv().map_err(|_| thread_ended())?;
        Ok(RestoreReport { users: self.users, floor: floor.map_err(StoreError::Unavailable)? })
    }
}

impl Drop for PendingRestore<'_> {
    fn drop(&mut self) {
        let _ = self.local.layout().remove_new_store();
    }
}

/// Creates the tables, and begins the one transaction that fills them.
fn begin_new_store(path: &Path) -> Result<Connection, String> {
    let new = connection::open_for_bulk_load(path).map_err(|error| error.to_string())?;
    create_tables(&new, path).map_err(|error| error.to_string())?;
    new.execute_batch("BEGIN").map_err(|error| error.to_string())?;
    Ok(new)
}

/// Replaces the file while nobody has it open.
fn replace(
    database: &mut Database,
    layout: &Layout,
    used_codes: UsedCodes,
    floor: ReplayFloor,
    created: u64,
) -> Result<(), WorkError> {
    let keys = used_codes.keys();
    // The records of the present file may lack nothing when they are read.
    database.end_mark()?;
    let windows = database.marker().windows();
    let current = database.connection()?;
    let secrets = metadata::secrets(current, &keys.current)?;
    let mut secrets = secrets.ok_or_else(|| METADATA_UNREADABLE.to_owned())?;
    secrets.floor = Some(floor);
    // A date in the future would make every later backup an older one.
    secrets.history.note_backup(created, floor.time);
    // The log belongs to the present file. Its content has to be in that file. Nothing of the log
    // may be left when another file gets the name.
    if database.checkpoint_all()? {
        return Err(WorkError::Other("cannot checkpoint the log; try again".into()));
    }
    let current = database.connection()?;
    finish_new_store(&layout.new_store(), current, used_codes, (&secrets, &windows), floor.time)?;
    database.with_closed(|file| swap(file, layout))?;
    // The new file is opened before the old one is removed.
    match database.connection() {
        Ok(connection) => {
            if let Err(error) = reserve::reserve(connection, &layout.store()) {
                database.close_after(&error);
            }
            layout.remove_old_store().map_err(|error| WorkError::Other(error.to_string()))
        }
        Err(error) => {
            Err(WorkError::Other(match database.with_closed(|file| swap_back(file, layout)) {
                Ok(()) => format!("cannot open the new store: {error}; the old store is restored"),
                Err(back) => {
                    format!(
                        "cannot open the new store: {error}; cannot restore the old store: {back}"
                    )
                }
            }))
        }
    }
}

/// Writes into the new file what the store knows of itself and of the last used codes, and empties
/// its log.
fn finish_new_store(
    new: &Path,
    current: &Connection,
    mut used_codes: UsedCodes,
    (secrets, windows): (&Secrets, &VoidWindows),
    now: u64,
) -> Result<(), String> {
    let failed =
        |reason: &dyn std::fmt::Display| format!("cannot finish the store of the backup: {reason}");
    let keys = used_codes.keys();
    let sealed = metadata::seal_secrets(&keys.current, secrets).map_err(|error| failed(&error))?;
    let mut write = || -> Result<bool, StoreError> {
        let connection = connection::open(new).map_err(unavailable)?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(unavailable)?;
        // Logins and changes continued until now.
        used_codes.keep_from(&connection, now, |after, limit| {
            rows::users(current, after, limit).map_err(unavailable)
        })?;
        metadata::set_key_id(&connection, KeyRole::Current, Some(&keys.id)).map_err(unavailable)?;
        metadata::set_sealed_secrets(&connection, &sealed).map_err(unavailable)?;
        mark_rows::set_windows(&connection, &keys.current, windows)
            .map_err(RowError::into_store_error)?;
        connection.execute_batch("COMMIT").map_err(unavailable)?;
        connection::checkpoint_all(&connection).map_err(unavailable)
    };
    match write() {
        Ok(false) => Ok(()),
        Ok(true) => Err(failed(&"cannot checkpoint its log")),
        Err(error) => Err(failed(&error)),
    }
}

fn swap(file: &Path, layout: &Layout) -> Result<(), String> {
    let new = layout.new_store();
    let change = || -> io::Result<()> {
        remove(&wal_path(&new))?;
        remove(&wal_path(file))?;
        File::open(&new)?.sync_all()?;
        sync_directory(layout.directory())?;
        fs::hard_link(file, layout.old_store())?;
        fs::rename(&new, file)
    };
    change().map_err(|error| error.to_string())?;
    sync_directory(layout.directory()).map_err(|error| {
        format!("the new store is in place, but a power cut may bring the old one back: {error}")
    })
}

fn swap_back(file: &Path, layout: &Layout) -> io::Result<()> {
    remove(&wal_path(file))?;
    fs::rename(layout.old_store(), file)?;
    sync_directory(layout.directory())
}

const PAGE_SIZE: usize = 500;

const METADATA_UNREADABLE: &str =
    "cannot read the metadata of store.db: it is missing, or sealed under another key";
