//! Names on disk: a file that was made, renamed or removed is so after a power cut only when its
//! folder was flushed.

use std::fs::File;
use std::io;
use std::path::Path;

/// Flushes the names in `folder`.
///
/// # Errors
/// Of the disk; then the last changes may be undone by a power cut.
#[cfg(not(test))]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The campaign of crashes must find what this prevents: it leaves it out in a folder that holds a
/// file of this name.
#[cfg(test)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if folder.join("test-no-folder-sync").exists() {
        return Ok(());
    }
    File::open(folder)?.sync_all()
}

/// Flushes the folder that `file` is in.
///
/// # Errors
/// As [`sync_folder`].
pub(crate) fn sync_folder_of(file: &Path) -> io::Result<()> {
    sync_folder(file.parent().unwrap_or(Path::new("/")))
}

/// Removes a file, which may be gone already.
///
/// # Errors
/// Of the disk; then it may still be there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
