//! The thread that hashes recovery codes: one at a time, so that whoever guesses keeps nobody else
//! waiting, and always the same one, whose memory is used again instead of being left in many arenas of
//! the allocator.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

/// The thread, which ends with this.
#[derive(Debug)]
pub struct Hasher {
    jobs: Sender<Job>,
    turn: Semaphore,
}

type Job = Box<dyn FnOnce() + Send>;

/// Too many are waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Busy;

impl Hasher {
    /// Starts it.
    ///
    /// # Errors
    /// Where the kernel gives no thread.
    pub fn start() -> io::Result<Self> {
        let (jobs, todo) = channel::<Job>();
        let thread = thread::Builder::new().name("hasher".into()).stack_size(STACK);
        thread.spawn(move || todo.into_iter().for_each(|job| job()))?;
        Ok(Self { jobs, turn: Semaphore::new(1) })
    }

    /// Does `work` there.
    ///
    /// # Errors
    /// [`Busy`] where it is not begun within three seconds.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = tokio::time::timeout(PATIENCE, self.turn.acquire()).await.map_err(|_| Busy)?;
        let _turn = turn.map_err(|_| Busy)?;
        let (tell, told) = oneshot::channel();
        let job = Box::new(move || {
            // Whoever asked may have gone.
            let _ = tell.send(work());
        });
        self.jobs.send(job).map_err(|_| Busy)?;
        told.await.map_err(|_| Busy)
    }
}

/// Shorter than the module's own deadline, so that the person gets a reason.
const PATIENCE: Duration = Duration::from_secs(3);
const STACK: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_one_after_the_other_by_the_same_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let hasher = Hasher::start().unwrap();
            let id = || thread::current().id();
            let first = hasher.run(id).await;
            assert_eq!(first, hasher.run(id).await);
            assert_ne!(first.unwrap(), id());
        });
    }
}
