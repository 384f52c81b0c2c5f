//! The thread that hashes recovery codes: one at a time, so that whoever guesses keeps nobody else
//! waiting, and always the same one, whose memory is used again instead of being left in many arenas of
//! the allocator.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore, oneshot};

/// The thread, which ends with this.
#[derive(Debug)]
pub(crate) struct HashWorker {
    jobs: Sender<Job>,
    turn: Semaphore,
    /// Of those who manage one at a time waits for the turn, so that a login is next but one.
    management: Semaphore,
}

/// Whose work it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Work {
    /// Of a login: it waits for less long than the module does, so that the person gets a reason.
    Login,
    /// Of those who manage factors, many at a time and on slow machines too: for less long than totpctl does.
    Management,
}

type Job = Box<dyn FnOnce() + Send>;

/// Too many are waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct QueueTimeout;

impl HashWorker {
    /// Starts it.
    ///
    /// # Errors
    /// Where the kernel gives no thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, todo) = channel::<Job>();
        let thread = thread::Builder::new().name("hasher".into()).stack_size(STACK);
        thread.spawn(move || todo.into_iter().for_each(|job| job()))?;
        Ok(Self { jobs, turn: Semaphore::new(1), management: Semaphore::new(1) })
    }

    /// Does `work` there.
    ///
    /// # Errors
    /// [`QueueTimeout`] where it is not begun within three seconds of a login, or twenty of management.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        whose: Work,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QueueTimeout> {
        let turn = tokio::time::timeout(whose.patience(), async {
            let queue = match whose {
                Work::Login => None,
                Work::Management => Some(self.management.acquire().await?),
            };
            Ok::<_, AcquireError>((self.turn.acquire().await?, queue))
        });
        let _turn = turn.await.map_err(|_| QueueTimeout)?.map_err(|_| QueueTimeout)?;
        let (tell, told) = oneshot::channel();
        let job = Box::new(move || {
            // Whoever asked may have gone.
            let _ = tell.send(work());
        });
        self.jobs.send(job).map_err(|_| QueueTimeout)?;
        told.await.map_err(|_| QueueTimeout)
    }
}

const STACK: usize = 128 * 1024;

impl Work {
    const fn patience(self) -> Duration {
        match self {
            Self::Login => Duration::from_secs(3),
            Self::Management => Duration::from_secs(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn work_is_done_one_after_the_other_by_the_same_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let hasher = HashWorker::start().unwrap();
            let id = || thread::current().id();
            let first = hasher.run(Work::Login, id).await;
            assert_eq!(first, hasher.run(Work::Login, id).await);
            assert_ne!(first.unwrap(), id());
        });
    }

    #[test]
    fn a_login_is_next_but_one_however_many_are_managed() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let hasher = Arc::new(HashWorker::start().unwrap());
            let order = Arc::new(Mutex::new(Vec::new()));
            let first = hasher.turn.acquire().await.unwrap();
            let run = |whose, number| {
                let (hasher, order) = (Arc::clone(&hasher), Arc::clone(&order));
                tokio::spawn(async move {
                    hasher.run(whose, move || order.lock().unwrap().push(number)).await
                })
            };
            let mut all: Vec<_> = (0..10).map(|n| run(Work::Management, n)).collect();
            // They stand where they wait before the login comes.
            tokio::task::yield_now().await;
            all.push(run(Work::Login, 10));
            tokio::task::yield_now().await;
            drop(first);
            for one in all {
                assert_eq!(one.await.unwrap(), Ok(()));
            }
            assert_eq!(order.lock().unwrap().iter().position(|number| *number == 10), Some(1));
        });
    }
}
