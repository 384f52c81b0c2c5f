//! What writes: a thread, and what waits while it flushes shares the next transaction and flush. A change
//! that finds nobody in its way is made by the thread that asks for it, if that may wait.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::StoreError;
use crate::blocking;
use crate::sqlite::connection::Database;
use crate::sqlite::rows::RowError;
use crate::sqlite::{lock, not_queued};

/// Asks for changes.
#[derive(Clone)]
pub(super) struct Writer {
    requests: SyncSender<Request>,
    shared: Arc<Shared>,
}

/// What the thread shares with those that write in its place.
struct Shared {
    disk: Mutex<Database>,
    /// Requests that are in the queue.
    queued: AtomicUsize,
    /// Changes that were made in its place since the log was looked at.
    since_checkpoint: AtomicU32,
}

/// What is asked of the thread.
enum Request {
    /// Something to do while nothing else is done.
    Exclusive(Box<dyn FnOnce(&mut Database) + Send>),
    /// A change. It may run more than once.
    Change(Change),
}

struct Change {
    /// Whose record it is about.
    about: String,
    work: Box<Work>,
    tell: oneshot::Sender<Result<(), StoreError>>,
}

type Work = dyn FnMut(&Connection) -> Result<(), RowError> + Send;
/// What comes of a change, once it is known.
type Completion = oneshot::Receiver<Result<(), StoreError>>;

impl Writer {
    /// The handle, and what its thread has to run.
    pub(super) fn new(disk: Database) -> (Self, Box<dyn FnOnce() + Send>) {
        let (requests, queue) = sync_channel(MAX_QUEUED_REQUESTS);
        let shared = Arc::new(Shared {
            disk: Mutex::new(disk),
            queued: AtomicUsize::new(0),
            since_checkpoint: AtomicU32::new(0),
        });
        let writer = Self { requests, shared: Arc::clone(&shared) };
        let work = move || {
            let _guard = AbortOnPanic;
            run_queue(&shared, &queue);
        };
        (writer, Box::new(work))
    }

    /// Has a change made. When `Ok` is told it is on disk.
    pub(super) fn ask(
        &self,
        about: String,
        work: impl FnMut(&Connection) -> Result<(), RowError> + Send + 'static,
    ) -> Result<Completion, StoreError> {
        let (tell, told) = oneshot::channel();
        let change = Change { about, work: Box::new(work), tell };
        // Whoever came before is served before, and shares its flush with all who wait.
        if blocking::blocking_allowed()
            && self.shared.queued.load(Ordering::Acquire) == 0
            && let Ok(mut disk) = self.shared.disk.try_lock()
        {
            let _guard = AbortOnPanic;
            commit_batch(&mut disk, vec![change]);
            drop(disk);
            self.maybe_checkpoint();
        } else {
            self.send(Request::Change(change))?;
        }
        Ok(told)
    }

    /// Has the thread see to the log now and then: whoever made the change is answered first.
    fn maybe_checkpoint(&self) {
        if self.shared.since_checkpoint.fetch_add(1, Ordering::Relaxed) + 1
            >= CHANGES_PER_CHECKPOINT
        {
            self.shared.since_checkpoint.store(0, Ordering::Relaxed);
            // Where its queue is full it is about to look itself.
            let _ = self.exclusive(Database::checkpoint_if_needed);
        }
    }

    /// Has `work` done with the file, while nobody else looks at it.
    pub(super) fn exclusive(
        &self,
        work: impl FnOnce(&mut Database) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.send(Request::Exclusive(Box::new(work)))
    }

    fn send(&self, request: Request) -> Result<(), StoreError> {
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        self.requests.try_send(request).map_err(|refused| {
            self.shared.queued.fetch_sub(1, Ordering::AcqRel);
            not_queued(refused)
        })
    }
}

/// Works the queue off until nobody holds the other end.
fn run_queue(shared: &Shared, queue: &Receiver<Request>) {
    while let Ok(first) = queue.recv() {
        let mut disk = lock(&shared.disk);
        let disk = &mut *disk;
        let mut batch = Vec::new();
        let mut after = None;
        for request in std::iter::once(first).chain(queue.try_iter().take(MAX_BATCH_SIZE - 1)) {
            shared.queued.fetch_sub(1, Ordering::AcqRel);
            match request {
                // Whoever gave up waiting is not served: the code is still good for another try.
                Request::Change(change) if change.tell.is_closed() => {}
                Request::Change(change) => batch.push(change),
                Request::Exclusive(work) => {
                    after = Some(work);
                    break;
                }
            }
        }
        if !batch.is_empty() {
            commit_batch(disk, batch);
            disk.checkpoint_if_needed();
        }
        if let Some(work) = after {
            work(disk);
        }
    }
}

/// Makes all these changes in one transaction and tells what came of them.
fn commit_batch(disk: &mut Database, mut batch: Vec<Change>) {
    let outcomes = match in_one_transaction(disk, &mut batch) {
        Ok(outcomes) => outcomes,
        // One damaged page must not take others with it: each for itself, then.
        Err(error) if is_damage(&error) => batch
            .iter_mut()
            .map(|change| match in_one_transaction(disk, std::slice::from_mut(change)) {
                Ok(mut outcome) => outcome.pop().unwrap_or(Ok(())),
                Err(error) if is_damage(&error) => Err(StoreError::Corrupt(change.about.clone())),
                Err(error) => Err(unavailable(&error)),
            })
            .collect(),
        Err(error) => vec![Err(unavailable(&error)); batch.len()],
    };
    for (change, outcome) in batch.into_iter().zip(outcomes) {
        // Whoever asked may have gone by now: then the answer is for nobody.
        let _ = change.tell.send(outcome);
    }
}

/// What came of each change, once all are on disk. After an error none of them is.
fn in_one_transaction(
    disk: &mut Database,
    batch: &mut [Change],
) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
    let outcomes = transact(disk, batch);
    match &outcomes {
        Err(error) if is_damage(error) => {
            // The disk gave what it has; there is no other version to be read.
            if let Ok(connection) = disk.connection() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        Err(_) => disk.discard_connections(),
        Ok(_) => {}
    }
    outcomes
}

fn transact(
    disk: &mut Database,
    batch: &mut [Change],
) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
    let connection = disk.connection()?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for change in batch {
        outcomes.push(match (change.work)(connection) {
            Ok(()) => Ok(()),
            Err(RowError::Record(error)) => Err(error),
            Err(RowError::Database(error)) => return Err(error),
        });
    }
    connection.execute_batch("COMMIT")?;
    Ok(outcomes)
}

/// Whether the file was read and is not as it should be, as opposed to not being readable.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

pub(super) fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// A panic of the store's thread ends the daemon, which the next login starts again: better than
/// one that answers nobody.
pub(super) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}

/// Requests that may wait. Each is one message of the bus, which bounds them too.
pub(super) const MAX_QUEUED_REQUESTS: usize = 4096;
/// Requests that share a flush.
const MAX_BATCH_SIZE: usize = 256;
/// Changes of one row each, of which the reserve of the log holds far more.
const CHANGES_PER_CHECKPOINT: u32 = 8;
