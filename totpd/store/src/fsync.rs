//! Flushing names: after a power cut a file is only created, renamed or removed if its directory
//! was flushed.

use std::fs::File;
use std::io;
use std::path::Path;

/// Flushes the names in `directory`.
///
/// # Errors
/// Those of the disk. Then a power cut may undo the last changes.
#[cfg(not(test))]
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Leaves the flush out in a directory that holds a file of this name. The campaign of crashes must
/// find the loss that the flush prevents.
#[cfg(test)]
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if directory.join("test-no-folder-sync").exists() {
        return Ok(());
    }
    File::open(directory)?.sync_all()
}

/// Flushes the directory of `file`.
///
/// # Errors
/// As [`sync_directory`].
pub(crate) fn sync_parent(file: &Path) -> io::Result<()> {
    sync_directory(file.parent().unwrap_or(Path::new("/")))
}

/// Removes a file, which may not exist.
///
/// # Errors
/// Those of the disk. Then the file may still exist.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
