//! Copying the log into the file, so that the log can begin again. A thread does it, on a connection
//! of its own. Others commit meanwhile: no login waits for the flushes of a copy.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::mutex::lock;
use crate::sqlite::connection;
use crate::sqlite::database::Database;
use crate::sqlite::failure::is_full;
use crate::sqlite::log::Wal;
use crate::sqlite::queue::AbortOnPanic;

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
    /// Opens the connection. `log` was created, and nothing was written to it yet.
    pub(super) fn open(file: &Path, log: Arc<Wal>) -> rusqlite::Result<Self> {
        Ok(Self { connection: Mutex::new(Some(connection::open(file)?)), log })
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
    /// other commit came meanwhile. Only then the log may begin again.
    ///
    /// # Errors
    /// Those of SQLite. No change in this log is confirmed any more, unless the disk is full.
    pub(super) fn run(self) -> rusqlite::Result<LogPages> {
        let Some(connection) = self.connection.deref() else {
            return Ok(LogPages { all: 0, copied: 0 });
        };
        #[cfg(test)]
        self.log.before_copy();
        let result = connection::pages(connection, "PASSIVE");
        if result.as_ref().is_err_and(|error| !is_full(error)) {
            self.log.fail();
        }
        result
    }
}

/// Has the thread copy the log.
#[derive(Default)]
pub(super) struct Checkpointer {
    state: Mutex<State>,
    has_work: Condvar,
}

#[derive(Default)]
struct State {
    is_requested: bool,
    is_closed: bool,
}

impl Checkpointer {
    /// Has the thread copy the log. Nobody waits for it.
    pub(super) fn request(&self) {
        lock(&self.state).is_requested = true;
        self.has_work.notify_one();
    }

    /// Ends the thread. No request may come any more.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.has_work.notify_one();
    }

    /// Copies until [`Checkpointer::close`]. This is the work of the thread.
    pub(super) fn run(&self, database: &Mutex<Database>) {
        let _guard = AbortOnPanic;
        while self.wait_for_request() {
            copy(database);
        }
    }

    fn wait_for_request(&self) -> bool {
        let mut state = lock(&self.state);
        while !state.is_requested && !state.is_closed {
            state = self.has_work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_requested = false;
        !state.is_closed
    }
}

/// Copies the log without a lock on the database, and has it begin again if all is copied.
fn copy(database: &Mutex<Database>) {
    let mut locked = lock(database);
    let Ok(connection) = locked.connection() else { return };
    let copier = Arc::clone(connection.copier());
    let copy = copier.begin();
    drop(locked);
    let result = copy.run();
    lock(database).copied(&copier, result);
}
