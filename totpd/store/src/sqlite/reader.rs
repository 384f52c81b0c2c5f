//! Reading: in a thread, or in the caller's if that may block. A reader sees what was committed,
//! and waits for no flush.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::backend::StoreError;
use crate::blocking;
use crate::mutex::lock;
use crate::sqlite::connection;
use crate::sqlite::database::ReaderSlot;
use crate::sqlite::failure::{is_damage, unavailable};
use crate::sqlite::queue::{AbortOnPanic, MAX_QUEUED_REQUESTS, queue_error};

/// Submits reads.
#[derive(Clone)]
pub(super) struct Reader {
    jobs: SyncSender<ReadJob>,
    file: Arc<Path>,
    slot: ReaderSlot,
}

type ReadJob = Box<dyn FnOnce(Result<&Connection, StoreError>) -> ConnectionState + Send>;
/// The result of a read, once it is known.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// The state of the connection after a request.
enum ConnectionState {
    Healthy,
    Broken,
}

impl Reader {
    /// Returns the handle, and the work of its thread. The connection is in `slot`.
    pub(super) fn new(file: PathBuf, slot: ReaderSlot) -> (Self, Box<dyn FnOnce() + Send>) {
        let (jobs, queue) = sync_channel::<ReadJob>(MAX_QUEUED_REQUESTS);
        let reader = Self { jobs, file: file.into(), slot };
        let (file, slot) = (Arc::clone(&reader.file), Arc::clone(&reader.slot));
        let work = move || {
            while let Ok(job) = queue.recv() {
                run_job(job, &file, &mut lock(&slot));
            }
        };
        (reader, Box::new(work))
    }

    /// Submits a read. `about` names the user for the error of a damaged file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        about: String,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Answer<T>, StoreError> {
        let (sender, answer) = oneshot::channel();
        let job: ReadJob = Box::new(move |connection| {
            if sender.is_closed() {
                return ConnectionState::Healthy;
            }
            let connection = match connection {
                Ok(connection) => connection,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return ConnectionState::Broken;
                }
            };
            let (result, state) = match read(connection) {
                Ok(value) => (Ok(value), ConnectionState::Healthy),
                Err(error) if is_damage(&error) => {
                    (Err(StoreError::Corrupt(about)), ConnectionState::Healthy)
                }
                Err(error) => (Err(unavailable(error)), ConnectionState::Broken),
            };
            let _ = sender.send(result);
            state
        });
        if blocking::is_allowed()
            && let Ok(mut slot) = self.slot.try_lock()
        {
            run_job(job, &self.file, &mut slot);
        } else {
            self.jobs.try_send(job).map_err(queue_error)?;
        }
        Ok(answer)
    }
}

/// Runs a job on the connection in `slot`, opening one if there is none.
fn run_job(job: ReadJob, file: &Path, slot: &mut Option<Connection>) {
    let _guard = AbortOnPanic;
    if slot.is_none() {
        match connection::open(file).and_then(read_only) {
            Ok(connection) => *slot = Some(connection),
            Err(error) => {
                job(Err(unavailable(error)));
                return;
            }
        }
    }
    if let Some(connection) = slot.as_ref()
        && let ConnectionState::Broken = job(Ok(connection))
    {
        *slot = None;
    }
}

fn read_only(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}
