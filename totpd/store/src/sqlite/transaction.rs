//! Many changes in one transaction, and which of them failed.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::backend::StoreError;
use crate::sqlite::database::Database;
use crate::sqlite::failure::{is_damage, unavailable};
use crate::sqlite::flusher::CommittedChange;
use crate::sqlite::log::Wal;
use crate::sqlite::rows::RowError;

/// A change that waits for its transaction.
pub(super) struct QueuedChange {
    /// The owner of the record that the change is about.
    pub(super) about: String,
    /// The change itself. It may run more than once.
    pub(super) work: Box<Work>,
    pub(super) sender: oneshot::Sender<Result<(), StoreError>>,
}

type Work = dyn FnMut(&Connection) -> Result<(), RowError> + Send;
/// The result of a change, once it is known.
pub(super) type Completion = oneshot::Receiver<Result<(), StoreError>>;

/// Makes all these changes in one transaction. Returns the ones that have to be flushed, and
/// answers the others.
pub(super) fn commit_batch(
    database: &mut Database,
    mut batch: Vec<QueuedChange>,
) -> Vec<CommittedChange> {
    match commit(database, &mut batch) {
        Ok((log, results)) => {
            let changes = batch.into_iter().zip(results);
            changes.map(|(change, result)| change.await_flush(&log, result)).collect()
        }
        // One damaged page must not fail other changes: retry each alone.
        Err(error) if is_damage(&error) => {
            batch.into_iter().filter_map(|change| commit_alone(database, change)).collect()
        }
        Err(error) => {
            let error = unavailable(error);
            batch.into_iter().for_each(|change| change.refuse(error.clone()));
            Vec::new()
        }
    }
}

/// Makes this change in a transaction of its own. Returns it if it has to be flushed.
fn commit_alone(database: &mut Database, mut change: QueuedChange) -> Option<CommittedChange> {
    match commit(database, std::slice::from_mut(&mut change)) {
        Ok((log, mut results)) => Some(change.await_flush(&log, results.pop().unwrap_or(Ok(())))),
        Err(error) if is_damage(&error) => {
            let error = StoreError::Corrupt(change.about.clone());
            change.refuse(error);
            None
        }
        Err(error) => {
            change.refuse(unavailable(error));
            None
        }
    }
}

impl QueuedChange {
    fn await_flush(self, log: &Arc<Wal>, result: Result<(), StoreError>) -> CommittedChange {
        CommittedChange { log: Arc::clone(log), result, sender: self.sender }
    }

    fn refuse(self, error: StoreError) {
        // The caller may have given up.
        let _ = self.sender.send(Err(error));
    }
}

/// The log that the changes are in, and the result of each.
type Results = (Arc<Wal>, Vec<Result<(), StoreError>>);

/// Commits the changes. After an error none is made.
fn commit(database: &mut Database, batch: &mut [QueuedChange]) -> rusqlite::Result<Results> {
    let results = run_transaction(database, batch);
    match &results {
        Err(error) if is_damage(error) => {
            // The disk returned what it holds; reading it again would return the same.
            if let Ok(connection) = database.connection() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        Err(error) => database.close_after(error),
        Ok(_) => {}
    }
    results
}

fn run_transaction(
    database: &mut Database,
    batch: &mut [QueuedChange],
) -> rusqlite::Result<Results> {
    let connection = database.connection()?;
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut results = Vec::with_capacity(batch.len());
    for change in batch {
        results.push(match (change.work)(connection) {
            Ok(()) => Ok(()),
            Err(RowError::Record(error)) => Err(error),
            Err(RowError::Database(error)) => return Err(error),
        });
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok((Arc::clone(connection.log()), results))
}
