//! Putting a backup in the place of the store.
//!
//! A new file is made beside the present one while logins go on. When it is whole and on disk, it
//! takes the place of the present one in one step; that is kept beside it until the new one was
//! opened. From this moment on every code that may have been accepted before is taken for used.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;

use crate::StoreError;
use crate::fsync::{remove, sync_folder};
use crate::sqlite::active_keys::KeySet;
use crate::sqlite::connection::{self, Database};
use crate::sqlite::metadata::{self, KeyRole, ReplayFloor};
use crate::sqlite::open::{self, FILE};
use crate::sqlite::rows;
use crate::sqlite::{Local, ended};

/// A restoration that has begun. Dropping it leaves the store as it is.
pub struct PendingRestore<'a> {
    local: &'a Local,
    /// Nothing once it is whole.
    new: Option<Connection>,
    key_set: Arc<KeySet>,
    users: u64,
    _turn: std::sync::MutexGuard<'a, ()>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RestoreReport {
    /// Users in the store now.
    pub users: u64,
}

impl Local {
    /// Users with a factor.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn enrolled_users(&self) -> Result<u64, StoreError> {
        let (mut after, mut enrolled) = (String::new(), 0);
        let key_set = self.0.keys.now();
        loop {
            let from = after.clone();
            let page = self.read_now("everybody", move |rows| rows::users(rows, &from, PAGE))?;
            let Some((last, _)) = page.last() else { return Ok(enrolled) };
            after = last.as_str().to_owned();
            for (name, row) in &page {
                // A damaged record may have been a factor.
                let record = key_set.decode(&RecordKey::User(name.clone()), row);
                enrolled += u64::from(record.map_or(true, |record| !record.factors.is_empty()));
            }
        }
    }

    /// Begins a restoration.
    ///
    /// # Errors
    /// [`StoreError`] if the disk does not take a second file, or a rekey is not finished.
    pub fn begin_restore(&self) -> Result<PendingRestore<'_>, StoreError> {
        let turn = self.turn()?;
        let key_set = self.0.keys.now();
        if key_set.previous.is_some() {
            return Err(StoreError::Refused(
                "a rekey is not finished: run \"totpctl rekey\" first".into(),
            ));
        }
        let folder = &self.0.folder;
        clear_new(folder).and_then(|()| clear_old(folder)).map_err(|error| unavailable(&error))?;
        let path = new_file(folder);
        open::make_file(&path).map_err(|error| unavailable(&error))?;
        let mut restoring =
            PendingRestore { local: self, new: None, key_set, users: 0, _turn: turn };
        restoring.new = Some(make(&path).map_err(StoreError::Unavailable)?);
        Ok(restoring)
    }
}

impl PendingRestore<'_> {
    /// Adds the record of a user.
    ///
    /// # Errors
    /// [`StoreError`] if the disk is full or fails.
    pub fn add(&mut self, name: UserName, record: &Record) -> Result<(), StoreError> {
        let subject = RecordKey::User(name);
        let sealed = self.key_set.encode(&subject, record)?;
        let new = self.new.as_ref().ok_or_else(ended)?;
        rows::write(new, &subject, record.uid, &sealed).map_err(|error| unavailable(&error))?;
        self.users += 1;
        Ok(())
    }

    /// Puts the new store in the place of the present one. `made` is when the backup was made, and
    /// `now` tells the time (both in seconds since 1970) when no code can be accepted by the present
    /// one any more; `skew` is how many time steps ahead it accepted.
    ///
    /// # Errors
    /// [`StoreError`]; then the store is as it was, unless it says that the new one is in place.
    pub fn finish(
        mut self,
        made: u64,
        now: impl Fn() -> u64 + Send + 'static,
        skew: u64,
    ) -> Result<RestoreReport, StoreError> {
        let folder = self.local.0.folder.clone();
        let path = new_file(&folder);
        let new = self.new.take().ok_or_else(ended)?;
        new.execute_batch("COMMIT").map_err(|error| unavailable(&error))?;
        new.pragma_update(None, "journal_mode", "WAL").map_err(|error| unavailable(&error))?;
        new.close().map_err(|(_, error)| unavailable(&error))?;
        File::open(&path).and_then(|new| new.sync_all()).map_err(|error| unavailable(&error))?;

        let (keys, key_set) = (self.local.0.keys.clone(), Arc::clone(&self.key_set));
        let (tell, told) = oneshot::channel();
        self.local.writer()?.exclusive(move |disk| {
            let floor = ReplayFloor { time: now(), skew };
            // Before the files change: if that ends in an error, the new one may be in place
            // nevertheless, and must reopen nothing. To the old one it does no harm.
            keys.set(key_set.without_previous(Some(floor)));
            let replaced = replace(disk, &path, &folder, &key_set, floor, made);
            if replaced.is_err() {
                disk.discard_connections();
            }
            let _ = tell.send(replaced);
        })?;
        told.blocking_recv().map_err(|_| ended())?.map_err(StoreError::Unavailable)?;
        Ok(RestoreReport { users: self.users })
    }
}

