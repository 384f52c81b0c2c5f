//! Functions that the module has itself, in the place of those of other libraries. The loader looks
//! up each function of another library at each login, which costs more than any of these does.
//!
//! 1. std calls some to print a panic and its stack trace, and for nothing else in the module. The
//!    module prints neither, but std cannot be built without them. So each of these fails. Through
//!    libc the module reads no environment variable and writes to no standard stream, not even by a
//!    mistake. The compiler sees that no stack frame is ever visited, and leaves out all that would
//!    print one: half of the module.
//! 2. The unwinder of GCC locks a list of tables that a library registered. The module registers
//!    none, so there is nothing to lock. It asks for the key of a thread to see that there are
//!    threads.
//! 3. `close` and `abort` do what those of libc do.

use std::ffi::c_int;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

#[cfg(not(test))]
mod functions {
    use std::ffi::{c_char, c_int, c_void};
    use std::ptr::null_mut;
    use std::sync::atomic::AtomicI32;

    use libpam::{close_descriptor, failed};

    use super::{end_process, run_once};

    libpam::stand_ins! {
        // Returns the code for a stack that has no frame.
        _Unwind_Backtrace(_: *const c_void, _: *mut c_void) -> c_int = failed(5);
        getcwd(_: *mut c_char, _: usize) -> *mut c_char = failed(null_mut());
        getenv(_: *const c_char) -> *mut c_char = failed(null_mut());
        gettid() -> c_int = failed(0);
        write(_: c_int, _: *const c_void, _: usize) -> isize = failed(-1);
        writev(_: c_int, _: *const c_void, _: c_int) -> isize = failed(-1);
        // Leaves the text empty. The module has words of its own.
        __xpg_strerror_r(_: c_int, _: *mut c_char, _: usize) -> c_int = 0;
        // Nothing in the module needs more than the alignment of malloc.
        posix_memalign(_: *mut c_void, _: usize, _: usize) -> c_int = NO_MEMORY;

        __pthread_key_create(_: *mut c_void, _: *mut c_void) -> c_int = NO_MEMORY;
        pthread_mutex_lock(_: *mut c_void) -> c_int = 0;
        pthread_mutex_unlock(_: *mut c_void) -> c_int = 0;
        pthread_once(control: &AtomicI32, work: extern "C" fn()) -> c_int =
            run_once(control, work);

        abort() -> ! = end_process();
        close(descriptor: c_int) -> c_int = close_descriptor(descriptor);
    }

    /// `ENOMEM` of Linux.
    const NO_MEMORY: c_int = 12;
}

/// Runs `work` the first time that it is called with this control, as pthread_once(3) does. The
/// unwinder fills a table of a few bytes in it.
fn run_once(control: &AtomicI32, work: extern "C" fn()) -> c_int {
    const NEW: i32 = 0;
    const RUNS: i32 = 1;
    const DONE: i32 = 2;
    while control.load(Ordering::Acquire) != DONE {
        let begun = control.compare_exchange(NEW, RUNS, Ordering::Acquire, Ordering::Relaxed);
        if begun.is_ok() {
            work();
            control.store(DONE, Ordering::Release);
        }
        spin_loop();
    }
    0
}

/// Ends this process by SIGABRT, or by SIGKILL if it blocks that. The first process of a container
/// gets neither.
#[cfg_attr(test, expect(dead_code, reason = "a test would end with it"))]
fn end_process() -> ! {
    for signal in [Signal::ABORT, Signal::KILL] {
        let _ = kill_process(getpid(), signal);
    }
    libpam::exit_process()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;

    static RUNS: AtomicU32 = AtomicU32::new(0);

    extern "C" fn work() {
        RUNS.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn the_work_runs_once() {
        let control = AtomicI32::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(run_once(&control, work), 0));
            }
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    }
}
