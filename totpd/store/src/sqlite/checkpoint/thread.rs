//! The thread that runs checkpoints.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::mutex::lock;
use crate::sqlite::database::Database;
use crate::sqlite::queue::AbortOnPanic;

/// Has the thread run checkpoints.
#[derive(Default)]
pub(in crate::sqlite) struct CheckpointThread {
    state: Mutex<State>,
    has_work: Condvar,
}

#[derive(Default)]
struct State {
    is_requested: bool,
    is_closed: bool,
}

impl CheckpointThread {
    /// Has the thread run a checkpoint. Nobody waits for it.
    pub(in crate::sqlite) fn request(&self) {
        lock(&self.state).is_requested = true;
        self.has_work.notify_one();
    }

    /// Ends the thread. No request may come any more.
    pub(in crate::sqlite) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.has_work.notify_one();
    }

    /// Runs checkpoints until [`CheckpointThread::close`]. This is the work of the thread.
    pub(in crate::sqlite) fn run(&self, database: &Mutex<Database>) {
        let _guard = AbortOnPanic;
        while self.wait_for_request() {
            run_checkpoint(database);
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

/// Runs a checkpoint without a lock on the database, and has the log restart if all is copied.
fn run_checkpoint(database: &Mutex<Database>) {
    let mut locked = lock(database);
    let Ok(connection) = locked.connection() else { return };
    let runner = Arc::clone(connection.checkpoint_runner());
    let checkpoint = runner.begin();
    drop(locked);
    let result = checkpoint.run();
    lock(database).checkpoint_ended(&runner, result);
}
