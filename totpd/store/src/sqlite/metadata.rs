//! The knowledge of the store about itself: the ids of its keys, and secrets sealed under them.

use postcard::{from_bytes, to_stdvec};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use totpd_core::restoration::ReplayFloor;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::backup::History;
use crate::master_key::KeyId;
use crate::sealer::{SealError, Sealer};
use crate::sqlite::failure::unavailable;
use crate::sqlite::rows::RowError;

/// The role of a key that the store names.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyRole {
    /// The store is sealed under it. During a rekey it still seals some of the records.
    Current,
    /// The store is being re-sealed under it.
    Next,
    /// The store was sealed under it, and it is not erased yet.
    Old,
}

/// The secrets of a store about itself. Nobody else may read or change them.
#[derive(Clone, Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Secrets {
    /// Puts names that nobody has into buckets.
    pub(super) buckets: [u8; 32],
    /// The replay floor. No code from before it is accepted.
    #[zeroize(skip)]
    pub(super) floor: Option<ReplayFloor>,
    /// The backups of this store.
    #[zeroize(skip)]
    pub(super) history: History,
}

/// The secrets up to format 4 of the store, which kept no history of backups. They are read and not
/// written.
#[derive(Deserialize)]
struct Secrets2 {
    buckets: [u8; 32],
    floor: Option<ReplayFloor>,
}

impl From<Secrets2> for Secrets {
    fn from(old: Secrets2) -> Self {
        Self { buckets: old.buckets, floor: old.floor, history: History::default() }
    }
}

impl KeyRole {
    fn name(self) -> &'static str {
        match self {
            Self::Current => "key",
            Self::Next => "next key",
            Self::Old => "old key",
        }
    }
}

/// Reads the id of the key in this role.
pub(super) fn key_id(connection: &Connection, role: KeyRole) -> rusqlite::Result<Option<KeyId>> {
    let id = read_value(connection, role.name())?;
    Ok(id.map(|id| KeyId::from_text(&String::from_utf8_lossy(&id))))
}

/// Names the key in this role, or no key.
pub(super) fn set_key_id(
    connection: &Connection,
    role: KeyRole,
    id: Option<&KeyId>,
) -> rusqlite::Result<()> {
    match id {
        Some(id) => write_value(connection, role.name(), id.as_str().as_bytes()),
        None => delete_value(connection, role.name()),
    }
}

/// Reads and unseals the secrets; nothing if the key does not fit.
pub(super) fn secrets(
    connection: &Connection,
    sealer: &Sealer,
) -> rusqlite::Result<Option<Secrets>> {
    Ok(sealed_secrets(connection)?.and_then(|sealed| unseal_secrets(&sealed, sealer)))
}

/// Reads the secrets as they are on disk.
pub(super) fn sealed_secrets(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    read_value(connection, SECRETS)
}

/// Unseals the secrets; nothing if the key does not fit.
pub(super) fn unseal_secrets(sealed: &[u8], sealer: &Sealer) -> Option<Secrets> {
    // The associated data names the format, as that of a record does.
    if let Ok(plain) = sealer.unseal(sealed, SECRETS_AAD) {
        return from_bytes(&plain).ok();
    }
    let plain = sealer.unseal(sealed, SECRETS_AAD_2).ok()?;
    Some(from_bytes::<Secrets2>(&plain).ok()?.into())
}

/// Seals the secrets.
///
/// # Errors
/// [`SealError`] if getrandom fails.
pub(super) fn seal_secrets(sealer: &Sealer, secrets: &Secrets) -> Result<Vec<u8>, SealError> {
    let plain = Zeroizing::new(to_stdvec(secrets).map_err(|_| SealError::Encode)?);
    sealer.seal(&plain, SECRETS_AAD)
}

/// Writes secrets that are sealed.
pub(super) fn set_sealed_secrets(connection: &Connection, sealed: &[u8]) -> rusqlite::Result<()> {
    write_value(connection, SECRETS, sealed)
}

/// Seals and writes the secrets.
pub(super) fn set_secrets(
    connection: &Connection,
    sealer: &Sealer,
    secrets: &Secrets,
) -> Result<(), RowError> {
    let sealed = seal_secrets(sealer, secrets).map_err(unavailable)?;
    Ok(set_sealed_secrets(connection, &sealed)?)
}

pub(super) fn read_value(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
}

pub(super) fn delete_value(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM meta WHERE name = ?1", [name]).map(drop)
}

pub(super) fn write_value(
    connection: &Connection,
    name: &str,
    value: &[u8],
) -> rusqlite::Result<()> {
    connection
        .execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![name, value])
        .map(drop)
}

const SECRETS: &str = "secrets";
const SECRETS_AAD: &[u8] = b"totpd secrets 3";
const SECRETS_AAD_2: &[u8] = b"totpd secrets 2";
