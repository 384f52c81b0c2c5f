//! What the last daemon left of its mark, and the witness of this one.

use std::io;
use std::path::Path;

use totpd_core::mark::{Ending, Mark, RunId, ending_at_start};
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::void_windows::VoidWindows;
use totpd_journal::{Entry, Priority};

use crate::sealer::SealError;
use crate::sqlite::active_keys::KeySet;
use crate::sqlite::connection::WriteConnection;
use crate::sqlite::layout::Layout;
use crate::sqlite::mark_rows::{self, MarkRows};
use crate::sqlite::marker::{MarkSettings, Marker, OpenWitness};
use crate::sqlite::open_error::OpenError;
use crate::sqlite::rows::{self, RowError};
use crate::sqlite::witness_file::{self, WitnessFile};

/// Ends an open mark: what the store may have lost is void from now on. Everything that opening the
/// store has written is on disk when this returns. Then nobody was answered yet.
pub(super) fn end_mark(
    connection: WriteConnection,
    keys: &KeySet,
    layout: &Layout,
    marks: Option<MarkSettings<'_>>,
) -> Result<(WriteConnection, Marker), OpenError> {
    let file = layout.store();
    let failed = |error: &rusqlite::Error| OpenError::from_sqlite(&file, error);
    let MarkRows { mark, mut windows } = read_rows(&connection, keys, &file)?;
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(SealError::Random)?;
    let run = RunId::from_random(bytes);
    if let Some(mark) = mark {
        let found = marks.and_then(|marks| witness_file::read(marks.witness));
        let find = |user: &_| find_record(&connection, keys, RecordKey::User(Clone::clone(user)));
        let ending = ending_at_start(&mark, found.as_ref(), find);
        if let Ending::Void(window) = ending {
            windows.add(window);
            log_void(&mark);
        }
        if let Err(error) = write_end(&connection, keys, &windows) {
            // A disk that is full is no reason not to start. Each change tries it again.
            log_unwritten(&error);
            let connection =
                connection.reopen_after_error(&file).map_err(|error| failed(&error))?;
            connection.flush().map_err(|error| failed(&error))?;
            return Ok((connection, Marker::after_failed_start(mark, run, windows)));
        }
    }
    connection.flush().map_err(|error| failed(&error))?;
    let witness = marks.filter(|marks| marks.is_on);
    let witness = witness.and_then(|marks| {
        let file = create_witness(marks.witness, run)?;
        Some(OpenWitness { file, now: marks.now })
    });
    Ok((connection, Marker::new(run, witness, windows)))
}

/// Reads the rows of the mark and of the windows. Rows that cannot be unsealed are not missing.
fn read_rows(
    connection: &WriteConnection,
    keys: &KeySet,
    file: &Path,
) -> Result<MarkRows, OpenError> {
    mark_rows::read(connection, keys).map_err(|error| match error {
        RowError::Database(error) => OpenError::from_sqlite(file, &error),
        RowError::Record(_) => {
            let reason = "its sealed metadata was changed".into();
            OpenError::NotAStore { path: file.to_path_buf(), reason }
        }
    })
}

/// Returns the record of a user, as it is on disk.
fn find_record(connection: &WriteConnection, keys: &KeySet, key: RecordKey) -> Option<Record> {
    let row = rows::read(connection, &key).ok()??;
    keys.decode(&key, &row).ok()
}

/// Writes the windows and the end of the mark, in one transaction.
fn write_end(
    connection: &WriteConnection,
    keys: &KeySet,
    windows: &VoidWindows,
) -> Result<(), RowError> {
    let change = || -> Result<(), RowError> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        mark_rows::end_mark(connection, &keys.current, windows)?;
        Ok(connection.execute_batch("COMMIT")?)
    };
    change().inspect_err(|_| {
        let _ = connection.execute_batch("ROLLBACK");
    })
}

/// Makes the witness of this run. Without it every login waits for its flush.
fn create_witness(directory: &Path, run: RunId) -> Option<WitnessFile> {
    let log = |error: &io::Error| {
        let reason = match error.kind() {
            io::ErrorKind::Unsupported => "it is on no tmpfs".to_owned(),
            _ => error.to_string(),
        };
        let message =
            format!("every login waits for the disk: cannot use {}: {reason}", directory.display());
        Entry::new(Priority::Notice, message).write();
    };
    WitnessFile::create(directory, run).inspect_err(log).ok()
}

fn log_void(mark: &Mark) {
    let window = mark.void_window();
    let message = format!(
        "the host or the disk stopped while people logged in, so codes of that minute are void. They \
         are those of {} to {} (seconds since 1970), and of up to ten time steps before. People wait \
         until their app shows a later one",
        window.from(),
        window.until()
    );
    Entry::new(Priority::Warning, message).write();
}

fn log_unwritten(error: &RowError) {
    let reason = match error {
        RowError::Record(error) => error.to_string(),
        RowError::Database(error) => error.to_string(),
    };
    let message = format!(
        "cannot end the mark of the last run: {reason}; every login waits for the disk until totpd \
         is started again"
    );
    Entry::new(Priority::Warning, message).write();
}
