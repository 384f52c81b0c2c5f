//! A backup: all users with their seeds, in one file that the standard `age` tool opens
//! (<https://age-encryption.org/v1>).
//!
//! Backups do not know a store. The store takes its signing key and its [`History`] from here. Of
//! the boundary, backups use only [`crate::StoreError`], as a reason why a backup ends.

pub use age::secrecy::SecretString;
pub use age::x25519;

mod error;
mod format;
mod history;
mod parts;
mod reader;
mod secret;
mod signature;
#[cfg(test)]
mod tests;
mod trust;
mod writer;

pub use error::BackupError;
pub use format::Head;
pub use history::History;
pub use reader::Reader;
pub use secret::{Opener, Recipients};
pub use signature::{Fingerprint, PublicKey, SigningKey};
pub use trust::{OpenedBy, Signer, Trust, Untrusted, may_be_restored};
pub use writer::Writer;
