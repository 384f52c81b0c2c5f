//! The rows: one a subject, sealed. Functions on a connection, and nothing else speaks SQL about
//! them.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;

use crate::StoreError;

/// What is in a row beside its subject, as it was found.
#[derive(Debug)]
pub(super) struct Row {
    /// The uid, if it is one.
    pub(super) uid: Option<u32>,
    /// The sealed record.
    pub(super) sealed: Vec<u8>,
}

/// The name of a row as it was found, which may have been edited to anything: a place in the order
/// of all rows. A single flipped bit makes a blob of a text, and all blobs come after all texts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Name {
    Blob(Vec<u8>),
    Text(Vec<u8>),
}

/// A row of whatever subject.
#[derive(Debug)]
pub(super) struct AnyRow {
    /// Its name.
    pub(super) name: Name,
    /// The rest.
    pub(super) row: Row,
}

/// Why a change of rows did not work.
#[derive(Debug)]
pub(super) enum RowError {
    /// With one record, and nobody else's. Nothing was written.
    Record(StoreError),
    /// With the file.
    Database(rusqlite::Error),
}

impl Name {
    /// Before all rows that have a name.
    pub(super) const FIRST: Self = Self::Text(Vec::new());

    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Text(bytes) => Self::Text(bytes.to_vec()),
            value => Self::Blob(bytes(value).to_vec()),
        }
    }
}

impl ToSql for Name {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Text(bytes) => ValueRef::Text(bytes),
        }))
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

pub(super) fn read(connection: &Connection, subject: &RecordKey) -> rusqlite::Result<Option<Row>> {
    connection
        .prepare_cached("SELECT uid, sealed FROM record WHERE subject = ?1")?
        .query_row([subject.as_row_name()], |row| Ok(found(row.get_ref(0)?, row.get_ref(1)?)))
        .optional()
}

/// Writes a row, and makes sure that it is what a reader finds from now on: in a damaged tree of pages
/// an old version of it may be in the way, which would make a used code good again.
///
/// # Errors
/// Those of SQLite; that of a damaged file in that case.
pub(super) fn write(
    connection: &Connection,
    subject: &RecordKey,
    uid: u32,
    sealed: &[u8],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO record (subject, uid, sealed) VALUES (?1, ?2, ?3) ON CONFLICT (subject) \
             DO UPDATE SET uid = excluded.uid, sealed = excluded.sealed",
        )?
        .execute(params![subject.as_row_name(), uid, sealed])?;
    match read(connection, subject)? {
        Some(found) if found.sealed == sealed && found.uid == Some(uid) => Ok(()),
        _ => Err(damaged()),
    }
}

/// Removes a row, and makes sure that no reader finds it any more.
pub(super) fn delete(connection: &Connection, subject: &RecordKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM record WHERE subject = ?1")?
        .execute([subject.as_row_name()])?;
    match read(connection, subject)? {
        None => Ok(()),
        Some(_) => Err(damaged()),
    }
}

/// What SQLite says of pages that do not fit together.
fn damaged() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None)
}

/// At most `limit` users after `after`, in the order of their bytes. Rows whose names nobody can
/// have are passed over.
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
            users.push((name, found(row.get_ref(1)?, row.get_ref(2)?)));
        }
    }
    Ok(users)
}

/// At most `limit` rows of whatever subject after the name `after`, in the order of their bytes.
pub(super) fn page(
    connection: &Connection,
    after: &Name,
    limit: usize,
) -> rusqlite::Result<Vec<AnyRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT subject, uid, sealed FROM record WHERE subject > ?1 ORDER BY subject LIMIT ?2",
    )?;
    let mut cursor = statement.query(params![after, limit as i64])?;
    let mut rows = Vec::new();
    while let Some(row) = cursor.next()? {
        let name = Name::of(row.get_ref(0)?);
        rows.push(AnyRow { name, row: found(row.get_ref(1)?, row.get_ref(2)?) });
    }
    Ok(rows)
}

/// How many rows there are after the name `after`, up to `limit`, and the name of the last of these.
pub(super) fn count(
    connection: &Connection,
    after: &Name,
    limit: usize,
) -> rusqlite::Result<(usize, Name)> {
    let mut statement = connection.prepare_cached(
        "SELECT subject FROM record WHERE subject > ?1 ORDER BY subject LIMIT ?2",
    )?;
    let mut cursor = statement.query(params![after, limit as i64])?;
    let (mut count, mut last) = (0, Name::FIRST);
    while let Some(row) = cursor.next()? {
        count += 1;
        if count == limit {
            last = Name::of(row.get_ref(0)?);
        }
    }
    Ok((count, last))
}

/// Whether there is no row at all.
pub(super) fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM record)", [], |row| row.get(0))
}

impl AnyRow {
    /// Whose row it is, if its name is one.
    pub(super) fn subject(&self) -> Option<RecordKey> {
        match &self.name {
            Name::Blob(_) => None,
            Name::Text(bytes) => std::str::from_utf8(bytes).ok().and_then(RecordKey::parse),
        }
    }

    /// Its name for people to read.
    pub(super) fn shown(&self) -> String {
        let (Name::Blob(bytes) | Name::Text(bytes)) = &self.name;
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Values of the wrong type are damage of this row, found when it is unsealed, and not a failure of
/// the file, which would be everybody's.
fn found(uid: ValueRef<'_>, sealed: ValueRef<'_>) -> Row {
    let uid = match uid {
        ValueRef::Integer(uid) => u32::try_from(uid).ok(),
        _ => None,
    };
    Row { uid, sealed: bytes(sealed).to_vec() }
}

fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        _ => &[],
    }
}
