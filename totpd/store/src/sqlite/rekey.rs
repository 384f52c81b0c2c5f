//! Re-sealing everything under another key, while logins continue.
//!
//! A is the key before, B the key after. Each is a file beside the store or a credential of
//! systemd. Each step is durable before the next begins, so a crash leaves one of these states.
//! With both keys in files (`key` is `store.key`, `next` is `store.key.next`):
//!
//! ```text
//! state     store names         rows     key files       next start            next `rekey`
//! idle      current A           A        key A           uses A                begins
//! created   current A           A        key A, next B   uses A, ignores B     removes B, begins
//! begun     current A, next B   A or B   key A, next B   uses A and B (1)      continues
//! sealed    current B, old A    B        key A, next B   uses B, erases A (2)  erases A, begins
//! renamed   current B, old A    B        key B           uses B, erases A (2)  erases A, begins
//! done      current B           B        key B           uses B                begins
//! ```
//!
//! 1. It writes under B, reads under both, and continues the rekey in a thread. Without A or B it
//!    is refused ([`OpenError::WrongKey`](crate::sqlite::OpenError::WrongKey)): rows may be under
//!    either.
//! 2. It overwrites free space, removes copies of older formats, and renames `next` to `key`, if
//!    `next` exists. Then the store names no old key. A full disk leaves the state as it is, and
//!    the daemon starts.
//!
//! With B in a credential there is no `next`: beginning removes one that *created* left. Erasing A
//! then removes `key`, or no file if A is a credential too. `store.key.next.new` is a key file that
//! is being written; nothing reads it.
//!
//! `tests/rekey_states.rs` starts from every state, and `tests/campaign/crash.rs` cuts the power at
//! every write.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;
use totpd_journal::{Entry, Priority};

use crate::backend::StoreError;
use crate::backup::Fingerprint;
use crate::fsync::{remove, sync_directory};
use crate::master_key::{KeyId, MasterKey};
use crate::progress::Progress;
use crate::sqlite::active_keys::{KeySet, PreviousKey};
use crate::sqlite::failure::{WorkError, corrupt_metadata, thread_ended, unavailable};
use crate::sqlite::key_sources::{CREDENTIAL, KeySources, Keyring, NEXT_KEY};
use crate::sqlite::layout::{KEY_FILE, Layout, NEXT_KEY_FILE};
use crate::sqlite::local::Local;
use crate::sqlite::metadata::{self, KeyRole};
use crate::sqlite::row::{NamedRow, RowName};
use crate::sqlite::rows::{self, RowError};
use crate::sqlite::scan::ScanReport;
use crate::sqlite::{mark_rows, migration, reserve};

/// The result of a rekey.
#[derive(Debug)]
pub struct RekeyReport {
    /// The id of the key that everything is sealed under now.
    pub key: KeyId,
    /// The fingerprint of the key that signs backups now.
    pub fingerprint: Fingerprint,
    /// The number of records that were read, and the ones that could not be unsealed.
    pub scan: ScanReport,
}

impl Local {
    /// Re-seals every record under a new key, or under the credential that systemd gives, and
    /// erases the old key.
    ///
    /// # Errors
    /// [`StoreError`]. The records are still there, under either key, and the next call continues
    /// from there.
    pub fn rekey(&self, progress: &Progress) -> Result<RekeyReport, StoreError> {
        let _task = self.begin_task()?;
        if self.keys().get().previous.is_none() {
            begin(self)?;
        }
        let scan = reseal_all(self, progress)?;
        retire_previous(self)?;
        erase_old_key_exclusively(self)?;
        let key_set = self.keys().get();
        let fingerprint = key_set.signing_key.public().fingerprint();
        Ok(RekeyReport { key: key_set.id.clone(), fingerprint, scan })
    }
}

