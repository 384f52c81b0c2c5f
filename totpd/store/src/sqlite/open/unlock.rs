//! The keys that the store names, or a new one for a store in which nothing is sealed.

use std::path::Path;

use rusqlite::Connection;
use totpd_core::record_key::Buckets;
use totpd_journal::{Entry, Priority};
use zeroize::Zeroizing;

use crate::backup::History;
use crate::master_key::MasterKey;
use crate::sealer::{SealError, Sealer};
use crate::sqlite::active_keys::{KeySet, PreviousKey};
use crate::sqlite::key_sources::{FoundKey, Keyring};
use crate::sqlite::layout::Layout;
use crate::sqlite::metadata::{self, KeyRole, Secrets};
use crate::sqlite::open_error::OpenError;
use crate::sqlite::rows;

/// The result of opening with the keys of the store.
pub(super) struct Unlocked {
    pub(super) key_set: KeySet,
    pub(super) buckets: Buckets,
}

/// Finds the keys, and unseals what the store knows of itself.
pub(super) fn unlock(
    connection: &Connection,
    layout: &Layout,
    keyring: &mut Keyring,
) -> Result<Unlocked, OpenError> {
    let file = layout.store();
    let (key, secrets) = match unlock_current(connection, &file, keyring)? {
        Some(unlocked) => unlocked,
        None => initialize_key(connection, layout, keyring)?,
    };
    let next = metadata::key_id(connection, KeyRole::Next)
        .map_err(|error| OpenError::from_sqlite(&file, &error))?;
    let key_set = match next {
        None => KeySet::new(&key, secrets.floor),
        Some(next) => {
            let Some(key_entry) = keyring.take(&next) else {
                return Err(wrong_key(&file, next.as_str(), keyring));
            };
            let previous = Some(PreviousKey::new(&key));
            KeySet { previous, ..KeySet::new(&key_entry.key, secrets.floor) }
        }
    };
    let buckets = Buckets::new(&Zeroizing::new(secrets.buckets));
    Ok(Unlocked { key_set, buckets })
}

/// Finds the current key; nothing if nothing is sealed yet.
fn unlock_current(
    connection: &Connection,
    file: &Path,
    keyring: &mut Keyring,
) -> Result<Option<(MasterKey, Secrets)>, OpenError> {
    let failed = |error| OpenError::from_sqlite(file, &error);
    let id = metadata::key_id(connection, KeyRole::Current).map_err(failed)?;
    let Some(key_entry) = id.as_ref().and_then(|id| keyring.take(id)) else {
        // Never over records: nothing but the lost key can open them.
        if !rows::is_empty(connection).map_err(failed)? {
            let wanted = id.as_ref().map_or("that it no longer names", |id| id.as_str());
            return Err(wrong_key(file, wanted, keyring));
        }
        return Ok(None);
    };
    let secrets = metadata::secrets(connection, &Sealer::new(&key_entry.key)).map_err(failed)?;
    let Some(secrets) = secrets else {
        let reason = "its sealed metadata was changed".into();
        return Err(OpenError::NotAStore { path: file.to_path_buf(), reason });
    };
    warn_of_unused_credential(&key_entry, keyring);
    Ok(Some((key_entry.key, secrets)))
}

/// Warns if systemd gave a key that the store is not sealed under.
fn warn_of_unused_credential(current: &FoundKey, keyring: &mut Keyring) {
    let Some(credential) = keyring.take_credential() else { return };
    let message = format!(
        "the store is sealed under the key {} in {}, not under {} of the credential; \"totpctl \
         rekey\" changes that",
        current.key.id(),
        current.source,
        credential.key.id()
    );
    Entry::new(Priority::Warning, message).write();
    keyring.reinsert(credential);
}

/// Chooses the key of a store in which nothing is sealed, and creates it if none was found.
fn initialize_key(
    connection: &Connection,
    layout: &Layout,
    keyring: &mut Keyring,
) -> Result<(MasterKey, Secrets), OpenError> {
    let key = match keyring.take_preferred() {
        Some(found) => found.key,
        None => MasterKey::create(&layout.key())?,
    };
    let mut secrets = Secrets { buckets: [0; 32], floor: None, history: History::default() };
    getrandom::fill(&mut secrets.buckets).map_err(SealError::Random)?;
    let sealed = metadata::seal_secrets(&Sealer::new(&key), &secrets)?;
    let change = || -> rusqlite::Result<()> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        metadata::set_key_id(connection, KeyRole::Current, Some(&key.id()))?;
        metadata::set_key_id(connection, KeyRole::Next, None)?;
        metadata::set_key_id(connection, KeyRole::Old, None)?;
        metadata::set_sealed_secrets(connection, &sealed)?;
        connection.execute_batch("COMMIT")
    };
    change().map_err(|error| OpenError::from_sqlite(&layout.store(), &error))?;
    Ok((key, secrets))
}

fn wrong_key(file: &Path, wanted: &str, keyring: &Keyring) -> OpenError {
    OpenError::WrongKey {
        store: file.to_path_buf(),
        wanted: wanted.to_owned(),
        found: keyring.ids(),
    }
}
