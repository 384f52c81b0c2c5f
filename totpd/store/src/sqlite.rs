//! The store of one host: a SQLite file in a folder that root alone may enter.
//!
//! One thread writes: what waits while it flushes shares the next flush. Another one reads, so
//! that a slow flush keeps nobody from being asked for a code.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use nix::sys::statvfs::statvfs;
use rusqlite::Connection;
use totpd_core::record::Record;
use totpd_core::record_key::{Buckets, RecordKey};

use crate::sqlite::active_keys::ActiveKeys;
use crate::sqlite::reader::Reader;
use crate::sqlite::rows::{Name, RowError};
use crate::sqlite::writer::Writer;
use crate::{Backend, Change, Listed, Pending, REQUEST_TIMEOUT, Store, StoreError};

mod active_keys;
mod connection;
mod export;
mod key_sources;
mod metadata;
mod migration;
mod open;
mod open_error;
mod reader;
mod rekey;
mod restore;
mod rows;
mod scan;
mod signers;
mod writer;

pub use active_keys::usable_from;
pub use open::FOLDER;
pub use open_error::OpenError;
pub use rekey::RekeyReport;
pub use restore::{PendingRestore, RestoreReport};
pub use scan::ScanReport;
pub use signers::KnownBackups;

/// An open store.
pub struct Opened {
    /// What logins use.
    pub store: Store,
    /// What administrators do with the store as a whole.
    pub local: Local,
    /// Where names without a record go.
    pub buckets: Buckets,
}

/// A handle on the store of this host. It can be cloned; the last one closes the file.
#[derive(Clone)]
pub struct Local(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    keys: ActiveKeys,
    credentials: Option<PathBuf>,
    /// Held by whatever works on the store as a whole: one at a time.
    whole: Mutex<()>,
    queues: Option<(Writer, Reader)>,
    threads: Vec<JoinHandle<()>>,
}

impl Local {
    /// Opens the store in `folder`, making what is missing, and starts its threads. The key is
    /// looked for in `credentials` too, where systemd puts it.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the folder, the key or the file, and what to do.
    pub fn open(folder: &Path, credentials: Option<&Path>) -> Result<Opened, OpenError> {
        let found = open::open(folder, credentials)?;
        let (keys, buckets) = (found.keys, found.buckets);
        let slot = Arc::new(Mutex::new(None));
        let (reader, read) = Reader::new(folder.join(open::FILE), Arc::clone(&slot));
        let (writer, write) = Writer::new(found.disk.with_reader(slot));
        let thread = |name: &str, work: Box<dyn FnOnce() + Send>| {
            Builder::new().name(name.into()).spawn(work).map_err(OpenError::Thread)
        };
        let threads = vec![thread("store", write)?, thread("reader", read)?];
        let local = Self(Arc::new(Inner {
            folder: folder.to_path_buf(),
            keys,
            credentials: credentials.map(Path::to_path_buf),
            whole: Mutex::new(()),
            queues: Some((writer, reader)),
            threads,
        }));
        if found.unfinished_rekey {
            rekey::resume(&local).map_err(OpenError::Thread)?;
        }
        Ok(Opened { store: Store::new(Arc::new(local.clone()), REQUEST_TIMEOUT), local, buckets })
    }

