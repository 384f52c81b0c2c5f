//! Older formats of the file. Each is migrated in one transaction, after a copy.
//!
//! Format 1 had no ids of keys, only a proof that a key fits. It derived the buckets from the key.
//! Formats 2 to 5 have records of an older format ([`crate::record_format`]), which stay readable.
//! The secrets of format 4, which hold less, stay readable too
//! ([`crate::sqlite::metadata::Secrets`]). A new number prevents that an older totpd rekeys or
//! restores the store, and loses the rest.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use totpd_journal::{Entry, Priority};

use crate::backup::History;
use crate::fsync::{remove, sync_parent};
use crate::master_key::{KeyId, MasterKey};
use crate::sealer::Sealer;
use crate::sqlite::key_sources::Keyring;
use crate::sqlite::layout::{Layout, create_private};
use crate::sqlite::metadata::{self, KeyRole, Secrets};
use crate::sqlite::open_error::OpenError;
use crate::sqlite::rows;
use crate::sqlite::schema::{FORMAT, create_tables};

/// Brings the file to the present format, or creates its tables.
pub(super) fn migrate(
    connection: &Connection,
    layout: &Layout,
    keyring: &mut Keyring,
) -> Result<(), OpenError> {
    let file = layout.store();
    let format = connection
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map_err(|error| OpenError::from_sqlite(&file, &error))?;
    match format {
        0 => create_tables(connection, &file),
        1 => migrate_1(connection, layout, keyring),
        2..FORMAT => migrate_readable(connection, layout, format),
        FORMAT => Ok(()),
        found => Err(OpenError::Newer { path: file, found, known: FORMAT }),
    }
}

/// Returns the copies of all older formats.
pub(super) fn format_copies(layout: &Layout) -> impl Iterator<Item = PathBuf> {
    (1..FORMAT).map(|format| layout.format_copy(format))
}

fn migrate_1(
    connection: &Connection,
    layout: &Layout,
    keyring: &mut Keyring,
) -> Result<(), OpenError> {
    let file = layout.store();
    let failed = |error| OpenError::from_sqlite(&file, &error);
    let proof = metadata::read_value(connection, PROOF).map_err(failed)?;
    let fits = |key: &MasterKey| {
        let proof = proof.as_deref().unwrap_or_default();
        Sealer::new(key).unseal(proof, PROOF_AAD).is_ok()
    };
    let Some(old_entry) = keyring.take_fitting(fits) else {
        if !rows::is_empty(connection).map_err(failed)? {
            return Err(OpenError::WrongKey {
                store: file,
                wanted: "of its own (format 1 does not name it)".into(),
                found: keyring.ids(),
            });
        }
        // Nothing is sealed yet, so the file is like a new store.
        return write_format_1_successor(connection, None).map_err(failed);
    };
    let copy = copy(connection, layout, 1)?;
    let buckets = *old_entry.key.derive("totpd buckets 1");
    let secrets = Secrets { buckets, floor: None, history: History::default() };
    let sealed = metadata::seal_secrets(&Sealer::new(&old_entry.key), &secrets)?;
    write_format_1_successor(connection, Some((&old_entry.key.id(), &sealed))).map_err(failed)?;
    keyring.reinsert(old_entry);
    log_migration(1, &copy);
    Ok(())
}

/// Migrates from a format of which everything stays readable.
fn migrate_readable(connection: &Connection, layout: &Layout, from: i64) -> Result<(), OpenError> {
    let copy = copy(connection, layout, from)?;
    connection
        .pragma_update(None, "user_version", FORMAT)
        .map_err(|error| OpenError::from_sqlite(&layout.store(), &error))?;
    log_migration(from, &copy);
    Ok(())
}

fn log_migration(from: i64, copy: &Path) {
    let message = format!(
        "migrated the store from format {from} to {FORMAT}; {} is a copy from before. Remove it \
         when you know that you will not return to an older totpd",
        copy.display()
    );
    Entry::new(Priority::Notice, message).write();
}

/// Replaces what format 1 knew of itself, in one transaction.
fn write_format_1_successor(
    connection: &Connection,
    key: Option<(&KeyId, &[u8])>,
) -> rusqlite::Result<()> {
    let change = || -> rusqlite::Result<()> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute("DELETE FROM meta WHERE name = ?1", [PROOF])?;
        if let Some((id, sealed_secrets)) = key {
            metadata::set_key_id(connection, KeyRole::Current, Some(id))?;
            metadata::set_sealed_secrets(connection, sealed_secrets)?;
        }
        connection.pragma_update(None, "user_version", FORMAT)?;
        connection.execute_batch("COMMIT")
    };
    change().inspect_err(|_| {
        let _ = connection.execute_batch("ROLLBACK");
    })
}

/// Copies the whole file beside it. The copy is on disk when this returns.
fn copy(connection: &Connection, layout: &Layout, format: i64) -> Result<PathBuf, OpenError> {
    let path = layout.format_copy(format);
    write_copy(connection, &path).map_err(|error| OpenError::Unavailable {
        path: layout.store(),
        reason: format!("cannot copy it before the migration to format {FORMAT}: {error}"),
    })?;
    Ok(path)
}

fn write_copy(connection: &Connection, path: &Path) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    remove(path).map_err(text)?;
    // SQLite fills an empty file, and would give a new one another mode.
    create_private(path).map_err(text)?;
    let name = path.to_string_lossy().into_owned();
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| error.to_string())?;
    File::open(path).and_then(|copy| copy.sync_all()).map_err(text)?;
    sync_parent(path).map_err(text)
}

const PROOF: &str = "key proof";
const PROOF_AAD: &[u8] = b"totpd key proof 1";
