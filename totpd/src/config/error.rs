//! The reason why the configuration cannot be used.

use std::io;
use std::path::PathBuf;

/// The reason why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown, or its value is invalid.
    #[error("{path}:{line}: {message}")]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The fault, with the key that has it.
        message: String,
    },
    /// A user other than the trusted owner could have written a file.
    #[error(
        "cannot trust {path}: it is owned by uid {uid} and has mode {mode:04o}. Run \
         chown root {path}, and chmod go-w {path}"
    )]
    Writable {
        /// The file or folder.
        path: PathBuf,
        /// The owner of the file or folder.
        uid: u32,
        /// The mode of the file or folder.
        mode: u32,
    },
    /// A link leads through what a user other than the trusted owner could have written.
    #[error(
        "cannot trust {path}: the link leads through {through}, which is owned by uid {uid} and has \
         mode {mode:04o}. Put the file itself there"
    )]
    Linked {
        /// The file or folder.
        path: PathBuf,
        /// What is not to be trusted.
        through: PathBuf,
        /// Its owner.
        uid: u32,
        /// Its mode.
        mode: u32,
    },
    /// The files are too large together.
    #[error("cannot read {path}: with it, the configuration has more than {mib} MiB")]
    TooLarge {
        /// The file that is one too many.
        path: PathBuf,
        /// The mebibytes that all of them may have.
        mib: u64,
    },
    /// A file exists and cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The reason of the failure.
        source: io::Error,
    },
    /// Two keys contradict each other.
    #[error("{places}: {message}")]
    Contradiction {
        /// The files and lines that set the keys. A default has none.
        places: String,
        /// The fault, with both keys.
        message: String,
    },
}