/// Continues a rekey that a crash has interrupted, in a thread.
pub(super) fn resume(local: &Local) -> io::Result<()> {
    let local = local.clone();
    thread::Builder::new().name("rekey".into()).spawn(move || {
        let entry = match local.rekey(&Progress::default()) {
            Ok(report) => Entry::new(
                Priority::Notice,
                format!("finished the interrupted rekey: the key is {}", report.key),
            ),
            Err(error) => Entry::new(
                Priority::Warning,
                format!("cannot continue the interrupted rekey: {error}; run \"totpctl rekey\""),
            ),
        };
        entry.write();
    })?;
    Ok(())
}

/// Steps from *idle* to *begun*: chooses the new key, makes it durable, and has the store name it.
pub(super) fn begin(local: &Local) -> Result<(), StoreError> {
    // Until the old key is erased, the file of the next key may hold the current one.
    erase_old_key_exclusively(local)?;
    let key_set = local.keys().get();
    let mut keyring = Keyring::load(local.key_sources()).map_err(unavailable)?;
    let old = keyring
        .take(&key_set.id)
        .ok_or_else(|| StoreError::Unavailable("the current key was removed or replaced".into()))?;
    if old.source == NEXT_KEY {
        return Err(StoreError::Refused(format!(
            "cannot rekey: the current key is in {NEXT_KEY_FILE}; rename it to {KEY_FILE}, restart \
             totpd, and try again"
        )));
    }
    // A key that is named was chosen by an attempt that failed: there may be rows under it.
    let next_id = local.read_now(|connection| metadata::key_id(connection, KeyRole::Next))?;
    let entry = next_id.and_then(|id| keyring.take(&id)).or_else(|| keyring.take_credential());
    let key = match entry {
        Some(entry) => {
            if entry.source != NEXT_KEY {
                // A crash in the state *created* left it. Erasing the old key would rename it.
                remove(&local.layout().next_key()).map_err(unavailable)?;
            }
            entry.key
        }
        None if old.source == CREDENTIAL => {
            return Err(StoreError::Refused(
                "cannot rekey: the current key is the credential totpd.key. Give totpd a new key \
                 under that name, and the current one as totpd.key.old. Then restart it, and try \
                 again"
                    .into(),
            ));
        }
        None => create_next_key(&local.layout().next_key())?,
    };
    let id = key.id();
    local.write_now(move |connection| {
        Ok(metadata::set_key_id(connection, KeyRole::Next, Some(&id))?)
    })?;
    let previous = Some(PreviousKey::new(&old.key));
    local.keys().set(KeySet { previous, ..KeySet::new(&key, key_set.floor) });
    Ok(())
}

/// Steps from *idle* or *created* to *created*.
pub(super) fn create_next_key(path: &Path) -> Result<MasterKey, StoreError> {
    remove(path).map_err(unavailable)?;
    MasterKey::create(path).map_err(unavailable)
}

/// Seals every row again that is not under the new key. The state stays *begun*.
pub(super) fn reseal_all(local: &Local, progress: &Progress) -> Result<ScanReport, StoreError> {
    progress.begin(local.count()?);
    let key_set = local.keys().get();
    let mut scan = ScanReport::default();
    let mut after = RowName::FIRST;
    loop {
        let (from, keys) = (after.clone(), Arc::clone(&key_set));
        let page = local.write_now(move |connection| {
            let rows = rows::page(connection, &from, PAGE_SIZE)?;
            let mut page = Page { rows: rows.len(), damaged: Vec::new(), last: RowName::FIRST };
            for row in rows {
                if !reseal(connection, &keys, &row)? {
                    page.damaged.push(row.display_name());
                }
                page.last = row.name;
            }
            Ok(page)
        })?;
        if page.rows == 0 {
            return Ok(scan);
        }
        progress.add(page.rows);
        scan.records += page.rows as u64;
        page.damaged.into_iter().for_each(|name| scan.record_damaged(name));
        after = page.last;
    }
}

struct Page {
    rows: usize,
    damaged: Vec<String>,
    last: RowName,
}

