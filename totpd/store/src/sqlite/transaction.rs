//! Many changes in one transaction, and which of them failed.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;
use totpd_core::mark::Mark;
use totpd_core::void_windows::VoidWindows;

use crate::backend::StoreError;
use crate::sealer::Sealer;
use crate::sqlite::connection::WriteConnection;
use crate::sqlite::database::Database;
use crate::sqlite::failure::{is_damage, unavailable};
use crate::sqlite::flusher::CommittedChange;
use crate::sqlite::mark_rows;
use crate::sqlite::marker::{Effect, MarkRow, Marker};
use crate::sqlite::rows::RowError;

/// A change that waits for its transaction.
pub(super) struct QueuedChange {
    /// The owner of the record that the change is about.
    pub(super) about: String,
    pub(super) work: Work,
    pub(super) sender: oneshot::Sender<Result<(), StoreError>>,
}

/// The work of a change.
pub(super) enum Work {
    /// Work on rows outside of the void windows. It may run more than once.
    Rows(Box<RowWork>),
    /// The row of the mark gets this; `None` removes it.
    Mark(Option<Mark>),
}

type RowWork = dyn FnMut(&Connection, &VoidWindows) -> Result<Effect, RowError> + Send;
/// The result of a change, once it is known.
pub(super) type Completion = oneshot::Receiver<Result<(), StoreError>>;

/// The rest of a batch that was committed.
#[derive(Default)]
pub(super) struct Committed {
    /// The changes that wait for their flush.
    pub(super) waiting: Vec<CommittedChange>,
    /// The last one that leans. It was answered, and is to be flushed within a second.
    pub(super) leaning: Option<CommittedChange>,
    /// The time of a login that found no mark to lean on, in seconds since 1970.
    pub(super) wants_mark_at: Option<u64>,
}

/// Makes all these changes in one transaction. Returns the ones that have to be flushed, and
/// answers the others.
pub(super) fn commit_batch(database: &mut Database, mut batch: Vec<QueuedChange>) -> Committed {
    match commit(database, &mut batch) {
        Ok(results) => answer_leaning(batch, results),
        // One damaged page must not fail other changes: retry each alone.
        Err(error) if is_damage(&error) => {
            let mut all = Committed::default();
            for change in batch {
                let one = commit_alone(database, change);
                all.waiting.extend(one.waiting);
                all.leaning = one.leaning.or(all.leaning);
                all.wants_mark_at = one.wants_mark_at.or(all.wants_mark_at);
            }
            all
        }
        Err(error) => {
            let error = unavailable(error);
            batch.into_iter().for_each(|change| change.refuse(error.clone()));
            Committed::default()
        }
    }
}

/// Makes this change in a transaction of its own.
fn commit_alone(database: &mut Database, mut change: QueuedChange) -> Committed {
    match commit(database, std::slice::from_mut(&mut change)) {
        Ok(results) => answer_leaning(vec![change], results),
        Err(error) if is_damage(&error) => {
            let error = StoreError::Corrupt(change.about.clone());
            change.refuse(error);
            Committed::default()
        }
        Err(error) => {
            change.refuse(unavailable(error));
            Committed::default()
        }
    }
}

/// Answers the changes that lean, and returns the others.
fn answer_leaning(batch: Vec<QueuedChange>, results: Vec<ChangeResult>) -> Committed {
    let mut committed = Committed::default();
    for (change, result) in batch.into_iter().zip(results) {
        let ChangeResult { committed: mut flushed, leans, login_at } = result;
        if leans {
            let result = flushed.result.clone();
            // The caller may have given up.
            let _ = change.sender.send(result);
            committed.leaning = Some(flushed);
        } else {
            flushed.sender = Some(change.sender);
            committed.waiting.push(flushed);
            committed.wants_mark_at = login_at.or(committed.wants_mark_at);
        }
    }
    committed
}

impl QueuedChange {
    /// Reports whether the caller gave up. Nobody waits for a mark.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self.work, Work::Rows(_)) && self.sender.is_closed()
    }

    fn refuse(self, error: StoreError) {
        // The caller may have given up.
        let _ = self.sender.send(Err(error));
    }
}

