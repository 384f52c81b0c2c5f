//! A file is replaced whole, by one that has its owner, mode and label.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};

/// Puts a file with this text in the place of `path`, to the disk, or leaves all as it is. It has owner, mode
/// and labels of `like`.
pub(crate) fn replace(path: &Path, text: &str, like: Option<&Path>) -> io::Result<()> {
    let new = beside(path, "new");
    // One that a crash left.
    remove(&new)?;
    let put = write_like(&new, text, like).and_then(|()| fs::rename(&new, path));
    if put.is_err() {
        let _ = fs::remove_file(&new);
    }
    put.and_then(|()| sync_folder(path))
}

/// Makes a file, to the disk.
pub(crate) fn write_like(new: &Path, text: &str, like: Option<&Path>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(text.as_bytes())?;
    match like {
        Some(like) => {
            let like = File::open(like)?;
            let told = like.metadata()?;
            std::os::unix::fs::fchown(&file, Some(told.uid()), Some(told.gid()))?;
            file.set_permissions(told.permissions())?;
            copy_labels(&like, &file)?;
        }
        None => file.set_permissions(fs::Permissions::from_mode(0o644))?,
    }
    file.sync_all()
}

/// Extended attributes: the label of SELinux, and access lists.
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

/// A file of ours in the same folder, which libpam takes for no service.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.totpctl-{what}"))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    // Where nothing may be written, not even what is not there can be removed.
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Has the disk know which files a folder has.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
