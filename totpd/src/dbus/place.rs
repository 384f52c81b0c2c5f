//! A place among the calls that are worked on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::desk::Desk;

/// A place. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    desk: Arc<Desk>,
    uid: u32,
    is_held: AtomicBool,
}

impl Place {
    /// The place that the gate gave a call of `uid`.
    pub(super) fn new(desk: Arc<Desk>, uid: u32) -> Self {
        Self { desk, uid, is_held: AtomicBool::new(true) }
    }

    /// Waits for something that takes a person's time, and leaves the place to others meanwhile.
    pub(crate) async fn aside<T>(&self, wait: impl Future<Output = T>) -> T {
        self.leave();
        let done = wait.await;
        self.desk.resume(self.uid).await;
        self.is_held.store(true, Ordering::Release);
        done
    }

    fn leave(&self) {
        if self.is_held.swap(false, Ordering::AcqRel) {
            self.desk.end(self.uid);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
