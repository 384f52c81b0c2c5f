//! The private socket. It has all interfaces for root without a bus. Therefore a bus that is
//! stalled, full or dead locks nobody out.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use listenfd::ListenFd;
use nix::sys::socket::{Backlog, listen};
use nix::sys::stat::{Mode, umask};
use tokio::runtime::Handle;
use totpd_interface::PRIVATE_SOCKET;

use crate::dispatch::Services;
use crate::host::run_directory;
use crate::socket::acceptor::Acceptor;

mod acceptor;
mod connection;
mod handshake;
mod management;
mod stream;

/// The socket, which listens.
#[derive(Debug)]
pub(crate) struct PrivateSocket(UnixListener);

impl PrivateSocket {
    /// Returns the socket on which systemd listens for this daemon. It stays when the daemon is
    /// restarted, and connections wait in it until then.
    ///
    /// # Errors
    /// The error if systemd passes another socket.
    pub(crate) fn from_systemd() -> io::Result<Option<Self>> {
        let Some(listener) = ListenFd::from_env().take_unix_listener(0)? else { return Ok(None) };
        let address = listener.local_addr()?;
        if address.as_pathname() != Some(Path::new(PRIVATE_SOCKET)) {
            let message = format!("systemd passes {address:?} instead of {PRIVATE_SOCKET}");
            return Err(io::Error::other(message));
        }
        Ok(Some(Self(listener)))
    }

    /// Makes the socket, if systemd does not. Only the process that has the store open may call
    /// this, because it replaces the socket of an earlier daemon.
    ///
    /// # Errors
    /// The errors of the file system.
    pub(crate) fn bind() -> io::Result<Self> {
        let path = Path::new(PRIVATE_SOCKET);
        let folder = path.parent().unwrap_or(path);
        run_directory::create(folder)?;
        // The new socket has another name until it is complete. Therefore there is a socket at
        // every moment.
        let new = folder.join(".private.new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = {
            let _mask = Umask::set(0o177);
            UnixListener::bind(&new)?
        };
        listen(&listener, Backlog::new(BACKLOG)?)?;
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        fs::rename(&new, path)?;
        Ok(Self(listener))
    }

    /// Starts threads that serve every connection until this process ends. Requests that would
    /// block a thread for long end in `runtime`.
    ///
    /// # Errors
    /// The error if the daemon cannot listen on the socket, or the kernel refuses threads.
    pub(crate) fn serve(self, services: Services, runtime: &Handle) -> io::Result<()> {
        self.0.set_nonblocking(false)?;
        let acceptor = Arc::new(Acceptor::new(self.0, services)?);
        for _ in 0..ACCEPTING_THREADS {
            let (acceptor, runtime) = (Arc::clone(&acceptor), runtime.clone());
            let work = move || acceptor.accept_connections(&runtime);
            thread::Builder::new()
                .name("private".into())
                .stack_size(THREAD_STACK_BYTES)
                .spawn(work)?;
        }
        Ok(())
    }
}

/// The earlier mask of the process. Dropping this value sets it again.
struct Umask(Mode);

impl Umask {
    fn set(mask: u32) -> Self {
        Self(umask(Mode::from_bits_truncate(mask)))
    }
}

impl Drop for Umask {
    fn drop(&mut self) {
        umask(self.0);
    }
}

/// The number of accepting threads. One thread may block in NSS or on the disk, and the other
/// accepts.
const ACCEPTING_THREADS: usize = 2;
/// The stack of a thread. It is enough for the modules of NSS.
const THREAD_STACK_BYTES: usize = 512 * 1024;
/// The number of connections that the kernel queues. It allows a storm of logins.
const BACKLOG: i32 = 4096;
