//! The files in the store's directory: their names, creating and removing them.
//!
//! | file | content |
//! |---|---|
//! | `store.db`, `store.db-wal` | the database and its log |
//! | `store.db.new` and its logs | a restore that is not finished |
//! | `store.db.old` | the database that a restore replaced, until the new one was opened |
//! | `store.db.format-N` | the copy from before a migration from format N |
//! | `store.key` | the key |
//! | `store.key.next` | the key that records are being re-sealed under |

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::fsync::{remove, sync_parent};

/// The directory of the store of this host.
pub const DIRECTORY: &str = "/var/lib/totpd";
/// The key's file beside the store.
pub(super) const KEY_FILE: &str = "store.key";
/// The file of the key that the store is being re-sealed under.
pub(super) const NEXT_KEY_FILE: &str = "store.key.next";

/// The paths in one directory.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    directory: PathBuf,
}

impl Layout {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn store(&self) -> PathBuf {
        self.directory.join("store.db")
    }

    pub(super) fn new_store(&self) -> PathBuf {
        self.directory.join("store.db.new")
    }

    pub(super) fn old_store(&self) -> PathBuf {
        self.directory.join("store.db.old")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.directory.join(KEY_FILE)
    }

    pub(super) fn next_key(&self) -> PathBuf {
        self.directory.join(NEXT_KEY_FILE)
    }

    /// Returns the path of the copy from before a migration from `format`.
    pub(super) fn format_copy(&self, format: i64) -> PathBuf {
        self.directory.join(format!("store.db.format-{format}"))
    }

    /// Removes what an interrupted restore left.
    pub(super) fn remove_new_store(&self) -> io::Result<()> {
        let new = self.new_store();
        remove(&new)?;
        for suffix in ["-wal", "-shm", "-journal"] {
            remove(&with_suffix(&new, suffix))?;
        }
        Ok(())
    }

    /// Removes the database that a restore replaced. The present one can be opened.
    pub(super) fn remove_old_store(&self) -> io::Result<()> {
        remove(&self.old_store())
    }
}

/// Returns the path of the log of `file`.
pub(super) fn wal_path(file: &Path) -> PathBuf {
    with_suffix(file, "-wal")
}

/// Creates an empty file that only its owner can read. The umask does not matter. SQLite gives its
/// other files the same mode.
pub(super) fn create_private(file: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

/// Creates an empty private file for a database. The file and its name are on disk when this
/// returns.
pub(super) fn create_store_file(file: &Path) -> io::Result<()> {
    create_private(file)?.sync_all()?;
    sync_parent(file)
}

pub(super) fn is_not_found(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
