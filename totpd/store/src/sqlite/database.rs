//! The file for the thread that writes: its connections, and what happens to them when the disk
//! fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use crate::mutex::lock;
use crate::sqlite::active_keys::ActiveKeys;
use crate::sqlite::checkpoint::decision::{Consequence, LogPages, Next, consequence, next};
use crate::sqlite::checkpoint::runner::CheckpointRunner;
use crate::sqlite::connection::{self, WriteConnection};
use crate::sqlite::failure::{WorkError, is_full};
use crate::sqlite::layout::wal_path;
use crate::sqlite::mark_rows;
use crate::sqlite::marker::{Decision, MarkRow, Marker};
use crate::sqlite::rows::RowError;

/// The connection of the reader. The writer closes it when it no longer trusts the file.
pub(super) type ReaderSlot = Arc<Mutex<Option<Connection>>>;

/// The file, and the connections to it.
pub(super) struct Database {
    file: PathBuf,
    /// The connection; `None` after the disk has failed. The kernel's copy of the file may then
    /// differ from the disk. Therefore the store opens and reads the file again.
    connection: Option<WriteConnection>,
    reader: ReaderSlot,
    marker: Arc<Marker>,
    keys: ActiveKeys,
    /// The lock on the directory: one daemon per store.
    _lock: File,
}

impl Database {
    pub(super) fn new(
        file: PathBuf,
        connection: WriteConnection,
        reader: ReaderSlot,
        (marker, keys): (Arc<Marker>, ActiveKeys),
        lock: File,
    ) -> Self {
        Self { file, connection: Some(connection), reader, marker, keys, _lock: lock }
    }

    pub(super) fn marker(&self) -> &Arc<Marker> {
        &self.marker
    }

    pub(super) fn keys(&self) -> &ActiveKeys {
        &self.keys
    }

