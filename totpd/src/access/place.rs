//! A place among the calls that are worked on.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whoever gives places to the calls of users.
pub(crate) trait Places: fmt::Debug + Send + Sync {
    /// A call of `uid` does not need its place any more.
    fn leave(&self, uid: u32);

    /// Waits until a call of `uid` that left its place has one again.
    fn retake(&self, uid: u32) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A place. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<dyn Places>,
    uid: u32,
    is_held: AtomicBool,
}

impl Place {
    /// The place that `places` gave a call of `uid`.
    pub(crate) fn new(places: Arc<dyn Places>, uid: u32) -> Self {
        Self { places, uid, is_held: AtomicBool::new(true) }
    }

    /// Waits for something that takes a person's time, and leaves the place to others meanwhile.
    pub(crate) async fn aside<T>(&self, wait: impl Future<Output = T>) -> T {
        self.leave();
        let done = wait.await;
        self.places.retake(self.uid).await;
        self.is_held.store(true, Ordering::Release);
        done
    }

    fn leave(&self) {
        if self.is_held.swap(false, Ordering::AcqRel) {
            self.places.leave(self.uid);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
