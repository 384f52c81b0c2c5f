//! Why a backup cannot be written or used: a sentence that says what to do.

use std::io;

use crate::backend::StoreError;
use crate::backup::format::FORMAT;
use crate::backup::trust::Untrusted;

/// Why a backup cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is not the one that its reader was shown before.
    #[error(
        "the backup is not the one that was shown: somebody changed the file meanwhile; nothing was restored"
    )]
    Changed,
    /// It is not whole, or not as it was made.
    #[error("the backup is damaged or cut short")]
    Damaged,
    /// What it holds is not what was signed.
    #[error(
        "the signature of the backup does not fit what it holds: somebody changed it after it was \
         made; do not restore it"
    )]
    Forged,
    /// An identity is needed, and a passphrase was given.
    #[error("the backup was made for age recipients: say --identity FILE")]
    NeedsIdentity,
    /// A passphrase is needed, and an identity was given.
    #[error("the backup is protected by a passphrase, not by an identity")]
    NeedsPassphrase,
    /// A later version made it.
    #[error("the backup has format {found}; this version of totpd knows formats up to {FORMAT}")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// age opened it, and it is something else.
    #[error("this is a file of age, but not a backup of totpd")]
    NotABackup,
    /// It is no file of age.
    #[error("this is not a backup: age does not know it")]
    NotAge,
    /// The store has users.
    #[error("the store has users already: say --replace to put the backup in its place")]
    NotEmpty,
    /// It cannot be read.
    #[error("the backup cannot be read: {0}")]
    Source(io::Error),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be written.
    #[error("the backup cannot be written: {0}")]
    Target(io::Error),
    /// A passphrase that is too expensive to try.
    #[error("the backup asks for more work for its passphrase than totpd does (2^{0})")]
    TooMuchWork(u8),
    /// Nothing shows that it was made by a store that the caller trusts.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The passphrase or the identity does not fit.
    #[error("the backup cannot be opened: the passphrase or identity is another one")]
    WrongSecret,
}
