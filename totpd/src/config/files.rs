//! The files of the configuration on the disk.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use totpd_store::Owner;

use crate::config::error::ConfigError;
use crate::config::trust;

/// The files of the configuration.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Those that count, in their order.
    pub(super) paths: Vec<PathBuf>,
    /// Those that look like others, and are no configuration: what an editor or a deployment has
    /// not finished.
    pub(super) ignored: Vec<PathBuf>,
}

impl Files {
    /// Returns `file`, and its drop-ins.
    ///
    /// # Errors
    /// [`ConfigError`] if a folder cannot be read, or others could have put files there.
    pub(super) fn find(file: &Path, owner: Owner) -> Result<Self, ConfigError> {
        let mut files = Self::default();
        if let Some(folder) = file.parent() {
            trust::check(folder, owner)?;
        }
        if file.try_exists().map_err(unreadable(file))? || file.is_symlink() {
            files.paths.push(file.to_path_buf());
        }
        let mut folder = file.as_os_str().to_owned();
        folder.push(".d");
        let folder = PathBuf::from(folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
            entries => entries.map_err(unreadable(&folder))?,
        };
        trust::check(&folder, owner)?;
        let mut drop_ins = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable(&folder))?.path();
            match path.file_name().is_some_and(is_configuration) {
                true => drop_ins.push(path),
                false if has_suffix(&path) => files.ignored.push(path),
                false => {}
            }
        }
        drop_ins.sort();
        files.ignored.sort();
        files.paths.append(&mut drop_ins);
        Ok(files)
    }
}

/// Reports whether a file of that name is configuration. Locks of editors and what a deployment has
/// not finished begin with a dot.
pub(crate) fn is_configuration(name: &OsStr) -> bool {
    has_suffix(Path::new(name)) && !name.as_bytes().starts_with(b".")
}

fn has_suffix(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(b".toml")
}

/// Returns the text of a file, or a little more than `room` bytes of it.
///
/// # Errors
/// [`ConfigError`] if it cannot be read, or others could have written it.
pub(super) fn read(path: &Path, owner: Owner, room: u64) -> Result<String, ConfigError> {
    // Opening a pipe would block.
    if !fs::metadata(path).map_err(unreadable(path))?.is_file() {
        return Err(unreadable(path)(io::Error::other("it is not a regular file")));
    }
    trust::check(path, owner)?;
    let file = fs::File::open(path).map_err(unreadable(path))?;
    trust::check_open(path, &file, owner)?;
    let mut text = Vec::new();
    file.take(room + 1).read_to_end(&mut text).map_err(unreadable(path))?;
    room_after_bytes(path, text.len(), room)?;
    let not_text = |_| unreadable(path)(io::Error::other("it is not UTF-8"));
    String::from_utf8(text).map_err(not_text)
}

/// Returns the bytes that the files behind this one may have.
///
/// # Errors
/// [`ConfigError::TooLarge`] if it has more than `room`.
pub(super) fn room_after(path: &Path, text: &str, room: u64) -> Result<u64, ConfigError> {
    room_after_bytes(path, text.len(), room)
}

fn room_after_bytes(path: &Path, bytes: usize, room: u64) -> Result<u64, ConfigError> {
    let too_large = || ConfigError::TooLarge { path: path.to_path_buf(), mib: MAX_BYTES >> 20 };
    room.checked_sub(bytes as u64).ok_or_else(too_large)
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> ConfigError {
    move |source| ConfigError::Unreadable { path: path.to_path_buf(), source }
}

/// The bytes that all files of the configuration may have.
pub(crate) const MAX_BYTES: u64 = 16 * 1024 * 1024;
