//! The run of this host, from a start of its kernel to the next.
//!
//! The sandbox of the unit hides the id that the kernel draws. So the daemon draws one itself, and
//! keeps it on a tmpfs, which no start of a kernel leaves.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use rustix::time::{ClockId, clock_gettime};
use totpd_core::remembered::BootId;

/// Returns the seconds since the kernel started, also those in which the host slept. Nobody sets
/// that clock.
pub(crate) fn uptime() -> u64 {
    u64::try_from(clock_gettime(ClockId::Boottime).tv_sec).unwrap_or_default()
}

/// Returns the id of this run of the host, which the first daemon of it left in `directory`. If
/// nothing can be kept there, it is an id of this daemon alone.
///
/// # Errors
/// The error of getrandom(2).
pub(crate) fn id(directory: Option<&Path>) -> Result<BootId, getrandom::Error> {
    let mut drawn = [0; ID_BYTES];
    getrandom::fill(&mut drawn)?;
    let kept = directory.and_then(|directory| kept(directory, drawn).ok());
    Ok(BootId::from_random(kept.unwrap_or(drawn)))
}

/// Returns the id in `directory`, or else leaves `drawn` there.
fn kept(directory: &Path, drawn: [u8; ID_BYTES]) -> io::Result<[u8; ID_BYTES]> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    // No link is followed, and no FIFO is waited for.
    let flags = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK);
    let mut file = options.custom_flags(flags.bits()).open(directory.join(FILE))?;
    check_is_tmpfs(&file)?;
    let mut bytes = Vec::with_capacity(ID_BYTES);
    (&file).take(ID_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if let Ok(id) = bytes.as_slice().try_into() {
        return Ok(id);
    }
    // It is new, or a start was killed while it wrote.
    file.set_len(0)?;
    io::Seek::rewind(&mut file)?;
    file.write_all(&drawn)?;
    Ok(drawn)
}

fn check_is_tmpfs(file: &File) -> io::Result<()> {
    match fstatfs(file)?.filesystem_type() == TMPFS_MAGIC {
        true => Ok(()),
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

const FILE: &str = "boot";
const ID_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_of_the_host_has_one_id_on_a_tmpfs_alone() {
        // POSIX shared memory is on a tmpfs.
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let directory = folder.path().join("witness");
        let first = id(Some(&directory)).unwrap();
        assert_eq!(id(Some(&directory)).unwrap(), first);
        std::fs::write(directory.join(FILE), [7; 5]).unwrap();
        let next = id(Some(&directory)).unwrap();
        assert!(next != first && id(Some(&directory)).unwrap() == next, "half an id is none");
        assert_ne!(id(None).unwrap(), id(None).unwrap());
        let nowhere = Path::new("/proc/self/no/such/place");
        assert_ne!(id(Some(nowhere)).unwrap(), id(Some(nowhere)).unwrap());
        assert!(uptime() > 0);
    }
}
