//! Copying the log into the file, in a thread. Others commit at the same time: no login waits for
//! the flushes of a copy.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::mutex::lock;
use crate::sqlite::database::Database;
use crate::sqlite::queue::AbortOnPanic;

/// Has the thread copy the log.
#[derive(Default)]
pub(super) struct Checkpointer {
    state: Mutex<State>,
    has_work: Condvar,
}

#[derive(Default)]
struct State {
    is_requested: bool,
    is_closed: bool,
}

impl Checkpointer {
    /// Has the thread copy the log. Nobody waits for it.
    pub(super) fn request(&self) {
        lock(&self.state).is_requested = true;
        self.has_work.notify_one();
    }

    /// Ends the thread. No request may come any more.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.has_work.notify_one();
    }

    /// Copies until [`Checkpointer::close`]. This is the work of the thread.
    pub(super) fn run(&self, database: &Mutex<Database>) {
        let _guard = AbortOnPanic;
        while self.wait_for_request() {
            copy(database);
        }
    }

    fn wait_for_request(&self) -> bool {
        let mut state = lock(&self.state);
        while !state.is_requested && !state.is_closed {
            state = self.has_work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_requested = false;
        !state.is_closed
    }
}

/// Copies the log without a lock on the database, and has it begin again if all is copied.
fn copy(database: &Mutex<Database>) {
    let mut locked = lock(database);
    let Ok(connection) = locked.connection() else { return };
    let copier = Arc::clone(connection.copier());
    let copy = copier.begin();
    drop(locked);
    let result = copy.run();
    lock(database).copied(&copier, result);
}
