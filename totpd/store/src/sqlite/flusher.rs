//! Flushing: in a thread, or in that of a caller that may block. One flush answers all changes that
//! were committed before it began. No lock on the database is held.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::backend::StoreError;
use crate::mutex::lock;
use crate::sqlite::database::Database;
use crate::sqlite::failure::unavailable;
use crate::sqlite::log::{Wal, flush_failure};
use crate::sqlite::marker::{Marker, Position};
use crate::sqlite::queue::AbortOnPanic;

/// A change that is committed, and not known to be on disk.
pub(super) struct CommittedChange {
    /// The log that it is in.
    pub(super) log: Arc<Wal>,
    /// The end of the log after it.
    pub(super) position: Position,
    /// The result of the change, once the log is flushed.
    pub(super) result: Result<(), StoreError>,
    /// `None` for a login that leans: it is answered.
    pub(super) sender: Option<oneshot::Sender<Result<(), StoreError>>>,
}

/// Flushes committed changes, and answers them.
pub(super) struct Flusher {
    marker: Arc<Marker>,
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
    /// The last login that leans, and when its flush is due.
    leaning: Option<(CommittedChange, Instant)>,
    is_flushing: bool,
    is_closed: bool,
}

impl Flusher {
    pub(super) fn new(marker: Arc<Marker>) -> Self {
        let (has_work, is_clear) = (Condvar::new(), Condvar::new());
        Self { marker, state: Mutex::default(), has_work, is_clear }
    }

    /// Has the thread flush what leans within a second, or at once if that is much.
    pub(super) fn flush_later(&self, change: CommittedChange) {
        let is_due = self.marker.is_far_ahead();
        let mut state = lock(&self.state);
        let now = Instant::now();
        let (last, before) = match state.leaning.take() {
            // Two callers come here in any order.
            Some((other, due)) if other.position > change.position => (other, Some(due)),
            other => (change, other.map(|(_, due)| due)),
        };
        let due = if is_due { now } else { before.unwrap_or(now + LEANS_FOR) };
        state.leaning = Some((last, due));
        if before.is_none_or(|before| due < before) {
            self.has_work.notify_one();
        }
    }

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

    /// Reports whether the next transaction may come: no change waits for a flush to begin, or
    /// logins lean.
    pub(super) fn has_room(&self) -> bool {
        lock(&self.state).queue.is_empty() || self.marker.has_room()
    }

    /// Waits until the next transaction may come. So a disk that stalls has one flush under way,
    /// and one transaction after it, or as many as lean.
    pub(super) fn wait_for_room(&self) {
        let mut state = lock(&self.state);
        while !state.queue.is_empty() && !self.marker.has_room() {
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
            } else if !state.is_flushing && state.has_flush_to_do() {
                state = self.flush_queue(state);
            } else if state.is_closed && !state.is_flushing {
                return;
            } else if let (Some((_, due)), false) = (&state.leaning, state.is_flushing) {
                let left = due.saturating_duration_since(Instant::now());
                let waited = self.has_work.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
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
        let mut changes = mem::take(&mut state.queue);
        changes.extend(state.leaning.take().map(|(change, _)| change));
        state.is_flushing = true;
        drop(state);
        self.is_clear.notify_all();
        let failures = self.flush(changes);
        let mut state = lock(&self.state);
        state.is_flushing = false;
        state.failures.extend(failures);
        state
    }

    /// Flushes the log of these changes, and answers them. Returns those whose flush failed.
    fn flush(&self, mut changes: Vec<CommittedChange>) -> Vec<CommittedChange> {
        let mut failures = Vec::new();
        // Almost always, all changes are in one log.
        while let Some(first) = changes.first() {
            let log = Arc::clone(&first.log);
            let (in_log, others): (Vec<_>, _) =
                changes.into_iter().partition(|change| Arc::ptr_eq(&change.log, &log));
            changes = others;
            match log.flush().map_err(|error| unavailable(flush_failure(&error))) {
                Ok(()) => {
                    if let Some(end) = in_log.iter().map(|change| change.position).max() {
                        self.marker.flushed(end);
                    }
                    in_log.into_iter().for_each(CommittedChange::answer);
                }
                Err(error) => failures.extend(
                    in_log
                        .into_iter()
                        .map(|change| CommittedChange { result: Err(error.clone()), ..change }),
                ),
            }
        }
        failures
    }

    fn signal(&self, state: &State) {
        let is_flushable = !state.is_flushing && state.has_flush_to_do();
        let has_waiting = !state.is_flushing && state.leaning.is_some();
        if is_flushable || has_waiting || !state.failures.is_empty() {
            self.has_work.notify_one();
        }
    }
}

impl State {
    fn has_flush_to_do(&self) -> bool {
        let is_due = |(_, due): &(_, Instant)| self.is_closed || *due <= Instant::now();
        !self.queue.is_empty() || self.leaning.as_ref().is_some_and(is_due)
    }
}

impl CommittedChange {
    fn answer(self) {
        if let Some(sender) = self.sender {
            // The caller may have given up.
            let _ = sender.send(self.result);
        }
    }
}

/// A login that leans is flushed within this time.
const LEANS_FOR: Duration = Duration::from_secs(1);
