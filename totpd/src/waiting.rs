//! Which threads may wait: for the disk, or for the directory that names are looked up in.
//!
//! The thread that serves the bus may not, since everybody would wait with it: it has others do that.
//! The threads of the private socket may. A question that finds nobody in its way is then worked off
//! by the thread that received it, and no other has to wake up for it.

use std::cell::Cell;

thread_local! {
    static MAY_WAIT: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread wait from now on.
pub fn let_this_thread() {
    MAY_WAIT.set(true);
}

/// Whether this thread may.
#[must_use]
pub fn may_this_thread() -> bool {
    MAY_WAIT.get()
}
