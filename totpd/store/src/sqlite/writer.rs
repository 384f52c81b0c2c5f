//! Writing in a thread. Requests that arrive during a flush share the next transaction. A caller
//! that may block writes itself if nothing is in its way. A caller is answered when the flush after
//! the commit has returned ([`Flusher`]).

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;
use totpd_core::mark::Mark;
use totpd_core::void_windows::VoidWindows;

use crate::backend::StoreError;
use crate::blocking;
use crate::mutex::lock;
use crate::sqlite::checkpoint::thread::CheckpointThread;
use crate::sqlite::database::Database;
use crate::sqlite::failure::EVERYBODY;
use crate::sqlite::flusher::Flusher;
use crate::sqlite::log_sizes::{CHANGES_PER_LOG_CHECK, MAX_BATCH_CHANGES};
use crate::sqlite::marker::{Effect, Marker};
use crate::sqlite::queue::{AbortOnPanic, MAX_QUEUED_REQUESTS, queue_error};
use crate::sqlite::rows::RowError;
use crate::sqlite::transaction::{Committed, Completion, QueuedChange, Work, commit_batch};

/// Submits changes.
#[derive(Clone)]
pub(super) struct Writer {
    requests: SyncSender<Request>,
    shared: Arc<Shared>,
}

/// The state that the thread shares with callers that write themselves.
struct Shared {
    marker: Arc<Marker>,
    database: Mutex<Database>,
    flusher: Flusher,
    checkpoint_thread: CheckpointThread,
    /// Requests in the queue.
    queued: AtomicUsize,
    /// The number of changes that callers made after they last asked for a look at the log.
    since_log_check: AtomicU32,
}

/// The requests to the thread.
enum Request {
    /// Work on the file while nobody else uses it.
    Exclusive(ExclusiveWork),
    Change(QueuedChange),
    /// Callers have written themselves, so the thread has to look at the log.
    CheckLog,
    /// A mark to lean on, from this time on (seconds since 1970).
    Mark(u64),
}

type ExclusiveWork = Box<dyn FnOnce(&mut Database) + Send>;
/// The work of a thread.
pub(super) type ThreadWork = Box<dyn FnOnce() + Send>;

impl Writer {
    /// Returns the handle, and the work of the threads that write, flush and checkpoint.
    pub(super) fn new(database: Database) -> (Self, [ThreadWork; 3]) {
        let (requests, queue) = sync_channel(MAX_QUEUED_REQUESTS);
        let marker = Arc::clone(database.marker());
        let shared = Arc::new(Shared {
            marker: Arc::clone(&marker),
            database: Mutex::new(database),
            flusher: Flusher::new(marker),
            checkpoint_thread: CheckpointThread::default(),
            queued: AtomicUsize::new(0),
            since_log_check: AtomicU32::new(0),
        });
        let writer = Self { requests, shared: Arc::clone(&shared) };
        let (shared_with_flush, shared_with_checkpoint) =
            (Arc::clone(&shared), Arc::clone(&shared));
        let write = move || {
            let _guard = AbortOnPanic;
            QueueThread { shared: &shared, queue: &queue, mark_check: None }.run();
            shared.flusher.close();
            shared.checkpoint_thread.close();
        };
        let flush = move || shared_with_flush.flusher.run(&shared_with_flush.database);
        let checkpoint =
            move || shared_with_checkpoint.checkpoint_thread.run(&shared_with_checkpoint.database);
        (writer, [Box::new(write), Box::new(flush), Box::new(checkpoint)])
    }

    /// Submits a change. It is on disk when the completion is `Ok`. `about` names the user for the
    /// error of a damaged file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full.
    pub(super) fn submit(
        &self,
        about: String,
        work: impl FnMut(&Connection, &VoidWindows) -> Result<Effect, RowError> + Send + 'static,
    ) -> Result<Completion, StoreError> {
        let (sender, completion) = oneshot::channel();
        let change = QueuedChange { about, work: Work::Rows(Box::new(work)), sender };
        // Queued requests come first, and share their flush with all that wait.
        if blocking::is_allowed()
            && self.shared.queued.load(Ordering::Acquire) == 0
            && self.shared.flusher.has_room()
            && let Ok(mut database) = self.shared.database.try_lock()
        {
            let _guard = AbortOnPanic;
            let committed = commit_batch(&mut database, vec![change]);
            drop(database);
            if !committed.waiting.is_empty() {
                self.shared.flusher.flush_inline(committed.waiting);
            }
            if let Some(leaning) = committed.leaning {
                self.shared.flusher.flush_later(leaning);
            }
            if let Some(now) = committed.wants_mark_at {
                self.request_mark(now);
            }
            self.maybe_check_log();
        } else {
            self.send(Request::Change(change))?;
        }
        Ok(completion)
    }

