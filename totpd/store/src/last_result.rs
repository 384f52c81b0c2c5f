//! The result of a closure that may run more than once, and in another thread.

use std::sync::{Arc, Mutex};

use crate::mutex::lock;

/// Holds what the last run returned. A clone holds the same.
pub(crate) struct LastResult<T>(Arc<Mutex<Option<T>>>);

impl<T> LastResult<T> {
    /// Returns one that holds nothing.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }

    /// Replaces the result of the run before.
    pub(crate) fn set(&self, result: T) {
        *lock(&self.0) = Some(result);
    }

    /// Takes the result; nothing if the closure never ran.
    pub(crate) fn take(&self) -> Option<T> {
        lock(&self.0).take()
    }
}

impl<T> Clone for LastResult<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
