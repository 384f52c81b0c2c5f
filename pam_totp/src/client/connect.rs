//! Connects to a Unix socket before a deadline.

use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use super::request::RequestError;
use crate::outcome::Outcome;

/// Returns a connection, or the error of connect(2). If the queue of the socket is full, this waits
/// in the kernel, which serves clients in order. A client that polls might never be served.
pub(super) fn connect(
    path: &str,
    deadline: Instant,
) -> Result<Result<OwnedFd, Errno>, RequestError> {
    let address = SocketAddrUnix::new(path).map_err(from_errno)?;
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).map_err(from_errno)?;
    loop {
        set_socket_timeout(&socket, Timeout::Send, Some(time_left(deadline)?))
            .map_err(from_errno)?;
        match rustix::net::connect(&socket, &address) {
            Err(Errno::INTR) => {}
            result => return Ok(result.map(|()| socket)),
        }
    }
}

/// Returns the time until the deadline.
pub(super) fn time_left(deadline: Instant) -> Result<Duration, RequestError> {
    let time_left = deadline.saturating_duration_since(Instant::now());
    if time_left.is_zero() { Err(RequestError::Timeout) } else { Ok(time_left) }
}

pub(super) fn from_errno(error: Errno) -> RequestError {
    match error {
        // The socket timed out.
        Errno::AGAIN => RequestError::Timeout,
        error => {
            let (words, number) = (words_of(error), error.raw_os_error());
            let reason = format!("I/O error: {words} (os error {number})");
            RequestError::Fatal(Outcome::Unavailable(reason))
        }
    }
}

/// Returns the words of libc for an error. The loader would look up the function that has them all,
/// at each login.
fn words_of(error: Errno) -> &'static str {
    match error {
        Errno::ACCESS => "Permission denied",
        Errno::CONNREFUSED => "Connection refused",
        Errno::CONNRESET => "Connection reset by peer",
        Errno::MFILE => "Too many open files",
        Errno::NFILE => "Too many open files in system",
        Errno::NOBUFS => "No buffer space available",
        Errno::NOENT => "No such file or directory",
        Errno::NOMEM => "Cannot allocate memory",
        Errno::PERM => "Operation not permitted",
        _ => "Another error",
    }
}
