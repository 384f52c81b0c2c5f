//! Flushing: in a thread, or in that of a caller that may block. One flush answers all changes that
//! were committed before it began. No lock on the database is held.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::backend::StoreError;
use crate::mutex::lock;
use crate::sqlite::database::Database;
use crate::sqlite::failure::unavailable;
use crate::sqlite::log::{Wal, flush_failure};
use crate::sqlite::queue::AbortOnPanic;

/// A change that is committed, and not known to be on disk.
pub(super) struct CommittedChange {
    /// The log that it is in.
    pub(super) log: Arc<Wal>,
    /// The result of the change, once the log is flushed.
    pub(super) result: Result<(), StoreError>,
    pub(super) sender: oneshot::Sender<Result<(), StoreError>>,
}

/// Flushes committed changes, and answers them.
#[derive(Default)]
pub(super) struct Flusher {
    state: Mutex<State>,
    /// Signals that the thread has work.
    has_work: Condvar,
    /// Signals that no change waits for a flush to begin.
    is_clear: Condvar,
}

#[derive(Default)]
struct State {
    /// Changes that wait for a flush to begin.
    queue: Vec<CommittedChange>,
    /// Changes that are not answered, whose flush has failed.
    failures: Vec<CommittedChange>,
    is_flushing: bool,
    is_closed: bool,
}

impl Flusher {
    /// Has the thread flush these changes.
    pub(super) fn submit(&self, changes: Vec<CommittedChange>) {
        let mut state = lock(&self.state);
        state.queue.extend(changes);
        self.signal(&state);
    }

    /// Flushes these changes and all others that wait. A flush that is under way does not cover
    /// them: then the thread has the next one.
    pub(super) fn flush_inline(&self, changes: Vec<CommittedChange>) {
        let mut state = lock(&self.state);
        state.queue.extend(changes);
        if !state.is_flushing {
            state = self.flush_queue(state);
        }
        self.signal(&state);
    }

    /// Reports whether no change waits for a flush to begin.
    pub(super) fn is_clear(&self) -> bool {
        lock(&self.state).queue.is_empty()
    }

    /// Waits until no change waits for a flush to begin. So a disk that stalls has one flush under
    /// way, and one transaction after it.
    pub(super) fn wait_until_clear(&self) {
        let mut state = lock(&self.state);
        while !state.queue.is_empty() {
            state = self.is_clear.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Flushes until [`Flusher::close`]. This is the work of the thread.
    pub(super) fn run(&self, database: &Mutex<Database>) {
        let _guard = AbortOnPanic;
        let mut state = lock(&self.state);
        loop {
            if !state.failures.is_empty() {
                let failures = mem::take(&mut state.failures);
                drop(state);
                // The next change has to see what is on disk, also that of a caller who tries
                // again.
                lock(database).discard_after_failed_flush();
                failures.into_iter().for_each(CommittedChange::answer);
                state = lock(&self.state);
            } else if !state.is_flushing && !state.queue.is_empty() {
                state = self.flush_queue(state);
            } else if state.is_closed {
                return;
            } else {
                state = self.has_work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Ends the thread when it has answered all changes. No more may come.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.has_work.notify_all();
    }

    /// Flushes for all changes that wait now, and answers them.
    fn flush_queue<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let changes = mem::take(&mut state.queue);
        state.is_flushing = true;
        drop(state);
        self.is_clear.notify_all();
        let failures = flush(changes);
        let mut state = lock(&self.state);
        state.is_flushing = false;
        state.failures.extend(failures);
        state
    }

    fn signal(&self, state: &State) {
        let is_flushable = !state.is_flushing && !state.queue.is_empty();
        if is_flushable || !state.failures.is_empty() {
            self.has_work.notify_one();
        }
    }
}

impl CommittedChange {
    fn answer(self) {
        // The caller may have given up.
        let _ = self.sender.send(self.result);
    }
}

/// Flushes the log of these changes, and answers them. Returns those whose flush failed.
fn flush(changes: Vec<CommittedChange>) -> Vec<CommittedChange> {
    let mut failures = Vec::new();
    // Almost always, all changes are in one log.
    let mut last: Option<(Arc<Wal>, Result<(), StoreError>)> = None;
    for mut change in changes {
        let outcome = match &last {
            Some((log, outcome)) if Arc::ptr_eq(log, &change.log) => outcome.clone(),
            _ => {
                let outcome =
                    change.log.flush().map_err(|error| unavailable(flush_failure(&error)));
                last = Some((Arc::clone(&change.log), outcome.clone()));
                outcome
            }
        };
        match outcome {
            Ok(()) => change.answer(),
            Err(error) => {
                change.result = Err(error);
                failures.push(change);
            }
        }
    }
    failures
}
