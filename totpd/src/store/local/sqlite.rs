//! The rows of the store in SQLite: one a subject, sealed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use crate::codec;
use crate::record::Record;
use crate::seal::Sealer;
use crate::store::folder::OpenError;
use crate::store::{Listed, StoreError};
use crate::subject::Subject;
use crate::user::UserName;

/// The rows, and what seals them.
pub(super) struct Rows {
    file: PathBuf,
    sealer: Sealer,
    /// Nothing after the disk has failed: what a failed flush has left is not to be trusted, so
    /// the file is opened and read anew.
    connection: Option<Connection>,
    broken: Option<rusqlite::Error>,
}

/// The file, of which it is not known yet whether the key fits.
pub(super) struct Unsealed {
    file: PathBuf,
    connection: Connection,
}

impl Rows {
    /// Opens or makes the file.
    pub(super) fn open(file: &Path) -> Result<Unsealed, OpenError> {
        let failed = |error| open_error(file, &error);
        let connection = connect(file).map_err(failed)?;
        let found = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
        match found.map_err(failed)? {
            0 => make(&connection, file)?,
            FORMAT => {}
            found => {
                return Err(OpenError::Newer { path: file.to_path_buf(), found, known: FORMAT });
            }
        }
        // A disk that is full already is no reason not to start: what is there can be used.
        let _ = reserve(&connection, file);
        Ok(Unsealed { file: file.to_path_buf(), connection })
    }

    pub(super) fn read(&mut self, subject: &Subject) -> Result<Option<Record>, StoreError> {
        let row = self.query(|connection| {
            connection
                .prepare_cached("SELECT uid, sealed FROM record WHERE subject = ?1")?
                .query_row([subject.row()], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))
                .optional()
        })?;
        row.map(|(uid, sealed)| self.decoded(subject, uid, &sealed)).transpose()
    }

    /// The record of a row. A row that somebody edited is damaged, whatever was put into it, and
    /// not a failure of the disk, which would be everybody's.
    fn decoded(&self, subject: &Subject, uid: i64, sealed: &[u8]) -> Result<Record, StoreError> {
        u32::try_from(uid)
            .ok()
            .and_then(|uid| codec::decode(sealed, subject, uid, &self.sealer).ok())
            .ok_or_else(|| StoreError::Corrupt(subject.to_string()))
    }

    pub(super) fn write(&mut self, subject: &Subject, record: &Record) -> Result<(), StoreError> {
        let sealed = codec::encode(record, subject, &self.sealer)
            .map_err(|_| StoreError::Unavailable("the kernel gives no random bytes".into()))?;
        self.query(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO record (subject, uid, sealed) VALUES (?1, ?2, ?3) ON CONFLICT \
                     (subject) DO UPDATE SET uid = excluded.uid, sealed = excluded.sealed",
                )?
                .execute(params![subject.row(), record.uid, sealed])
        })?;
        Ok(())
    }

    pub(super) fn delete(&mut self, subject: &Subject) -> Result<(), StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached("DELETE FROM record WHERE subject = ?1")?
                .execute([subject.row()])
        })?;
        Ok(())
    }

    pub(super) fn list(&mut self, after: &str, limit: u32) -> Result<Vec<Listed>, StoreError> {
        // Rows of buckets start with a colon, and so lie between ':' and ';'.
        let rows: Vec<(String, i64, Vec<u8>)> = self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT subject, uid, sealed FROM record WHERE subject > ?1 AND NOT (subject \
                     >= ':' AND subject < ';') ORDER BY subject LIMIT ?2",
                )?
                .query_map(params![after, limit], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect()
        })?;
        let named = rows.into_iter().filter_map(|(name, uid, sealed)| {
            let name = UserName::parse(&name)?;
            let record = self.decoded(&Subject::User(name.clone()), uid, &sealed);
            Some(Listed { name, record })
        });
        Ok(named.collect())
    }

    /// Runs `work` in one transaction, and returns when it is on disk. After an error nothing of
    /// it is.
    pub(super) fn in_transaction(
        &mut self,
        work: impl FnOnce(&mut Self),
    ) -> Result<(), StoreError> {
        self.broken = None;
        if self.connection.is_none() {
            self.connection = connect(&self.file).map_err(|error| self.broken = Some(error)).ok();
        }
        let begun = self.query(|connection| connection.execute_batch("BEGIN IMMEDIATE"));
        work(self);
        let done = begun.and_then(|()| match &self.broken {
            Some(error) => Err(unavailable(error)),
            None => self.query(|connection| connection.execute_batch("COMMIT")),
        });
        if done.is_err() {
            // Closing it rolls back what was not committed.
            self.connection = None;
        }
        done
    }

    fn query<T>(
        &mut self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if let Some(error) = &self.broken {
            return Err(unavailable(error));
        }
        let Some(connection) = &self.connection else {
            return Err(StoreError::Unavailable("it could not be opened again".into()));
        };
        ask(connection).map_err(|error| {
            let told = unavailable(&error);
            self.broken = Some(error);
            told
        })
    }
}