    /// Has the thread look at the log after some changes of callers, who look at no limit. The
    /// caller of this change is answered first.
    fn maybe_check_log(&self) {
        let changes = self.shared.since_log_check.fetch_add(1, Ordering::Relaxed) + 1;
        if changes >= CHANGES_PER_LOG_CHECK {
            self.shared.since_log_check.store(0, Ordering::Relaxed);
            // A queue that is full has the thread look anyway.
            let _ = self.send(Request::CheckLog);
        }
    }

    /// Has the thread make a mark at `now` (seconds since 1970), if one is wanted. Nobody waits for
    /// it.
    pub(super) fn request_mark(&self, now: u64) {
        if self.shared.marker.request_mark(now) && self.send(Request::Mark(now)).is_err() {
            self.shared.marker.forget_request();
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

/// The thread that serves the queue.
struct QueueThread<'a> {
    shared: &'a Shared,
    queue: &'a Receiver<Request>,
    /// When to look whether the mark is over.
    mark_check: Option<Instant>,
}

impl QueueThread<'_> {
    /// Serves requests until nobody holds the other end of the queue.
    fn run(mut self) {
        while let Some(first) = self.next_request() {
            self.shared.flusher.wait_for_room();
            let mut database = lock(&self.shared.database);
            let (changes, exclusive) = self.take_batch(first);
            let only_exclusive = changes.is_empty() && exclusive.is_some();
            if !changes.is_empty() {
                self.make_changes(&mut database, changes);
            }
            if !only_exclusive && database.wants_checkpoint() {
                self.shared.checkpoint_thread.request();
            }
            if let Some(work) = exclusive {
                database.wait_for_checkpoint();
                work(&mut database);
            }
        }
    }

    /// Returns the next request, or a change that ends a mark which is over. `None` ends the
    /// thread.
    fn next_request(&mut self) -> Option<Request> {
        loop {
            let Some(check) = self.mark_check else { return self.queue.recv().ok() };
            match self.queue.recv_timeout(check.saturating_duration_since(Instant::now())) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            // The clock may have been set, so the mark may go on.
            self.mark_check =
                self.shared.marker.is_open().then(|| Instant::now() + MARK_CHECK_INTERVAL);
            if self.shared.marker.is_over() {
                self.shared.queued.fetch_add(1, Ordering::AcqRel);
                return Some(Request::Change(mark_change(None)));
            }
        }
    }

    /// Takes the changes that share a transaction out of the queue, and the exclusive work that
    /// comes after them.
    fn take_batch(&mut self, first: Request) -> (Vec<QueuedChange>, Option<ExclusiveWork>) {
        let mut changes = Vec::new();
        for request in
            std::iter::once(first).chain(self.queue.try_iter().take(MAX_BATCH_CHANGES - 1))
        {
            self.shared.queued.fetch_sub(1, Ordering::AcqRel);
            match request {
                // The caller gave up: its code stays valid for another attempt.
                Request::Change(change) if change.is_abandoned() => {}
                Request::Change(change) => changes.push(change),
                Request::CheckLog => {}
                Request::Mark(now) => changes.extend(self.requested_mark(now)),
                Request::Exclusive(work) => return (changes, Some(work)),
            }
        }
        (changes, None)
    }

    /// Makes the changes, and the mark that the next logins lean on. Hands them to the flusher.
    fn make_changes(&mut self, database: &mut Database, changes: Vec<QueuedChange>) {
        let Shared { marker, flusher, .. } = self.shared;
        let Committed { mut waiting, leaning, wants_mark_at } = commit_batch(database, changes);
        if waiting.is_empty() {
            leaning.into_iter().for_each(|change| flusher.flush_later(change));
        } else {
            // One flush for all.
            waiting.extend(leaning);
            flusher.submit(waiting);
        }
        if let Some(now) = wants_mark_at
            && marker.request_mark(now)
            && let Some(change) = self.requested_mark(now)
        {
            flusher.submit(commit_batch(database, vec![change]).waiting);
        }
    }

    /// Returns the change that makes the mark which was requested at `now` (seconds since 1970), if
    /// it is still wanted.
    fn requested_mark(&mut self, now: u64) -> Option<QueuedChange> {
        let mark = self.shared.marker.requested_mark(now)?;
        self.mark_check = Some(Instant::now() + MARK_CHECK_INTERVAL);
        Some(mark_change(Some(mark)))
    }
}

/// Returns the change of the row of the mark. Nobody waits for it.
fn mark_change(mark: Option<Mark>) -> QueuedChange {
    let (sender, _) = oneshot::channel();
    QueuedChange { about: EVERYBODY.into(), work: Work::Mark(mark), sender }
}

/// A mark is looked at shortly after its time is over.
const MARK_CHECK_INTERVAL: Duration = Duration::from_secs(Mark::SECONDS + 2);
