//! The signals that end the daemon, and the one that has it read its rules again.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::Builder;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use totpd_store::mutex::lock;
use totpd_store::sqlite::Local;

/// What signals act on, as soon as it is there.
#[derive(Clone, Default)]
pub(crate) struct Signals {
    store: Arc<OnceLock<Local>>,
    reload: Arc<Mutex<Reload>>,
}

/// What SIGHUP does.
#[derive(Default)]
struct Reload {
    action: Option<Arc<dyn Fn() + Send + Sync>>,
    /// The flag that the signal came before the daemon could act on it.
    is_wanted: bool,
}

impl Signals {
    /// Has SIGTERM and SIGINT end the mark of the store before they end the daemon. Has SIGHUP
    /// reload. No other thread may run yet.
    ///
    /// # Errors
    /// The error of the kernel.
    pub(crate) fn handle() -> io::Result<Self> {
        let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]);
        signals.thread_block()?;
        let targets = Self::default();
        let to_act_on = targets.clone();
        Builder::new().name("signals".into()).spawn(move || {
            while let Ok(Signal::SIGHUP) = signals.wait() {
                to_act_on.reload();
            }
            if let Some(store) = to_act_on.store.get() {
                end_mark(store.clone());
            }
            std::process::exit(0);
        })?;
        Ok(targets)
    }

    /// Names the store that has to be told before the daemon ends.
    pub(crate) fn end(&self, store: Local) {
        let _ = self.store.set(store);
    }

    /// Names what SIGHUP does, and does it if the signal came before.
    pub(crate) fn on_reload(&self, action: impl Fn() + Send + Sync + 'static) {
        let mut reload = lock(&self.reload);
        reload.action = Some(Arc::new(action));
        let is_wanted = reload.is_wanted;
        drop(reload);
        if is_wanted {
            self.reload();
        }
    }

    /// Reloads in a thread of its own: a disk that stalls does not keep the daemon from ending.
    fn reload(&self) {
        let mut reload = lock(&self.reload);
        match reload.action.clone() {
            None => reload.is_wanted = true,
            Some(action) => {
                let _ = Builder::new().name("reload".into()).spawn(move || action());
            }
        }
    }
}

/// Ends the mark. A disk that stalls does not keep the daemon: the next start finds the mark, and
/// what the witness says of it.
fn end_mark(store: Local) {
    let (sender, ended) = mpsc::channel();
    let end = move || {
        // The next start does what failed here.
        let _ = sender.send(store.end_mark());
    };
    if Builder::new().name("end".into()).spawn(end).is_ok() {
        let _ = ended.recv_timeout(LONGEST_END);
    }
}

/// The longest time that the daemon waits for the disk when it ends.
const LONGEST_END: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_that_came_too_early_is_done_later() {
        let signals = Signals::default();
        signals.reload();
        let (sender, done) = mpsc::channel();
        let sender = Mutex::new(sender);
        signals.on_reload(move || lock(&sender).send(()).unwrap());
        let wait = Duration::from_secs(30);
        done.recv_timeout(wait).unwrap();
        signals.reload();
        done.recv_timeout(wait).unwrap();
    }
}
