//! The signals that end the daemon.

use std::io;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::Builder;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use totpd_store::sqlite::Local;

/// The store that has to be told before the daemon ends, once it is open.
pub(crate) type StoreToEnd = Arc<OnceLock<Local>>;

/// Has SIGTERM and SIGINT end the mark of the store before they end the daemon. No other thread may
/// run yet.
///
/// # Errors
/// The error of the kernel.
pub(crate) fn end_in_order() -> io::Result<StoreToEnd> {
    let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    signals.thread_block()?;
    let store = StoreToEnd::default();
    let to_end = Arc::clone(&store);
    Builder::new().name("signals".into()).spawn(move || {
        let _ = signals.wait();
        if let Some(store) = to_end.get() {
            end_mark(store.clone());
        }
        std::process::exit(0);
    })?;
    Ok(store)
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
