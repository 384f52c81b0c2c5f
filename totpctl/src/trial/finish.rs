//! How a trial ends: all files are as before, or the change is kept. Both may be cut short at any moment, and
//! are then done again from the start.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::login_watch;
use super::state::{FOLDER, Trial, Tried};
use crate::error::Error;
use crate::pam::atomic_file::{beside, remove, sync_folder};
use crate::pam::change::cannot_change;

/// Ends it as it was decided: the files are as before unless somebody logged in.
pub(super) fn end(trial: &Trial) -> Result<(), Error> {
    for file in &trial.files {
        let done = match trial.kept_by {
            Some(_) => keep(file),
            None => put_back(file),
        };
        done.map_err(|error| cannot_change(&file.path, &error))?;
    }
    login_watch::stop().map_err(|error| cannot_change(login_watch::file(), &error))?;
    trial.archive()
}

/// The file itself is put back, not a copy of it: with its times, owner, labels and whatever else it has.
fn put_back(file: &Tried) -> io::Result<()> {
    let kept = beside(&file.path, "before");
    remove(&beside(&file.path, "new"))?;
    match (metadata(&kept)?, metadata(&file.path)?) {
        // It was not changed yet, or is put back already.
        (None, _) if file.existed => {}
        (Some(before), Some(now)) if is_one_file(&before, &now) => fs::remove_file(&kept)?,
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

fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(told) => Ok(Some(told)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether these are two names of one file. An overlay (a container, a live system) copies a file of its lower layer
/// when it gets a second name, and the two then differ in their inode, and in nothing else.
fn is_one_file(one: &Metadata, other: &Metadata) -> bool {
    let rest = |file: &Metadata| {
        (file.len(), file.mtime(), file.mtime_nsec(), file.mode(), file.uid(), file.gid())
    };
    one.ino() == other.ino() || rest(one) == rest(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_meanwhile_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "text").unwrap();
        let told = |path: &Path| metadata(path).unwrap().unwrap();
        fs::hard_link(&one, &other).unwrap();
        assert!(is_one_file(&told(&one), &told(&other)));
        // A copy, as an overlay makes it.
        fs::remove_file(&other).unwrap();
        fs::write(&other, "text").unwrap();
        let mtime = told(&one).modified().unwrap();
        fs::File::options().append(true).open(&other).unwrap().set_modified(mtime).unwrap();
        assert!(is_one_file(&told(&one), &told(&other)));
        fs::write(&other, "a line more").unwrap();
        assert!(!is_one_file(&told(&one), &told(&other)));
        assert!(metadata(&folder.path().join("none")).unwrap().is_none());
    }
}
