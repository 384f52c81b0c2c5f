//! The private socket: `org.totpd.Totp1.Login` for root without a bus between, so that a bus that
//! is stalled, full or dead keeps nobody out.

use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use listenfd::ListenFd;
use nix::sys::stat::{Mode, umask};
use tokio::task::AbortHandle;
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
        let mut open = Open::default();
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    // The word of the kernel. The mode of the socket lets only root connect.
                    let Ok(peer) = stream.peer_cred() else { continue };
                    let caller = Caller { uid: peer.uid() };
                    if caller.is_root() {
                        let served = Conversation::new(stream, caller, Arc::clone(&guid));
                        let served = served.serve(login.clone());
                        let timed = tokio::time::timeout(LIFE, served);
                        open.add(tokio::spawn(timed).abort_handle());
                    }
                }
                Err(error) => {
                    let told = format!("the private socket takes no connection: {error}");
                    Entry::new(Priority::Error, told).write();
                    open.make_room();
                    tokio::time::sleep(PAUSE).await;
                }
            }
            while open.is_full() {
                open.make_room();
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The connections, oldest first. Who leaves them open takes no room from others for long.
#[derive(Debug, Default)]
struct Open(VecDeque<(Instant, AbortHandle)>);

impl Open {
    fn add(&mut self, task: AbortHandle) {
        while self.0.front().is_some_and(|(_, task)| task.is_finished()) {
            self.0.pop_front();
        }
        self.0.push_back((Instant::now(), task));
    }

    fn is_full(&mut self) -> bool {
        if self.0.len() >= MOST {
            self.0.retain(|(_, task)| !task.is_finished());
        }
        self.0.len() >= MOST
    }

    /// Ends the connections that are older than any that is still of use.
    fn make_room(&mut self) {
        while let Some((since, task)) = self.0.front()
            && since.elapsed() >= USEFUL
        {
            task.abort();
            self.0.pop_front();
        }
    }
}

/// A login needs two connections of a millisecond each.
const MOST: usize = 256;
/// After which every connection is closed. A question is answered or refused long before.
const LIFE: Duration = Duration::from_secs(15);
/// How old a connection may become where there is no room for more.
const USEFUL: Duration = Duration::from_secs(1);
/// How soon it is tried again when there is no room.
const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_for_others_once_they_are_of_no_use() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut open = Open::default();
            let hanging = || tokio::spawn(std::future::pending::<()>());
            for _ in 0..MOST {
                open.add(hanging().abort_handle());
            }
            assert!(open.is_full());
            open.make_room();
            assert!(open.is_full(), "all of them may still be answered");
            let Some(long_ago) = Instant::now().checked_sub(USEFUL) else { panic!("no such time") };
            open.0[0].0 = long_ago;
            open.make_room();
            assert!(!open.is_full());
            // What has ended takes no room.
            open.add(hanging().abort_handle());
            assert!(open.is_full());
            let ended = hanging();
            ended.abort();
            let _ = ended.await;
            open.0[7].1 = tokio::spawn(async {}).abort_handle();
            tokio::task::yield_now().await;
            assert!(!open.is_full());
        });
    }
}
