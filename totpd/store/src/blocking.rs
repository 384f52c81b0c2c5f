//! The permission of a thread to block: on the disk, or on a lookup of names.
//!
//! # Inline execution
//!
//! The thread that received a request works it off, if nothing holds the request up. Handing it to
//! other threads and back would cost a quarter of the time of a login. Requests run inline on the
//! private socket alone: one of its threads at a time may block. The thread that serves the bus
//! never may, because all its callers would wait with it.
//!
//! ```text
//! thread of the socket                         thread of the runtime
//! ────────────────────                         ─────────────────────
//! accept a connection
//! poll_once(the future) ──► reads a question
//!     │                     in_turn: reads, writes and looks up names in this thread
//!     │                     sends the answer to a module, and closes the connection
//!     │ ready:    the connection is over
//!     │ panicked: this connection is dropped
//!     │ pending:  something else has to happen first, or the client sends more than a module
//! spawn the future ──────────────────────────► polls it again, from its own queue
//! accept the next connection                   may not block: threads of their own read,
//!                                              write and look up names
//! ```
//!
//! # The places that block
//!
//! A thread may block from [`allow`] until the guard is dropped. [`is_allowed`] is checked at each
//! place that would block: the reader and the writer of the store, and NSS. Without permission they
//! use a thread of their own. They also do so if another thread holds the connection to the
//! database, because waiting for it would be unbounded. A disk or a name service that hangs thus
//! stops one thread of the socket and one request. The other thread accepts. Its requests do not
//! run inline until the first thread has returned.
//!
//! [`in_turn`] ends with the answer, before it is sent. So the next connection of a program that
//! has its answer finds the turn free, also in the other thread. Both threads may wait for bytes of
//! the socket, but not for longer than a moment ([`is_inline`]). The connection counts its reads
//! and messages in the thread, so a client that never stops sending moves to the runtime.
//!
//! # No wake-up is lost
//!
//! The first poll has a waker that does nothing. A future that is pending registered that waker. A
//! wake-up that arrives before the future is spawned is dropped. That loses nothing: the runtime
//! polls a spawned task once without a wake-up, with the waker of that task. A future has to look
//! at its source in every poll, and to keep the waker of the last one. This is the contract of
//! [`std::future::Future::poll`]. So the second poll finds all events in between, and later events
//! wake the task. The first poll registers sockets and timers with a runtime. This is the runtime
//! whose context the thread has entered, and the task is spawned there.
//!
//! # Panics
//!
//! [`poll_once`] catches a panic of the future. So a bug ends one connection and not the thread.
//! The guard is dropped while a panic unwinds, as at every other end: no thread keeps the
//! permission by accident. Inside the store a panic aborts the process instead (`sqlite/queue.rs`),
//! because a transaction must not be left half made.

use std::cell::Cell;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::task::{Context, Waker};

thread_local! {
    static ALLOWED: Cell<bool> = const { Cell::new(false) };
    static INLINE: Cell<bool> = const { Cell::new(false) };
}

/// The permission of a thread to block. It ends when this is dropped.
#[must_use = "the permission ends when this is dropped"]
pub struct Allowed {
    before: bool,
    /// The mark that keeps the permission in one thread.
    _not_send: PhantomData<*const ()>,
}

/// Lets this thread block until the guard is dropped.
pub fn allow() -> Allowed {
    Allowed { before: ALLOWED.replace(true), _not_send: PhantomData }
}

/// Reports whether this thread may block.
#[must_use]
pub fn is_allowed() -> bool {
    ALLOWED.get()
}

/// Reports whether this thread is one of the socket that polls a future ([`poll_once`]). It may
/// wait for a moment, without permission to block.
#[must_use]
pub fn is_inline() -> bool {
    INLINE.get()
}

/// Works off `work`. A thread of the socket may block at each poll of it, unless another thread has
/// the turn.
pub async fn in_turn<T>(turn: &Mutex<()>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let turn = is_inline().then(|| try_lock(turn)).flatten();
        let _allowed = turn.is_some().then(allow);
        work.as_mut().poll(context)
    })
    .await
}

