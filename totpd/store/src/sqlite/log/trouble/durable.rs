//! What a power cut leaves of a store: the database and its log, as the last flush found them.

use std::fs;
use std::io;
use std::path::Path;

/// Both files at one moment.
pub(in crate::sqlite) struct Durable {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Durable {
    /// Reads both files of this directory, also while others write them.
    ///
    /// The log is read after the database: it still has what a checkpoint copies in between. If the
    /// log restarts in between, that is not so.
    pub(in crate::sqlite) fn read(directory: &Path) -> io::Result<Self> {
        loop {
            let before = fs::read(directory.join(LOG))?;
            let database = fs::read(directory.join(DATABASE))?;
            let log = fs::read(directory.join(LOG))?;
            if before.get(..HEADER_BYTES) == log.get(..HEADER_BYTES) {
                return Ok(Self { database, log });
            }
        }
    }

    /// Has this directory hold these files, and nothing that was written since.
    pub(in crate::sqlite) fn put(&self, directory: &Path) -> io::Result<()> {
        fs::write(directory.join(DATABASE), &self.database)?;
        fs::write(directory.join(LOG), &self.log)
    }

    /// Remembers these files in this directory, in one piece.
    pub(in crate::sqlite) fn remember(&self, directory: &Path) -> io::Result<()> {
        let length = (self.database.len() as u64).to_le_bytes();
        let next = directory.join("test-durable.next");
        fs::write(&next, [&length[..], &self.database, &self.log].concat())?;
        fs::rename(next, directory.join(REMEMBERED))
    }

    /// Returns the files that are remembered in this directory, if any are.
    pub(in crate::sqlite) fn remembered(directory: &Path) -> Option<Self> {
        let bytes = fs::read(directory.join(REMEMBERED)).ok()?;
        let (length, files) = bytes.split_first_chunk()?;
        let (database, log) = files.split_at(usize::try_from(u64::from_le_bytes(*length)).ok()?);
        Some(Self { database: database.to_vec(), log: log.to_vec() })
    }
}

const DATABASE: &str = "store.db";
const LOG: &str = "store.db-wal";
const REMEMBERED: &str = "test-durable";
/// The header of the log, which changes when the log restarts.
const HEADER_BYTES: usize = 32;
