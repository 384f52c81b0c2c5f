//! Opening the store: whose folder it is, the lock, the key, the file, and what to do when they do
//! not fit.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use totpd_core::record_key::Buckets;
use totpd_journal::{Entry, Priority};
use zeroize::Zeroizing;

use crate::backup::History;
use crate::fsync::sync_folder_of;
use crate::master_key::MasterKey;
use crate::sealer::Sealer;
use crate::sqlite::active_keys::{ActiveKeys, KeySet, PreviousKey};
use crate::sqlite::connection::{self, Database};
use crate::sqlite::key_sources::{self, Keyring};
use crate::sqlite::metadata::{self, KeyRole, Secrets};
use crate::sqlite::migration::{self, FORMAT};
use crate::sqlite::open_error::OpenError;
use crate::sqlite::rows::{self, RowError};
use crate::sqlite::{not_found, rekey, restore};

/// Where the store is.
pub const FOLDER: &str = "/var/lib/totpd";
/// The name of its file.
pub(super) const FILE: &str = "store.db";

/// How long another daemon may take to let go of the folder. Shorter than a login waits.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// What was found in the folder.
pub(super) struct Found {
    pub(super) disk: Database,
    pub(super) keys: ActiveKeys,
    pub(super) buckets: Buckets,
    /// Whether records are still to be re-sealed.
    pub(super) unfinished_rekey: bool,
}

/// Opens or makes the store in `folder`.
pub(super) fn open(folder: &Path, credentials: Option<&Path>) -> Result<Found, OpenError> {
    let locked = lock_directory(folder)?;
    let file = folder.join(FILE);
    restore::clear_new(folder).map_err(|source| OpenError::Io { path: folder.into(), source })?;
    match fs::symlink_metadata(&file) {
        Err(error) if not_found(&error) => {
            reject_orphan_wal(&file)?;
            make_file(&file)?;
        }
        Err(source) => return Err(OpenError::Io { path: file, source }),
        Ok(metadata) => {
            reject_insecure(&file, &metadata, 0o600)?;
            if !metadata.is_file() {
                let reason = "not a plain file".into();
                return Err(OpenError::NotAStore { path: file, reason });
            }
        }
    }
    let mut keyring = Keyring::look(folder, credentials)?;
    let failed = |error| OpenError::of_sqlite(&file, &error);
    // What a daemon that was killed had written without a flush may not be on disk, whatever the
    // kernel's cache says.
    connection::drop_page_cache(&connection::wal_path(&file));
    let mut connection = connection::reopened(&file).map_err(failed)?;
    let found = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    match found.map_err(failed)? {
        0 => make_tables(&connection, &file)?,
        1 => migration::from_1(&connection, &file, &mut keyring)?,
        2 => migration::from_2_or_later(&connection, &file, 2)?,
        3 => migration::from_2_or_later(&connection, &file, 3)?,
        4 => migration::from_2_or_later(&connection, &file, 4)?,
        FORMAT => {}
        found => return Err(OpenError::Newer { path: file, found, known: FORMAT }),
    }
    // A disk that is full already is no reason not to start: what is there can be used.
    if connection::reserve(&connection, &file).is_err() {
        connection = connection::reopen_after_error(connection, &file).map_err(failed)?;
    }

    let (key, secrets) = match unlock(&connection, &file, &mut keyring)? {
        Some(unlocked) => unlocked,
        None => begin(&connection, &file, folder, &mut keyring)?,
    };
    let buckets = Buckets::new(Zeroizing::new(secrets.buckets));
    let unfinished_rekey = metadata::key(&connection, KeyRole::Next).map_err(failed)?;
    let key_set = match &unfinished_rekey {
        None => KeySet::of(&key, secrets.floor),
        Some(next) => {
            let Some(found) = keyring.take(next) else {
                return Err(wrong_key(&file, next.as_str(), &keyring));
            };
            let previous = Some(PreviousKey::of(&key));
            KeySet { previous, ..KeySet::of(&found.key, secrets.floor) }
        }
    };
    // A disk that is full is no reason not to start.
    if let Err(why) = rekey::erase_old_key(&connection, folder) {
        Entry::new(Priority::Warning, format!("the old key is not gone yet: {why}")).write();
        connection = connection::reopen_after_error(connection, &file).map_err(failed)?;
    }
    restore::clear_old(folder).map_err(|source| OpenError::Io { path: folder.into(), source })?;
    let disk = Database::new(&file, connection, locked);
    let unfinished_rekey = unfinished_rekey.is_some();
    Ok(Found { disk, keys: ActiveKeys::new(key_set), buckets, unfinished_rekey })
}

/// Makes the folder if it is missing, and locks it.
fn lock_directory(folder: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: folder.to_path_buf(), source };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        Err(_) => {}
        Ok(()) => sync_folder_of(folder).map_err(io)?,
    }
    let metadata = fs::symlink_metadata(folder).map_err(io)?;
    reject_insecure(folder, &metadata, 0o700)?;
    if !metadata.is_dir() {
        return Err(io(io::ErrorKind::NotADirectory.into()));
    }
    let opened = File::open(folder).map_err(io)?;
    // A daemon that was killed lets go of it when its last call to the disk has returned.
    let end = Instant::now() + LOCK_TIMEOUT;
    loop {
        match opened.try_lock() {
            Ok(()) => return Ok(opened),
            Err(TryLockError::Error(error)) => return Err(io(error)),
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                thread::park_timeout(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(folder.to_path_buf())),
        }
    }
}

