//! The reasons why a key cannot be used: a sentence that says what to do.

use std::io;
use std::path::PathBuf;

/// The reason why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be opened, read or created.
    #[error("cannot {verb} the sealing key {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The action that failed.
        verb: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The file is not a regular file that only its owner can read.
    #[error(
        "the sealing key {path} must be a regular file of uid {owner} with mode 0600: found uid {uid}, \
         mode {mode:06o}. Run chown {owner} {path}, and chmod 600 {path}"
    )]
    InsecurePermissions {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// The owner that it must have.
        owner: u32,
        /// Its type and mode.
        mode: u32,
    },
    /// The file does not hold a key.
    #[error("the sealing key {path} has {found} bytes instead of 32; restore the file from a copy")]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: usize,
    },
    /// No key can be created.
    #[error("getrandom failed: {0}")]
    Random(getrandom::Error),
}
