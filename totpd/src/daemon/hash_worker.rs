//! A single worker thread for scrypt. One hash at a time bounds the CPU time and memory that
//! guesses cost. One thread does not fragment the arenas of the allocator.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore, oneshot};

/// The worker thread. It ends when the caller drops this value.
#[derive(Debug)]
pub(crate) struct HashWorker {
    jobs: Sender<Job>,
    turn: Semaphore,
    /// The permit to wait for the turn. One job of management at a time has it, so at most one is
    /// ahead of a login.
    management: Semaphore,
}

/// The purpose of a hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Work {
    /// A login. Its wait is shorter than that of the module, so the person gets a reason.
    Login,
    /// Management, perhaps of many users and on a slow machine. Its wait is shorter than that of
    /// totpctl.
    Management,
}

type Job = Box<dyn FnOnce() + Send>;

/// The error if too many jobs wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct QueueTimeout;

impl HashWorker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The error of the kernel, if it refuses a thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, queue) = channel::<Job>();
        let thread = thread::Builder::new().name("hasher".into()).stack_size(STACK_BYTES);
        thread.spawn(move || queue.into_iter().for_each(|job| job()))?;
        Ok(Self { jobs, turn: Semaphore::new(1), management: Semaphore::new(1) })
    }

    /// Runs `job` in the thread.
    ///
    /// # Errors
    /// [`QueueTimeout`] if the job does not start within three seconds for a login, or twenty for
    /// management.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QueueTimeout> {
        let turn = tokio::time::timeout(work.queue_timeout(), async {
            let queue = match work {
                Work::Login => None,
                Work::Management => Some(self.management.acquire().await?),
            };
            Ok::<_, AcquireError>((self.turn.acquire().await?, queue))
        });
        let _turn = turn.await.map_err(|_| QueueTimeout)?.map_err(|_| QueueTimeout)?;
        let (sender, result) = oneshot::channel();
        let job = Box::new(move || {
            // The caller may be gone.
            let _ = sender.send(job());
        });
        self.jobs.send(job).map_err(|_| QueueTimeout)?;
        result.await.map_err(|_| QueueTimeout)
    }
}

const STACK_BYTES: usize = 128 * 1024;

impl Work {
    const fn queue_timeout(self) -> Duration {
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
    fn jobs_run_one_at_a_time_in_the_same_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let worker = HashWorker::start().unwrap();
            let id = || thread::current().id();
            let first = worker.run(Work::Login, id).await;
            assert_eq!(first, worker.run(Work::Login, id).await);
            assert_ne!(first.unwrap(), id());
        });
    }

    #[test]
    fn at_most_one_job_of_management_is_ahead_of_a_login() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let worker = Arc::new(HashWorker::start().unwrap());
            let order = Arc::new(Mutex::new(Vec::new()));
            let first = worker.turn.acquire().await.unwrap();
            let run = |work, number| {
                let (worker, order) = (Arc::clone(&worker), Arc::clone(&order));
                tokio::spawn(async move {
                    worker.run(work, move || order.lock().unwrap().push(number)).await
                })
            };
            let mut all: Vec<_> = (0..10).map(|n| run(Work::Management, n)).collect();
            // The jobs wait in their places before the login comes.
            tokio::task::yield_now().await;
            all.push(run(Work::Login, 10));
            tokio::task::yield_now().await;
            drop(first);
            for job in all {
                assert_eq!(job.await.unwrap(), Ok(()));
            }
            assert_eq!(order.lock().unwrap().iter().position(|number| *number == 10), Some(1));
        });
    }
}
