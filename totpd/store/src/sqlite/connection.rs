//! The file in SQLite: how it is opened, what is reserved in it, and what is done when the disk
//! has failed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::statvfs::statvfs;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::sqlite::lock;

/// The connection of the reader, which the writer closes when it trusts the file no more.
pub(super) type Slot = Arc<Mutex<Option<Connection>>>;

/// The file, for the thread that writes.
pub(super) struct Database {
    file: PathBuf,
    /// Nothing after the disk has failed: what a failed flush has left is not to be trusted, so
    /// the file is opened and read anew.
    connection: Option<Connection>,
    reader: Slot,
    /// The lock on the folder: one daemon a store.
    _folder: File,
}

impl Database {
    pub(super) fn new(file: &Path, connection: Connection, folder: File) -> Self {
        let reader = Slot::default();
        Self { file: file.to_path_buf(), connection: Some(connection), reader, _folder: folder }
    }

    pub(super) fn with_reader(self, reader: Slot) -> Self {
        Self { reader, ..self }
    }

    /// The connection, which is made anew where the last one was given up.
    pub(super) fn connection(&mut self) -> rusqlite::Result<&Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => reopened(&self.file)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Puts what is in the log into the file, well before the log would have to grow beyond what was
    /// reserved for it: then it is begun anew. To be called when answers were told, which do not
    /// wait for that.
    pub(super) fn checkpoint_if_needed(&mut self) {
        let Ok(connection) = self.connection() else { return };
        let waiting = connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
            Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?)
        });
        let shorter = match waiting {
            Ok(pages) if pages < CHECKPOINT_THRESHOLD_PAGES => Ok(()),
            Ok(_) => connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())),
            Err(error) => Err(error),
        };
        if shorter.is_err() {
            self.discard_connections();
        }
    }

    /// Gives up both connections, and what the kernel remembers of the files: after a failed flush
    /// that may differ from what the disk holds.
    pub(super) fn discard_connections(&mut self) {
        self.with_closed(|_| {});
    }

    /// Puts all of the log into the file. Whether something is left in it.
    pub(super) fn checkpoint_all(&mut self) -> rusqlite::Result<bool> {
        *lock(&self.reader) = None;
        checkpoint_all(self.connection()?)
    }

    /// Runs `work` while nobody has the file open.
    pub(super) fn with_closed<T>(&mut self, work: impl FnOnce(&Path) -> T) -> T {
        let mut reader = lock(&self.reader);
        *reader = None;
        self.connection = None;
        drop_page_cache(&self.file);
        drop_page_cache(&wal_path(&self.file));
        let result = work(&self.file);
        drop(reader);
        result
    }
}

/// Puts all of the log into the file and cuts it to nothing. Whether something is left in it.
pub(super) fn checkpoint_all(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? != 0 || row.get::<_, i64>(1)? != 0)
    })
}

/// A connection to `file`, which is recovered if a crash or a failed disk left something to do.
pub(super) fn reopened(file: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(file)?;
    checkpoint(&connection)?;
    Ok(connection)
}

/// Another connection in the place of one that has failed, with the file as the disk has it. No
/// other may be open.
pub(super) fn reopen_after_error(failed: Connection, file: &Path) -> rusqlite::Result<Connection> {
    drop(failed);
    drop_page_cache(file);
    drop_page_cache(&wal_path(file));
    reopened(file)
}

/// Opens `file`, which exists.
pub(super) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    // This way of locking keeps other processes out, and the index of the log in memory: no file
    // has to be made for it.
    let connection = Connection::open_with_flags_and_vfs(file, flags, "unix-excl")?;
    // The log stays when the last connection closes: a full disk would not give it back.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // The two connections are in each other's way for moments alone.
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Each commit is flushed before it returns: the promise that a code is good once.
    connection.pragma_update(None, "synchronous", synchronous(file))?;
    // The file may have been edited by somebody: nothing in it may run.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // What was there before is overwritten: no flipped pointer leads back to an old record.
    connection.pragma_update(None, "secure_delete", true)?;
    // The writer does that when nobody waits for it. The log is never made shorter than its reserve.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", RESERVE_BYTES as i64)?;
    // Half a megabyte is enough for logins that each touch one row.
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// Puts what is in the log into the file, so that the log is begun anew. Where a reader is in the
/// way it is left for the next time.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
}

/// Makes the log as long as it will need to be, and leaves free pages in the file, so that logins,
/// which rewrite rows in place, go on when the disk is full.
pub(super) fn reserve(connection: &Connection, file: &Path) -> rusqlite::Result<()> {
    // What a crash in here has left.
    connection.execute_batch("DROP TABLE IF EXISTS reserve")?;
    if std::fs::metadata(wal_path(file)).is_ok_and(|log| log.len() >= RESERVE_BYTES) {
        return Ok(());
    }
    // It takes as much in the log as in the file. Of a disk with hardly more than that, what is
    // left is better used for records.
    let room = statvfs(file).map(|disk| disk.blocks_available() * disk.fragment_size());
    if room.is_ok_and(|room| room < 3 * RESERVE_BYTES) {
        return Ok(());
    }
    fill(connection)
}

/// Writes over the log and the free pages of the file, so that nothing is left in them of what was
/// there before; what of the log is longer than the reserve is cut off.
pub(super) fn scrub(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection)?;
    fill(connection)
}

fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let filled = connection.execute_batch(&format!(
        "DROP TABLE IF EXISTS reserve; BEGIN; CREATE TABLE reserve (block BLOB); INSERT INTO \
         reserve VALUES (zeroblob({RESERVE_BYTES})); COMMIT"
    ));
    if filled.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    // In between, so that the log does not become twice as long.
    filled.and_then(|()| checkpoint(connection))?;
    connection.execute_batch("DROP TABLE reserve")?;
    checkpoint(connection)
}

/// The log of `file`.
pub(super) fn wal_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Has the kernel read the file from the disk when it is looked at next. Only while no connection
/// is open: closing a file that SQLite has open too would give up its lock.
pub(super) fn drop_page_cache(path: &Path) {
    if let Ok(file) = File::open(path) {
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }
}

#[cfg(not(test))]
fn synchronous(_file: &Path) -> &'static str {
    "FULL"
}

/// The campaign of crashes must find what this prevents: it leaves it out beside a file of this
/// name.
#[cfg(test)]
fn synchronous(file: &Path) -> &'static str {
    if file.with_file_name("test-synchronous-normal").exists() { "NORMAL" } else { "FULL" }
}

/// Bytes of the log that are reserved, and of the file beside it. Less in tests of this crate, which
/// fail every single write.
const RESERVE_BYTES: u64 = if cfg!(test) { 64 << 10 } else { 2 << 20 };
/// Half of that in pages of 4 KiB; the rest is for what shares one transaction.
const CHECKPOINT_THRESHOLD_PAGES: i64 = 256;
