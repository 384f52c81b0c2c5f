//! A slot among the calls that the daemon works on.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The keeper of the slots for the calls of users.
pub(crate) trait CallSlots: fmt::Debug + Send + Sync {
    /// Frees the slot of a call of `uid`.
    fn release(&self, uid: u32);

    /// Waits until a call of `uid` that released its slot has a slot again.
    fn reacquire(&self, uid: u32) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A slot of a call. Dropping this value frees the slot.
#[derive(Debug)]
pub(crate) struct CallSlot {
    slots: Arc<dyn CallSlots>,
    uid: u32,
    is_held: AtomicBool,
}

impl CallSlot {
    /// Returns the slot that a call of `uid` has.
    pub(crate) fn new(slots: Arc<dyn CallSlots>, uid: u32) -> Self {
        Self { slots, uid, is_held: AtomicBool::new(true) }
    }

    /// Waits for something that takes a person's time. Other calls have the slot until the wait
    /// ends.
    pub(crate) async fn without_slot<T>(&self, wait: impl Future<Output = T>) -> T {
        self.release();
        let result = wait.await;
        self.slots.reacquire(self.uid).await;
        self.is_held.store(true, Ordering::Release);
        result
    }

    fn release(&self) {
        if self.is_held.swap(false, Ordering::AcqRel) {
            self.slots.release(self.uid);
        }
    }
}

impl Drop for CallSlot {
    fn drop(&mut self) {
        self.release();
    }
}
