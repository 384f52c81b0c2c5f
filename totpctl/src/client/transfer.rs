//! A file is handed to totpd through a pipe: the daemon touches no file but its own, so that it does not matter
//! to it where the file lies, nor to SELinux, and a full disk is told by who knows which.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Bytes that are on their way between a file and totpd.
pub(crate) struct Transfer(Receiver<io::Result<()>>);

/// What is written to the pipe is written to `file`.
///
/// # Errors
/// Where no pipe can be made.
pub(crate) fn copy_from_daemon(file: File) -> io::Result<(PipeWriter, Transfer)> {
    let (mut from, to) = io::pipe()?;
    let transfer = Transfer::begin(move |told| {
        let mut file = file;
        // Told before the pipe is closed, and so before totpd can fail for that.
        told(copy(&mut |chunk, _| from.read(chunk), &mut file));
    });
    Ok((to, transfer))
}

/// What is read from the pipe is what `file` holds, from its beginning.
///
/// # Errors
/// Where no pipe can be made.
pub(crate) fn copy_to_daemon(file: File) -> io::Result<(PipeReader, Transfer)> {
    let (from, mut to) = io::pipe()?;
    let transfer = Transfer::begin(move |told| {
        // Not from where somebody else stopped reading the same file.
        told(match copy(&mut |chunk, at| file.read_at(chunk, at), &mut to) {
            // Who reads has read enough, and says why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            copied => copied,
        });
    });
    Ok((from, transfer))
}

/// Not `io::copy`, which has the kernel hold the file while it waits for the pipe (splice): on some file systems
/// nobody could remove it meanwhile.
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
        thread::spawn(move || copy(&|how| drop(ended.send(how))));
        Self(end)
    }

    /// Waits for the last byte.
    ///
    /// # Errors
    /// What the file did not take, or give.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.0.recv().map_err(io::Error::other)?
    }

    /// What the file did not take, or give, where it stopped for that.
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
    fn all_arrives_wherever_somebody_else_reads_the_file() {
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
    fn who_has_read_enough_is_no_trouble_and_a_file_that_cannot_be_read_is() {
        let (from, transfer) = copy_to_daemon(File::open("/dev/zero").unwrap()).unwrap();
        drop(from);
        transfer.end().unwrap();
        let (mut from, transfer) = copy_to_daemon(File::open("/").unwrap()).unwrap();
        from.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(transfer.failure().unwrap().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_full_disk_is_told_when_totpd_cannot_go_on() {
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
