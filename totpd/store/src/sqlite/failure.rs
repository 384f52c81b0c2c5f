//! The meaning of a failure of SQLite or of a thread for a caller of the store.

use std::fmt::{self, Display};

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

/// The reason why work on the whole store has failed.
pub(super) enum WorkError {
    /// SQLite, on the present file.
    Present(rusqlite::Error),
    /// Something else, such as another file. It says nothing about the present one.
    Other(String),
}

impl From<rusqlite::Error> for WorkError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Present(error)
    }
}

impl From<String> for WorkError {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

impl Display for WorkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present(error) => error.fmt(f),
            Self::Other(reason) => reason.fmt(f),
        }
    }
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
