//! Older formats of the file. Each is brought up to date in one transaction, after a copy.
//!
//! Format 1 had no ids of keys, only a proof that a key fits, and made the buckets from the key.
//! Formats 2 and 3 have records of another kind ([`crate::record_format`]), which are read as they are. So is
//! what format 4 knows of itself, which is less ([`metadata::Secrets`]). A number of its own keeps an older
//! totpd from a rekey or a restore that would forget the rest.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use totpd_journal::{Entry, Priority};

use crate::backup::History;
use crate::fsync::{remove, sync_folder_of};
use crate::master_key::MasterKey;
use crate::sealer::Sealer;
use crate::sqlite::key_sources::Keyring;
use crate::sqlite::metadata::{self, KeyRole, Secrets};
use crate::sqlite::open_error::OpenError;
use crate::sqlite::rows::{self, RowError};

/// The format of the file (`user_version`).
pub(super) const FORMAT: i64 = 5;

/// Brings `file` from format 1 to the present one.
pub(super) fn from_1(
    connection: &Connection,
    file: &Path,
    keyring: &mut Keyring,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::of_sqlite(file, &error);
    let proof = metadata::get(connection, PROOF).map_err(failed)?;
    let fits = |key: &MasterKey| {
        let proof = proof.as_deref().unwrap_or_default();
        Sealer::new(key).unseal(proof, PROOF_AAD).is_ok()
    };
    let Some(key) = keyring.find(fits) else {
        if !rows::is_empty(connection).map_err(failed)? {
            return Err(OpenError::WrongKey {
                store: file.to_path_buf(),
                wanted: "its own (format 1 does not name it)".into(),
                found: keyring.ids(),
            });
        }
        // Nothing is sealed yet: it is as good as new.
        return begin(connection, None).map_err(failed);
    };
    let copy = copy(connection, file, 1)?;
    let buckets = *key.key.derive("totpd buckets 1");
    let secrets = Secrets { buckets, floor: None, history: History::default() };
    begin(connection, Some((&key.key, &secrets))).map_err(failed)?;
    keyring.reinsert(key);
    tell(1, &copy);
    Ok(())
}

/// Brings `file` from format 2, 3 or 4, of which all is read as it is, to the present one.
pub(super) fn from_2_or_later(
    connection: &Connection,
    file: &Path,
    from: u8,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::of_sqlite(file, &error);
    let copy = copy(connection, file, from)?;
    connection.pragma_update(None, "user_version", FORMAT).map_err(failed)?;
    tell(from, &copy);
    Ok(())
}

fn tell(from: u8, copy: &Path) {
    let done = format!(
        "the store was brought from format {from} to {FORMAT}; a copy as it was is {}: remove it \
         when you know that you will not go back to an older totpd",
        copy.display()
    );
    Entry::new(Priority::Notice, done).write();
}

fn begin(connection: &Connection, key: Option<(&MasterKey, &Secrets)>) -> rusqlite::Result<()> {
    let change = || -> Result<(), RowError> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute("DELETE FROM meta WHERE name = ?1", [PROOF])?;
        if let Some((key, secrets)) = key {
            metadata::set_key(connection, KeyRole::Current, Some(&key.id()))?;
            metadata::set_secrets(connection, &Sealer::new(key), secrets)?;
        }
        connection.pragma_update(None, "user_version", FORMAT)?;
        Ok(connection.execute_batch("COMMIT")?)
    };
    change().map_err(|trouble| {
        let _ = connection.execute_batch("ROLLBACK");
        match trouble {
            RowError::Database(error) => error,
            RowError::Record(error) => rusqlite::Error::ToSqlConversionFailure(Box::new(error)),
        }
    })
}

/// A copy of the whole file beside it, on disk when this returns.
fn copy(connection: &Connection, file: &Path, format: u8) -> Result<PathBuf, OpenError> {
    let path = copy_of(file, format);
    fill(connection, &path).map_err(|error| OpenError::Unavailable {
        path: file.to_path_buf(),
        reason: format!("no copy can be made before it is brought to format {FORMAT}: {error}"),
    })?;
    Ok(path)
}

fn fill(connection: &Connection, path: &Path) -> Result<(), String> {
    let say = |error: io::Error| error.to_string();
    remove(path).map_err(say)?;
    // Made by us, so that nobody else can read it; SQLite fills an empty file.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(say)?;
    let name = path.to_string_lossy().into_owned();
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| error.to_string())?;
    File::open(path).and_then(|copy| copy.sync_all()).map_err(say)?;
    sync_folder_of(path).map_err(say)
}

/// Where the copy of `file` from that format is.
fn copy_of(file: &Path, format: u8) -> PathBuf {
    file.with_file_name(format!("store.db.format-{format}"))
}

/// Where the copies of `file` are, of all formats.
pub(super) fn copies_of(file: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let file = file.to_path_buf();
    [1, 2, 3, 4].into_iter().map(move |format| copy_of(&file, format))
}

const PROOF: &str = "key proof";
const PROOF_AAD: &[u8] = b"totpd key proof 1";
