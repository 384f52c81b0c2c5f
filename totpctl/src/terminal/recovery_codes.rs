//! Recovery codes on the screen and in a file.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use totpd_journal::escape::escape;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::terminal::output;

/// Writes codes to the file if there is one, and prints them. A failed print leaves the file.
pub(crate) fn show(user: &str, codes: &[String], file: Option<NewFile>) -> Result<(), Error> {
    save(user, codes, file)?;
    if codes.is_empty() { Ok(()) } else { output::data(&format_page(user, codes)) }
}

/// Writes codes to the file if there is one. A file without codes is removed.
pub(crate) fn save(user: &str, codes: &[String], file: Option<NewFile>) -> Result<(), Error> {
    match file.filter(|_| !codes.is_empty()) {
        Some(file) => file.fill(format_page(user, codes).as_bytes()),
        None => Ok(()),
    }
}

/// Returns a page with the codes, to be printed.
fn format_page(user: &str, codes: &[String]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let _ = write!(
        text,
        "\nRecovery codes of {}. Keep them apart from the phone. Each works once,\n\
         instead of a code. They are not shown again.\n\n",
        escape(user)
    );
    for (number, code) in (1..).zip(codes) {
        let _ = writeln!(text, "  [ ] {number:2}  {code}");
    }
    text.push('\n');
    text
}

/// A new file that is created before its content exists. Dropping it unfilled removes it.
pub(crate) struct NewFile {
    option: &'static str,
    path: PathBuf,
    file: Option<File>,
}

impl NewFile {
    /// Creates the file, readable only by its owner. Never overwrites a file or follows a link.
    pub(crate) fn create(option: &'static str, path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::AlreadyExists => "the file exists already; name a new file".into(),
                _ => error.to_string(),
            };
            Error::refused(format!("{option} {}: {reason}", path.display()))
        })?;
        Ok(Self { option, path: path.to_path_buf(), file: Some(file) })
    }

    /// Replaces the file at `path` by a new one with this content, synced to the disk. A failure
    /// leaves the old file.
    pub(crate) fn replace(option: &'static str, path: &Path, content: &[u8]) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let new = path.with_file_name(format!(".{name}.new"));
        Self::create(option, &new)?.fill(content)?;
        fs::rename(&new, path).map_err(|error| {
            let _ = fs::remove_file(&new);
            Error::refused(format!("{option} {}: cannot replace the file: {error}", path.display()))
        })
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the content and syncs it to the disk.
    pub(crate) fn fill(mut self, content: &[u8]) -> Result<(), Error> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| {
            let path = self.path.display();
            Error::refused(format!("{} {path}: cannot write the file: {error}", self.option))
        })?;
        self.file = None;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
