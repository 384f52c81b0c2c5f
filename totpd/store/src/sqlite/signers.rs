//! The key that signs the backups of this store, and its history of backups.

use std::sync::Arc;

use rusqlite::Connection;

use crate::backend::StoreError;
use crate::backup::{PublicKey, Signer, SigningKey};
use crate::sealer::Sealer;
use crate::sqlite::active_keys::KeySet;
use crate::sqlite::failure::corrupt_metadata;
use crate::sqlite::local::Local;
use crate::sqlite::metadata::{self, Secrets};
use crate::sqlite::rows::RowError;

/// The knowledge of a store about its own backups.
#[derive(Clone, Debug)]
pub struct KnownBackups {
    /// The key that signs them now.
    pub current: PublicKey,
    /// The keys that signed them before, the last 64 at least. The current one may be among them.
    pub earlier: Vec<PublicKey>,
    /// The time of the creation of the newest backup that this store wrote or restored, in seconds
    /// since 1970.
    pub newest: Option<u64>,
}

impl KnownBackups {
    /// Returns who signed with the public key `signed_by`, as this store sees it.
    #[must_use]
    pub fn signer(&self, signed_by: Option<&PublicKey>) -> Signer {
        Signer::new(signed_by, &self.current, &self.earlier)
    }
}

impl Local {
    /// Returns the key that signs backups now.
    #[must_use]
    pub fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.keys().get().signing_key)
    }

    /// Returns what the store knows of its own backups.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn known_backups(&self) -> Result<KnownBackups, StoreError> {
        // A rekey may seal the secrets under another key while they are read, as it does a record.
        let before = self.keys().get();
        let sealed = self.read_now(metadata::sealed_secrets)?.ok_or_else(corrupt_metadata)?;
        let after = self.keys().get();
        let secrets = before
            .sealers()
            .chain(after.sealers())
            .find_map(|sealer| metadata::unseal_secrets(&sealed, sealer))
            .ok_or_else(corrupt_metadata)?;
        let current = after.signing_key.public();
        let mut earlier = secrets.history.earlier().to_vec();
        // A key that a rekey is about to retire may be in no list yet.
        let previous = [&before, &after].map(|keys| Some(keys.previous.as_ref()?.signer));
        earlier.extend(previous.into_iter().flatten().chain([before.signing_key.public()]));
        Ok(KnownBackups { current, earlier, newest: secrets.history.newest() })
    }

    /// Notes that a backup was created at this time (seconds since 1970).
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn note_backup(&self, created: u64) -> Result<(), StoreError> {
        let keys = self.keys().clone();
        self.write_now(move |connection| {
            let key_set = keys.get();
            let (sealer, mut secrets) = unseal(connection, &key_set)?;
            secrets.history.note_backup(created, created);
            metadata::set_secrets(connection, sealer, &secrets)
        })
    }
}

/// Unseals the secrets. Returns also the sealer that they are sealed with.
fn unseal<'a>(
    connection: &Connection,
    keys: &'a KeySet,
) -> Result<(&'a Sealer, Secrets), RowError> {
    let sealed = metadata::sealed_secrets(connection)?.ok_or_else(corrupt_metadata)?;
    let result = keys
        .sealers()
        .find_map(|sealer| Some((sealer, metadata::unseal_secrets(&sealed, sealer)?)));
    Ok(result.ok_or_else(corrupt_metadata)?)
}
