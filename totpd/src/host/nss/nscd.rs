//! nscd. glibc asks it before the services of NSS. While a directory is down, it says that there is
//! no such user or group.

use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

use crate::host::nss::order::Order;

/// Reports whether "there is none" may be nscd's word about a directory that is down.
pub(super) fn may_hide_outages(databases: &[&str]) -> bool {
    // Only hosts with nscd pay for reading the order.
    is_reachable() && Order::read().asks_directories(databases)
}

/// Reports whether glibc reaches nscd.
pub(crate) fn is_reachable() -> bool {
    is_served(SOCKET)
}

fn is_served(path: &str) -> bool {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let Ok(socket) = socket(AddressFamily::Unix, SockType::Stream, flags, None) else {
        // Without a descriptor glibc asks nobody.
        return false;
    };
    let connected = UnixAddr::new(path).and_then(|path| connect(socket.as_raw_fd(), &path));
    // It has no time at the moment.
    matches!(connected, Ok(()) | Err(Errno::EAGAIN))
}

/// The path in glibc.
const SOCKET: &str = "/var/run/nscd/socket";

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn nscd_is_reachable_while_it_serves_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let path = path.to_str().unwrap();
        assert!(!is_served(path));
        let listener = UnixListener::bind(path).unwrap();
        assert!(is_served(path));
        drop(listener);
        assert!(!is_served(path), "a socket that a crash left");
    }
}
