//! Descriptors that the bus leaves to the private socket.

use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit};

/// The last look at how many descriptors are free. One for every call would cost more than the call.
#[derive(Debug)]
pub(crate) struct Reserve(Mutex<Option<(Instant, bool)>>);

impl Reserve {
    /// Nobody has looked yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether only the reserve is left.
    pub(crate) fn is_low(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((when, is_low)) if when.elapsed() < FRESH => is_low,
            _ => {
                let is_low = is_reserve(free());
                *last = Some((Instant::now(), is_low));
                is_low
            }
        }
    }
}

/// Whether so many are all that the private socket may need.
fn is_reserve(free: u64) -> bool {
    free < RESERVE
}

/// How many descriptors this process may open yet; none, where there is none to look with.
fn free() -> u64 {
    let Ok((most, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    match fs::read_dir("/proc/self/fd") {
        Ok(open) => most.saturating_sub(open.count() as u64),
        Err(error) if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => 0,
        // Without /proc nobody can tell, and the bus is bounded in other ways too.
        Err(_) => u64::MAX,
    }
}

/// Descriptors. Two hundred logins share them well: each has one for a millisecond.
const RESERVE: u64 = 64;
const EMFILE: i32 = nix::errno::Errno::EMFILE as i32;
const ENFILE: i32 = nix::errno::Errno::ENFILE as i32;
/// How long a look holds. What the bus does in that time opens far fewer than the reserve.
const FRESH: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_descriptors_are_kept() {
        assert!(is_reserve(63) && !is_reserve(64));
    }

    #[test]
    fn descriptors_that_are_open_are_not_free() {
        let before = free();
        let opened: Vec<_> = (0..20).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let after = free();
        assert!(after + 10 <= before, "{before} {after}");
        drop(opened);
    }
}
