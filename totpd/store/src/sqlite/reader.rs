//! What reads: a thread, or in its place one that may wait. It sees what was committed, and does not wait
//! for what is being flushed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::blocking;
use crate::sqlite::connection::{Slot, connect};
use crate::sqlite::writer::{AbortOnPanic, MAX_QUEUED_REQUESTS, is_damage, unavailable};
use crate::sqlite::{lock, not_queued};

/// Asks the rows.
#[derive(Clone)]
pub(super) struct Reader {
    questions: SyncSender<ReadJob>,
    file: Arc<Path>,
    slot: Slot,
}

type ReadJob = Box<dyn FnOnce(Result<&Connection, StoreError>) -> ConnectionState + Send>;

/// Whether the connection can be used again.
enum ConnectionState {
    Healthy,
    Broken,
}

impl Reader {
    /// The handle, and what its thread has to run. The connection is kept in `slot`.
    pub(super) fn new(file: PathBuf, slot: Slot) -> (Self, Box<dyn FnOnce() + Send>) {
        let (questions, queue) = sync_channel::<ReadJob>(MAX_QUEUED_REQUESTS);
        let reader = Self { questions, file: file.into(), slot };
        let (file, slot) = (Arc::clone(&reader.file), Arc::clone(&reader.slot));
        let work = move || {
            while let Ok(question) = queue.recv() {
                answer(question, &file, &mut lock(&slot));
            }
        };
        (reader, Box::new(work))
    }

    /// Asks the rows. `about` says whose record it is about.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        about: String,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        let (tell, told) = oneshot::channel();
        let question: ReadJob = Box::new(move |connection| {
            if tell.is_closed() {
                return ConnectionState::Healthy;
            }
            let answer = match connection {
                Ok(connection) => ask(connection),
                Err(error) => {
                    let _ = tell.send(Err(error));
                    return ConnectionState::Broken;
                }
            };
            let (answer, state) = match answer {
                Ok(answer) => (Ok(answer), ConnectionState::Healthy),
                Err(error) if is_damage(&error) => {
                    (Err(StoreError::Corrupt(about)), ConnectionState::Healthy)
                }
                Err(error) => (Err(unavailable(&error)), ConnectionState::Broken),
            };
            let _ = tell.send(answer);
            state
        });
        if blocking::blocking_allowed()
            && let Ok(mut slot) = self.slot.try_lock()
        {
            answer(question, &self.file, &mut slot);
        } else {
            self.questions.try_send(question).map_err(not_queued)?;
        }
        Ok(told)
    }
}

/// Has a question answered over the connection in `slot`, which is made where there is none.
fn answer(question: ReadJob, file: &Path, slot: &mut Option<Connection>) {
    let _guard = AbortOnPanic;
    if slot.is_none() {
        match connect(file).and_then(read_only) {
            Ok(connection) => *slot = Some(connection),
            Err(error) => {
                question(Err(unavailable(&error)));
                return;
            }
        }
    }
    if let Some(connection) = slot.as_ref()
        && let ConnectionState::Broken = question(Ok(connection))
    {
        *slot = None;
    }
}

fn read_only(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}
