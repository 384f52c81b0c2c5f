//! What the store knows of itself: the ids of its keys, and secrets sealed under them.

use postcard::{from_bytes, to_stdvec};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::StoreError;
use crate::backup::History;
use crate::master_key::KeyId;
use crate::sealer::Sealer;
use crate::sqlite::rows::RowError;

/// A key that the store names.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyRole {
    /// What it is sealed under, or while it is re-sealed partly still.
    Current,
    /// What it is being re-sealed under.
    Next,
    /// What it was sealed under: not gone yet.
    Old,
}

/// What a store knows of itself that nobody else may read or change.
#[derive(Clone, Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Secrets {
    /// Puts names that nobody has into buckets.
    pub(super) buckets: [u8; 32],
    /// No code from before is good.
    #[zeroize(skip)]
    pub(super) floor: Option<ReplayFloor>,
    /// What it remembers of its backups.
    #[zeroize(skip)]
    pub(super) history: History,
}

/// The same up to format 4 of the store, which remembered no backups; read and not written.
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

/// A moment before which every code is taken for used: that of the last restoration.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct ReplayFloor {
    /// Seconds since 1970.
    pub(super) time: u64,
    /// Time steps after it that may have been accepted by then.
    pub(super) skew: u64,
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

pub(super) fn key(connection: &Connection, which: KeyRole) -> rusqlite::Result<Option<KeyId>> {
    let id = get(connection, which.name())?;
    Ok(id.map(|id| KeyId::from_text(&String::from_utf8_lossy(&id))))
}

pub(super) fn set_key(
    connection: &Connection,
    which: KeyRole,
    id: Option<&KeyId>,
) -> rusqlite::Result<()> {
    match id {
        Some(id) => set(connection, which.name(), id.as_str().as_bytes()),
        None => connection.execute("DELETE FROM meta WHERE name = ?1", [which.name()]).map(drop),
    }
}

/// The secrets, if the key fits.
pub(super) fn secrets(
    connection: &Connection,
    sealer: &Sealer,
) -> rusqlite::Result<Option<Secrets>> {
    Ok(sealed_secrets(connection)?.and_then(|sealed| unsealed(&sealed, sealer)))
}

/// The secrets as they are on disk.
pub(super) fn sealed_secrets(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    get(connection, SECRETS)
}

/// The secrets in these bytes, if the key fits.
pub(super) fn unsealed(sealed: &[u8], sealer: &Sealer) -> Option<Secrets> {
    // The place says the format, as that of a record does.
    if let Ok(plain) = sealer.unseal(sealed, SECRETS_AAD) {
        return from_bytes(&plain).ok();
    }
    let plain = sealer.unseal(sealed, SECRETS_AAD_2).ok()?;
    Some(from_bytes::<Secrets2>(&plain).ok()?.into())
}

pub(super) fn set_secrets(
    connection: &Connection,
    sealer: &Sealer,
    secrets: &Secrets,
) -> Result<(), RowError> {
    let failed = || StoreError::Unavailable("the kernel gives no random bytes".into());
    let plain = Zeroizing::new(to_stdvec(secrets).map_err(|_| failed())?);
    let sealed = sealer.seal(&plain, SECRETS_AAD).map_err(|_| failed())?;
    Ok(set(connection, SECRETS, &sealed)?)
}

pub(super) fn get(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
}

fn set(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection
        .execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![name, value])
        .map(drop)
}

const SECRETS: &str = "secrets";
const SECRETS_AAD: &[u8] = b"totpd secrets 3";
const SECRETS_AAD_2: &[u8] = b"totpd secrets 2";
