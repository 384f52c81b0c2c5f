//! A connection of the private socket: read by the thread that accepted it, while that is worth it, and
//! by the runtime from then on.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use totpd_store::blocking;

/// A connection.
pub(crate) enum Stream {
    /// Nobody waits for it but a thread that may.
    Here(UnixStream),
    /// The runtime does.
    Runtime(tokio::net::UnixStream),
    /// It was lost on the way from one to the other.
    Gone,
}

impl Stream {
    /// A connection that was accepted in this thread.
    ///
    /// # Errors
    /// Of the system.
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::Here(stream))
    }

    /// Waits for bytes, and appends them to `input`.
    ///
    /// # Errors
    /// Of the system; `UnexpectedEof` where the other end has closed.
    pub(crate) async fn read_to(&mut self, input: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let length = loop {
            let read = match self {
                Self::Here(stream) => stream.read(&mut buffer),
                Self::Runtime(stream) => stream.try_read(&mut buffer),
                Self::Gone => Ok(0),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.is_soon_readable() {
                        self.of_the_runtime()?.readable().await?;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
            }
        };
        let received = buffer.get(..length).filter(|received| !received.is_empty());
        input.extend_from_slice(received.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// Of the system.
    pub(crate) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match self {
                // The daemon ignores SIGPIPE, as every program of std does.
                Self::Here(stream) => stream.write(bytes),
                Self::Runtime(stream) => stream.try_write(bytes),
                Self::Gone => Err(io::ErrorKind::BrokenPipe.into()),
            };
            match written {
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.of_the_runtime()?.writable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The connection itself, for who goes on with it in the runtime.
    ///
    /// # Errors
    /// Of the system.
    pub(crate) fn into_runtime(mut self) -> io::Result<tokio::net::UnixStream> {
        self.of_the_runtime()?;
        match self {
            Self::Runtime(stream) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Whether there is something to read, or will be within a moment that is worth waiting for: what a
    /// module sends follows on its connection, and it closes when it has its answer.
    fn is_soon_readable(&self) -> bool {
        let Self::Here(stream) = self else { return false };
        let mut this = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
        blocking::is_allowed()
            && ppoll(&mut this, Some(TimeSpec::from(MOMENT)), None).is_ok_and(|ready| ready > 0)
    }

    /// The connection as the runtime has it, from now on.
    fn of_the_runtime(&mut self) -> io::Result<&tokio::net::UnixStream> {
        if let Self::Here(_) = self
            && let Self::Here(stream) = std::mem::replace(self, Self::Gone)
        {
            *self = Self::Runtime(tokio::net::UnixStream::from_std(stream)?);
        }
        match self {
            Self::Runtime(stream) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Longer than a module takes, shorter than anybody minds who comes next.
const MOMENT: Duration = Duration::from_micros(200);
