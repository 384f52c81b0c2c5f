//! Replaces a file atomically, and keeps its owner, mode and labels.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};

/// Replaces `path` by a file with these bytes, synced to the disk, or changes nothing. The new file
/// gets owner, mode and labels of `like`.
pub(crate) fn replace(path: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
    let new = beside(path, "new");
    // A crash may have left one.
    remove(&new)?;
    let result = write_like(&new, bytes, like).and_then(|()| fs::rename(&new, path));
    if result.is_err() {
        let _ = fs::remove_file(&new);
    }
    result.and_then(|()| sync_folder(path))
}

/// Creates a file and syncs it to the disk.
pub(crate) fn write_like(new: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(bytes)?;
    match like {
        Some(like) => {
            let like = File::open(like)?;
            let metadata = like.metadata()?;
            std::os::unix::fs::fchown(&file, Some(metadata.uid()), Some(metadata.gid()))?;
            file.set_permissions(metadata.permissions())?;
            copy_labels(&like, &file)?;
        }
        None => file.set_permissions(fs::Permissions::from_mode(0o644))?,
    }
    file.sync_all()
}

/// Copies the extended attributes: the label of SELinux, and access lists.
fn copy_labels(from: &File, to: &File) -> io::Result<()> {
    let mut names = vec![0; 4096];
    let length = match flistxattr(from, &mut names) {
        Err(rustix::io::Errno::OPNOTSUPP) => return Ok(()),
        length => length?,
    };
    names.truncate(length);
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 4096];
        let length = fgetxattr(from, name, &mut value)?;
        fsetxattr(to, name, value.get(..length).unwrap_or_default(), XattrFlags::empty())?;
    }
    Ok(())
}

/// Returns a path in the same folder that is no PAM service.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.totpctl-{what}"))
}

/// Removes a file, if it exists.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    // On a read-only disk, removing a missing file fails too.
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Syncs the folder of a file to the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Returns the metadata of a name, if it exists. A link is not followed.
pub(crate) fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reports whether these are two names of one file. An overlay file system copies a file of its
/// lower layer when it gets a second name. The two then differ only in their inode.
pub(crate) fn is_one_file(one: &Metadata, other: &Metadata) -> bool {
    let rest = |file: &Metadata| {
        (file.len(), file.mtime(), file.mtime_nsec(), file.mode(), file.uid(), file.gid())
    };
    one.ino() == other.ino() || rest(one) == rest(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_edited_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "text").unwrap();
        let of = |path: &Path| metadata(path).unwrap().unwrap();
        fs::hard_link(&one, &other).unwrap();
        assert!(is_one_file(&of(&one), &of(&other)));
        // A copy, as an overlay makes it.
        fs::remove_file(&other).unwrap();
        fs::write(&other, "text").unwrap();
        let mtime = of(&one).modified().unwrap();
        fs::File::options().append(true).open(&other).unwrap().set_modified(mtime).unwrap();
        assert!(is_one_file(&of(&one), &of(&other)));
        fs::write(&other, "a line more").unwrap();
        assert!(!is_one_file(&of(&one), &of(&other)));
        assert!(metadata(&folder.path().join("none")).unwrap().is_none());
    }
}
