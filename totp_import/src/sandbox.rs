//! The walls around the reader: it can read and write what is open, take memory, and end.

use std::collections::BTreeMap;
use std::fmt;

use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// The walls cannot be built here. The process must end then.
#[derive(Debug)]
pub struct NoSandbox(String);

impl fmt::Display for NoSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot lock itself in: {}", self.0)
    }
}

impl std::error::Error for NoSandbox {}

/// Locks the calling thread in, for good. It is the only thread of the process.
///
/// A system call that the reader does not need kills it. So it opens nothing, connects to nothing,
/// and starts nothing, whatever bytes make of it.
///
/// # Errors
/// [`NoSandbox`].
pub fn enter() -> Result<(), NoSandbox> {
    enter_within(MAX_MEMORY)
}

fn enter_within(memory: u64) -> Result<(), NoSandbox> {
    let limits = [
        (Resource::RLIMIT_AS, memory),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_CPU, MAX_CPU_SECS),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_NOFILE, 0),
        (Resource::RLIMIT_NPROC, 0),
    ];
    for (resource, limit) in limits {
        setrlimit(resource, limit, limit).map_err(|error| NoSandbox(error.to_string()))?;
    }
    let program = filter().map_err(|error| NoSandbox(error.to_string()))?;
    // It also sets "no new privileges".
    apply_filter(&program).map_err(|error| NoSandbox(error.to_string()))
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let rules: BTreeMap<_, _> = ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
    let architecture = std::env::consts::ARCH.try_into()?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture)?;
    filter.try_into()
}

/// The bytes that a reader may take, for a file and what is made of it.
const MAX_MEMORY: u64 = 64 << 20;
/// A reader that is still at work after this time is stuck.
const MAX_CPU_SECS: u64 = 60;

/// The system calls of a process that computes: nothing that takes a name or makes a descriptor.
const ALLOWED: [i64; 19] = [
    // What is open already.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    // Memory.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    // What the allocator and the runtime of Rust ask.
    libc::SYS_clock_gettime,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    // The end.
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_rt_sigreturn,
];

#[cfg(test)]
mod tests;
