//! Re-sealing everything under another key, while logins go on.
//!
//! The new key is on disk before the store names it; from then on what is written is sealed under
//! it, and what is read is tried under both. When every row was seen, one transaction makes the new
//! key the key. Then what is left of the old one is written over, and it is removed. A crash at any
//! point leaves a store that names the keys that it needs, and is gone on from there.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;
use totpd_journal::{Entry, Priority};

use crate::StoreError;
use crate::backup::Fingerprint;
use crate::fsync::{remove, sync_folder};
use crate::master_key::{KeyId, KeyOrigin, MasterKey};
use crate::progress::Progress;
use crate::sqlite::active_keys::{KeySet, PreviousKey};
use crate::sqlite::key_sources::{self, Keyring};
use crate::sqlite::metadata::{self, KeyRole};
use crate::sqlite::open::FILE;
use crate::sqlite::rows::{self, Name, RowError};
use crate::sqlite::scan::ScanReport;
use crate::sqlite::{Local, connection, ended, migration};

/// What came of it.
#[derive(Debug)]
pub struct RekeyReport {
    /// The id of the key that everything is sealed under now.
    pub key: KeyId,
    /// Which key signs backups now.
    pub fingerprint: Fingerprint,
    /// How many records were looked at, and which could not be unsealed.
    pub checked: ScanReport,
}

impl Local {
    /// Re-seals every record under a new key, or under the credential that systemd gives, and makes
    /// the old key useless.
    ///
    /// # Errors
    /// [`StoreError`]; then the records are still there, under either key, and the next call goes
    /// on where this one stopped.
    pub fn rekey(&self, progress: &Progress) -> Result<RekeyReport, StoreError> {
        let _turn = self.turn()?;
        if self.0.keys.now().previous.is_none() {
            begin(self)?;
        }
        finish(self, progress)
    }
}

/// Goes on with what a crash has interrupted.
pub(super) fn resume(local: &Local) -> io::Result<()> {
    let local = local.clone();
    thread::Builder::new().name("rekey".into()).spawn(move || {
        let told = match local.rekey(&Progress::default()) {
            Ok(done) => Entry::new(
                Priority::Notice,
                format!("the interrupted rekey was finished: the key is {}", done.key),
            ),
            Err(why) => Entry::new(
                Priority::Warning,
                format!("the interrupted rekey cannot go on: {why}; run \"totpctl rekey\""),
            ),
        };
        told.write();
    })?;
    Ok(())
}

/// Chooses the new key, makes it durable, and has the store name it.
pub(super) fn begin(local: &Local) -> Result<(), StoreError> {
    let failed = |error: &dyn std::error::Error| StoreError::Unavailable(error.to_string());
    let (folder, key_set) = (&local.0.folder, local.0.keys.now());
    // Until then the next key's file may hold the key.
    erase_old_key_exclusively(local)?;
    let mut keyring =
        Keyring::look(folder, local.0.credentials.as_deref()).map_err(|error| failed(&error))?;
    let old = keyring.take(&key_set.id).ok_or_else(|| {
        StoreError::Unavailable("the present key is not where it was any more".into())
    })?;
    if old.place == key_sources::NEXT_KEY_FILE {
        return Err(StoreError::Refused(format!(
            "the present key is in {}: rename it to {}, restart totpd, and try again",
            key_sources::NEXT,
            key_sources::FILE
        )));
    }
    // One that is named was made by a try that failed: there may be rows under it.
    let named =
        local.read_now("everybody", |connection| metadata::key(connection, KeyRole::Next))?;
    let key = match named.and_then(|id| keyring.take(&id)).or_else(|| keyring.wanted_credential()) {
        Some(found) => found.key,
        None if old.place == key_sources::CREDENTIAL => {
            return Err(StoreError::Refused(
                "the key is the credential totpd.key: give totpd a new one under that name and the \
                 present one as totpd.key.old, restart it, and try again"
                    .into(),
            ));
        }
        None => {
            let next = folder.join(key_sources::NEXT);
            // What is there was left by a crash before the store named it.
            remove(&next).map_err(|error| failed(&error))?;
            MasterKey::create(&next).map_err(|error| failed(&error))?
        }
    };
    let id = key.id();
    local.write_now("everybody", move |connection| {
        Ok(metadata::set_key(connection, KeyRole::Next, Some(&id))?)
    })?;
    let previous = Some(PreviousKey::of(&old.key));
    local.0.keys.set(KeySet { previous, ..KeySet::of(&key, key_set.floor) });
    Ok(())
}

