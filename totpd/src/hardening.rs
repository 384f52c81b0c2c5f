//! What the process gives up before it touches a seed.

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// No core file, no reading of the memory by processes of the same user, and no file that others
/// can read.
///
/// # Errors
/// If the kernel refuses; then nothing may be unsealed.
pub fn apply() -> nix::Result<()> {
    umask(Mode::from_bits_truncate(0o077));
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    set_dumpable(false)
}

/// Keeps all pages of the process, those of the key among them, out of swap.
///
/// # Errors
/// What the process lacks for that. It can run without, if there is no swap, or an encrypted one.
pub fn lock_memory() -> Result<(), &'static str> {
    // With a limit, memory could not be had any more once it is reached.
    let unlimited = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY).is_ok()
        || getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    if !unlimited {
        return Err("it needs LimitMEMLOCK=infinity or CAP_IPC_LOCK for that");
    }
    // Pages are locked when they are first touched: the stacks of threads are hardly used.
    let on_fault = MlockAllFlags::from_bits_retain(nix::libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)
        .map_err(|_| "the kernel refuses")
}
