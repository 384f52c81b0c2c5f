//! Several changes at once: all of them are made, or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic_file::{beside, is_one_file, metadata, remove, sync_folder};
use super::change::{Change, cannot_change};
use crate::error::Error;

/// Makes all of these changes.
///
/// # Errors
/// One of them cannot be made. Then all files are as before, except those that the error names.
pub(crate) fn apply_all(changes: &[Change]) -> Result<(), Error> {
    let originals: Vec<_> = changes.iter().map(|change| Original::new(&change.path)).collect();
    let kept = originals.iter().try_for_each(Original::keep);
    match kept.and_then(|()| changes.iter().try_for_each(Change::apply)) {
        Ok(()) => {
            originals.iter().for_each(Original::forget);
            Ok(())
        }
        Err(error) => {
            Err(originals.iter().rev().fold(error, |error, original| match original.restore() {
                Ok(()) => error,
                Err(reason) => Error::refused(format!(
                    "{error}; {} may still be changed: {reason}",
                    original.path.display()
                )),
            }))
        }
    }
}

/// A file as it was. A second name keeps the file itself, with its times, owner and labels.
struct Original {
    path: PathBuf,
    second_name: PathBuf,
    existed: bool,
}

impl Original {
    fn new(path: &Path) -> Self {
        let existed = fs::symlink_metadata(path).is_ok();
        Self { path: path.to_owned(), second_name: beside(path, "undo"), existed }
    }

    fn keep(&self) -> Result<(), Error> {
        // A crash may have left one.
        let result = remove(&self.second_name).and_then(|()| match self.existed {
            true => fs::hard_link(&self.path, &self.second_name),
            false => Ok(()),
        });
        result.map_err(|error| cannot_change(&self.path, &error))
    }

    fn restore(&self) -> io::Result<()> {
        match (metadata(&self.second_name)?, metadata(&self.path)?) {
            _ if !self.existed => remove(&self.path)?,
            // An overlay would keep the second name after a rename.
            (Some(kept), Some(now)) if is_one_file(&kept, &now) => remove(&self.second_name)?,
            (Some(kept), _) if kept.is_file() => fs::rename(&self.second_name, &self.path)?,
            // It got no second name.
            _ => {}
        }
        sync_folder(&self.path)
    }

    fn forget(&self) {
        // One that stays does no harm, and the next change removes it.
        let _ = remove(&self.second_name);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    /// Returns changes of two files, and of one that does not exist yet.
    fn three_changes(folder: &Path) -> [Change; 3] {
        ["first", "second", "third"].map(|name| {
            let path = folder.join(name);
            if name != "third" {
                fs::write(&path, "before").unwrap();
            }
            // No distribution has such a service.
            Change::example(&format!("no-such-service-{name}"), path, "before", "after")
        })
    }

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_are_changed() {
        let folder = tempfile::tempdir().unwrap();
        let changes = three_changes(folder.path());
        fs::write(beside(&changes[0].path, "undo"), "of a crash").unwrap();
        apply_all(&changes).unwrap();
        for change in &changes {
            assert_eq!(fs::read_to_string(&change.path).unwrap(), "after");
        }
        assert_eq!(names(folder.path()), ["first", "second", "third"]);
    }

    #[test]
    fn a_file_that_cannot_be_changed_leaves_the_others_as_they_were() {
        for (blocked, what) in [(1, "new"), (2, "new"), (1, "undo"), (2, "undo")] {
            let folder = tempfile::tempdir().unwrap();
            let changes = three_changes(folder.path());
            let inodes = || {
                let files = changes.iter().map(|change| fs::metadata(&change.path));
                files
                    .map(|file| file.ok().map(|file| (file.ino(), file.nlink())))
                    .collect::<Vec<_>>()
            };
            let before = inodes();
            // A folder in the place of the new file, or of the second name.
            fs::create_dir(beside(&changes[blocked].path, what)).unwrap();
            let error = apply_all(&changes).unwrap_err().to_string();
            let path = changes[blocked].path.display().to_string();
            let named = error.starts_with(&format!("cannot change {path}: "));
            assert!(named && !error.contains("may still be changed"), "{error}");
            assert_eq!(inodes(), before, "{blocked} {what}");
            assert_eq!(names(folder.path()).len(), 3, "{:?}", names(folder.path()));
        }
    }
}
