//! How far a long task is.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many of how many records are done. Whoever works counts; whoever waits looks.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Begins anew, with so many records to do.
    pub fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// So many more are done.
    pub fn add(&self, more: usize) {
        self.done.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// How many are done, and of how many.
    #[must_use]
    pub fn now(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