/// Locks the turn if no thread has it. It guards no data, so a panic left none half changed.
fn try_lock(turn: &Mutex<()>) -> Option<MutexGuard<'_, ()>> {
    match turn.try_lock() {
        Ok(turn) => Some(turn),
        Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Polls `future` once in this thread. Returns it if it is pending: the caller has to spawn it on
/// the runtime that this thread has entered. A future that panics is over.
#[must_use = "a pending future has to be spawned"]
pub fn poll_once<F: Future<Output = ()>>(mut future: Pin<Box<F>>) -> Option<Pin<Box<F>>> {
    let mut context = Context::from_waker(Waker::noop());
    let poll = || future.as_mut().poll(&mut context);
    INLINE.set(true);
    let is_pending = catch_unwind(AssertUnwindSafe(poll)).is_ok_and(|poll| poll.is_pending());
    INLINE.set(false);
    is_pending.then_some(future)
}

impl Drop for Allowed {
    fn drop(&mut self) {
        ALLOWED.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use tokio::sync::oneshot;

    use super::*;
    use crate::conformance::run;

    #[test]
    fn a_guard_allows_its_own_thread_until_it_is_dropped() {
        assert!(!is_allowed());
        let outer = allow();
        let inner = allow();
        assert!(is_allowed());
        assert!(!thread::spawn(is_allowed).join().unwrap());
        drop(inner);
        assert!(is_allowed(), "the outer guard still allows it");
        drop(outer);
        assert!(!is_allowed());
    }

    #[test]
    fn a_guard_ends_when_a_panic_unwinds() {
        let panicked = catch_unwind(|| {
            let _allowed = allow();
            panic!("a bug");
        });
        assert!(panicked.is_err());
        assert!(!is_allowed());
    }

    #[test]
    fn one_thread_of_the_socket_has_the_turn_until_its_answer() {
        let turn = Arc::new(Mutex::new(()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |seen: &Mutex<Vec<_>>| seen.lock().unwrap().push((is_inline(), is_allowed()));
        let connection = |turn: Arc<Mutex<()>>, seen: Arc<Mutex<Vec<_>>>| {
            Box::pin(async move {
                in_turn(&turn, async {
                    note(&seen);
                    let (turn, seen) = (Arc::clone(&turn), Arc::clone(&seen));
                    let other = thread::spawn(move || {
                        let work = async move { in_turn(&turn, async { note(&seen) }).await };
                        assert!(poll_once(Box::pin(work)).is_none());
                    });
                    other.join().unwrap();
                })
                .await;
                note(&seen);
            })
        };
        assert!(poll_once(connection(Arc::clone(&turn), Arc::clone(&seen))).is_none());
        let (first, other, after) = ((true, true), (true, false), (true, false));
        assert_eq!(*seen.lock().unwrap(), [first, other, after]);
        assert!(!is_inline());
        // A runtime never has the turn.
        run(in_turn(&turn, async { assert!(!is_allowed()) }));
    }

    #[test]
    fn the_turn_is_free_after_a_panic_and_while_a_future_waits() {
        let turn = Arc::new(Mutex::new(()));
        let of_bug = Arc::clone(&turn);
        let bug = async move { in_turn(&of_bug, async { panic!("a bug") }).await };
        assert!(poll_once(Box::pin(bug)).is_none() && !is_inline() && !is_allowed());
        let (waiting, next) = (Arc::clone(&turn), Arc::clone(&turn));
        let waiting = async move { in_turn(&waiting, std::future::pending::<()>()).await };
        assert!(poll_once(Box::pin(waiting)).is_some());
        let was_allowed = Arc::new(Mutex::new(false));
        let allowed = Arc::clone(&was_allowed);
        let next =
            async move { in_turn(&next, async { *allowed.lock().unwrap() = is_allowed() }).await };
        assert!(poll_once(Box::pin(next)).is_none() && *was_allowed.lock().unwrap());
    }

    #[test]
    fn a_future_that_panics_is_over() {
        async fn bug() {
            panic!("a bug")
        }
        assert!(poll_once(Box::pin(bug())).is_none());
        assert!(poll_once(Box::pin(async {})).is_none());
    }

    #[test]
    fn a_wake_up_before_the_spawn_is_not_lost() {
        run(async {
            let (sender, receiver) = oneshot::channel();
            let (answer, answered) = oneshot::channel();
            let pending = poll_once(Box::pin(async move {
                let number: u32 = receiver.await.unwrap();
                answer.send(number).unwrap();
            }));
            // The waker of the first poll does nothing with this.
            sender.send(7).unwrap();
            tokio::spawn(pending.expect("it had to wait"));
            assert_eq!(answered.await, Ok(7));
        });
    }
}
