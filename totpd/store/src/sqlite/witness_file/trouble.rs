//! A tmpfs that is full when a test wants it: by a file beside the witness.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;

/// Fails while there is a file `test-full`.
pub(super) fn write(witness: &File) -> io::Result<()> {
    let path = fs::read_link(format!("/proc/self/fd/{}", witness.as_raw_fd()))?;
    match path.with_file_name("test-full").exists() {
        true => Err(io::ErrorKind::StorageFull.into()),
        false => Ok(()),
    }
}
