//! A disk that flushes as a test wants it: by files in the directory of the store.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::sqlite::log_sizes::Limits;

mod durable;

pub(in crate::sqlite) use durable::Durable;

/// The files that say what becomes of a flush.
pub(super) struct Trouble {
    directory: PathBuf,
}

impl Trouble {
    pub(super) fn beside(file: &Path) -> Self {
        Self { directory: file.with_file_name("") }
    }

    /// Returns the limits of the log: low ones where there is `test-small-log`.
    pub(super) fn limits(&self) -> Limits {
        match self.directory.join("test-small-log").exists() {
            true => Limits { checkpoint_at: 4, stop_at: 12 },
            false => Limits::OF_RESERVE,
        }
    }

    /// Holds a checkpoint up as long as there is `test-stalled-checkpoint`.
    pub(super) fn before_checkpoint(&self) {
        while self.directory.join("test-stalled-checkpoint").exists() {
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Flushes `file`, unless a file says otherwise:
    ///
    /// - `test-no-flush` leaves the flush out: the campaign of crashes must find the loss,
    /// - `test-stalled-flush` holds it up as long as it exists,
    /// - `test-failed-flush` makes it fail,
    /// - `test-lost-write` makes one flush fail, as the kernel reports a lost write once,
    /// - `test-durable` gets what is on disk ([`Durable`]), which a lost write goes back to,
    /// - `test-flushes` gets one byte for each flush.
    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        let exists = |name| self.directory.join(name).exists();
        let durable = Durable::remembered(&self.directory);
        let next = durable.as_ref().map(|_| Durable::read(&self.directory)).transpose()?;
        if let Ok(mut count) =
            OpenOptions::new().append(true).open(self.directory.join("test-flushes"))
        {
            count.write_all(b".")?;
        }
        while exists("test-stalled-flush") {
            thread::park_timeout(Duration::from_millis(1));
        }
        if std::fs::remove_file(self.directory.join("test-lost-write")).is_ok() {
            durable.iter().try_for_each(|durable| durable.put(&self.directory))?;
            // Others that wait for the same writes have their result at this moment, too.
            thread::park_timeout(Duration::from_millis(5));
            return Err(io::Error::other("the test loses a write"));
        }
        match (exists("test-failed-flush"), exists("test-no-flush")) {
            (true, _) => Err(io::Error::other("the test fails it")),
            (false, true) => Ok(()),
            (false, false) => file.sync_data(),
        }?;
        next.iter().try_for_each(|next| next.remember(&self.directory))
    }
}
