//! The reasons why a backup cannot be written or used: a sentence that says what to do.

use std::io;

use crate::backend::StoreError;
use crate::backup::format::FORMAT;
use crate::backup::trust::Untrusted;

/// The reason why a backup cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another backup than the one that a dry run showed.
    #[error(
        "the backup is not the one that was shown: somebody changed the file in between; nothing \
         was restored"
    )]
    Changed,
    /// An incomplete or changed backup.
    #[error("the backup is damaged or cut short")]
    Damaged,
    /// A content that is not the signed one.
    #[error(
        "the signature of the backup does not fit what it holds: it was changed \
         afterwards; do not restore it"
    )]
    Forged,
    /// An identity is needed, and a passphrase was given.
    #[error("the backup was made for age recipients; say --identity FILE")]
    NeedsIdentity,
    /// A passphrase is needed, and an identity was given.
    #[error("the backup is protected by a passphrase, not by an identity")]
    NeedsPassphrase,
    /// A later version wrote it.
    #[error(
        "the backup has format {found}; this version of totpd knows formats up to {FORMAT}; update totpd"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// age opened it, and the content is no backup.
    #[error("this is a file of age, but not a backup of totpd")]
    NotABackup,
    /// A file of age in its text form, as mail carries it.
    #[error(
        "this is a file of age in its text form (ASCII armor); decrypt it with \"age -d\", encrypt the \
         result with \"age -r\" without -a, and restore that with --unsigned or its fingerprint"
    )]
    Armored,
    /// A file that is no file of age.
    #[error("this is not a backup: it is no file of age")]
    NotAge,
    /// The store has users.
    #[error("the store has users already; say --replace to replace it with the backup")]
    NotEmpty,
    /// A backup that cannot be read.
    #[error("cannot read the backup: {0}")]
    Source(io::Error),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A backup that cannot be written.
    #[error("cannot write the backup: {0}")]
    Target(io::Error),
    /// The passphrase is too expensive to try.
    #[error("the passphrase of the backup asks for more work than totpd does (2^{0})")]
    TooMuchWork(u8),
    /// No store that the caller trusts has signed it.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The passphrase or the identity does not fit.
    #[error("cannot open the backup: wrong passphrase or identity")]
    WrongSecret,
}
