//! The protection of a backup: a passphrase, or keys of age.

use age::secrecy::SecretString;
use age::x25519;

use crate::backup::trust::OpenedBy;

/// The people who can open a backup.
pub enum Recipients {
    /// Anybody who knows the passphrase.
    Passphrase(SecretString),
    /// The holders of an identity (`age-keygen`) of these recipients.
    Keys(Vec<x25519::Recipient>),
}

/// The secret that opens a backup.
pub enum Opener {
    /// The passphrase.
    Passphrase(SecretString),
    /// Identities (`AGE-SECRET-KEY-1…`).
    Identities(Vec<x25519::Identity>),
}

impl Opener {
    /// Returns its kind.
    #[must_use]
    pub fn kind(&self) -> OpenedBy {
        match self {
            Self::Passphrase(_) => OpenedBy::Passphrase,
            Self::Identities(_) => OpenedBy::Identity,
        }
    }
}

/// The first line of a file of age.
pub(super) const AGE_HEADER: &[u8] = b"age-encryption.org/v1\n";
/// More than a hundred recipients fit.
pub(super) const MAX_HEADER_BYTES: u64 = 64 << 10;
/// 2^18, as the `age` tool: about a second and 256 MiB.
pub(super) const WORK_FACTOR: u8 = 18;
