//! How many questions of ordinary users are worked on at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::caller::Caller;

/// Turns of ordinary users: however many questions they send at a time, few of them are worked on,
/// so that they take neither the threads of lookups nor the queue of the store from root's logins.
pub(crate) struct Turns(Arc<Semaphore>);

/// A turn. It ends when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST_ORDINARY_TURNS)))
    }

    /// Waits for a turn of `caller`. Root has one at once.
    pub(crate) async fn turn(&self, caller: Caller) -> Turn {
        if caller.is_root() {
            return Turn { _permit: None };
        }
        // Never closed, so the error cannot arise.
        Turn { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

/// A quarter of the threads that may ask NSS.
const MOST_ORDINARY_TURNS: usize = 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ordinary_users_wait_for_each_other_and_root_for_nobody() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let turns = Turns::new();
            let (root, user) = (Caller { uid: 0 }, Caller { uid: 1000 });
            let mut taken = Vec::new();
            for _ in 0..MOST_ORDINARY_TURNS {
                taken.push(turns.turn(user).await);
            }
            let wait = Duration::from_millis(20);
            assert!(tokio::time::timeout(wait, turns.turn(user)).await.is_err());
            assert!(tokio::time::timeout(wait, turns.turn(root)).await.is_ok());
            taken.pop();
            assert!(tokio::time::timeout(wait, turns.turn(user)).await.is_ok());
        });
    }
}
