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
pub fn harden_process() -> nix::Result<()> {
    umask(Mode::from_bits_truncate(0o077));
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    set_dumpable(false)
}

/// Keeps all pages of the process out of swap, those where seeds are while they are worked with.
///
/// # Errors
/// What the process lacks for that. It can run without, if there is no swap, or an encrypted one.
pub fn lock_memory() -> Result<(), &'static str> {
    // With a limit, memory could not be had any more once it is reached.
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    if !unlimited && !may_lock_without_limit() {
        return Err("it needs LimitMEMLOCK=infinity or CAP_IPC_LOCK for that");
    }
    // Pages are locked when they are first touched: the stacks of threads are hardly used.
    let on_fault = MlockAllFlags::from_bits_retain(nix::libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)
        .map_err(|_| "the kernel refuses")
}

/// Whether this process has CAP_IPC_LOCK.
fn may_lock_without_limit() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    effective.is_some_and(|capabilities| capabilities >> CAP_IPC_LOCK & 1 == 1)
}

/// Its number in capabilities(7).
const CAP_IPC_LOCK: u32 = 14;
