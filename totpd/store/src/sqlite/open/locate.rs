//! The directory and the file: whose they are, who has them open, and whether they exist.

use std::fs::{self, DirBuilder, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags, statfs};

use crate::fsync::sync_parent;
use crate::owner::Owner;
use crate::sqlite::layout::{Layout, create_store_file, is_not_found, wal_path};
use crate::sqlite::open_error::OpenError;

/// Locks the directory, and creates it and the file if they are missing. Returns the lock.
pub(super) fn locate(layout: &Layout, owner: Owner) -> Result<File, OpenError> {
    let directory = layout.directory();
    let lock = lock_directory(directory, owner)?;
    // Before any file is made: a file keeps what its directory had when it was made.
    prevent_copy_on_write(&lock);
    layout.remove_new_store().map_err(|source| OpenError::Io { path: directory.into(), source })?;
    let file = layout.store();
    match fs::symlink_metadata(&file) {
        Err(error) if is_not_found(&error) => {
            reject_orphan_wal(&file)?;
            create_store_file(&file).map_err(|source| OpenError::Io { path: file, source })?;
        }
        Err(source) => return Err(OpenError::Io { path: file, source }),
        Ok(metadata) => {
            reject_insecure(&file, &metadata, owner, 0o600)?;
            if !metadata.is_file() {
                let reason = "it is not a regular file".into();
                return Err(OpenError::NotAStore { path: file, reason });
            }
        }
    }
    Ok(lock)
}

fn lock_directory(directory: &Path, owner: Owner) -> Result<File, OpenError> {
    let failed = |source| OpenError::Io { path: directory.to_path_buf(), source };
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Err(_) => {}
        Ok(()) => sync_parent(directory).map_err(failed)?,
    }
    let metadata = fs::symlink_metadata(directory).map_err(failed)?;
    // Its mode is fixed, so the next check would ask for what nobody can do.
    if metadata.ino() == LEFT_OUT_SUBVOLUME && is_btrfs(directory) {
        return Err(OpenError::LeftOut(directory.to_path_buf()));
    }
    reject_insecure(directory, &metadata, owner, 0o700)?;
    if !metadata.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    let folder = File::open(directory).map_err(failed)?;
    // A daemon that was killed holds its lock until its last call to the disk has returned.
    let end = Instant::now() + LOCK_TIMEOUT;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                thread::park_timeout(POLL_INTERVAL);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse(directory.to_path_buf()));
            }
        }
    }
}

fn is_btrfs(directory: &Path) -> bool {
    statfs(directory).is_ok_and(|disk| disk.f_type as u32 == BTRFS)
}

/// Has Btrfs overwrite the files that are made in this directory in place. Otherwise each write
/// needs free space, and nobody could log in on a full disk. Other file systems do not have the
/// flag, and `totpctl doctor` names those that always copy.
fn prevent_copy_on_write(directory: &File) {
    let flags = ioctl_getflags(directory);
    if let Ok(flags) = flags
        && !flags.contains(IFlags::NOCOW)
    {
        let _ = ioctl_setflags(directory, flags | IFlags::NOCOW);
    }
}

/// Refuses a log without its file: SQLite would apply it to a new file of that name.
fn reject_orphan_wal(file: &Path) -> Result<(), OpenError> {
    let log = wal_path(file);
    match fs::symlink_metadata(&log) {
        Err(error) if is_not_found(&error) => Ok(()),
        _ => Err(OpenError::NotAStore {
            path: log,
            reason: "it is the log of a store.db that does not exist".into(),
        }),
    }
}

fn reject_insecure(
    path: &Path,
    metadata: &Metadata,
    owner: Owner,
    wanted: u32,
) -> Result<(), OpenError> {
    let (uid, mode, owner) = (metadata.uid(), metadata.mode() & 0o7777, owner.uid());
    if uid != owner || mode & 0o077 != 0 {
        let path = path.to_path_buf();
        return Err(OpenError::InsecurePermissions { path, uid, owner, mode, wanted });
    }
    Ok(())
}

/// The inode of the empty directory that a snapshot of Btrfs has in the place of a subvolume. Every
/// other directory has another one: 256 for the root of a subvolume, more for the rest.
const LEFT_OUT_SUBVOLUME: u64 = 2;
/// The `f_type` of Btrfs (statfs(2)).
const BTRFS: u32 = 0x9123_683E;
/// The time that another daemon may take to release the directory. It is shorter than the wait of a
/// login.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