impl Drop for PendingRestore<'_> {
    fn drop(&mut self) {
        let _ = clear_new(&self.local.0.folder);
    }
}

/// A file with tables and nothing in them, in a transaction that is under way.
fn make(path: &Path) -> Result<Connection, String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let new = Connection::open_with_flags(path, flags).map_err(|error| error.to_string())?;
    let prepare = || -> rusqlite::Result<()> {
        // Nobody looks at it before it is whole and was flushed.
        new.pragma_update(None, "journal_mode", "MEMORY")?;
        new.pragma_update(None, "synchronous", "OFF")?;
        new.pragma_update(None, "cache_size", -512)
    };
    prepare().map_err(|error| error.to_string())?;
    open::make_tables(&new, path).map_err(|error| error.to_string())?;
    new.execute_batch("BEGIN").map_err(|error| error.to_string())?;
    Ok(new)
}

/// Puts `new` in the place of the file, while nobody has that open.
fn replace(
    disk: &mut Database,
    new: &Path,
    folder: &Path,
    key_set: &KeySet,
    floor: ReplayFloor,
    made: u64,
) -> Result<(), String> {
    let say = |error: &dyn std::error::Error| error.to_string();
    let current = disk.connection().map_err(|error| say(&error))?;
    let old_secrets = metadata::secrets(current, &key_set.current).map_err(|error| say(&error))?;
    let mut secrets = old_secrets.ok_or("the store does not know its own key")?;
    secrets.floor = Some(floor);
    // A date to come would make every later backup an older one.
    secrets.history.note(made, floor.time);
    // The log belongs to the present file: its content goes there, and nothing of it may be left
    // when another file has its name.
    let left = disk.checkpoint_all().map_err(|error| say(&error))?;
    if left {
        return Err("the log cannot be emptied; try again".into());
    }
    let prepare = || -> Result<(), rows::RowError> {
        let connection = connection::connect(new)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        metadata::set_key(&connection, KeyRole::Current, Some(&key_set.id))?;
        metadata::set_secrets(&connection, &key_set.current, &secrets)?;
        connection.execute_batch("COMMIT")?;
        match connection::checkpoint_all(&connection)? {
            false => Ok(()),
            true => Err(StoreError::Unavailable("its log cannot be emptied".into()).into()),
        }
    };
    prepare().map_err(|trouble| format!("the new store cannot be finished: {trouble:?}"))?;
    disk.with_closed(|file| swap(file, new, folder))?;
    // Now it is the store. It is opened before the old one goes.
    match disk.connection() {
        Ok(connection) => {
            if connection::reserve(connection, &folder.join(FILE)).is_err() {
                disk.discard_connections();
            }
            clear_old(folder).map_err(|error| say(&error))
        }
        Err(error) => {
            let back = disk.with_closed(|file| {
                remove(&connection::wal_path(file))?;
                fs::rename(old_file(folder), file)?;
                sync_folder(folder)
            });
            Err(match back {
                Ok(()) => format!("the new store cannot be opened: {error}; the old one is back"),
                Err(back) => format!("the new store cannot be opened: {error}, and: {back}"),
            })
        }
    }
}

fn swap(file: &Path, new: &Path, folder: &Path) -> Result<(), String> {
    let change = || -> io::Result<()> {
        remove(&connection::wal_path(new))?;
        remove(&connection::wal_path(file))?;
        File::open(new)?.sync_all()?;
        sync_folder(folder)?;
        fs::hard_link(file, old_file(folder))?;
        fs::rename(new, file)
    };
    change().map_err(|error| error.to_string())?;
    sync_folder(folder).map_err(|error| {
        format!("the new store is in place, but a power cut may bring the old one back: {error}")
    })
}

/// Removes what a restoration that was interrupted has left.
pub(super) fn clear_new(folder: &Path) -> io::Result<()> {
    let new = new_file(folder);
    remove(&new)?;
    for end in ["-wal", "-shm", "-journal"] {
        let mut name = new.clone().into_os_string();
        name.push(end);
        remove(Path::new(&name))?;
    }
    Ok(())
}

/// Removes the store that was in the place of the present one, which can be opened.
pub(super) fn clear_old(folder: &Path) -> io::Result<()> {
    remove(&old_file(folder))
}

fn new_file(folder: &Path) -> PathBuf {
    folder.join("store.db.new")
}

fn old_file(folder: &Path) -> PathBuf {
    folder.join("store.db.old")
}

fn unavailable(error: &dyn std::error::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

const PAGE: usize = 500;
