//! The folder of the store: whose it is, the key, the file, and what to do when they do not fit.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::key::{KeyError, MasterKey};
use crate::seal::Sealer;
use crate::store::Store;
use crate::store::sqlite::Rows;
use crate::subject::Buckets;

/// Where the store is.
pub const FOLDER: &str = "/var/lib/totpd";

/// An open store, and the buckets under the same key.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Where names without a record go.
    pub buckets: Buckets,
}

/// Why the store cannot be opened. The daemon does not start then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file belongs to somebody else, or others may enter.
    #[error(
        "{path} must belong to uid 0 and to nobody else, with mode {wanted:04o}; it is owned by \
         uid {uid} and has mode {mode:04o}: chown root {path}; chmod {wanted:o} {path}"
    )]
    Exposed {
        /// What.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// Its mode.
        mode: u32,
        /// The mode that it must have.
        wanted: u32,
    },
    /// The folder or file cannot be made or looked at.
    #[error("{path} cannot be opened: {source}")]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There are records, and the key that they are sealed under is gone.
    #[error(
        "the sealing key {0} is missing, and the store holds records that nothing else can open: \
         put the key back from a backup; no new one is made over them"
    )]
    KeyMissing(PathBuf),
    /// The file was written by a later version.
    #[error("{path} has format {found}; this version of totpd knows formats up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format that is known.
        known: i64,
    },
    /// The file is something else.
    #[error("{path} is not a store of totpd ({reason}): move it away, or restore a backup")]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        reason: String,
    },
    /// The kernel gives no random bytes.
    #[error("the kernel gives no random bytes to seal with")]
    NoRandomness,
    /// The thread of the store cannot be started.
    #[error("the thread of the store cannot be started: {0}")]
    Thread(io::Error),
    /// Another process holds the file, or the disk does not play along.
    #[error("{path} cannot be opened: {reason}")]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key is another one than that which the records are sealed under.
    #[error("the sealing key {key} is not the one that {store} is sealed under: put that one back")]
    WrongKey {
        /// The key's file.
        key: PathBuf,
        /// The store's file.
        store: PathBuf,
    },
}

/// Opens or makes the store in `folder`.
pub(super) fn open(folder: &Path) -> Result<(Rows, Buckets), OpenError> {
    let io = |source| OpenError::Io { path: folder.to_path_buf(), source };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        Err(_) => {}
        Ok(()) => sync(folder.parent().unwrap_or(folder)).map_err(io)?,
    }
    let metadata = fs::symlink_metadata(folder).map_err(io)?;
    refuse_exposed(folder, &metadata, 0o700)?;
    if !metadata.is_dir() {
        return Err(io(io::ErrorKind::NotADirectory.into()));
    }

    let (file, key_file) = (folder.join("store.db"), folder.join("store.key"));
    match fs::symlink_metadata(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_file(&file, folder)?,
        Err(source) => return Err(OpenError::Io { path: file, source }),
        Ok(metadata) => {
            refuse_exposed(&file, &metadata, 0o600)?;
            if !metadata.is_file() {
                let reason = "not a plain file".into();
                return Err(OpenError::NotAStore { path: file, reason });
            }
        }
    }
    let key = MasterKey::read(&key_file)?;
    let unsealed = Rows::open(&file)?;
    let key = match key {
        Some(key) => key,
        // Never over records: nothing but the lost key could open them.
        None if unsealed.is_sealed()? => return Err(OpenError::KeyMissing(key_file)),
        None => MasterKey::make(&key_file)?,
    };
    let rows = unsealed.under(Sealer::new(&key), &key_file)?;
    Ok((rows, Buckets::new(&key)))
}

/// Makes an empty file that only root can read, whatever the umask; SQLite makes its other files
/// alike. It and its name are on disk when this returns.
fn make_file(file: &Path, folder: &Path) -> Result<(), OpenError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|made| made.sync_all())
        .and_then(|()| sync(folder))
        .map_err(|source| OpenError::Io { path: file.to_path_buf(), source })
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn refuse_exposed(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), OpenError> {
    let (uid, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if uid != 0 || mode & 0o077 != 0 {
        return Err(OpenError::Exposed { path: path.to_path_buf(), uid, mode, wanted });
    }
    Ok(())
}
