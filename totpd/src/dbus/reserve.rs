//! File descriptors that are reserved for the private socket.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit};
use totpd_store::mutex::lock;

/// The last count of free descriptors. A count for every call would cost more than the call.
#[derive(Debug)]
pub(crate) struct Reserve(Mutex<Option<(Instant, bool)>>);

impl Reserve {
    /// Returns a reserve without a count.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Reports whether only the reserve is left.
    pub(crate) fn is_low(&self) -> bool {
        let mut last = lock(&self.0);
        match *last {
            Some((when, is_low)) if when.elapsed() < MAX_COUNT_AGE => is_low,
            _ => {
                let is_low = is_reserve(free());
                *last = Some((Instant::now(), is_low));
                is_low
            }
        }
    }
}

/// Reports whether the private socket may need all `free` descriptors.
fn is_reserve(free: u64) -> bool {
    free < RESERVED_DESCRIPTORS
}

/// Returns the number of further descriptors that this process may open. Returns 0 if there is no
/// descriptor to count with.
fn free() -> u64 {
    let Ok((limit, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    match fs::read_dir("/proc/self/fd") {
        Ok(open) => limit.saturating_sub(open.count() as u64),
        Err(error) if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => 0,
        // Without /proc, the daemon cannot count them. Other bounds hold the bus too.
        Err(_) => u64::MAX,
    }
}

/// The number of reserved descriptors. Two hundred logins can share them, because each has one for
/// a millisecond.
const RESERVED_DESCRIPTORS: u64 = 64;
const EMFILE: i32 = nix::errno::Errno::EMFILE as i32;
const ENFILE: i32 = nix::errno::Errno::ENFILE as i32;
/// The time that a count stays valid. The bus opens far fewer than the reserve in that time.
const MAX_COUNT_AGE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_descriptors_are_reserved() {
        assert!(is_reserve(63) && !is_reserve(64));
    }

    #[test]
    fn open_descriptors_are_not_free() {
        let before = free();
        let opened: Vec<_> = (0..20).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let after = free();
        assert!(after + 10 <= before, "{before} {after}");
        drop(opened);
    }
}
