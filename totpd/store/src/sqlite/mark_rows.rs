//! The rows of the mark and of the void windows. They are sealed as the secrets are.

use postcard::{from_bytes, to_stdvec};
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use totpd_core::mark::Mark;
use totpd_core::void_windows::VoidWindows;

use crate::sealer::{SealError, Sealer};
use crate::sqlite::active_keys::KeySet;
use crate::sqlite::failure::{corrupt_metadata, unavailable};
use crate::sqlite::metadata::{delete_value, read_value, write_value};
use crate::sqlite::rows::RowError;

/// What the store says of marks.
#[derive(Debug, Default)]
pub(super) struct MarkRows {
    /// The mark that is open.
    pub(super) mark: Option<Mark>,
    /// The void windows so far.
    pub(super) windows: VoidWindows,
}

/// Reads both rows. Each may be sealed under any of the keys, the current one first.
///
/// # Errors
/// A row that cannot be unsealed is not a missing one: [`RowError::Record`].
pub(super) fn read(connection: &Connection, keys: &KeySet) -> Result<MarkRows, RowError> {
    Ok(MarkRows {
        mark: read_row(connection, keys, &MARK)?,
        windows: read_row(connection, keys, &WINDOWS)?.unwrap_or_default(),
    })
}

/// Puts `mark` into the place of the row; `None` removes it.
pub(super) fn set_mark(
    connection: &Connection,
    sealer: &Sealer,
    mark: Option<&Mark>,
) -> Result<(), RowError> {
    match mark {
        Some(mark) => write_row(connection, sealer, &MARK, mark),
        None => Ok(delete_value(connection, MARK.name)?),
    }
}

/// Writes the windows, if there are any.
pub(super) fn set_windows(
    connection: &Connection,
    sealer: &Sealer,
    windows: &VoidWindows,
) -> Result<(), RowError> {
    match windows.iter().next() {
        Some(_) => write_row(connection, sealer, &WINDOWS, windows),
        None => Ok(()),
    }
}

/// Ends the mark: removes its row, and writes the windows. Both belong in one transaction.
pub(super) fn end_mark(
    connection: &Connection,
    sealer: &Sealer,
    windows: &VoidWindows,
) -> Result<(), RowError> {
    set_windows(connection, sealer, windows)?;
    set_mark(connection, sealer, None)
}

/// Seals both rows again, under the current key.
pub(super) fn reseal(connection: &Connection, keys: &KeySet) -> Result<(), RowError> {
    let rows = read(connection, keys)?;
    set_mark(connection, &keys.current, rows.mark.as_ref())?;
    set_windows(connection, &keys.current, &rows.windows)
}

/// A row: its name, and what its seal is bound to.
struct SealedRow {
    name: &'static str,
    aad: &'static [u8],
}

fn read_row<T: DeserializeOwned>(
    connection: &Connection,
    keys: &KeySet,
    row: &SealedRow,
) -> Result<Option<T>, RowError> {
    let Some(sealed) = read_value(connection, row.name)? else { return Ok(None) };
    let plain = keys.sealers().find_map(|sealer| sealer.unseal(&sealed, row.aad).ok());
    let value = plain.and_then(|plain| from_bytes(&plain).ok());
    Ok(Some(value.ok_or_else(corrupt_metadata)?))
}

fn write_row(
    connection: &Connection,
    sealer: &Sealer,
    row: &SealedRow,
    value: &impl Serialize,
) -> Result<(), RowError> {
    let plain = to_stdvec(value).map_err(|_| unavailable(SealError::Encode))?;
    let sealed = sealer.seal(&plain, row.aad).map_err(unavailable)?;
    Ok(write_value(connection, row.name, &sealed)?)
}

const MARK: SealedRow = SealedRow { name: "mark", aad: b"totpd mark 1" };
const WINDOWS: SealedRow = SealedRow { name: "void windows", aad: b"totpd void windows 1" };