/// Re-seals what is not sealed under the new key yet, and gives the old one up.
fn finish(local: &Local, progress: &Progress) -> Result<RekeyReport, StoreError> {
    progress.begin(local.count()?);
    let key_set = local.0.keys.now();
    let mut checked = ScanReport::default();
    let mut after = Name::FIRST;
    loop {
        let (from, under) = (after.clone(), Arc::clone(&key_set));
        let page = local.write_now("everybody", move |connection| {
            let rows = rows::page(connection, &from, PAGE)?;
            let mut page = Page { rows: rows.len(), damaged: Vec::new(), last: Name::FIRST };
            for row in rows {
                if !reseal(connection, &under, &row)? {
                    page.damaged.push(row.shown());
                }
                page.last = row.name;
            }
            Ok(page)
        })?;
        if page.rows == 0 {
            break;
        }
        progress.add(page.rows);
        checked.records += page.rows as u64;
        page.damaged.into_iter().for_each(|name| checked.record_damaged(name));
        after = page.last;
    }

    let under = Arc::clone(&key_set);
    local.write_now("everybody", move |connection| {
        let Some(previous) = &under.previous else { return Ok(()) };
        if metadata::key(connection, KeyRole::Current)?.as_ref() == Some(&under.id) {
            // By a try whose answer was an error.
            return Ok(());
        }
        let mut secrets = metadata::secrets(connection, &previous.sealer)?
            .ok_or_else(|| StoreError::Corrupt("the store itself".into()))?;
        // Its backups stay those of this store.
        secrets.history.retire(previous.signer);
        metadata::set_secrets(connection, &under.current, &secrets)?;
        let old = metadata::key(connection, KeyRole::Current)?;
        metadata::set_key(connection, KeyRole::Current, Some(&under.id))?;
        metadata::set_key(connection, KeyRole::Old, old.as_ref())?;
        Ok(metadata::set_key(connection, KeyRole::Next, None)?)
    })?;
    local.0.keys.set(key_set.without_previous(key_set.floor));

    erase_old_key_exclusively(local)?;
    let fingerprint = key_set.signing.public().fingerprint();
    Ok(RekeyReport { key: key_set.id.clone(), fingerprint, checked })
}

struct Page {
    rows: usize,
    damaged: Vec<String>,
    last: Name,
}

/// Seals one row under the newest key. Whether it could be unsealed; if not it is left alone.
fn reseal(connection: &Connection, key_set: &KeySet, row: &rows::AnyRow) -> Result<bool, RowError> {
    let Some(subject) = row.subject() else { return Ok(false) };
    let Ok(record) = key_set.decode(&subject, &row.row) else { return Ok(false) };
    if !key_set.is_sealed_with_current(&subject, &row.row) {
        let sealed = key_set.encode(&subject, &record)?;
        rows::write(connection, &subject, record.uid, &sealed)?;
    }
    Ok(true)
}

/// The same, while nothing else is done with the file.
fn erase_old_key_exclusively(local: &Local) -> Result<(), StoreError> {
    let (tell, told) = oneshot::channel();
    let folder = local.0.folder.clone();
    local.writer()?.exclusive(move |disk| {
        let tidied = disk.connection().map_err(|error| error.to_string());
        let tidied = tidied.and_then(|connection| erase_old_key(connection, &folder));
        if tidied.is_err() {
            disk.discard_connections();
        }
        let _ = tell.send(tidied);
    })?;
    told.blocking_recv().map_err(|_| ended())?.map_err(|why| {
        StoreError::Refused(format!(
            "everything is sealed under the new key, but the old one is not gone yet: {why}; run \
             \"totpctl rekey\" again"
        ))
    })
}

/// Writes over what is left of the old key's work, and removes the key, if a rekey has come that
/// far. It can be done again.
pub(super) fn erase_old_key(connection: &Connection, folder: &Path) -> Result<(), String> {
    let say = |error: &dyn std::error::Error| error.to_string();
    let old = metadata::key(connection, KeyRole::Old).map_err(|error| say(&error))?;
    let Some(old) = old else { return Ok(()) };
    connection::scrub(connection).map_err(|error| say(&error))?;
    let (file, next) = (folder.join(key_sources::FILE), folder.join(key_sources::NEXT));
    let is_old = |path: &Path| -> Result<bool, String> {
        let key = MasterKey::read(path, KeyOrigin::StoreFile).map_err(|error| say(&error))?;
        Ok(key.is_some_and(|key| key.id() == old))
    };
    // What was copied before a migration is sealed under the old key too.
    for copy in migration::copies_of(&folder.join(FILE)) {
        remove(&copy).map_err(|error| say(&error))?;
    }
    if next.exists() {
        // The new key takes the place of the old one in one step.
        fs::rename(&next, &file).map_err(|error| say(&error))?;
    } else if is_old(&file)? {
        remove(&file).map_err(|error| say(&error))?;
    }
    sync_folder(folder).map_err(|error| say(&error))?;
    metadata::set_key(connection, KeyRole::Old, None).map_err(|error| say(&error))
}

/// Rows in one transaction, which logins wait for.
const PAGE: usize = 200;