    /// Users, and buckets of names that nobody has, that the store has a record of.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn count(&self) -> Result<u64, StoreError> {
        let (mut total, mut after) = (0, Name::FIRST);
        loop {
            // Whoever logs in meanwhile waits for a part of it at most.
            let from = after;
            let part =
                self.read_now("everybody", move |rows| rows::count(rows, &from, COUNT_PAGE_SIZE))?;
            total += part.0 as u64;
            if part.0 < COUNT_PAGE_SIZE {
                return Ok(total);
            }
            after = part.1;
        }
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.0.queues.as_ref().map(|queues| &queues.0).ok_or_else(ended)
    }

    fn reader(&self) -> Result<&Reader, StoreError> {
        self.0.queues.as_ref().map(|queues| &queues.1).ok_or_else(ended)
    }

    /// Asks the rows, and waits for the answer: for threads that work on the store as a whole.
    fn read_now<T: Send + 'static>(
        &self,
        about: &str,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let told = self.reader()?.ask(about.to_owned(), ask)?;
        told.blocking_recv().unwrap_or_else(|_| Err(ended()))
    }

    /// The same for a change, which is on disk when this returns.
    fn write_now<T: Send + 'static>(
        &self,
        about: &str,
        mut work: impl FnMut(&Connection) -> Result<T, RowError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = Arc::new(Mutex::new(None));
        let tell = Arc::clone(&result);
        let told = self.writer()?.ask(about.to_owned(), move |connection| {
            *lock(&tell) = Some(work(connection)?);
            Ok(())
        })?;
        told.blocking_recv().unwrap_or_else(|_| Err(ended()))?;
        let result = lock(&result).take();
        result.ok_or_else(ended)
    }

    /// The turn of whatever works on the store as a whole; nothing while another does.
    fn turn(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        self.0.whole.try_lock().map_err(|_| {
            StoreError::Refused(
                "another rekey, backup, restore or verification is under way".into(),
            )
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queues = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Backend for Local {
    fn read(&self, subject: RecordKey) -> Pending<Option<Record>> {
        let keys = self.0.keys.snapshot();
        let (about, wanted) = (subject.to_string(), subject.clone());
        let row = self.reader().and_then(|reader| {
            reader.ask(about, move |connection| rows::read(connection, &wanted))
        });
        Box::pin(async move {
            let row = row?.await.unwrap_or_else(|_| Err(ended()))?;
            row.map(|row| keys.decode(&subject, &row)).transpose()
        })
    }

    fn update(&self, subject: RecordKey, mut change: Change) -> Pending<()> {
        let (keys, folder) = (self.0.keys.clone(), self.0.folder.clone());
        let told = self.writer().and_then(|writer| {
            writer.ask(subject.to_string(), move |connection| {
                let key_set = keys.now();
                let before = rows::read(connection, &subject)?
                    .map(|row| key_set.decode(&subject, &row))
                    .transpose()?;
                let had = before.as_ref().map_or(0, |record| record.factors.len());
                match change(before) {
                    None => rows::delete(connection, &subject)?,
                    Some(record) => {
                        if record.factors.len() > had {
                            must_have_room(&folder)?;
                        }
                        let sealed = key_set.encode(&subject, &record)?;
                        rows::write(connection, &subject, record.uid, &sealed)?;
                    }
                }
                Ok(())
            })
        });
        Box::pin(async move { told?.await.unwrap_or_else(|_| Err(ended())) })
    }

    fn discard(&self, subject: RecordKey) -> Pending<()> {
        let told = self.writer().and_then(|writer| {
            writer
                .ask(subject.to_string(), move |connection| Ok(rows::delete(connection, &subject)?))
        });
        Box::pin(async move { told?.await.unwrap_or_else(|_| Err(ended())) })
    }

    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>> {
        let keys = self.0.keys.snapshot();
        let told = self.reader().and_then(|reader| {
            reader.ask("everybody".into(), move |connection| {
                rows::users(connection, &after, limit as usize)
            })
        });
        Box::pin(async move {
            let users = told?.await.unwrap_or_else(|_| Err(ended()))?;
            let listed = users.into_iter().map(|(name, row)| Listed {
                record: keys.decode(&RecordKey::User(name.clone()), &row),
                name,
            });
            Ok(listed.collect())
        })
    }
}

/// Refuses to grow the store when the disk is nearly full: logins need what is left.
fn must_have_room(folder: &Path) -> Result<(), StoreError> {
    let room = statvfs(folder).map(|disk| disk.blocks_available() * disk.fragment_size());
    if room.is_ok_and(|room| room < RESERVED_FOR_LOGINS_BYTES) {
        return Err(StoreError::Refused(format!(
            "the disk with {} is full, and what is left is kept for logins: free some space on it, \
             then enroll again",
            folder.display()
        )));
    }
    Ok(())
}

/// Why a question or a change does not get into the queue of its thread.
fn not_queued<T>(refused: TrySendError<T>) -> StoreError {
    match refused {
        TrySendError::Full(_) => {
            StoreError::Unavailable("too many requests wait for the disk".into())
        }
        TrySendError::Disconnected(_) => ended(),
    }
}

fn ended() -> StoreError {
    StoreError::Unavailable("its thread has ended".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Bytes of the disk below which no factor is added. The log and the free pages of the file, which
/// logins live on, are reserved beside this.
const RESERVED_FOR_LOGINS_BYTES: u64 = 128 << 10;

/// Rows that are counted in one look.
const COUNT_PAGE_SIZE: usize = 10_000;

#[cfg(test)]
mod tests;
