//! The write-ahead log, as what flushes it sees it: a descriptor beside the one of SQLite.
//!
//! SQLite commits without a flush (`synchronous=NORMAL`). A commit is on disk when a flush that
//! began after it has returned. docs/decisions/0030 has the argument.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::OFlag;

use crate::fsync::sync_parent;
use crate::mutex::lock;
use crate::sqlite::layout::wal_path;
use crate::sqlite::log_sizes::Limits;

#[cfg(test)]
pub(super) mod trouble;

/// The log of one connection. It is of no use after its first failure: the kernel reports a lost
/// write once, and a later flush would succeed without it.
pub(super) struct Wal {
    file: File,
    /// Held during a flush. The kernel reports a lost write to one of the flushes of this
    /// descriptor that wait for it, and the others succeed.
    flushing: Mutex<()>,
    has_failed: AtomicBool,
    #[cfg(test)]
    trouble: trouble::Trouble,
}

impl Wal {
    /// Opens the log of the database `file`. SQLite has created the log, and nothing was written
    /// yet: the kernel reports lost writes to descriptors that were open then.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn open(file: &Path) -> io::Result<Self> {
        let path = wal_path(file);
        let mut options = OpenOptions::new();
        let log =
            options.read(true).write(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(&path)?;
        // A power cut must not remove the name of a new log.
        sync_parent(&path)?;
        Ok(Self {
            file: log,
            flushing: Mutex::new(()),
            has_failed: AtomicBool::new(false),
            #[cfg(test)]
            trouble: trouble::Trouble::beside(file),
        })
    }

    /// Flushes everything that was written before. No lock on the database is needed, and others
    /// may write.
    ///
    /// # Errors
    /// Those of the disk, and every time after [`Wal::fail`].
    pub(super) fn flush(&self) -> io::Result<()> {
        let _one_at_a_time = lock(&self.flushing);
        if !self.has_failed() {
            self.sync().inspect_err(|_| self.fail())?;
        }
        // SQLite may have failed during the flush, which then proves nothing.
        match self.has_failed() {
            true => Err(io::Error::other("an earlier write or flush of it has failed")),
            false => Ok(()),
        }
    }

    /// Makes every later flush fail, and those that have not returned.
    pub(super) fn fail(&self) {
        self.has_failed.store(true, Ordering::Release);
    }

    /// Reports whether a flush has failed, or SQLite on the same file.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Returns when a checkpoint of this log begins.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "a test has other limits")]
    pub(super) fn limits(&self) -> Limits {
        Limits::OF_RESERVE
    }

    #[cfg(test)]
    pub(super) fn limits(&self) -> Limits {
        self.trouble.limits()
    }

    /// Has a checkpoint of this log begin.
    #[cfg(test)]
    pub(super) fn before_checkpoint(&self) {
        self.trouble.before_checkpoint();
    }

    #[cfg(not(test))]
    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    #[cfg(test)]
    fn sync(&self) -> io::Result<()> {
        self.trouble.sync(&self.file)
    }
}

/// Returns the sentence for a flush that failed.
pub(super) fn flush_failure(error: &io::Error) -> String {
    format!("cannot flush store.db-wal: {error}; look for errors of the disk in \"journalctl -k\"")
}
