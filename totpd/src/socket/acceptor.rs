//! The threads that accept connections on the private socket.
//!
//! An accepting thread handles a request inline ([`blocking`]). If the request has to wait, the
//! rest of it moves to the runtime, and the thread accepts again. One thread at a time may block.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use totpd_store::blocking;

use crate::access::caller::Caller;
use crate::audit::condition::Condition;
use crate::dispatch::Services;
use crate::socket::connection::Connection;
use crate::socket::handshake::Handshake;

/// The shared state of the threads.
pub(crate) struct Acceptor {
    listener: UnixListener,
    services: Services,
    handshake: Arc<Handshake>,
    login_permits: Arc<Semaphore>,
    /// The permits for management. They are apart from logins, because these connections last.
    management_permits: Arc<Semaphore>,
    /// The turn of the thread that may block, which holds it.
    blocking_turn: Arc<Mutex<()>>,
}

impl Acceptor {
    /// Returns the acceptor for the connections of `listener`.
    ///
    /// # Errors
    /// The error if getrandom(2) fails.
    pub(crate) fn new(listener: UnixListener, services: Services) -> io::Result<Self> {
        let mut guid = [0; 16];
        getrandom::fill(&mut guid).map_err(io::Error::other)?;
        Ok(Self {
            listener,
            services,
            handshake: Arc::new(Handshake::new(guid, ROOT)),
            login_permits: Arc::new(Semaphore::new(MAX_LOGIN_CONNECTIONS)),
            management_permits: Arc::new(Semaphore::new(MAX_MANAGEMENT_CONNECTIONS)),
            blocking_turn: Arc::default(),
        })
    }

    /// Serves one connection after the other, in this thread.
    pub(crate) fn accept_connections(&self, runtime: &Handle) {
        let _runtime = runtime.enter();
        loop {
            // An idle connection takes the place of another one until it is closed.
            let permits = || Arc::clone(&self.login_permits);
            let permit = permits().try_acquire_owned();
            let permit = permit.or_else(|_| runtime.block_on(permits().acquire_owned()));
            let Ok(permit) = permit else { return };
            match self.listener.accept() {
                Ok((stream, _)) => self.serve_connection(stream, permit),
                Err(error) => {
                    let message = format!("the private socket accepts no connection: {error}");
                    Condition::SocketUnavailable.entry(message).write();
                    thread::sleep(ACCEPT_RETRY_INTERVAL);
                }
            }
        }
    }

    /// Serves a connection in this thread until it has to wait, or sends more than a module does.
    /// The runtime serves it from then on.
    fn serve_connection(&self, stream: UnixStream, permit: OwnedSemaphorePermit) {
        // The kernel names the user who connects. The mode of the socket lets only root connect.
        let Ok(peer) = getsockopt(&stream, PeerCredentials) else { return };
        if peer.uid() != ROOT.uid {
            return;
        }
        let Ok(connection) = Connection::new(stream, Arc::clone(&self.handshake)) else { return };
        let (services, permits) = (self.services.clone(), Arc::clone(&self.management_permits));
        let turn = Arc::clone(&self.blocking_turn);
        let connection = Box::pin(async move {
            // Pinned where it is made: the future of a login is not copied.
            let login = pin!(connection.serve(services.clone(), turn));
            let result = tokio::time::timeout(MAX_LOGIN_DURATION, login).await;
            drop(permit);
            if let Ok(Ok(Some(management))) = result
                && let Ok(_permit) = permits.try_acquire_owned()
            {
                // In a box of its own: the future of a login is small.
                let _ = Box::pin(management.serve(services)).await;
            }
        });
        if let Some(connection) = blocking::poll_once(connection) {
            tokio::spawn(connection);
        }
    }
}

/// The only user who is served.
const ROOT: Caller = Caller { uid: 0 };
/// The maximum number of connections of logins. A login needs two, of a millisecond each.
const MAX_LOGIN_CONNECTIONS: usize = 512;
/// The maximum number of connections over which totpctl manages.
const MAX_MANAGEMENT_CONNECTIONS: usize = 64;
/// The time after which the daemon closes a connection of a login. It answers or refuses a request
/// long before.
const MAX_LOGIN_DURATION: Duration = Duration::from_secs(15);
/// The pause after no descriptor was left for a connection.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(20);
