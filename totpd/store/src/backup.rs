//! A backup: all users with their seeds, in one file that the standard `age` tool opens
//! (<https://age-encryption.org/v1>).
//!
//! Inside is a line that names the format, then frames: a length (u32, little endian) and so many
//! bytes in postcard. The first frame is the [`Head`], the others are users; a frame of length 0
//! and the number of users (u64) follow. Then comes the signature: the public key (32 bytes) and 64
//! bytes of Ed25519 over a SHA-512 of all before it. Formats 1 to 3 end without a signature.

use std::io;

pub use age::secrecy::SecretString;
pub use age::x25519;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::record_format::{Record1, Record2, Record3};

mod history;
mod reader;
mod signature;
mod trust;
mod writer;

pub use history::History;
pub use reader::Reader;
pub use signature::{Fingerprint, PublicKey, SigningKey};
pub use trust::{OpenedBy, Signer, Trust, Untrusted, may_be_restored};
pub use writer::Writer;

/// Where and when a backup was made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Head {
    /// When, in seconds since 1970.
    pub created: u64,
    /// The name of the host.
    pub host: String,
    /// The version of totpd.
    pub version: String,
}

/// Whom a backup is for.
pub enum Recipients {
    /// Whoever knows the passphrase.
    Passphrase(SecretString),
    /// Whoever holds one of the identities (`age-keygen`) to these recipients.
    Keys(Vec<x25519::Recipient>),
}

/// What opens a backup.
pub enum Opener {
    /// The passphrase.
    Passphrase(SecretString),
    /// Identities (`AGE-SECRET-KEY-1…`).
    Identities(Vec<x25519::Identity>),
}

/// Why a backup cannot be made or used.
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

/// A user in a backup of format 1, which is read and not written any more.
#[derive(Deserialize)]
struct User1 {
    name: String,
    uid: u32,
    record: Record1,
}

/// A user in a backup of format 2, likewise.
#[derive(Deserialize)]
struct User2 {
    name: String,
    uid: u32,
    record: Record2,
}

/// A user in a backup of format 3 or 4, which differ in the signature alone.
#[derive(Deserialize, Serialize)]
struct User3 {
    name: String,
    uid: u32,
    record: Record3,
}

impl Opener {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> OpenedBy {
        match self {
            Self::Passphrase(_) => OpenedBy::Passphrase,
            Self::Identities(_) => OpenedBy::Identity,
        }
    }
}

impl From<User1> for User2 {
    fn from(old: User1) -> Self {
        Self { name: old.name, uid: old.uid, record: old.record.into() }
    }
}

impl From<User2> for User3 {
    fn from(old: User2) -> Self {
        Self { name: old.name, uid: old.uid, record: old.record.into() }
    }
}

const AGE_HEADER: &[u8] = b"age-encryption.org/v1\n";
/// Room for a hundred recipients and more.
const MAX_HEADER_BYTES: u64 = 64 << 10;
const FIRST_LINE: &str = "totpd backup ";
/// The format of what is inside.
const FORMAT: u32 = 4;
/// 2^18: that of the `age` tool, a second or so and 256 MiB.
const WORK_FACTOR: u8 = 18;
/// A user has a few factors of a hundred bytes and a few known sources.
const MAX_FRAME_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
