//! The meaning of a failure of SQLite or of a thread for a caller of the store.

use std::fmt::Display;

use rusqlite::ErrorCode;

use crate::backend::StoreError;

/// Reports whether the file was read and is damaged, as opposed to not being readable.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

/// Reports whether the disk was full.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

pub(super) fn unavailable(reason: impl Display) -> StoreError {
    StoreError::Unavailable(reason.to_string())
}

pub(super) fn thread_ended() -> StoreError {
    StoreError::Unavailable("its thread has ended".into())
}

/// Returns the error of a store that cannot unseal its metadata.
pub(super) fn corrupt_metadata() -> StoreError {
    StoreError::Corrupt("the store itself".into())
}

/// The word in the place of a name, for requests about all records.
pub(super) const EVERYBODY: &str = "everybody";