/// A change in a transaction that was committed.
struct ChangeResult {
    committed: CommittedChange,
    /// True if it is answered now.
    leans: bool,
    /// The time of the login that the change approved, in seconds since 1970.
    login_at: Option<u64>,
}

/// Commits the changes. After an error none is made.
fn commit(
    database: &mut Database,
    batch: &mut [QueuedChange],
) -> rusqlite::Result<Vec<ChangeResult>> {
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
) -> rusqlite::Result<Vec<ChangeResult>> {
    let (marker, keys) = (Arc::clone(database.marker()), database.keys().get());
    let connection = database.connection()?;
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut transaction = Transaction {
        connection,
        marker: &marker,
        key: &keys.current,
        // A window that a failed flush adds later comes with the end of this connection.
        windows: marker.windows(),
        mark_row: MarkRow::Unchanged,
    };
    let changed =
        batch.iter_mut().map(|change| transaction.make(change)).collect::<rusqlite::Result<_>>()?;
    transaction.end_mark_after_failure()?;
    transaction.commit(changed)
}

/// A transaction that began.
struct Transaction<'a> {
    connection: &'a WriteConnection,
    marker: &'a Marker,
    key: &'a Sealer,
    windows: Arc<VoidWindows>,
    mark_row: MarkRow,
}

impl Transaction<'_> {
    /// Makes a change. An error about its own row is its result, and others are not concerned.
    fn make(
        &mut self,
        change: &mut QueuedChange,
    ) -> rusqlite::Result<(Result<(), StoreError>, Effect)> {
        let effect = match &mut change.work {
            Work::Rows(work) => work(self.connection, &self.windows),
            Work::Mark(mark) => self.set_mark(*mark),
        };
        match effect {
            Ok(effect) => Ok((Ok(()), effect)),
            Err(RowError::Record(error)) => Ok((Err(error), Effect::default())),
            Err(RowError::Database(error)) => Err(error),
        }
    }

    fn set_mark(&mut self, mark: Option<Mark>) -> Result<Effect, RowError> {
        self.marker.stop();
        self.mark_row = mark.map_or(MarkRow::Removed, MarkRow::Set);
        mark_rows::set_mark(self.connection, self.key, mark.as_ref())?;
        Ok(Effect::default())
    }

    /// Writes the void windows and the end of the mark, if a flush has failed. All that are
    /// answered from now on wait until this is on disk.
    fn end_mark_after_failure(&mut self) -> rusqlite::Result<()> {
        if self.marker.has_failed() {
            mark_rows::end_mark(self.connection, self.key, &self.windows)
                .map_err(into_database_error)?;
            self.mark_row = MarkRow::Removed;
        }
        Ok(())
    }

    /// Commits the changes, and decides which of them are answered now.
    fn commit(
        self,
        changed: Vec<(Result<(), StoreError>, Effect)>,
    ) -> rusqlite::Result<Vec<ChangeResult>> {
        let (results, effects): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
        let login_at = |effect: &Effect| effect.login.as_ref().map(|login| login.now);
        let logins: Vec<_> = effects.iter().map(login_at).collect();
        let decision = self.marker.decide(effects);
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        let (log, position) = (Arc::clone(self.connection.log()), decision.position);
        let leaning = self.marker.committed(decision, self.mark_row);
        let results = results.into_iter().zip(leaning).zip(logins);
        Ok(results
            .map(|((result, leans), login_at)| ChangeResult {
                committed: CommittedChange {
                    log: Arc::clone(&log),
                    position,
                    result,
                    sender: None,
                },
                leans,
                login_at,
            })
            .collect())
    }
}

/// A row that cannot be sealed ends the transaction as a failure of the disk does.
fn into_database_error(error: RowError) -> rusqlite::Error {
    match error {
        RowError::Database(error) => error,
        RowError::Record(error) => rusqlite::Error::ToSqlConversionFailure(Box::new(error)),
    }
}