impl Unsealed {
    /// Whether anything in the file is sealed.
    pub(super) fn is_sealed(&self) -> Result<bool, OpenError> {
        self.connection
            .query_row("SELECT EXISTS (SELECT 1 FROM record)", [], |row| row.get(0))
            .map_err(|error| open_error(&self.file, &error))
    }

    /// The rows under `sealer`, if its key (in `key_file`) is the one that was used so far.
    pub(super) fn under(self, sealer: Sealer, key_file: &Path) -> Result<Rows, OpenError> {
        let failed = |error| open_error(&self.file, &error);
        let proof: Option<Vec<u8>> = self
            .connection
            .query_row("SELECT value FROM meta WHERE name = 'key proof'", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let fits = proof.is_some_and(|proof| sealer.unseal(&proof, KEY_PROOF).is_ok());
        if !fits && self.is_sealed()? {
            let (key, store) = (key_file.to_path_buf(), self.file);
            return Err(OpenError::WrongKey { key, store });
        }
        if !fits {
            let proof = sealer.seal(&[], KEY_PROOF).map_err(|_| OpenError::NoRandomness)?;
            self.connection
                .execute("INSERT OR REPLACE INTO meta VALUES ('key proof', ?1)", [proof])
                .map_err(failed)?;
        }
        Ok(Rows { file: self.file, sealer, connection: Some(self.connection), broken: None })
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    // One process, so no shared memory file is needed and a second daemon is kept out.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Each commit is flushed before it returns: the promise that a code is good once.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The file may have been edited by somebody: nothing in it may run.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // The log is begun anew well before it would have to grow beyond what was reserved for it, and
    // never shortened.
    connection.pragma_update(None, "wal_autocheckpoint", PAGES_BEFORE_CHECKPOINT)?;
    connection.pragma_update(None, "journal_size_limit", -1)?;
    // Half a megabyte is enough for logins that each touch one row.
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// Makes the log as long as it will need to be, and leaves free pages in the file, so that logins,
/// which rewrite rows in place, go on when the disk is full.
fn reserve(connection: &Connection, file: &Path) -> rusqlite::Result<()> {
    // What a crash in here has left.
    connection.execute_batch("DROP TABLE IF EXISTS reserve")?;
    let log = file.with_extension("db-wal");
    if std::fs::metadata(log).is_ok_and(|log| log.len() >= RESERVE) {
        return Ok(());
    }
    // It takes as much in the log as in the file. Of a disk with hardly more than that, what is
    // left is better used for records.
    let room = statvfs(file).map(|disk| disk.blocks_available() * disk.fragment_size());
    if room.is_ok_and(|room| room < 3 * RESERVE) {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "CREATE TABLE reserve (block BLOB); INSERT INTO reserve VALUES (zeroblob({RESERVE})); \
         DROP TABLE reserve;"
    ))?;
    connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
}

fn make(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let failed = |error| open_error(file, &error);
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

fn open_error(file: &Path, error: &rusqlite::Error) -> OpenError {
    let path = file.to_path_buf();
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotAStore { path, reason },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Unavailable {
            path,
            reason: "another process holds it; is a second totpd running?".into(),
        },
        _ => OpenError::Unavailable { path, reason },
    }
}

fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// Bytes of the log that are reserved, and of the file beside it.
const RESERVE: u64 = 2 << 20;
/// Half of that in pages of 4 KiB; the rest is for what shares one transaction.
const PAGES_BEFORE_CHECKPOINT: i64 = 256;
/// The format of the file (`user_version`).
const FORMAT: i64 = 1;
/// Where the proof that the key fits is sealed for.
const KEY_PROOF: &[u8] = b"totpd key proof 1";
