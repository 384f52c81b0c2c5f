//! How a trial ends: all files are as before, or the change is kept. Both may be cut short at any moment, and
//! are then done again from the start.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::entered;
use super::record::{FOLDER, Trial, Tried};
use crate::failure::Failure;
use crate::pam_change::{beside, cannot, remove, sync_folder};

/// Ends it as it was decided: the files are as before unless somebody logged in.
pub(super) fn end(trial: &Trial) -> Result<(), Failure> {
    for file in &trial.files {
        let done = match trial.kept_by {
            Some(_) => keep(file),
            None => put_back(file),
        };
        done.map_err(|error| cannot(&file.path, &error))?;
    }
    entered::stop().map_err(|error| cannot(entered::file(), &error))?;
    trial.is_over()
}

/// The file itself is put back, not a copy of it: with its times, owner, labels and whatever else it has.
fn put_back(file: &Tried) -> io::Result<()> {
    let kept = beside(&file.path, "before");
    remove(&beside(&file.path, "new"))?;
    match (inode(&kept)?, inode(&file.path)?) {
        // It was not changed yet, or is put back already.
        (None, _) if file.existed => {}
        (Some(kept_inode), Some(present)) if kept_inode == present => fs::remove_file(&kept)?,
        (Some(_), _) => {
            save_edited(file);
            fs::rename(&kept, &file.path)?;
        }
        (None, Some(_)) => {
            save_edited(file);
            fs::remove_file(&file.path)?;
        }
        (None, None) => {}
    }
    sync_folder(&file.path)
}

/// What stands there now stays.
fn keep(file: &Tried) -> io::Result<()> {
    remove(&beside(&file.path, "new"))?;
    remove(&beside(&file.path, "before"))?;
    sync_folder(&file.path)
}

/// Whatever somebody else wrote meanwhile is not lost: it is kept with what was tried, or where there is no room
/// for it, in its own folder. That it cannot be kept anywhere is no reason to leave a stack that shuts out.
fn save_edited(file: &Tried) {
    let path = &file.path;
    let Ok(text) = fs::read(path) else { return };
    if text == file.text.as_bytes() {
        return;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let edited = Path::new(FOLDER).join(format!("{name}.edited"));
    if fs::write(&edited, text).is_err() {
        let _ = fs::remove_file(&edited);
        // Another name of the file takes no room.
        let beside = beside(path, "edited");
        let _ = remove(&beside).and_then(|()| fs::hard_link(path, &beside));
    }
}

fn inode(path: &Path) -> io::Result<Option<u64>> {
    match fs::symlink_metadata(path) {
        Ok(told) => Ok(Some(told.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
