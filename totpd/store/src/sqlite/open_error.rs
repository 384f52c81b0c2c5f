//! The reasons why a store cannot be opened: a sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use rusqlite::ErrorCode;

use crate::master_key::KeyError;
use crate::sealer::SealError;

/// The reason why the store cannot be opened. The daemon does not start then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another daemon has the store open.
    #[error("{0} is in use by another process; is a second totpd running?")]
    InUse(PathBuf),
    /// A directory or file that belongs to another user, or that others may enter.
    #[error(
        "{path} must belong to uid {owner} with mode {wanted:04o}: it is owned by uid {uid} and has \
         mode {mode:04o}. Run chown {owner} {path}, and chmod {wanted:o} {path}"
    )]
    InsecurePermissions {
        /// The directory or file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// The owner that it must have.
        owner: u32,
        /// Its mode.
        mode: u32,
        /// The mode that it must have.
        wanted: u32,
    },
    /// The directory or file cannot be created or examined.
    #[error("cannot open {path}: {source}")]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key cannot be read or created.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The system was rolled back to a snapshot of Btrfs, which has no store.
    #[error(
        "{0} is only the place of a Btrfs subvolume that a snapshot left out: the system was rolled back. \
         Move that subvolume here, or remove the empty folder and restore a backup (docs/admin/store.md, \
         \"Btrfs\")"
    )]
    LeftOut(PathBuf),
    /// The file was written by a later version.
    #[error(
        "{path} has format {found}; this version of totpd knows formats up to {known}; update totpd"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format that is known.
        known: i64,
    },
    /// The file is something else.
    #[error("{path} is not a store of totpd: {reason}; move it away, or restore a backup")]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// The evidence.
        reason: String,
    },
    /// No secret can be created or sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A thread of the store cannot be started.
    #[error("cannot start a thread of the store: {0}")]
    Thread(io::Error),
    /// The disk fails.
    #[error("cannot open {path}: {reason}")]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key is missing, or differs from the one that the records are sealed under.
    #[error(
        "cannot unseal {store}: the key {wanted} is missing (found: {found}). Restore that key \
         (store.key beside the store, or the credential totpd.key). Or move the store away and \
         restore a backup"
    )]
    WrongKey {
        /// The store's file.
        store: PathBuf,
        /// The id of the key that is needed.
        wanted: String,
        /// The keys that were found.
        found: String,
    },
}

impl OpenError {
    /// Reports whether the error may end without an administrator: a disk in trouble may recover.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Io { source, .. } | Self::Key(KeyError::Io { source, .. }) => {
                is_disk_failure(source)
            }
            _ => false,
        }
    }

    /// Converts an error of SQLite for the person who starts the daemon.
    pub(super) fn from_sqlite(file: &Path, error: &rusqlite::Error) -> Self {
        let path = file.to_path_buf();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::NotAStore { path, reason: error.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse(path),
            _ => Self::Unavailable { path, reason: error.to_string() },
        }
    }
}

fn is_disk_failure(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), QuotaExceeded | ReadOnlyFilesystem | StorageFull)
        || error.raw_os_error() == Some(Errno::EIO as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_failures_are_transient_and_others_are_not() {
        let io = |errno: Errno| OpenError::Io {
            path: "/x".into(),
            source: io::Error::from_raw_os_error(errno as i32),
        };
        for errno in [Errno::EROFS, Errno::EIO, Errno::ENOSPC, Errno::EDQUOT] {
            assert!(io(errno).is_transient(), "{errno}");
        }
        for errno in [Errno::EACCES, Errno::ENOENT, Errno::ENOTDIR, Errno::ELOOP] {
            assert!(!io(errno).is_transient(), "{errno}");
        }
        assert!(!OpenError::InUse("/x".into()).is_transient());
        assert!(!OpenError::Newer { path: "/x".into(), found: 3, known: 2 }.is_transient());
    }
}
