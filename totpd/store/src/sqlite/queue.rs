//! The shared parts of the queues of the reader and the writer.

use std::sync::mpsc::TrySendError;
use std::thread;

use crate::backend::StoreError;
use crate::sqlite::failure::thread_ended;

/// Requests that may wait. Each is one message of the bus, which bounds them too.
pub(super) const MAX_QUEUED_REQUESTS: usize = 4096;

/// Explains why a request did not get into the queue of its thread.
pub(super) fn queue_error<T>(error: TrySendError<T>) -> StoreError {
    match error {
        TrySendError::Full(_) => {
            StoreError::Unavailable("too many requests are waiting for the disk; try again".into())
        }
        TrySendError::Disconnected(_) => thread_ended(),
    }
}

/// A panic in the store ends the daemon, which the next login starts again. A daemon that lives on
/// without its store would answer nobody.
pub(super) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}
