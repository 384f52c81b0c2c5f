//! Who signs the backups of this store, and what it remembers of them.

use std::sync::Arc;

use rusqlite::Connection;

use crate::StoreError;
use crate::backup::{PublicKey, Signer, SigningKey};
use crate::sealer::Sealer;
use crate::sqlite::Local;
use crate::sqlite::active_keys::KeySet;
use crate::sqlite::metadata::{self, Secrets};
use crate::sqlite::rows::RowError;

/// What a store knows of the backups that are its own.
#[derive(Clone, Debug)]
pub struct KnownBackups {
    /// The key that signs them now.
    pub present: PublicKey,
    /// The keys that signed them before, the last 64 at least; the present one may be among them.
    pub earlier: Vec<PublicKey>,
    /// When the newest backup was made that this store made or restored, in seconds since 1970.
    pub newest: Option<u64>,
}

impl KnownBackups {
    /// Who signed with the public key `signed_by`, as this store sees it.
    #[must_use]
    pub fn signer(&self, signed_by: Option<&PublicKey>) -> Signer {
        Signer::new(signed_by, &self.present, &self.earlier)
    }
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
        // A rekey may seal them under another key while they are read, as it does with a record.
        let before = self.0.keys.now();
        let sealed = self.read_now("everybody", metadata::sealed_secrets)?.ok_or_else(lost)?;
        let after = self.0.keys.now();
        let secrets = sealers(&before)
            .chain(sealers(&after))
            .find_map(|sealer| metadata::unsealed(&sealed, sealer))
            .ok_or_else(lost)?;
        let present = after.signing.public();
        let mut earlier = secrets.history.earlier().to_vec();
        // One that a rekey is about to replace may be in no list yet.
        let replaced = [&before, &after].map(|key_set| Some(key_set.previous.as_ref()?.signer));
        earlier.extend(replaced.into_iter().flatten().chain([before.signing.public()]));
        Ok(KnownBackups { present, earlier, newest: secrets.history.newest() })
    }

    /// Remembers that a backup was made at this time (seconds since 1970).
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn note_backup(&self, made: u64) -> Result<(), StoreError> {
        let keys = self.0.keys.clone();
        self.write_now("everybody", move |connection| {
            let key_set = keys.now();
            let (sealer, mut secrets) = unsealed(connection, &key_set)?;
            secrets.history.note(made, made);
            metadata::set_secrets(connection, sealer, &secrets)
        })
    }
}

/// What the store knows of itself, and the sealer that it is sealed with.
fn unsealed<'a>(
    connection: &Connection,
    key_set: &'a KeySet,
) -> Result<(&'a Sealer, Secrets), RowError> {
    let sealed = metadata::sealed_secrets(connection)?.ok_or_else(lost)?;
    let found =
        sealers(key_set).find_map(|sealer| Some((sealer, metadata::unsealed(&sealed, sealer)?)));
    Ok(found.ok_or_else(lost)?)
}

fn sealers(key_set: &KeySet) -> impl Iterator<Item = &Sealer> {
    [Some(&*key_set.current), key_set.previous.as_ref().map(|previous| &previous.sealer)]
        .into_iter()
        .flatten()
}

fn lost() -> StoreError {
    StoreError::Corrupt("the store itself".into())
}
