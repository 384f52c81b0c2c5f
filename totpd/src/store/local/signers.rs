//! Who signs the backups of this store, and what it remembers of them.

use std::sync::Arc;

use rusqlite::Connection;

use crate::backup::{PublicKey, SigningKey};
use crate::seal::Sealer;
use crate::store::StoreError;
use crate::store::local::Local;
use crate::store::local::keys::Seals;
use crate::store::local::meta::{self, Secrets};
use crate::store::local::rows::Trouble;

/// What a store knows of the backups that are its own.
#[derive(Clone, Debug)]
pub struct KnownBackups {
    /// The keys that signed them: the present one, and the last 64 before it.
    pub signers: Vec<PublicKey>,
    /// When the newest backup was made that this store made or restored, in seconds since 1970.
    pub newest: Option<u64>,
}

impl Local {
    /// The key that signs backups now.
    #[must_use]
    pub fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.0.keys.now().signing)
    }

    /// The backups of this store that it knows of.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn known_backups(&self) -> Result<KnownBackups, StoreError> {
        // A rekey may seal them anew while they are read, as it does with a record.
        let before = self.0.keys.now();
        let sealed = self.read_now("everybody", meta::sealed_secrets)?.ok_or_else(lost)?;
        let after = self.0.keys.now();
        let secrets = sealers(&before)
            .chain(sealers(&after))
            .find_map(|sealer| meta::unsealed(&sealed, sealer))
            .ok_or_else(lost)?;
        let mut signers = secrets.history.earlier().to_vec();
        // While a rekey is not finished both keys are the store's.
        for key in signers_of(&before).chain(signers_of(&after)) {
            if !signers.contains(&key) {
                signers.push(key);
            }
        }
        Ok(KnownBackups { signers, newest: secrets.history.newest() })
    }

    /// Remembers that a backup was made at this time (seconds since 1970).
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn note_backup(&self, made: u64) -> Result<(), StoreError> {
        let keys = self.0.keys.clone();
        self.write_now("everybody", move |connection| {
            let seals = keys.now();
            let (sealer, mut secrets) = unsealed(connection, &seals)?;
            secrets.history.note(made);
            meta::set_secrets(connection, sealer, &secrets)
        })
    }
}

/// What the store knows of itself, and the sealer that it is sealed with.
fn unsealed<'a>(
    connection: &Connection,
    seals: &'a Seals,
) -> Result<(&'a Sealer, Secrets), Trouble> {
    let sealed = meta::sealed_secrets(connection)?.ok_or_else(lost)?;
    let found = sealers(seals).find_map(|sealer| Some((sealer, meta::unsealed(&sealed, sealer)?)));
    Ok(found.ok_or_else(lost)?)
}

fn sealers(seals: &Seals) -> impl Iterator<Item = &Sealer> {
    [Some(&*seals.newest), seals.older.as_ref().map(|older| &older.sealer)].into_iter().flatten()
}

fn signers_of(seals: &Seals) -> impl Iterator<Item = PublicKey> {
    let older = seals.older.as_ref().map(|older| older.signer);
    older.into_iter().chain([seals.signing.public()])
}

fn lost() -> StoreError {
    StoreError::Corrupt("the store itself".into())
}
