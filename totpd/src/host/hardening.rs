//! The hardening of the process before it touches a seed.

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Forbids core files, reading of the memory by processes of the same user, and files that others
/// can read.
///
/// # Errors
/// The error of the kernel, if it refuses. Then the daemon may unseal nothing.
pub(crate) fn harden_process() -> nix::Result<()> {
    umask(Mode::from_bits_truncate(0o077));
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    set_dumpable(false)
}

/// Locks all pages of the process into memory, so that no seed reaches swap.
///
/// # Errors
/// The reason, which names what the process lacks. The process can run without locked memory if
/// there is no swap, or if swap is encrypted.
pub(crate) fn lock_memory() -> Result<(), &'static str> {
    // With a limit, allocations would fail once the process reaches it.
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    if !unlimited && !may_lock_without_limit() {
        return Err("it needs LimitMEMLOCK=infinity or CAP_IPC_LOCK for that");
    }
    // The kernel locks a page at its first touch, because most of the stacks of threads is never
    // used.
    let on_fault = MlockAllFlags::from_bits_retain(nix::libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)
        .map_err(|_| "the kernel refuses")
}

/// Reports whether this process has CAP_IPC_LOCK.
fn may_lock_without_limit() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    effective.is_some_and(|capabilities| capabilities >> CAP_IPC_LOCK & 1 == 1)
}

/// The number of CAP_IPC_LOCK in capabilities(7).
const CAP_IPC_LOCK: u32 = 14;
