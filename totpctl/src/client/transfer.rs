//! Passes a file to totpd through a pipe. The daemon opens only its own files, whatever SELinux
//! allows, and totpctl can say which disk is full.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A running copy between a file and totpd.
pub(crate) struct Transfer(Receiver<io::Result<()>>);

/// Returns a pipe for totpd, and copies what it writes there to `file`.
///
/// # Errors
/// If no pipe can be created.
pub(crate) fn copy_from_daemon(file: File) -> io::Result<(PipeWriter, Transfer)> {
    let (mut from, to) = io::pipe()?;
    let transfer = Transfer::begin(move |report| {
        let mut file = file;
        // Report before the pipe closes, because totpd fails when it does.
        report(copy(&mut |chunk, _| from.read(chunk), &mut file));
    });
    Ok((to, transfer))
}

/// Returns a pipe for totpd, and copies all of `file` to it.
///
/// # Errors
/// If no pipe can be created.
pub(crate) fn copy_to_daemon(file: File) -> io::Result<(PipeReader, Transfer)> {
    let (from, mut to) = io::pipe()?;
    let transfer = Transfer::begin(move |report| {
        // Read at a position, because another process may share the file offset.
        report(match copy(&mut |chunk, at| file.read_at(chunk, at), &mut to) {
            // totpd stopped reading, and reports why itself.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            copied => copied,
        });
    });
    Ok((from, transfer))
}

/// Copies without `io::copy`: its splice(2) keeps the file busy while the pipe is full, and some
/// file systems then refuse to remove it.
fn copy(
    from: &mut dyn FnMut(&mut [u8], u64) -> io::Result<usize>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let (mut chunk, mut at) = (vec![0; CHUNK_SIZE], 0);
    loop {
        let read = match from(&mut chunk, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let Some(read) = chunk.get(..read).filter(|read| !read.is_empty()) else { return Ok(()) };
        to.write_all(read)?;
        at += read.len() as u64;
    }
}

impl Transfer {
    fn begin(copy: impl FnOnce(&dyn Fn(io::Result<()>)) + Send + 'static) -> Self {
        let (ended, end) = channel();
        thread::spawn(move || copy(&|result| drop(ended.send(result))));
        Self(end)
    }

    /// Waits for the last byte.
    ///
    /// # Errors
    /// The error of reading or writing the file.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.0.recv().map_err(io::Error::other)?
    }

    /// Returns the error of reading or writing the file, if the copy has ended with one.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.0.try_recv().ok()?.err()
    }
}

const CHUNK_SIZE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    #[test]
    fn a_shared_file_offset_does_not_matter() {
        let mut file = File::options().read(true).open("/proc/self/exe").unwrap();
        let mut whole = Vec::new();
        file.read_to_end(&mut whole).unwrap();
        file.seek(io::SeekFrom::End(0)).unwrap();
        let (mut from, transfer) = copy_to_daemon(file.try_clone().unwrap()).unwrap();
        let mut arrived = Vec::new();
        from.read_to_end(&mut arrived).unwrap();
        transfer.end().unwrap();
        assert!(arrived == whole && arrived.len() > 2 * CHUNK_SIZE);
    }

    #[test]
    fn a_closed_reader_is_no_error_and_an_unreadable_file_is() {
        let (from, transfer) = copy_to_daemon(File::open("/dev/zero").unwrap()).unwrap();
        drop(from);
        transfer.end().unwrap();
        let (mut from, transfer) = copy_to_daemon(File::open("/").unwrap()).unwrap();
        from.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(transfer.failure().unwrap().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_full_disk_is_reported_as_such() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (mut to, transfer) = copy_from_daemon(full).unwrap();
        let chunk = [0; CHUNK_SIZE];
        let refused = loop {
            if let Err(refused) = to.write_all(&chunk) {
                break refused;
            }
        };
        assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(transfer.failure().unwrap().kind(), io::ErrorKind::StorageFull);
    }
}
