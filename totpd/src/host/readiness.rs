//! The message to systemd that the daemon is ready (`Type=notify`, sd_notify(3)). `systemctl start`
//! learns from it whether the daemon could start.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use totpd_journal::{Entry, Priority};

/// Tells systemd that the daemon is ready, if the unit asks for it.
pub(crate) fn notify_ready() {
    #[expect(clippy::disallowed_methods, reason = "systemd says it that way, and starts us")]
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let result = address(socket.as_encoded_bytes())
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address));
    if let Err(error) = result {
        let message = format!("cannot tell systemd that totpd is ready: {error}");
        Entry::new(Priority::Error, message).write();
    }
}

/// Reads a path, or an abstract name after `@`.
fn address(name: &[u8]) -> io::Result<SocketAddr> {
    match name.split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name),
        Some((b'/', _)) => SocketAddr::from_pathname(String::from_utf8_lossy(name).as_ref()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_an_abstract_name_are_addresses() {
        let path = address(b"/run/systemd/notify").unwrap();
        assert_eq!(path.as_pathname().unwrap().to_str(), Some("/run/systemd/notify"));
        assert_eq!(address(b"@notify").unwrap().as_abstract_name(), Some(&b"notify"[..]));
        assert!(address(b"").is_err() && address(b"notify").is_err());
    }
}
