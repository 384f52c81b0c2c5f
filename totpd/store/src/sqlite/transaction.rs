//! Many changes in one transaction, and which of them failed.

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::backend::StoreError;
use crate::sqlite::database::Database;
use crate::sqlite::failure::{is_damage, unavailable};
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

/// Makes all these changes in one transaction, and sends their results.
pub(super) fn commit_batch(database: &mut Database, mut batch: Vec<QueuedChange>) {
    let results = match commit(database, &mut batch) {
        Ok(results) => results,
        // One damaged page must not fail other changes: retry each alone.
        Err(error) if is_damage(&error) => batch
            .iter_mut()
            .map(|change| match commit(database, std::slice::from_mut(change)) {
                Ok(mut result) => result.pop().unwrap_or(Ok(())),
                Err(error) if is_damage(&error) => Err(StoreError::Corrupt(change.about.clone())),
                Err(error) => Err(unavailable(error)),
            })
            .collect(),
        Err(error) => vec![Err(unavailable(error)); batch.len()],
    };
    for (change, result) in batch.into_iter().zip(results) {
        // The caller may have given up.
        let _ = change.sender.send(result);
    }
}

/// Commits the changes. Returns the result of each, once all are on disk. After an error none is.
fn commit(
    database: &mut Database,
    batch: &mut [QueuedChange],
) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
    let results = run_transaction(database, batch);
    match &results {
        Err(error) if is_damage(error) => {
            // The disk returned what it holds; reading it again would return the same.
            if let Ok(connection) = database.connection() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        Err(_) => database.discard_connections(),
        Ok(_) => {}
    }
    results
}

fn run_transaction(
    database: &mut Database,
    batch: &mut [QueuedChange],
) -> rusqlite::Result<Vec<Result<(), StoreError>>> {
    let connection = database.connection()?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut results = Vec::with_capacity(batch.len());
    for change in batch {
        results.push(match (change.work)(connection) {
            Ok(()) => Ok(()),
            Err(RowError::Record(error)) => Err(error),
            Err(RowError::Database(error)) => return Err(error),
        });
    }
    connection.execute_batch("COMMIT")?;
    Ok(results)
}
