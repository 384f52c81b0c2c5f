//! The private socket: `org.totpd.Totp1.Login` for root without a bus between, so that a bus that
//! is stalled, full or dead keeps nobody out.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use nix::sys::socket::{Backlog, listen};
use nix::sys::stat::{Mode, umask};
use tokio::sync::Semaphore;
use totpd_interface::PRIVATE_SOCKET;

use self::conversation::Conversation;
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::journal::{Entry, Priority};
use crate::login::Login;

mod conversation;

/// The socket, listening.
#[derive(Debug)]
pub struct Private(UnixListener);

impl Private {
    /// The socket that systemd listens on for this daemon. It stays when the daemon is restarted,
    /// and who connects meanwhile waits.
    ///
    /// # Errors
    /// Where what is handed over is not that socket.
    pub fn of_systemd() -> io::Result<Option<Self>> {
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

    /// Serves whoever connects, for ever.
    ///
    /// # Errors
    /// Where the socket cannot be listened on.
    pub async fn serve(self, daemon: Arc<Daemon>) -> io::Result<()> {
        self.0.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(self.0)?;
        let login = Login(daemon);
        let mut guid = [0; 16];
        getrandom::fill(&mut guid).map_err(io::Error::other)?;
        let guid: Arc<str> = data_encoding::HEXLOWER.encode(&guid).into();
        let room = Arc::new(Semaphore::new(MOST));
        loop {
            // Who leaves a connection open takes room from others until it is closed for idleness.
            let place = Arc::clone(&room).acquire_owned().await.map_err(io::Error::other)?;
            match listener.accept().await {
                Ok((stream, _)) => {
                    // The word of the kernel. The mode of the socket lets only root connect.
                    let Ok(peer) = stream.peer_cred() else { continue };
                    let caller = Caller { uid: peer.uid() };
                    if caller.is_root() {
                        let conversation = Conversation::new(stream, caller, Arc::clone(&guid));
                        let login = login.clone();
                        tokio::spawn(async move {
                            let _ = tokio::time::timeout(LIFE, conversation.serve(login)).await;
                            drop(place);
                        });
                    }
                }
                Err(error) => {
                    let told = format!("the private socket takes no connection: {error}");
                    Entry::new(Priority::Error, told).write();
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Connections at a time. A login needs two, of a millisecond each.
const MOST: usize = 512;
/// Connections that wait for one of those places: a storm of logins.
const QUEUE: i32 = 4096;
/// After which every connection is closed. A question is answered or refused long before.
const LIFE: Duration = Duration::from_secs(15);
/// How soon it is tried again where there is no descriptor left.
const PAUSE: Duration = Duration::from_millis(20);
