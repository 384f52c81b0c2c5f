//! Which thread may wait: for the disk, or for the directory that names are looked up in.
//!
//! The thread that serves the bus may not, since everybody would wait with it: it has others do that. One
//! thread of the private socket at a time may. A question that finds nobody in its way is then worked off
//! by the thread that received it, and no other has to wake up for it; where that thread hangs, so does
//! that question alone.

use std::cell::Cell;

thread_local! {
    static MAY_WAIT: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread wait while it does `work`, which must not panic.
pub fn allow_blocking<T>(work: impl FnOnce() -> T) -> T {
    MAY_WAIT.set(true);
    let done = work();
    MAY_WAIT.set(false);
    done
}

/// Whether this thread may.
#[must_use]
pub fn blocking_allowed() -> bool {
    MAY_WAIT.get()
}