/// Seals one row under the current key. Reports whether it could be unsealed; if not, it stays.
fn reseal(connection: &Connection, keys: &KeySet, row: &NamedRow) -> Result<bool, RowError> {
    let Some(key) = row.key() else { return Ok(false) };
    let Ok(record) = keys.decode(&key, &row.row) else { return Ok(false) };
    if !keys.is_sealed_with_current(&key, &row.row) {
        let sealed = keys.encode(&key, &record)?;
        rows::write(connection, &key, record.uid, &sealed)?;
    }
    Ok(true)
}

/// Steps from *begun* to *sealed*, in one transaction.
pub(super) fn retire_previous(local: &Local) -> Result<(), StoreError> {
    let key_set = local.keys().get();
    let keys = Arc::clone(&key_set);
    local.write_now(move |connection| {
        let Some(previous) = &keys.previous else { return Ok(()) };
        let old = metadata::key_id(connection, KeyRole::Current)?;
        if old.as_ref() == Some(&keys.id) {
            // An attempt whose answer was an error has committed this.
            return Ok(());
        }
        let mut secrets =
            metadata::secrets(connection, &previous.sealer)?.ok_or_else(corrupt_metadata)?;
        // Its backups stay those of this store.
        secrets.history.retire(previous.signer);
        metadata::set_secrets(connection, &keys.current, &secrets)?;
        mark_rows::reseal(connection, &keys)?;
        metadata::set_key_id(connection, KeyRole::Current, Some(&keys.id))?;
        metadata::set_key_id(connection, KeyRole::Old, old.as_ref())?;
        Ok(metadata::set_key_id(connection, KeyRole::Next, None)?)
    })?;
    local.keys().set(key_set.without_previous(key_set.floor));
    Ok(())
}

/// Erases the old key while nobody else uses the file.
fn erase_old_key_exclusively(local: &Local) -> Result<(), StoreError> {
    let (sender, answer) = oneshot::channel();
    let (layout, sources) = (local.layout().clone(), local.key_sources().clone());
    local.writer()?.exclusive(move |database| {
        let result = database.connection().map_err(WorkError::from).and_then(|connection| {
            erase_old_key(connection, &layout, &sources)?;
            Ok(connection.flush()?)
        });
        if let Err(error) = &result {
            database.close_after_work(error);
        }
        let _ = sender.send(result.map_err(|error| error.to_string()));
    })?;
    answer.blocking_recv().map_err(|_| thread_ended())?.map_err(|reason| {
        StoreError::Refused(format!(
            "everything is sealed under the new key, but the old key is not erased: {reason}; run \
             \"totpctl rekey\" again"
        ))
    })
}

/// Steps from *sealed* or *renamed* to *done*. In other states it does nothing. It can be repeated.
pub(super) fn erase_old_key(
    connection: &Connection,
    layout: &Layout,
    sources: &KeySources,
) -> Result<(), WorkError> {
    let Some(old) = metadata::key_id(connection, KeyRole::Old)? else {
        return Ok(());
    };
    reserve::overwrite(connection)?;
    erase_key_file(&old, layout, sources)?;
    Ok(metadata::set_key_id(connection, KeyRole::Old, None)?)
}

/// Removes the file of the old key, and what else is sealed under it.
pub(super) fn erase_key_file(
    old: &KeyId,
    layout: &Layout,
    sources: &KeySources,
) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    for copy in migration::format_copies(layout) {
        remove(&copy).map_err(text)?;
    }
    let (file, next) = (layout.key(), layout.next_key());
    if next.exists() {
        // The new key replaces the old one in one step.
        fs::rename(&next, &file).map_err(text)?;
    } else {
        let key = sources.read_file(&file).map_err(|error| error.to_string())?;
        if key.is_some_and(|key| key.id() == *old) {
            remove(&file).map_err(text)?;
        }
    }
    sync_directory(layout.directory()).map_err(text)
}

/// Rows in one transaction, which logins wait for.
const PAGE_SIZE: usize = 200;
