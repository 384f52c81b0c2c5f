//! The time for which a login is remembered, by two clocks.

use serde::{Deserialize, Serialize};

/// One run of the host, from a start of its kernel to the next: random bytes that are drawn once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BootId([u8; 16]);

/// The present, by a clock that anybody may set and by one that nobody sets.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Seconds since 1970.
    pub now: u64,
    /// Seconds since the kernel started, also those in which the host slept.
    pub uptime: u64,
    /// The run of the host.
    pub boot: BootId,
}

/// A time that began at a login and ends by itself.
///
/// The wall clock may be set back, so the other clock counts too. That one may stand still while a
/// hypervisor stops the host. The clock that saw more time decides. Neither tells how long a host
/// was off, so a lapse ends there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lapse {
    since: u64,
    uptime: u64,
    boot: BootId,
    seconds: u64,
}

impl BootId {
    /// Returns the id of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl Lapse {
    /// Returns the time of so many seconds that begins now.
    #[must_use]
    pub fn begin(clocks: &Clocks, seconds: u64) -> Self {
        let Clocks { now, uptime, boot } = *clocks;
        Self { since: now, uptime, boot, seconds }
    }

    /// Returns when it began, in seconds since 1970.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.since
    }

    /// Returns the seconds that are left; `None` if it is over. `at_most` seconds count, however
    /// long it was to be.
    #[must_use]
    pub fn left(&self, clocks: &Clocks, at_most: u64) -> Option<u64> {
        if self.boot != clocks.boot {
            return None;
        }
        // A clock that is behind the login was set.
        let by_uptime = clocks.uptime.checked_sub(self.uptime)?;
        let by_wall = clocks.now.checked_sub(self.since)?;
        let left = self.seconds.min(at_most).checked_sub(by_uptime.max(by_wall))?;
        (left > 0).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOOT: BootId = BootId([1; 16]);

    fn at(now: u64, uptime: u64) -> Clocks {
        Clocks { now, uptime, boot: BOOT }
    }

    #[test]
    fn it_ends_by_the_clock_that_saw_more_time() {
        let lapse = Lapse::begin(&at(1000, 50), 60);
        for (now, uptime, left) in [
            (1000, 50, Some(60)),
            (1059, 109, Some(1)),
            (1060, 110, None),
            (1060, 51, None),
            (1001, 110, None),
            (999, 51, None),
            (1001, 49, None),
            (0, 109, None),
            (u64::MAX, 51, None),
            (1001, u64::MAX, None),
        ] {
            assert_eq!(lapse.left(&at(now, uptime), u64::MAX), left, "{now} {uptime}");
        }
        let other = Clocks { boot: BootId([2; 16]), ..at(1001, 51) };
        assert_eq!(lapse.left(&other, u64::MAX), None, "another start of the host");
        assert_eq!(lapse.left(&at(1010, 60), 20), Some(10), "a rule that became shorter");
        assert_eq!(lapse.left(&at(1020, 70), 20), None);
        assert_eq!(lapse.left(&at(1010, 60), 600), Some(50), "a longer one makes it no longer");
    }

    proptest! {
        /// Whatever the wall clock shows, no lapse is longer than it was to be.
        #[test]
        fn no_clock_makes_it_longer(
            seconds in 1_u64..10_000,
            began in any::<u64>(),
            walls in prop::collection::vec(any::<u64>(), 1..20),
            step in 1_u64..2_000,
        ) {
            let lapse = Lapse::begin(&at(began, 7), seconds);
            for (number, wall) in (0..).zip(walls) {
                let passed = number * step;
                let clocks = at(wall, 7 + passed);
                if let Some(left) = lapse.left(&clocks, u64::MAX) {
                    prop_assert!(passed + left <= seconds);
                    prop_assert!(wall - began + left <= seconds);
                }
            }
        }
    }
}
