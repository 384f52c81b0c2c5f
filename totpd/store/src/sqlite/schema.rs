//! The tables, and the format of the file.

use std::path::Path;

use rusqlite::Connection;

use crate::sqlite::open_error::OpenError;

/// The format of the file (`user_version`).
pub(super) const FORMAT: i64 = 6;

/// Creates the tables of a store in a file without any.
pub(super) fn create_tables(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::from_sqlite(file, &error);
    let has_tables: bool = connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(failed)?;
    if has_tables {
        let reason = "it is a database with other tables".into();
        return Err(OpenError::NotAStore { path: file.to_path_buf(), reason });
    }
    connection
        .execute_batch(&format!(
            "BEGIN; \
             CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID; \
             CREATE TABLE record (subject TEXT PRIMARY KEY, uid INTEGER NOT NULL, \
             sealed BLOB NOT NULL) STRICT, WITHOUT ROWID; \
             PRAGMA user_version = {FORMAT}; \
             COMMIT;"
        ))
        .map_err(failed)
}
