//! The private socket: all interfaces for root without a bus between, so that a bus that is stalled, full or
//! dead keeps nobody out.
//!
//! Two threads accept connections. One of them at a time works a question off itself while nothing is in
//! its way; what has to wait goes on in the runtime, where nobody waits with it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use listenfd::ListenFd;
use nix::sys::socket::{Backlog, getsockopt, listen, sockopt::PeerCredentials};
use nix::sys::stat::{Mode, umask};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use totpd_interface::PRIVATE_SOCKET;
use totpd_journal::{Entry, Priority};
use totpd_store::blocking;

use self::connection::Connection;
use crate::access::caller::Caller;
use crate::dispatch::Services;

mod connection;
mod management;
mod stream;

/// The socket, listening.
#[derive(Debug)]
pub struct PrivateSocket(UnixListener);

impl PrivateSocket {
    /// The socket that systemd listens on for this daemon. It stays when the daemon is restarted,
    /// and who connects meanwhile waits.
    ///
    /// # Errors
    /// Where what is handed over is not that socket.
    pub fn from_systemd() -> io::Result<Option<Self>> {
        let Some(listener) = ListenFd::from_env().take_unix_listener(0)? else { return Ok(None) };
        let address = listener.local_addr()?;
        if address.as_pathname() != Some(Path::new(PRIVATE_SOCKET)) {
            let told = format!("systemd hands over {address:?} instead of {PRIVATE_SOCKET}");
            return Err(io::Error::other(told));
        }
        Ok(Some(Self(listener)))
    }

    /// The socket, made by the daemon itself where systemd does not. Only who has the store open may
    /// call this: it takes the place of a socket that an earlier daemon left.
    ///
    /// # Errors
    /// Of the file system.
    pub fn bind() -> io::Result<Self> {
        let path = Path::new(PRIVATE_SOCKET);
        let folder = path.parent().unwrap_or(path);
        match fs::create_dir(folder) {
            Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        // Under a name of its own until it is complete: there is never no socket.
        let new = folder.join(".private.new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let before = umask(Mode::from_bits_truncate(0o177));
        let listener = UnixListener::bind(&new);
        umask(before);
        let listener = listener?;
        listen(&listener, Backlog::new(QUEUE)?)?;
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        fs::rename(&new, path)?;
        Ok(Self(listener))
    }

    /// Has whoever connects served from now on, until this process ends. `runtime` goes on with what takes longer.
    ///
    /// # Errors
    /// Where the socket cannot be listened on, or the kernel gives no threads.
    pub fn serve(self, services: Services, runtime: &Handle) -> io::Result<()> {
        self.0.set_nonblocking(false)?;
        let mut guid = [0; 16];
        getrandom::fill(&mut guid).map_err(io::Error::other)?;
        let served = Arc::new(Served {
            listener: self.0,
            services,
            guid: data_encoding::HEXLOWER.encode(&guid).into(),
            room: Arc::new(Semaphore::new(MOST)),
            management: Arc::new(Semaphore::new(MOST_MANAGEMENT)),
            inline_turn: Mutex::new(()),
        });
        for _ in 0..THREADS {
            let (served, runtime) = (Arc::clone(&served), runtime.clone());
            let work = move || served.serve_in_this_thread(&runtime);
            thread::Builder::new().name("private".into()).stack_size(STACK).spawn(work)?;
        }
        Ok(())
    }
}

/// What the threads share.
struct Served {
    listener: UnixListener,
    services: Services,
    guid: Arc<str>,
    room: Arc<Semaphore>,
    /// Apart from logins, since these connections last.
    management: Arc<Semaphore>,
    /// Held by the thread that may block: one at a time ([`blocking`]).
    inline_turn: Mutex<()>,
}

impl Served {
    fn serve_in_this_thread(&self, runtime: &Handle) {
        let _runtime = runtime.enter();
        loop {
            // Who leaves a connection open takes room from others until it is closed for idleness.
            let place = runtime.block_on(Arc::clone(&self.room).acquire_owned());
            let Ok(place) = place else { return };
            match self.listener.accept() {
                Ok((stream, _)) => self.converse(stream, place),
                Err(error) => {
                    let told = format!("the private socket takes no connection: {error}");
                    Entry::new(Priority::Error, told).write();
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Goes on in this thread for as long as nothing has to be waited for that may take long.
    fn converse(&self, stream: UnixStream, place: OwnedSemaphorePermit) {
        // The word of the kernel. The mode of the socket lets only root connect.
        let Ok(peer) = getsockopt(&stream, PeerCredentials) else { return };
        let caller = Caller { uid: peer.uid() };
        if !caller.is_root() {
            return;
        }
        let Ok(connection) = Connection::new(stream, caller, Arc::clone(&self.guid)) else {
            return;
        };
        let connection = connection.serve(self.services.clone());
        let (services, management) = (self.services.clone(), Arc::clone(&self.management));
        let connection = Box::pin(async move {
            let ended = tokio::time::timeout(LIFE, connection).await;
            drop(place);
            if let Ok(Ok(connection)) = ended
                && let Ok(_place) = management.try_acquire_owned()
            {
                let _ = connection.serve(services).await;
            }
        });
        // The other thread may hold the turn: then this one hands over what would block.
        let turn = self.inline_turn.try_lock();
        let allowed = turn.is_ok().then(blocking::allow);
        let pending = blocking::poll_once(connection);
        drop(allowed);
        drop(turn);
        if let Some(connection) = pending {
            tokio::spawn(connection);
        }
    }
}

/// Threads that accept: one may hang in the directory or the disk, the other goes on.
const THREADS: usize = 2;
/// Bytes of the stack of one: enough for the modules of NSS.
const STACK: usize = 512 * 1024;
/// Connections at a time. A login needs two, of a millisecond each.
const MOST: usize = 512;
/// Connections over which totpctl manages at a time.
const MOST_MANAGEMENT: usize = 64;
/// Connections that wait for one of those places: a storm of logins.
const QUEUE: i32 = 4096;
/// After which every connection of a login is closed. A question is answered or refused long before.
const LIFE: Duration = Duration::from_secs(15);
/// How soon it is tried again where there is no descriptor left.
const PAUSE: Duration = Duration::from_millis(20);
