//! Connecting to a socket of this host, with a deadline.

use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use totpd_interface::Error;

use super::Trouble;

/// A connection, or the error of connect(2). Where the queue of connections is full this waits in
/// the kernel, which lets those in first that came first; who tries again and again may never be.
pub(super) fn connected(path: &str, deadline: Instant) -> Result<Result<OwnedFd, Errno>, Trouble> {
    let address = SocketAddrUnix::new(path).map_err(errno)?;
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).map_err(errno)?;
    loop {
        set_socket_timeout(&socket, Timeout::Send, Some(left(deadline)?)).map_err(errno)?;
        match connect(&socket, &address) {
            Err(Errno::INTR) => {}
            done => return Ok(done.map(|()| socket)),
        }
    }
}

/// The time until the deadline.
pub(super) fn left(deadline: Instant) -> Result<Duration, Trouble> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Trouble::TooLate) } else { Ok(left) }
}

pub(super) fn errno(error: Errno) -> Trouble {
    match error {
        // What a timeout of a socket says.
        Errno::AGAIN => Trouble::TooLate,
        error => Trouble::Lasting(Error::Bus(std::io::Error::from(error).into())),
    }
}
