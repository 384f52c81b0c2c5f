//! The file of the witness. It is believed on a tmpfs alone: a power cut takes it along.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use totpd_core::mark::{RunId, WITNESS_BYTES, Witness};

#[cfg(test)]
mod trouble;

/// The open file.
pub(super) struct WitnessFile(File);

impl WitnessFile {
    /// Makes the file in `directory`, and the directory if it is missing. The file says that
    /// nothing leans yet.
    ///
    /// # Errors
    /// Those of the file system. [`io::ErrorKind::Unsupported`] if it is no tmpfs.
    pub(super) fn create(directory: &Path, run: RunId) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.custom_flags(OPEN_FLAGS.bits()).open(directory.join(FILE))?;
        check_is_tmpfs(&file)?;
        file.set_len(WITNESS_BYTES as u64)?;
        let witness = Self(file);
        witness.write(&Witness::Empty { run })?;
        Ok(witness)
    }

    /// Writes what the witness says, in one call.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn write(&self, witness: &Witness) -> io::Result<()> {
        #[cfg(test)]
        trouble::write(&self.0)?;
        let bytes = witness.encode();
        match self.0.write_at(&bytes, 0)? {
            written if written == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// Reads what the last daemon left in `directory`; `None` if there is nothing to believe.
pub(super) fn read(directory: &Path) -> Option<Witness> {
    let mut options = OpenOptions::new();
    let file =
        options.read(true).custom_flags(OPEN_FLAGS.bits()).open(directory.join(FILE)).ok()?;
    check_is_tmpfs(&file).ok()?;
    let mut bytes = Vec::with_capacity(WITNESS_BYTES);
    file.take(WITNESS_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
    Witness::decode(&bytes)
}

fn check_is_tmpfs(file: &File) -> io::Result<()> {
    match fstatfs(file)?.filesystem_type() == TMPFS_MAGIC {
        true => Ok(()),
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// No link is followed, and no FIFO is waited for.
const OPEN_FLAGS: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK);
const FILE: &str = "last";
