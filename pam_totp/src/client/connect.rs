//! Connecting to a socket of this host, with a deadline.

use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use totpd_interface::Error;

use super::request::RequestError;

/// A connection, or the error of connect(2). Where the queue of connections is full this waits in
/// the kernel, which lets those in first that came first; who tries again and again may never be.
pub(super) fn connect(
    path: &str,
    deadline: Instant,
) -> Result<Result<OwnedFd, Errno>, RequestError> {
    let address = SocketAddrUnix::new(path).map_err(from_errno)?;
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).map_err(from_errno)?;
    loop {
        set_socket_timeout(&socket, Timeout::Send, Some(remaining(deadline)?))
            .map_err(from_errno)?;
        match rustix::net::connect(&socket, &address) {
            Err(Errno::INTR) => {}
            result => return Ok(result.map(|()| socket)),
        }
    }
}

/// The time until the deadline.
pub(super) fn remaining(deadline: Instant) -> Result<Duration, RequestError> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() { Err(RequestError::Timeout) } else { Ok(remaining) }
}

pub(super) fn from_errno(error: Errno) -> RequestError {
    match error {
        // What a timeout of a socket says.
        Errno::AGAIN => RequestError::Timeout,
        error => RequestError::Fatal(Error::Bus(std::io::Error::from(error).into())),
    }
}
