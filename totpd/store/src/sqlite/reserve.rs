//! Space that logins need on a full disk: in the log, and in free pages of the file.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use rusqlite::Connection;

use crate::sqlite::connection::restart_wal;
use crate::sqlite::layout::wal_path;
use crate::sqlite::log_sizes::RESERVE_BYTES;

/// Grows the log to the length that it will need, and leaves free pages in the file. Logins rewrite
/// rows in place, so they continue on a full disk.
pub(super) fn reserve(connection: &Connection, file: &Path) -> rusqlite::Result<()> {
    // A crash in here leaves the table.
    connection.execute_batch("DROP TABLE IF EXISTS reserve")?;
    if std::fs::metadata(wal_path(file)).is_ok_and(|log| log.len() >= RESERVE_BYTES) {
        return Ok(());
    }
    // The log takes as much as the file. A disk with little more than that keeps the rest for
    // records.
    let free = statvfs(file).map(|disk| disk.blocks_available() * disk.fragment_size());
    if free.is_ok_and(|free| free < 3 * RESERVE_BYTES) {
        return Ok(());
    }
    fill_and_free(connection)
}

/// Overwrites the log and the free pages of the file. Nothing of their old content remains. The log
/// is cut to its reserve.
pub(super) fn overwrite(connection: &Connection) -> rusqlite::Result<()> {
    restart_wal(connection)?;
    fill_and_free(connection)
}

fn fill_and_free(connection: &Connection) -> rusqlite::Result<()> {
    let result = connection.execute_batch(&format!(
        "DROP TABLE IF EXISTS reserve; BEGIN; CREATE TABLE reserve (block BLOB); INSERT INTO \
         reserve VALUES (zeroblob({RESERVE_BYTES})); COMMIT"
    ));
    if result.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    // This restart is between the two changes, so the log does not become twice as long.
    result.and_then(|()| restart_wal(connection))?;
    connection.execute_batch("DROP TABLE reserve")?;
    restart_wal(connection)
}
