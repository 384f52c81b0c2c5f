//! Who could have written a file of the configuration.
//!
//! A link leads to other folders, so each folder on its way has to be in the owner's hands too. The
//! folders above that of the configuration are not looked at: who may change `/etc` needs nothing
//! from here.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use totpd_store::Owner;

use crate::config::error::ConfigError;

/// Checks that only `owner` could have put `path` there. What a link leads to is checked with its
/// folders. An absent file is fine.
///
/// # Errors
/// [`ConfigError::Writable`] or [`ConfigError::Linked`].
pub(super) fn check(path: &Path, owner: Owner) -> Result<(), ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata.map_err(unreadable)?,
    };
    if !metadata.is_symlink() {
        return refuse_writable(path, &metadata, owner);
    }
    let linked = |through: &Path, metadata: &Metadata| ConfigError::Linked {
        path: path.to_path_buf(),
        through: through.to_path_buf(),
        uid: metadata.uid(),
        mode: metadata.mode() & 0o7777,
    };
    let start = std::path::absolute(path).map_err(unreadable)?;
    let folder = start.parent().unwrap_or(&start).to_path_buf();
    let mut at = folder.clone();
    let mut rest: VecDeque<OsString> =
        start.file_name().map(ToOwned::to_owned).into_iter().collect();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        let next = match Path::new(&name).components().next() {
            Some(Component::ParentDir) => at.parent().unwrap_or(&at).to_path_buf(),
            Some(Component::RootDir) => PathBuf::from("/"),
            Some(Component::CurDir) | None => continue,
            _ => at.join(&name),
        };
        let metadata = fs::symlink_metadata(&next).map_err(unreadable)?;
        if !is_safe(&metadata, owner) {
            return Err(linked(&next, &metadata));
        }
        at = match metadata.is_symlink() {
            false => next,
            true => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(unreadable(io::Error::from_raw_os_error(nix::libc::ELOOP)));
                }
                let target = fs::read_link(&next).map_err(unreadable)?;
                let names = target.components().map(|one| one.as_os_str().to_owned());
                names.rev().for_each(|name| rest.push_front(name));
                next.parent().unwrap_or(&at).to_path_buf()
            }
        };
    }
    let metadata = fs::symlink_metadata(&at).map_err(unreadable)?;
    refuse_writable(path, &metadata, owner)
}

/// Checks that only `owner` could have written `file`, which was opened as `path`.
///
/// # Errors
/// [`ConfigError::Writable`].
pub(super) fn check_open(path: &Path, file: &File, owner: Owner) -> Result<(), ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
    refuse_writable(path, &file.metadata().map_err(unreadable)?, owner)
}

fn refuse_writable(path: &Path, metadata: &Metadata, owner: Owner) -> Result<(), ConfigError> {
    let (uid, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if uid != owner.uid() || mode & 0o022 != 0 {
        return Err(ConfigError::Writable { path: path.to_path_buf(), uid, mode });
    }
    Ok(())
}

/// Reports whether nobody but `owner` and root can put something else in the place of what is
/// there. In a folder with the sticky bit, nobody can replace what others own.
fn is_safe(metadata: &Metadata, owner: Owner) -> bool {
    let is_owned = metadata.uid() == owner.uid() || metadata.uid() == Owner::ROOT.uid();
    let is_kept = metadata.mode() & 0o022 == 0
        || (metadata.is_dir() && metadata.mode() & 0o1000 != 0)
        || metadata.is_symlink();
    is_owned && is_kept
}

/// The links that Linux follows.
const MAX_LINKS: usize = 40;
