//! Opening the store. Each step needs what the one before it left:
//!
//! ```text
//! locate              the directory is ours alone and locked, and has a store.db
//! migrate             store.db has the present format
//! reserve             the log and the file have space for logins on a full disk
//! unlock              the keys that the store names were found, or a new store got one
//! finish_interrupted  what a crash interrupted in a rekey or a restore is finished
//! end_mark            what an open mark may have lost is void, and all of this is on disk
//! ```

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::Builder;

use totpd_core::record_key::Buckets;
use totpd_journal::{Entry, Priority};

use crate::owner::Owner;
use crate::sqlite::active_keys::ActiveKeys;
use crate::sqlite::connection::{WriteConnection, flush_and_drop_page_cache};
use crate::sqlite::database::Database;
use crate::sqlite::key_sources::{KeySources, Keyring};
use crate::sqlite::layout::{Layout, wal_path};
use crate::sqlite::local::Local;
use crate::sqlite::marker::MarkSettings;
use crate::sqlite::open_error::OpenError;
use crate::sqlite::reader::Reader;
use crate::sqlite::writer::{ThreadWork, Writer};
use crate::sqlite::{migration, rekey, reserve};
use crate::store::{REQUEST_TIMEOUT, Store};

mod end_mark;
mod locate;
mod unlock;

use end_mark::end_mark;
use locate::locate;
use unlock::unlock;

/// An open store.
pub struct OpenStore {
    /// The handle for logins.
    pub store: Store,
    /// The handle for administrators, who work on the store as a whole.
    pub local: Local,
    /// The buckets of names without a record.
    pub buckets: Buckets,
}

impl Local {
    /// Opens the store in `directory`, creates the missing files, and starts its threads. It also
    /// searches for keys in `credentials`, the directory of systemd's credentials. Directory and
    /// keys must belong to `owner`. Without `marks` no login leans.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the directory, the key or the file, and what to do.
    pub fn open(
        directory: &Path,
        credentials: Option<&Path>,
        marks: Option<MarkSettings<'_>>,
        owner: Owner,
    ) -> Result<OpenStore, OpenError> {
        let layout = Layout::new(directory);
        let credentials = credentials.map(Path::to_path_buf);
        let sources = KeySources { directory: directory.to_path_buf(), credentials, owner };
        let lock = locate(&layout, owner)?;
        let mut keyring = Keyring::load(&sources)?;
        let connection = migrate(&layout, &mut keyring)?;
        let connection = reserve(connection, &layout)?;
        let unlocked = unlock(&connection, &layout, &mut keyring)?;
        let connection = finish_interrupted(connection, &layout, &sources)?;
        let (connection, marker) = end_mark(connection, &unlocked.key_set, &layout, marks)?;

        let is_rekeying = unlocked.key_set.previous.is_some();
        let slot = Arc::new(Mutex::new(None));
        let (reader, read) = Reader::new(layout.store(), Arc::clone(&slot));
        let keys = ActiveKeys::new(unlocked.key_set);
        let shared = (Arc::new(marker), keys);
        let database = Database::new(layout.store(), connection, slot, shared.clone(), lock);
        let (writer, [write, flush, checkpoint]) = Writer::new(database);
        let spawn = |name: &str, work: ThreadWork| {
            Builder::new().name(name.into()).spawn(work).map_err(OpenError::Thread)
        };
        let work =
            [("store", write), ("flush", flush), ("checkpoint", checkpoint), ("reader", read)];
        let threads: Result<_, _> =
            work.into_iter().map(|(name, work)| spawn(name, work)).collect();
        let local = Self::new(layout, shared, sources, (writer, reader), threads?);
        if is_rekeying {
            rekey::resume(&local).map_err(OpenError::Thread)?;
        }
        let store = Store::new(Arc::new(local.clone()), REQUEST_TIMEOUT);
        Ok(OpenStore { store, local, buckets: unlocked.buckets })
    }
}

/// Opens the file, and brings it to the present format.
fn migrate(layout: &Layout, keyring: &mut Keyring) -> Result<WriteConnection, OpenError> {
    let file = layout.store();
    // A daemon that was killed may have written to the log without a flush. The kernel's copy has
    // that, and the disk may not. A flush that failed then leaves pages that look written.
    flush_and_drop_page_cache(&wal_path(&file))
        .map_err(|source| OpenError::Io { path: wal_path(&file), source })?;
    let connection = WriteConnection::open_and_recover(&file)
        .map_err(|error| OpenError::from_sqlite(&file, &error))?;
    migration::migrate(&connection, layout, keyring)?;
    Ok(connection)
}

/// Reserves space. A disk that is full already is no reason not to start: its store can be used.
fn reserve(connection: WriteConnection, layout: &Layout) -> Result<WriteConnection, OpenError> {
    let file = layout.store();
    match reserve::reserve(&connection, &file) {
        Ok(()) => Ok(connection),
        Err(_) => connection
            .reopen_after_error(&file)
            .map_err(|error| OpenError::from_sqlite(&file, &error)),
    }
}

/// Erases the old key if a rekey was interrupted, and the old file if a restore was. A disk that is
/// full is no reason not to start.
fn finish_interrupted(
    mut connection: WriteConnection,
    layout: &Layout,
    sources: &KeySources,
) -> Result<WriteConnection, OpenError> {
    if let Err(reason) = rekey::erase_old_key(&connection, layout, sources) {
        let message = format!("cannot erase the old key: {reason}; run \"totpctl rekey\"");
        Entry::new(Priority::Warning, message).write();
        let file = layout.store();
        connection = connection
            .reopen_after_error(&file)
            .map_err(|error| OpenError::from_sqlite(&file, &error))?;
    }
    layout
        .remove_old_store()
        .map_err(|source| OpenError::Io { path: layout.directory().into(), source })?;
    Ok(connection)
}
