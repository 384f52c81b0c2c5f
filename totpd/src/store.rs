//! The store: read a record, or change it in one transaction that is on disk before anybody hears
//! of it. Nothing above this file knows how.
//!
//! One thread does the work. What waits while it flushes shares the next flush.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use tokio::sync::oneshot;

use crate::record::Record;
use crate::store::sqlite::Rows;
use crate::subject::Subject;
use crate::user::UserName;

mod folder;
mod sqlite;

pub use folder::{FOLDER, OpenError, Opened};

/// Why the store did not do what it was asked. For the journal; a caller learns less.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A record is not what was written for its subject.
    #[error("the record of {0} cannot be unsealed: it was damaged, or changed by somebody else")]
    Corrupt(String),
    /// The disk, or what lies between.
    #[error("the store cannot be read or written: {0}")]
    Unavailable(String),
}

/// A user in a listing.
#[derive(Debug)]
pub struct Listed {
    /// The login name.
    pub name: UserName,
    /// The record, or why it cannot be trusted.
    pub record: Result<Record, StoreError>,
}

/// A handle on the store. It can be cloned; the last one ends the thread.
#[derive(Clone)]
pub struct Store(SyncSender<Job>);

/// Work on the rows. It runs inside a transaction and answers through what it returns, once that
/// is on disk or has failed.
type Job = Box<dyn FnOnce(&mut Rows) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

impl Store {
    /// Opens the store in `folder`, making what is missing, and starts its thread.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the folder, the key or the file, and what to do.
    pub fn open(folder: &Path) -> Result<Opened, OpenError> {
        let (mut rows, buckets) = folder::open(folder)?;
        let (jobs, queue) = sync_channel(LONGEST_QUEUE);
        thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                let _guard = AbortOnPanic;
                work(&mut rows, &queue);
            })
            .map_err(OpenError::Thread)?;
        Ok(Opened { store: Self(jobs), buckets })
    }

    /// The record of `subject`.
    ///
    /// # Errors
    /// [`StoreError`], if it cannot be read or trusted.
    pub async fn read(&self, subject: Subject) -> Result<Option<Record>, StoreError> {
        self.run(move |rows| rows.read(&subject)).await
    }

    /// The record of `subject`, or where it has none that of `other`, by one look.
    ///
    /// # Errors
    /// [`StoreError`], if it cannot be read or trusted.
    pub async fn read_either(
        &self,
        subject: Subject,
        other: Subject,
    ) -> Result<Option<Record>, StoreError> {
        self.run(move |rows| match rows.read(&subject)? {
            None => rows.read(&other),
            record => Ok(record),
        })
        .await
    }

    /// Changes the record of `subject` by a pure function, which gets what is there and answers
    /// what shall be there instead (nothing: no record), in one transaction. When this returns
    /// `Ok`, the change is on disk.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is changed, as far as anybody was told.
    pub async fn update<T: Send + 'static>(
        &self,
        subject: Subject,
        change: impl FnOnce(Option<Record>) -> (T, Option<Record>) + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |rows| {
            let (result, record) = change(rows.read(&subject)?);
            match record {
                Some(record) => rows.write(&subject, &record)?,
                None => rows.delete(&subject)?,
            }
            Ok(result)
        })
        .await
    }

    /// At most `limit` users whose names come after `after`, in the order of their bytes.
    ///
    /// # Errors
    /// [`StoreError`], if the store cannot be read.
    pub async fn list(&self, after: String, limit: u32) -> Result<Vec<Listed>, StoreError> {
        self.run(move |rows| rows.list(&after, limit)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Rows) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |rows| {
            let result = work(rows);
            // Whoever asked may have gone by now: then the answer is for nobody.
            Box::new(move |committed| drop(tell.send(committed.and(result))))
        });
        self.0.try_send(job).map_err(|refused| {
            StoreError::Unavailable(match refused {
                TrySendError::Full(_) => "too many requests wait for the disk".into(),
                TrySendError::Disconnected(_) => "its thread has ended".into(),
            })
        })?;
        told.await.map_err(|_| StoreError::Unavailable("its thread has ended".into()))?
    }
}

/// Works the queue off until nobody holds the other end.
fn work(rows: &mut Rows, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let batch = std::iter::once(first).chain(queue.try_iter().take(LARGEST_BATCH - 1));
        let mut answers = Vec::new();
        let committed = rows.in_transaction(|rows| answers.extend(batch.map(|job| job(rows))));
        for answer in answers {
            answer(committed.clone());
        }
    }
}

/// A panic of the store's thread ends the daemon, which the next login starts again: better than
/// one that answers nobody.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}

/// Requests that may wait. Each is one message of the bus, which bounds them too.
const LONGEST_QUEUE: usize = 4096;
/// Requests that share a flush.
const LARGEST_BATCH: usize = 256;

#[cfg(test)]
mod tests;