/// The key of the store and what is secret of it; nothing if nothing was sealed yet.
fn unlock(
    connection: &Connection,
    file: &Path,
    keyring: &mut Keyring,
) -> Result<Option<(MasterKey, Secrets)>, OpenError> {
    let failed = |error| OpenError::of_sqlite(file, &error);
    let named = metadata::key(connection, KeyRole::Current).map_err(failed)?;
    let wanted = named.as_ref().map_or("that it does not name any more", |id| id.as_str());
    let found = named.as_ref().and_then(|id| keyring.take(id));
    let Some(found) = found else {
        // Never over records: nothing but the lost key could open them.
        if !rows::is_empty(connection).map_err(failed)? {
            return Err(wrong_key(file, wanted, keyring));
        }
        return Ok(None);
    };
    let secrets = metadata::secrets(connection, &Sealer::new(&found.key)).map_err(failed)?;
    match secrets {
        Some(secrets) => {
            if let Some(other) = keyring.wanted_credential() {
                let told = format!(
                    "the store is sealed under the key {} in {}, and not under {} of the \
                     credential: \"totpctl rekey\" changes that",
                    found.key.id(),
                    found.place,
                    other.key.id()
                );
                Entry::new(Priority::Warning, told).write();
                keyring.reinsert(other);
            }
            Ok(Some((found.key, secrets)))
        }
        None => Err(OpenError::NotAStore {
            path: file.to_path_buf(),
            reason: "what it says of its key was changed".into(),
        }),
    }
}

/// Chooses the key of a store in which nothing is sealed, and makes it if there is none.
fn begin(
    connection: &Connection,
    file: &Path,
    folder: &Path,
    keyring: &mut Keyring,
) -> Result<(MasterKey, Secrets), OpenError> {
    let key = match keyring.first() {
        Some(found) => found.key,
        None => MasterKey::create(&folder.join(key_sources::FILE))?,
    };
    let mut secrets = Secrets { buckets: [0; 32], floor: None, history: History::default() };
    getrandom::fill(&mut secrets.buckets).map_err(|_| OpenError::NoRandomness)?;
    let change = || -> Result<(), RowError> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        metadata::set_key(connection, KeyRole::Current, Some(&key.id()))?;
        metadata::set_key(connection, KeyRole::Next, None)?;
        metadata::set_key(connection, KeyRole::Old, None)?;
        metadata::set_secrets(connection, &Sealer::new(&key), &secrets)?;
        Ok(connection.execute_batch("COMMIT")?)
    };
    match change() {
        Ok(()) => Ok((key, secrets)),
        Err(RowError::Database(error)) => Err(OpenError::of_sqlite(file, &error)),
        Err(RowError::Record(_)) => Err(OpenError::NoRandomness),
    }
}

fn wrong_key(file: &Path, wanted: &str, keyring: &Keyring) -> OpenError {
    OpenError::WrongKey {
        store: file.to_path_buf(),
        wanted: wanted.to_owned(),
        found: keyring.ids(),
    }
}

/// Makes an empty file that only root can read, whatever the umask; SQLite makes its other files
/// alike. It and its name are on disk when this returns.
pub(super) fn make_file(file: &Path) -> Result<(), OpenError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|made| made.sync_all())
        .and_then(|()| sync_folder_of(file))
        .map_err(|source| OpenError::Io { path: file.to_path_buf(), source })
}

/// The tables of a store, in a file without any.
pub(super) fn make_tables(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::of_sqlite(file, &error);
    let foreign: bool = connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(failed)?;
    if foreign {
        let reason = "it is a database with other tables".into();
        return Err(OpenError::NotAStore { path: file.to_path_buf(), reason });
    }
    connection
        .execute_batch(&format!(
            "BEGIN; \
             CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID; \
             CREATE TABLE record (subject TEXT PRIMARY KEY, uid INTEGER NOT NULL, \
             sealed BLOB NOT NULL) STRICT, WITHOUT ROWID; \
             PRAGMA user_version = {FORMAT}; \
             COMMIT;"
        ))
        .map_err(failed)
}

/// A log without its file would be taken for that of the new one.
fn reject_orphan_wal(file: &Path) -> Result<(), OpenError> {
    let log = connection::wal_path(file);
    match fs::symlink_metadata(&log) {
        Err(error) if not_found(&error) => Ok(()),
        _ => Err(OpenError::NotAStore {
            path: log,
            reason: "it is the log of a store.db that is not there".into(),
        }),
    }
}

fn reject_insecure(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), OpenError> {
    let (uid, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if uid != 0 || mode & 0o077 != 0 {
        return Err(OpenError::InsecurePermissions { path: path.to_path_buf(), uid, mode, wanted });
    }
    Ok(())
}
