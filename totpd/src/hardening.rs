//! What the process gives up before it touches a seed.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};
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
