//! The bytes of a connection of the private socket. The accepting thread reads them until it would
//! have to wait, or has read often enough. From then on the runtime reads them.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use totpd_store::blocking;

/// A connection.
pub(crate) enum Stream {
    /// The accepting thread has it.
    Blocking {
        /// The socket.
        socket: UnixStream,
        /// The number of reads that are left before the runtime reads.
        reads: u32,
    },
    /// The runtime has it.
    Async(tokio::net::UnixStream),
    /// The runtime did not take it.
    Lost,
}

impl Stream {
    /// Returns a connection that this thread accepted.
    ///
    /// # Errors
    /// The errors of the system.
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::Blocking { socket: stream, reads: MAX_INLINE_READS })
    }

    /// Appends to `input` what has arrived, or arrives in a moment. Returns whether that was
    /// something. Reads nothing once the runtime has the connection, or after
    /// [`MAX_INLINE_READS`] reads.
    ///
    /// # Errors
    /// The errors of the system. `UnexpectedEof` if the client has closed.
    pub(crate) fn read_now(&mut self, input: &mut Vec<u8>) -> io::Result<bool> {
        let Self::Blocking { socket, reads } = self else { return Ok(false) };
        while let Some(left) = reads.checked_sub(1) {
            *reads = left;
            match receive(&*socket, input) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !is_soon_readable(socket) {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map(|()| true),
            }
        }
        Ok(false)
    }

    /// Waits for bytes in the runtime, and appends them to `input`.
    ///
    /// # Errors
    /// The errors of the system. `UnexpectedEof` if the client has closed.
    pub(crate) async fn read(&mut self, input: &mut Vec<u8>) -> io::Result<()> {
        let stream = self.make_async()?;
        loop {
            stream.readable().await?;
            match stream.try_io(Interest::READABLE, || receive(stream, input)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The errors of the system.
    pub(crate) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let result = match self {
                // The daemon ignores SIGPIPE, as every program of std does.
                Self::Blocking { socket, .. } => socket.write(bytes),
                Self::Async(stream) => stream.try_write(bytes),
                Self::Lost => Err(io::ErrorKind::BrokenPipe.into()),
            };
            match result {
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.make_async()?.writable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the connection in the form of the runtime.
    ///
    /// # Errors
    /// The errors of the system.
    pub(crate) fn into_async(mut self) -> io::Result<tokio::net::UnixStream> {
        self.make_async()?;
        match self {
            Self::Async(stream) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Hands the connection to the runtime, if the runtime does not have it, and returns it.
    fn make_async(&mut self) -> io::Result<&tokio::net::UnixStream> {
        if let Self::Blocking { .. } = self
            && let Self::Blocking { socket, .. } = std::mem::replace(self, Self::Lost)
        {
            *self = Self::Async(tokio::net::UnixStream::from_std(socket)?);
        }
        match self {
            Self::Async(stream) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Appends to `input` what has arrived.
fn receive(stream: impl AsFd, input: &mut Vec<u8>) -> io::Result<()> {
    input.reserve(READ_BYTES);
    match recv(stream, spare_capacity(input), RecvFlags::empty())? {
        (0, _) => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Reports whether the socket has something to read now or very soon. A module sends at once after
/// it connected.
fn is_soon_readable(stream: &UnixStream) -> bool {
    let mut descriptors = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    blocking::is_inline()
        && ppoll(&mut descriptors, Some(TimeSpec::from(INLINE_POLL)), None)
            .is_ok_and(|ready| ready > 0)
}

/// The bytes to read at a time. A question has a quarter of them.
const READ_BYTES: usize = 1024;
/// The time to poll before the runtime gets the connection. It is longer than a module needs, and
/// too short to delay the next connection.
const INLINE_POLL: Duration = Duration::from_micros(200);
/// The reads of the accepting thread. A module needs one, and one more if it is late. So a client
/// that sends a byte at a time holds the thread for less than two milliseconds.
const MAX_INLINE_READS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accepting_thread_reads_a_few_times_alone() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let (mut stream, mut input) = (Stream::new(server).unwrap(), Vec::new());
        for _ in 0..MAX_INLINE_READS {
            client.write_all(b"x").unwrap();
            assert!(stream.read_now(&mut input).unwrap());
        }
        client.write_all(b"y").unwrap();
        assert!(!stream.read_now(&mut input).unwrap());
        // The runtime reads the rest.
        totpd_store::conformance::run(stream.read(&mut input)).unwrap();
        assert_eq!(input, b"xxxxxxxxy");
    }
}
