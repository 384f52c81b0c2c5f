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
    /// A drift beyond it came from a resynchronization by root, and is followed up to
    /// [`MAX_RESYNC_SECS`]. Replay protection does not depend on the drift: it counts the steps of
    /// the phone.
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
        let limit = if self.is_far(period) { MAX_RESYNC_SECS } else { MAX_DRIFT_SECS };
        if seconds(moved, period) <= limit {
            self.steps = moved;
        }
    }

    /// Returns the steps that a phone with this drift may be ahead by its next codes. Right codes
    /// may move the drift in between.
    pub(crate) fn steps_ahead(self, period: u32) -> u64 {
        let followed = MAX_DRIFT_SECS / u64::from(period.max(1));
        let found = if self.is_far(period) { self.steps.max(0).unsigned_abs() } else { 0 };
        followed.saturating_add(found.into())
    }

    /// Returns the steps that a code of a phone may be ahead of the clock here when it is accepted,
    /// by a login, a resynchronization or the floor of a restore.
    pub(super) fn reach(self, period: u32) -> u64 {
        let found = MAX_RESYNC_SECS / u64::from(period.max(1));
        found.max(self.steps_ahead(period)).saturating_add(MAX_SKEW.into())
    }

    /// Reports whether the drift is beyond what right codes move it to.
    #[must_use]
    pub(crate) fn is_far(self, period: u32) -> bool {
        seconds(self.steps, period) > MAX_DRIFT_SECS
    }
}

fn seconds(steps: i16, period: u32) -> u64 {
    u64::from(steps.unsigned_abs()) * u64::from(period)
}

/// Right codes in a row on one side that move the drift.
const CONSECUTIVE_CODES: i8 = 3;
/// The largest drift that right codes lead to, in seconds.
pub const MAX_DRIFT_SECS: u64 = 300;
/// The largest drift that a resynchronization by root finds, in seconds.
pub const MAX_RESYNC_SECS: u64 = 3600;
/// The largest number of time steps on either side that a configuration accepts.
pub const MAX_SKEW: u32 = 10;

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
    fn a_drift_that_root_found_is_followed_up_to_an_hour() {
        for (start, side, expected) in
            [(16, 1, 120), (-16, -1, -120), (16, -1, -10), (120, 1, 120), (-120, 1, 10)]
        {
            let mut drift = Drift::from_steps(start);
            for _ in 0..3000 {
                let there = drift.apply(10_000).saturating_add_signed(side);
                drift.observe(there, 10_000, 30);
            }
            assert_eq!(drift.steps(), expected, "{start} {side}");
        }
    }

    #[test]
    fn a_phone_is_ahead_by_its_drift_and_what_codes_add() {
        for (steps, period, ahead) in
            [(0, 30, 10), (10, 30, 10), (-10, 30, 10), (11, 30, 21), (-11, 30, 10), (12, 300, 13)]
        {
            assert_eq!(Drift::from_steps(steps).steps_ahead(period), ahead, "{steps} {period}");
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