    /// Returns the connection. It is opened again if the last one was discarded, or its log could
    /// not be flushed.
    pub(super) fn connection(&mut self) -> rusqlite::Result<&WriteConnection> {
        self.discard_after_failed_flush();
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => WriteConnection::open_and_recover(&self.file)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Reports whether the thread for it has to run a checkpoint. If the log would outgrow its
    /// reserve, the checkpoint runs here. The writer calls this after it handed its changes to the
    /// thread that flushes. They do not wait for it.
    pub(super) fn wants_checkpoint(&mut self) -> bool {
        let Ok(connection) = self.connection() else { return false };
        let limits = connection.log().limits();
        match connection.log_pages().map(|pages| next(pages, limits)) {
            // The next commit restarts it.
            Ok(Next::Nothing | Next::Restart) => false,
            Ok(Next::Checkpoint) => true,
            Ok(Next::CheckpointAlone) => {
                let runner = Arc::clone(connection.checkpoint_runner());
                // Waits for a checkpoint that is under way.
                let result = runner.begin().run();
                self.checkpoint_ended(&runner, result);
                false
            }
            Err(error) => {
                self.checkpoint_failed(&error);
                false
            }
        }
    }

    /// `runner` has run a checkpoint, or failed. A log that is all copied restarts.
    pub(super) fn checkpoint_ended(
        &mut self,
        runner: &Arc<CheckpointRunner>,
        result: rusqlite::Result<LogPages>,
    ) {
        // After a failed flush, another connection may have taken the place of the one whose log
        // this was.
        let is_same =
            |connection: &&WriteConnection| Arc::ptr_eq(connection.checkpoint_runner(), runner);
        let Some(connection) = self.connection.as_ref().filter(is_same) else { return };
        if connection.log().has_failed() {
            return self.discard_connections();
        }
        let limits = connection.log().limits();
        let restart = |_| match next(connection.log_pages()?, limits) {
            Next::Restart => connection.restart_log(),
            // Another commit came, or the log restarted by one.
            Next::Nothing | Next::Checkpoint | Next::CheckpointAlone => Ok(()),
        };
        if let Err(error) = result.and_then(restart) {
            self.checkpoint_failed(&error);
        }
    }

    /// A checkpoint, the look before it or the restart after it has failed. If the checkpoint has
    /// run, it has failed the log.
    fn checkpoint_failed(&mut self, error: &rusqlite::Error) {
        match consequence(error, false) {
            Consequence::Close => self.close_connections(),
            Consequence::Discard => self.discard_connections(),
            Consequence::Keep => {}
        }
    }

    /// Waits until no checkpoint is under way. None begins before the lock on this is released.
    pub(super) fn wait_for_checkpoint(&self) {
        if let Some(connection) = &self.connection {
            connection.checkpoint_runner().wait();
        }
    }

    /// Closes all connections after work on the whole store has failed. Changes of others may wait
    /// for their flush. It decides about them, unless SQLite failed on the log that they are in.
    pub(super) fn close_after_work(&mut self, error: &WorkError) {
        match error {
            WorkError::Present(error) => self.close_after(error),
            WorkError::Other(_) => self.close_connections(),
        }
    }

    /// Closes all connections after SQLite has failed on the file. A full disk says nothing about
    /// the changes before, so their flush decides.
    pub(super) fn close_after(&mut self, error: &rusqlite::Error) {
        match is_full(error) {
            true => self.close_connections(),
            false => self.discard_connections(),
        }
    }

    /// Closes all connections and drops the kernel's copy of the files. That copy may differ from
    /// the disk after a failed flush. No change that waits for a flush succeeds any more.
    fn discard_connections(&mut self) {
        if let Some(connection) = &self.connection {
            connection.log().fail();
            // While the connection still shows what may be lost, this makes it void.
            self.marker.flush_failed();
        }
        self.with_closed(|_| {});
    }

    /// Closes all connections as [`Database::discard_connections`] does. The flush of the changes
    /// that wait decides about them. What leans has no one who waits, so it is flushed here. So is
    /// the row of a mark: what its own flush says later is about the log that was closed.
    fn close_connections(&mut self) {
        if let (Some(connection), Some(end)) = (&self.connection, self.marker.unflushed_end()) {
            match connection.flush() {
                Ok(()) => self.marker.flushed(end),
                Err(_) => self.marker.flush_failed(),
            }
        }
        self.with_closed(|_| {});
    }

    /// Ends the mark, if there is one, before something else takes the place of the file. This is
    /// on disk when it returns.
    pub(super) fn end_mark(&mut self) -> Result<(), WorkError> {
        let (marker, keys) = (Arc::clone(&self.marker), self.keys.get());
        let connection = self.connection()?;
        if !marker.is_open() {
            return Ok(());
        }
        marker.stop();
        let end = || -> Result<Decision, RowError> {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            // A failed flush may have left a window that is not on disk yet.
            mark_rows::end_mark(connection, &keys.current, &marker.windows())?;
            let decision = marker.decide(Vec::new());
            connection.execute_batch("COMMIT")?;
            Ok(decision)
        };
        let decision = end().map_err(|error| match error {
            RowError::Database(error) => WorkError::Present(error),
            RowError::Record(error) => WorkError::Other(error.to_string()),
        })?;
        let position = decision.position;
        marker.committed(decision, MarkRow::Removed);
        connection.flush()?;
        marker.flushed(position);
        Ok(())
    }

    /// Discards the connections if the log could not be flushed.
    pub(super) fn discard_after_failed_flush(&mut self) {
        if self.connection.as_ref().is_some_and(|connection| connection.log().has_failed()) {
            self.discard_connections();
        }
    }

    /// Checkpoints all of the log. Reports whether something is left in it.
    pub(super) fn checkpoint_all(&mut self) -> rusqlite::Result<bool> {
        *lock(&self.reader) = None;
        connection::checkpoint_all(self.connection()?)
    }

    /// Runs `work` while nobody has the file open.
    pub(super) fn with_closed<T>(&mut self, work: impl FnOnce(&Path) -> T) -> T {
        // Nobody who reads waits for it.
        self.wait_for_checkpoint();
        let mut reader = lock(&self.reader);
        *reader = None;
        self.connection = None;
        connection::drop_page_cache(&self.file);
        connection::drop_page_cache(&wal_path(&self.file));
        let result = work(&self.file);
        drop(reader);
        result
    }
}
