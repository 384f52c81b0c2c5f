//! The runtimes: one for the bus, in the first thread, and one for the private socket.

use std::future::pending;
use std::io;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::host::nss::MAX_LOOKUPS;

/// Returns a runtime of one thread, and of the threads that block on its behalf.
///
/// # Errors
/// The error of the kernel, if it refuses what the runtime needs.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // The runtime takes the work from other threads in turn with the arrivals here. In a flood
        // of arrivals, that work would wait for every thirtieth arrival.
        .global_queue_interval(2)
        .max_blocking_threads(MAX_LOOKUPS + 1)
        .thread_stack_size(THREAD_STACK_BYTES)
        .thread_keep_alive(Duration::from_secs(2))
        .build()
}

/// Starts a runtime in a thread of its own. It works there until this process ends.
///
/// # Errors
/// The error of the kernel, if it refuses a thread, or what the runtime needs.
pub(super) fn runtime_in_thread() -> io::Result<Handle> {
    let runtime = runtime()?;
    let handle = runtime.handle().clone();
    let work = move || runtime.block_on(pending::<()>());
    thread::Builder::new().name("sockets".into()).stack_size(THREAD_STACK_BYTES).spawn(work)?;
    Ok(handle)
}

/// The stack of a thread. It is enough for the modules of NSS, which run in these threads.
const THREAD_STACK_BYTES: usize = 512 * 1024;
