//! Recovery codes on the screen and in a file.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::Error;
use crate::terminal::output;

/// Shows codes, and puts them into the file if one was asked for.
pub(crate) fn show(user: &str, codes: &[String], file: Option<NewFile>) -> Result<(), Error> {
    if codes.is_empty() {
        return Ok(());
    }
    let text = format_page(user, codes);
    output::data(&text)?;
    if let Some(file) = file {
        file.fill(text.as_bytes())?;
    }
    Ok(())
}

/// The codes, with what they are for: to be printed, or written down.
pub(crate) fn format_page(user: &str, codes: &[String]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let _ = write!(
        text,
        "\nRecovery codes of {}. Keep them where the phone is not: each is good\n\
         once, instead of a code. They are not shown again.\n\n",
        output::escape(user)
    );
    for (number, code) in (1..).zip(codes) {
        let _ = writeln!(text, "  [ ] {number:2}  {code}");
    }
    text.push('\n');
    text
}

/// A file that is made before what goes into it, and goes again if nothing does.
pub(crate) struct NewFile {
    option: &'static str,
    path: PathBuf,
    file: Option<File>,
}

impl NewFile {
    /// Makes it, never over a file that is there, nor through a link; only its owner can read it.
    pub(crate) fn create(option: &'static str, path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::AlreadyExists => "it exists already: name a new file".into(),
                _ => error.to_string(),
            };
            Error::refused(format!("{option} {}: {why}", path.display()))
        })?;
        Ok(Self { option, path: path.to_path_buf(), file: Some(file) })
    }

    /// Fills it, to the disk.
    pub(crate) fn fill(mut self, content: &[u8]) -> Result<(), Error> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| {
            let path = self.path.display();
            Error::refused(format!("{} {path} cannot be written: {error}", self.option))
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
