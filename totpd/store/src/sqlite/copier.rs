//! The connection that copies the log into the file, so that the log can begin again.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::Connection;

use crate::mutex::lock;
use crate::sqlite::failure::is_full;
use crate::sqlite::log::Wal;

/// The connection that copies a log. The connection that writes the log owns it: both are opened
/// before anything is written, so the kernel reports lost writes to both.
pub(super) struct LogCopier {
    /// `None` once it is closed.
    connection: Mutex<Option<Connection>>,
    log: Arc<Wal>,
}

/// How much is in the log, in pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogPages {
    pub(super) all: i64,
    /// Those that are in the file too. If they are all, the next commit begins the log again.
    pub(super) copied: i64,
}

impl LogPages {
    pub(super) fn are_copied(self) -> bool {
        self.copied >= self.all
    }
}

impl LogCopier {
    /// `connection` has opened `log`, to which nothing was written yet.
    pub(super) fn new(connection: Connection, log: Arc<Wal>) -> Self {
        Self { connection: Mutex::new(Some(connection)), log }
    }

    /// Waits until no copy is under way. None begins while the database is locked.
    pub(super) fn wait(&self) {
        drop(lock(&self.connection));
    }

    /// Closes the connection, after a copy that is under way.
    pub(super) fn close(&self) {
        *lock(&self.connection) = None;
    }

    /// Begins a copy, after one that is under way. Only who has locked the database may call this.
    /// The copy itself needs no lock on it.
    pub(super) fn begin(&self) -> Copy<'_> {
        Copy { connection: lock(&self.connection), log: &self.log }
    }
}

/// A copy that is under way. No other one can begin.
pub(super) struct Copy<'a> {
    connection: MutexGuard<'a, Option<Connection>>,
    log: &'a Wal,
}

impl Copy<'_> {
    /// Copies what was committed before. SQLite flushes the log first, and the file behind it if no
    /// other commit came in between. Only then the log may begin again.
    ///
    /// # Errors
    /// Those of SQLite. No change in this log is confirmed any more, unless the disk is full.
    pub(super) fn run(self) -> rusqlite::Result<LogPages> {
        let Some(connection) = self.connection.deref() else {
            return Ok(LogPages { all: 0, copied: 0 });
        };
        #[cfg(test)]
        self.log.before_copy();
        let result = checkpoint(connection, "PASSIVE");
        if result.as_ref().is_err_and(|error| !is_full(error)) {
            self.log.fail();
        }
        result
    }
}

/// Checkpoints the log in this mode, and returns what is in it.
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<LogPages> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(LogPages { all: row.get(1)?, copied: row.get(2)? })
    })
}
