//! The connection that runs checkpoints.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::Connection;

use crate::mutex::lock;
use crate::sqlite::checkpoint::decision::{Consequence, LogPages, consequence};
use crate::sqlite::log::Wal;

/// The connection that runs the checkpoints of a log. The connection that writes the log owns it:
/// both are opened before anything is written, so the kernel reports lost writes to both.
pub(in crate::sqlite) struct CheckpointRunner {
    /// `None` once it is closed.
    connection: Mutex<Option<Connection>>,
    log: Arc<Wal>,
}

impl CheckpointRunner {
    /// `connection` has opened `log`, to which nothing was written yet.
    pub(in crate::sqlite) fn new(connection: Connection, log: Arc<Wal>) -> Self {
        Self { connection: Mutex::new(Some(connection)), log }
    }

    /// Waits until no checkpoint is under way. None begins while the database is locked.
    pub(in crate::sqlite) fn wait(&self) {
        drop(lock(&self.connection));
    }

    /// Closes the connection, after a checkpoint that is under way.
    pub(in crate::sqlite) fn close(&self) {
        *lock(&self.connection) = None;
    }

    /// Begins a checkpoint, after one that is under way. Only who has locked the database may call
    /// this. The checkpoint itself needs no lock on it.
    pub(in crate::sqlite) fn begin(&self) -> RunningCheckpoint<'_> {
        RunningCheckpoint { connection: lock(&self.connection), log: &self.log }
    }
}

/// A checkpoint that is under way. No other one can begin.
pub(in crate::sqlite) struct RunningCheckpoint<'a> {
    connection: MutexGuard<'a, Option<Connection>>,
    log: &'a Wal,
}

impl RunningCheckpoint<'_> {
    /// Copies what was committed before. SQLite flushes the log first, and the file behind it if no
    /// other commit came in between. Only then the log may restart.
    ///
    /// # Errors
    /// Those of SQLite. No change in this log is confirmed any more, unless the disk is full.
    pub(in crate::sqlite) fn run(self) -> rusqlite::Result<LogPages> {
        let Some(connection) = self.connection.deref() else {
            return Ok(LogPages { all: 0, copied: 0 });
        };
        #[cfg(test)]
        self.log.before_checkpoint();
        let result = checkpoint(connection, "PASSIVE");
        if let Err(error) = &result
            && consequence(error, true) == Consequence::Discard
        {
            self.log.fail();
        }
        result
    }
}

/// Checkpoints the log in this mode, and returns what is in it.
pub(in crate::sqlite) fn checkpoint(
    connection: &Connection,
    mode: &str,
) -> rusqlite::Result<LogPages> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(LogPages { all: row.get(1)?, copied: row.get(2)? })
    })
}
