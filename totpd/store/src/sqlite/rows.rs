//! The rows, each with a sealed record. These functions alone speak SQL about them.

use rusqlite::{Connection, OptionalExtension, params};
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;

use crate::backend::StoreError;
use crate::sqlite::failure::unavailable;
use crate::sqlite::row::{NamedRow, Row, RowName};

/// The reason why a change of rows failed.
#[derive(Debug)]
pub(super) enum RowError {
    /// A failure of one record, and no other. Nothing was written.
    Record(StoreError),
    /// A failure of the file.
    Database(rusqlite::Error),
}

impl RowError {
    pub(super) fn into_store_error(self) -> StoreError {
        match self {
            Self::Record(error) => error,
            Self::Database(error) => unavailable(error),
        }
    }
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for RowError {
    fn from(error: StoreError) -> Self {
        Self::Record(error)
    }
}

/// Reads the row of `key`.
pub(super) fn read(connection: &Connection, key: &RecordKey) -> rusqlite::Result<Option<Row>> {
    connection
        .prepare_cached("SELECT uid, sealed FROM record WHERE subject = ?1")?
        .query_row([key.as_row_name()], |row| {
            Ok(Row::from_values(row.get_ref(0)?, row.get_ref(1)?))
        })
        .optional()
}

/// Writes a row, and reads it again. In a damaged tree of pages an old version may hide the new
/// one. The old version would make a used code valid again.
///
/// # Errors
/// Those of SQLite. A hidden new version gives the error of a damaged file.
pub(super) fn write(
    connection: &Connection,
    key: &RecordKey,
    uid: u32,
    sealed: &[u8],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO record (subject, uid, sealed) VALUES (?1, ?2, ?3) ON CONFLICT (subject) \
             DO UPDATE SET uid = excluded.uid, sealed = excluded.sealed",
        )?
        .execute(params![key.as_row_name(), uid, sealed])?;
    match read(connection, key)? {
        Some(found) if found.sealed == sealed && found.uid == Some(uid) => Ok(()),
        _ => Err(damaged()),
    }
}

/// Removes a row, and checks that no reader finds it any more.
pub(super) fn delete(connection: &Connection, key: &RecordKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM record WHERE subject = ?1")?
        .execute([key.as_row_name()])?;
    match read(connection, key)? {
        None => Ok(()),
        Some(_) => Err(damaged()),
    }
}

/// Returns the error of SQLite for pages that do not fit together.
fn damaged() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None)
}

/// Reads at most `limit` users after `after`, in the order of their bytes. Rows whose names nobody
/// can have are skipped.
pub(super) fn users(
    connection: &Connection,
    after: &str,
    limit: usize,
) -> rusqlite::Result<Vec<(UserName, Row)>> {
    // Rows of buckets start with a colon, and so lie between ':' and ';'.
    let mut statement = connection.prepare_cached(
        "SELECT subject, uid, sealed FROM record WHERE subject > ?1 AND NOT (subject >= ':' AND \
         subject < ';') ORDER BY subject",
    )?;
    let mut cursor = statement.query([after])?;
    let mut users = Vec::new();
    while users.len() < limit
        && let Some(row) = cursor.next()?
    {
        let name = row.get_ref(0)?.as_str().ok().and_then(UserName::parse);
        if let Some(name) = name {
            users.push((name, Row::from_values(row.get_ref(1)?, row.get_ref(2)?)));
        }
    }
    Ok(users)
}

/// Reads at most `limit` rows of any name after `after`, in the order of their bytes.
pub(super) fn page(
    connection: &Connection,
    after: &RowName,
    limit: usize,
) -> rusqlite::Result<Vec<NamedRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT subject, uid, sealed FROM record WHERE subject > ?1 ORDER BY subject LIMIT ?2",
    )?;
    let mut cursor = statement.query(params![after, limit as i64])?;
    let mut rows = Vec::new();
    while let Some(row) = cursor.next()? {
        let name = RowName::from_value(row.get_ref(0)?);
        rows.push(NamedRow { name, row: Row::from_values(row.get_ref(1)?, row.get_ref(2)?) });
    }
    Ok(rows)
}

/// Counts the rows after the name `after`, up to `limit`. It also returns the name of the last of
/// these.
pub(super) fn count(
    connection: &Connection,
    after: &RowName,
    limit: usize,
) -> rusqlite::Result<(usize, RowName)> {
    let mut statement = connection.prepare_cached(
        "SELECT subject FROM record WHERE subject > ?1 ORDER BY subject LIMIT ?2",
    )?;
    let mut cursor = statement.query(params![after, limit as i64])?;
    let (mut count, mut last) = (0, RowName::FIRST);
    while let Some(row) = cursor.next()? {
        count += 1;
        if count == limit {
            last = RowName::from_value(row.get_ref(0)?);
        }
    }
    Ok((count, last))
}

/// Reports whether there is no row at all.
pub(super) fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM record)", [], |row| row.get(0))
}
