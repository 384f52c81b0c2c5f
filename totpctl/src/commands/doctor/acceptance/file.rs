//! The file `/etc/totpd/accepted.toml` on the disk.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::document::{Acceptance, parse};
use crate::error::Error;
use crate::host::permissions::only_root_can_change;
use crate::pam::atomic_file::replace;
use crate::pam::change::cannot_change;
use crate::pam::files::read_file;

/// Returns all acceptances; none if there is no file.
///
/// # Errors
/// Says why the file accepts nothing, with its path and the line.
pub(in super::super) fn load() -> Result<Vec<Acceptance>, String> {
    let text = read()?;
    parse(&text).map_err(|(line, fault)| format!("{PATH}:{line}: {fault}"))
}

/// Returns the text of a file that a finding names, if it can be read without waiting.
pub(in super::super) fn line_source(path: &str) -> Option<String> {
    read_file(Path::new(path)).ok()
}

/// Changes the file, if its content is valid, and reports whether the text is another now. `change`
/// returns the new text.
pub(in super::super) fn update(
    change: impl FnOnce(&str, &[Acceptance]) -> Result<String, Error>,
) -> Result<bool, Error> {
    let path = Path::new(PATH);
    let cannot_write = |error: io::Error| cannot_change(path, &error);
    let lock = File::open(path.parent().unwrap_or(path)).map_err(cannot_write)?;
    lock.lock().map_err(cannot_write)?;
    let unusable =
        |reason: &str| Error::refused(format!("nothing is changed: {reason}; correct it"));
    let text = read().map_err(|reason| unusable(&reason))?;
    let present =
        parse(&text).map_err(|(line, fault)| unusable(&format!("{PATH}:{line}: {fault}")))?;
    let new = change(&text, &present)?;
    if new == text {
        return Ok(false);
    }
    replace(path, new.as_bytes(), Some(path).filter(|path| path.exists())).map_err(cannot_write)?;
    Ok(true)
}

/// Returns the text, if only root can have written it.
fn read() -> Result<String, String> {
    let metadata = match fs::metadata(PATH) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(format!("cannot read {PATH}: {error}")),
        Ok(metadata) => metadata,
    };
    if !only_root_can_change(&metadata) {
        return Err(format!(
            "{PATH}: users other than root can change it; run chown root:root and chmod 644 on it"
        ));
    }
    fs::read_to_string(PATH).map_err(|error| format!("cannot read {PATH}: {error}"))
}

/// The file of root, which everybody may read.
pub(in super::super) const PATH: &str = "/etc/totpd/accepted.toml";
