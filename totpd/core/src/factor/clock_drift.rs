//! Corrects for a phone whose clock is steadily off (RFC 6238 section 6).

use serde::{Deserialize, Serialize};

/// The clock drift of a phone, learned from its right codes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Drift {
    steps: i16,
    /// Right codes in a row on the same side of the expected step; negative if the phone is slow.
    streak: i8,
}

impl Drift {
    /// Returns the time steps that the phone is ahead; negative if it is behind.
    #[must_use]
    pub fn steps(self) -> i16 {
        self.steps
    }

    /// Returns the drift of a phone that is `steps` time steps ahead.
    #[must_use]
    pub fn from_steps(steps: i16) -> Self {
        Self { steps, streak: 0 }
    }

    /// Returns the time step of the phone when it is `step` here.
    #[must_use]
    pub fn apply(self, step: u64) -> u64 {
        step.saturating_add_signed(i64::from(self.steps))
    }

    /// Learns from a right code of `counter`, typed in time step `step` of `period` seconds.
    ///
    /// Three right codes in a row on one side move the drift by one step, up to [`MAX_DRIFT_SECS`].
    /// Replay protection does not depend on the drift: it counts the steps of the phone.
    pub(super) fn observe(&mut self, counter: u64, step: u64, period: u32) {
        let side = match counter.cmp(&self.apply(step)) {
            core::cmp::Ordering::Less => -1,
            core::cmp::Ordering::Equal => 0,
            core::cmp::Ordering::Greater => 1,
        };
        let has_turned = side == 0 || self.streak.signum() == -side;
        self.streak = if has_turned { side } else { self.streak.saturating_add(side) };
        if self.streak.saturating_abs() < CONSECUTIVE_CODES {
            return;
        }
        self.streak = 0;
        let moved = self.steps.saturating_add(i16::from(side));
        if i64::from(moved).unsigned_abs() * u64::from(period) <= MAX_DRIFT_SECS {
            self.steps = moved;
        }
    }
}

/// Right codes in a row on one side that move the drift.
const CONSECUTIVE_CODES: i8 = 3;
/// The largest drift, in seconds.
pub const MAX_DRIFT_SECS: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the drift after right codes that were `away` steps ahead of the clock here.
    fn after(period: u32, away: &[i64]) -> i16 {
        let mut drift = Drift::default();
        for away in away {
            drift.observe(1000_u64.saturating_add_signed(*away), 1000, period);
        }
        drift.steps()
    }

    #[test]
    fn three_codes_on_one_side_move_the_drift_by_one_step() {
        for (away, expected) in [
            (&[1, 1][..], 0),
            (&[1, 1, 1], 1),
            (&[-1, -1, -1], -1),
            (&[1, 1, 0, 1], 0),
            (&[1, 1, -1, 1], 0),
            (&[1, 1, -1, -1, -1], -1),
            // The codes are expected there now, so only codes further away move the drift again.
            (&[1, 1, 1, 1, 1, 1], 1),
            (&[1, 1, 1, 2, 2, 2], 2),
            (&[1, 1, 1, 0, 0, 0], 0),
        ] {
            assert_eq!(after(30, away), expected, "{away:?}");
        }
    }

    #[test]
    fn the_drift_never_exceeds_five_minutes() {
        for (period, furthest) in [(30, 10), (15, 20), (300, 1), (200, 1)] {
            for side in [1, -1] {
                let mut drift = Drift::default();
                for _ in 0..200 {
                    let there = drift.apply(1000).saturating_add_signed(side);
                    drift.observe(there, 1000, period);
                }
                assert_eq!(i64::from(drift.steps()), side * furthest, "{period}");
            }
        }
    }

    #[test]
    fn an_extreme_streak_does_not_overflow() {
        for streak in [i8::MIN, i8::MAX] {
            for counter in [0, 1000, 2000] {
                let mut drift = Drift { steps: 0, streak };
                drift.observe(counter, 1000, 30);
                assert!(drift.steps().abs() <= 1, "{streak} {counter}");
            }
        }
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        for step in [0, u64::MAX] {
            assert_eq!(Drift::from_steps(-5).apply(step), step.saturating_sub(5));
            assert_eq!(Drift::from_steps(5).apply(step), step.saturating_add(5));
        }
    }
}
