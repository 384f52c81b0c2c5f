//! The new file or folder of an export, which only root can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::pam::atomic_file::sync_folder;

/// A new file, or a new folder with a file for each user.
pub(super) struct Target {
    path: PathBuf,
    /// The file; `None` for a folder.
    file: Option<File>,
    /// The files in the folder.
    files: Vec<PathBuf>,
}

impl Target {
    /// Creates it. Overwrites nothing, and follows no link.
    pub(super) fn create(path: &Path, is_folder: bool) -> Result<Self, Error> {
        let created = match is_folder {
            true => DirBuilder::new().mode(0o700).create(path).map(|()| None),
            false => new_file(path).map(Some),
        };
        let file = created.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::refused(format!(
                "{} exists already; name a new {}",
                path.display(),
                if is_folder { "folder" } else { "file" }
            )),
            _ => unwritable(path, &error),
        })?;
        Ok(Self { path: path.to_owned(), file, files: Vec::new() })
    }

    /// Appends to the file, or writes the file of `user` in the folder.
    pub(super) fn write(&mut self, user: &str, text: &str) -> Result<(), Error> {
        if let Some(file) = &mut self.file {
            return file.write_all(text.as_bytes()).map_err(|error| unwritable(&self.path, &error));
        }
        // A name of a user may have any character but these in it.
        if user.is_empty() || user.starts_with('.') || user.contains(['/', '\0']) {
            return Err(Error::refused(format!("{user:?} cannot be the name of a file")));
        }
        let path = self.path.join(user);
        let written = new_file(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        self.files.push(path.clone());
        written.map_err(|error| unwritable(&path, &error))
    }

    /// Waits until all is on the disk.
    pub(super) fn finish(self) -> Result<(), Error> {
        let synced = match (&self.file, self.files.first()) {
            (Some(file), _) => file.sync_all(),
            (None, Some(file)) => sync_folder(file),
            (None, None) => Ok(()),
        };
        synced
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| unwritable(&self.path, &error))
    }

    /// Removes what was written.
    pub(super) fn remove(&self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        let _ = match &self.file {
            Some(_) => fs::remove_file(&self.path),
            None => fs::remove_dir(&self.path),
        };
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::refused(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut target = Target::create(&path, false).unwrap();
        target.write("alice", "one\n").unwrap();
        target.write("bob", "two\n").unwrap();
        target.finish().unwrap();
        assert_eq!(
            (fs::read_to_string(&path).unwrap().as_str(), mode(&path)),
            ("one\ntwo\n", 0o600)
        );
        assert!(Target::create(&path, false).is_err(), "it is there");
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, path) = (folder.path().join("link"), folder.path().join("real"));
        symlink(&path, &link).unwrap();
        assert!(Target::create(&link, false).is_err());
        assert!(Target::create(&link, true).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_has_a_file_for_each_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut target = Target::create(&path, true).unwrap();
        target.write("alice", "one").unwrap();
        assert_eq!((mode(&path), mode(&path.join("alice"))), (0o700, 0o600));
        for name in ["", "..", "a/b", "alice"] {
            assert!(target.write(name, "two").is_err(), "{name}");
        }
        target.remove();
        assert!(!path.exists());
    }
}
