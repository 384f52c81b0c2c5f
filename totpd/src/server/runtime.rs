//! The runtimes: one for the bus, in the first thread, and one for the private socket.

use std::future::pending;
use std::io;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::host::nss::MAX_LOOKUPS;

/// Returns a runtime of one thread, and of those that block on its behalf.
///
/// # Errors
/// If the kernel refuses what the runtime needs.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // What other threads hand over is worked on in turn with what arrives here: in a flood of
        // arrivals it would wait for every thirtieth.
        .global_queue_interval(2)
        .max_blocking_threads(MAX_LOOKUPS + 1)
        .thread_stack_size(THREAD_STACK_BYTES)
        .thread_keep_alive(Duration::from_secs(2))
        .build()
}

/// Starts a runtime in a thread of its own, where it works until this process ends.
///
/// # Errors
/// If the kernel refuses a thread, or what the runtime needs.
pub(super) fn runtime_in_thread() -> io::Result<Handle> {
    let runtime = runtime()?;
    let handle = runtime.handle().clone();
    let work = move || runtime.block_on(pending::<()>());
    thread::Builder::new().name("sockets".into()).stack_size(THREAD_STACK_BYTES).spawn(work)?;
    Ok(handle)
}

/// Enough for the modules of NSS, which run in these threads.
const THREAD_STACK_BYTES: usize = 512 * 1024;
