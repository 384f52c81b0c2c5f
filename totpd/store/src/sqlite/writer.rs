//! Writing in a thread. Requests that arrive during a flush share the next transaction. A caller
//! that may block writes itself if nothing is in its way. A caller is answered when the flush after
//! the commit has returned ([`Flusher`]).

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::backend::StoreError;
use crate::blocking;
use crate::mutex::lock;
use crate::sqlite::database::Database;
use crate::sqlite::flusher::Flusher;
use crate::sqlite::queue::{AbortOnPanic, MAX_QUEUED_REQUESTS, queue_error};
use crate::sqlite::rows::RowError;
use crate::sqlite::transaction::{Completion, QueuedChange, commit_batch};

/// Submits changes.
#[derive(Clone)]
pub(super) struct Writer {
    requests: SyncSender<Request>,
    shared: Arc<Shared>,
}

/// The state that the thread shares with callers that write themselves.
struct Shared {
    database: Mutex<Database>,
    flusher: Flusher,
    /// Requests in the queue.
    queued: AtomicUsize,
    /// The number of changes that callers made after a checkpoint was last considered.
    since_checkpoint: AtomicU32,
}

/// The requests to the thread.
enum Request {
    /// Work on the file while nobody else uses it.
    Exclusive(Box<dyn FnOnce(&mut Database) + Send>),
    Change(QueuedChange),
}

/// The work of a thread.
pub(super) type Work = Box<dyn FnOnce() + Send>;

impl Writer {
    /// Returns the handle, and the work of the threads that write and flush.
    pub(super) fn new(database: Database) -> (Self, [Work; 2]) {
        let (requests, queue) = sync_channel(MAX_QUEUED_REQUESTS);
        let shared = Arc::new(Shared {
            database: Mutex::new(database),
            flusher: Flusher::default(),
            queued: AtomicUsize::new(0),
            since_checkpoint: AtomicU32::new(0),
        });
        let writer = Self { requests, shared: Arc::clone(&shared) };
        let shared_with_flush = Arc::clone(&shared);
        let write = move || {
            let _guard = AbortOnPanic;
            run_queue(&shared, &queue);
            shared.flusher.close();
        };
        let flush = move || shared_with_flush.flusher.run(&shared_with_flush.database);
        (writer, [Box::new(write), Box::new(flush)])
    }

    /// Submits a change. It is on disk when the completion is `Ok`. `about` names the user for the
    /// error of a damaged file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full.
    pub(super) fn submit(
        &self,
        about: String,
        work: impl FnMut(&Connection) -> Result<(), RowError> + Send + 'static,
    ) -> Result<Completion, StoreError> {
        let (sender, completion) = oneshot::channel();
        let change = QueuedChange { about, work: Box::new(work), sender };
        // Queued requests come first, and share their flush with all that wait.
        if blocking::is_allowed()
            && self.shared.queued.load(Ordering::Acquire) == 0
            && self.shared.flusher.is_clear()
            && let Ok(mut database) = self.shared.database.try_lock()
        {
            let _guard = AbortOnPanic;
            let changes = commit_batch(&mut database, vec![change]);
            drop(database);
            self.shared.flusher.flush_inline(changes);
            self.maybe_checkpoint();
        } else {
            self.send(Request::Change(change))?;
        }
        Ok(completion)
    }

    /// Has the thread consider a checkpoint after some changes. The caller of this change is
    /// answered first.
    fn maybe_checkpoint(&self) {
        let changes = self.shared.since_checkpoint.fetch_add(1, Ordering::Relaxed) + 1;
        if changes >= CHANGES_PER_CHECKPOINT {
            self.shared.since_checkpoint.store(0, Ordering::Relaxed);
            // A full queue ends in a checkpoint anyway.
            let _ = self.exclusive(Database::checkpoint_if_needed);
        }
    }

    /// Has `work` done on the file while no other thread uses it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full.
    pub(super) fn exclusive(
        &self,
        work: impl FnOnce(&mut Database) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.send(Request::Exclusive(Box::new(work)))
    }

    fn send(&self, request: Request) -> Result<(), StoreError> {
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        self.requests.try_send(request).map_err(|error| {
            self.shared.queued.fetch_sub(1, Ordering::AcqRel);
            queue_error(error)
        })
    }
}

/// Serves requests until nobody holds the other end of the queue.
fn run_queue(shared: &Shared, queue: &Receiver<Request>) {
    while let Ok(first) = queue.recv() {
        shared.flusher.wait_until_clear();
        let mut database = lock(&shared.database);
        let mut batch = Vec::new();
        let mut exclusive = None;
        for request in std::iter::once(first).chain(queue.try_iter().take(MAX_BATCH_SIZE - 1)) {
            shared.queued.fetch_sub(1, Ordering::AcqRel);
            match request {
                // The caller gave up: its code stays valid for another attempt.
                Request::Change(change) if change.sender.is_closed() => {}
                Request::Change(change) => batch.push(change),
                Request::Exclusive(work) => {
                    exclusive = Some(work);
                    break;
                }
            }
        }
        if !batch.is_empty() {
            shared.flusher.submit(commit_batch(&mut database, batch));
            database.checkpoint_if_needed();
        }
        if let Some(work) = exclusive {
            work(&mut database);
        }
    }
}

/// Requests that share a transaction.
const MAX_BATCH_SIZE: usize = 256;
/// Changes of one row each; the reserve of the log holds far more.
const CHANGES_PER_CHECKPOINT: u32 = 8;
