//! Connections to the file in SQLite: how they are opened, and how they checkpoint the log.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{OFlag, PosixFadviseAdvice, posix_fadvise};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::sqlite::checkpoint::decision::LogPages;
use crate::sqlite::checkpoint::runner::{CheckpointRunner, checkpoint};
use crate::sqlite::layout::wal_path;
use crate::sqlite::log::{Wal, flush_failure};
use crate::sqlite::log_sizes::RESERVE_BYTES;
use crate::sqlite::schema::FORMAT;

/// The connection that writes, the log that flushes what it commits, and what checkpoints that log.
pub(super) struct WriteConnection {
    connection: Connection,
    log: Arc<Wal>,
    checkpoint_runner: Arc<CheckpointRunner>,
}

impl WriteConnection {
    /// Opens `file`, and recovers it if a crash or a failed disk left something in its log. All
    /// that the connection finds is on disk then.
    pub(super) fn open_and_recover(file: &Path) -> rusqlite::Result<Self> {
        let connection = open(file)?;
        // It also creates the log of a new file. It flushes the log, and writes nothing to it.
        restart_wal(&connection)?;
        let log = Arc::new(Wal::open(file).map_err(|error| flush_error(&error))?);
        let checkpoint_runner = Arc::new(CheckpointRunner::new(open(file)?, Arc::clone(&log)));
        Ok(Self { connection, log, checkpoint_runner })
    }

    /// Replaces a connection that has failed, and reads the file from the disk. No other connection
    /// may be open.
    pub(super) fn reopen_after_error(self, file: &Path) -> rusqlite::Result<Self> {
        drop(self);
        drop_page_cache(file);
        drop_page_cache(&wal_path(file));
        Self::open_and_recover(file)
    }

    pub(super) fn log(&self) -> &Arc<Wal> {
        &self.log
    }

    pub(super) fn checkpoint_runner(&self) -> &Arc<CheckpointRunner> {
        &self.checkpoint_runner
    }

    pub(super) fn log_pages(&self) -> rusqlite::Result<LogPages> {
        checkpoint(&self.connection, "NOOP")
    }

    /// Commits one page. If all of the log is copied, the log restarts with it. That takes a flush,
    /// which the next login would wait for otherwise.
    pub(super) fn restart_log(&self) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "user_version", FORMAT)
    }

    /// Flushes all that was committed.
    pub(super) fn flush(&self) -> rusqlite::Result<()> {
        self.log.flush().map_err(|error| flush_error(&error))
    }
}

impl Drop for WriteConnection {
    /// Nobody has the file open behind this, also if a checkpoint is under way.
    fn drop(&mut self) {
        self.checkpoint_runner.close();
    }
}

impl Deref for WriteConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// Returns the error of SQLite for a flush that failed.
fn flush_error(error: &io::Error) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
    rusqlite::Error::SqliteFailure(code, Some(flush_failure(error)))
}

/// Opens `file`, which exists.
pub(super) fn open(file: &Path) -> rusqlite::Result<Connection> {
    // This way of locking excludes other processes. It keeps the index of the log in memory, so it
    // needs no new file for the index.
    let connection = Connection::open_with_flags_and_vfs(file, FLAGS, "unix-excl")?;
    // The log stays when the last connection closes: a full disk would not give its space back.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // The connections block each other for milliseconds only.
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit waits for no flush. What answers a caller waits for one of the log.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Somebody may have edited the file: nothing in it may run.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Old content is overwritten: no flipped pointer leads back to an old record.
    connection.pragma_update(None, "secure_delete", true)?;
    // The writer checkpoints when no request waits. The log never becomes shorter than its reserve.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", RESERVE_BYTES as i64)?;
    // Half a MiB is enough for logins that each touch one row.
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// Opens an empty file for a restore. It is not flushed, and nobody reads it, before it is
/// complete.
pub(super) fn open_for_bulk_load(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, FLAGS)?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// Checkpoints the log, so it restarts from its beginning. If a reader prevents that, the next call
/// does it.
pub(super) fn restart_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
}

/// Checkpoints all of the log and truncates it. Reports whether something is left in it.
pub(super) fn checkpoint_all(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? != 0 || row.get::<_, i64>(1)? != 0)
    })
}

/// Has the kernel read the file from the disk at the next access. No connection may be open:
/// closing a file that SQLite has open too would release its lock.
pub(super) fn drop_page_cache(path: &Path) {
    if let Ok(file) = File::open(path) {
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }
}

/// Writes what the kernel holds of the file, if there is one, and has it read from the disk at the
/// next access. No connection may be open, as for [`drop_page_cache`].
///
/// # Errors
/// Those of the disk, also of writes that failed before and that nobody was told of.
pub(super) fn flush_and_drop_page_cache(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(OFlag::O_NOFOLLOW.bits());
    match options.open(path) {
        Ok(file) => file.sync_data()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    drop_page_cache(path);
    Ok(())
}

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE
    .union(OpenFlags::SQLITE_OPEN_NO_MUTEX)
    .union(OpenFlags::SQLITE_OPEN_NOFOLLOW);
