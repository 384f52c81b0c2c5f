//! A row as it was found: an attacker may have edited it to anything.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use totpd_core::record_key::RecordKey;

/// The content of a row beside its name.
#[derive(Debug)]
pub(super) struct Row {
    /// The uid, if it is one.
    pub(super) uid: Option<u32>,
    /// The sealed record.
    pub(super) sealed: Vec<u8>,
}

/// The name of a row, which may have been edited to anything: a place in the order of all rows. A
/// single flipped bit turns a text into a blob, and all blobs come after all texts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum RowName {
    Blob(Vec<u8>),
    Text(Vec<u8>),
}

/// A row with its name.
#[derive(Debug)]
pub(super) struct NamedRow {
    pub(super) name: RowName,
    pub(super) row: Row,
}

impl Row {
    /// Values of the wrong type are damage of this row, found when it is unsealed. They are no
    /// failure of the file. Such a failure would affect all users.
    pub(super) fn from_values(uid: ValueRef<'_>, sealed: ValueRef<'_>) -> Self {
        let uid = match uid {
            ValueRef::Integer(uid) => u32::try_from(uid).ok(),
            _ => None,
        };
        Self { uid, sealed: bytes(sealed).to_vec() }
    }
}

impl RowName {
    /// The name before all rows that have a name.
    pub(super) const FIRST: Self = Self::Text(Vec::new());

    pub(super) fn from_value(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Text(bytes) => Self::Text(bytes.to_vec()),
            value => Self::Blob(bytes(value).to_vec()),
        }
    }
}

impl ToSql for RowName {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Text(bytes) => ValueRef::Text(bytes),
        }))
    }
}

impl NamedRow {
    /// Returns the key of its record, if the name is one.
    pub(super) fn key(&self) -> Option<RecordKey> {
        match &self.name {
            RowName::Blob(_) => None,
            RowName::Text(bytes) => std::str::from_utf8(bytes).ok().and_then(RecordKey::parse),
        }
    }

    /// Returns its name for people to read.
    pub(super) fn display_name(&self) -> String {
        let (RowName::Blob(bytes) | RowName::Text(bytes)) = &self.name;
        String::from_utf8_lossy(bytes).into_owned()
    }
}

fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        _ => &[],
    }
}
