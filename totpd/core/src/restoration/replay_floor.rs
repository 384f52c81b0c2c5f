//! The floor that a restore leaves: every code that may have been accepted before it counts as
//! used.
//!
//! What else a restore closes is decided one level up, in `restoration.rs`. The store sets the
//! floor (`sqlite/restore.rs`), and applies it to each record it reads (`sqlite/active_keys.rs`).

use serde::{Deserialize, Serialize};

use crate::factor::{Drift, Kind};
use crate::otp::time_step;
use crate::record::Record;

/// The end of the codes that count as used.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ReplayFloor {
    /// Seconds since 1970.
    pub time: u64,
    /// Time steps after it that may have been accepted by then.
    pub skew: u64,
}

/// Marks all codes of time steps up to `floor` as used.
pub fn apply_floor<S>(record: &mut Record<S>, floor: ReplayFloor) {
    for factor in &mut record.factors {
        if let Kind::Totp { period } = factor.kind
            && factor.created <= floor.time
        {
            let step = last_used_step(floor, period, factor.drift);
            factor.last_accepted = Some(factor.last_accepted.map_or(step, |last| last.max(step)));
        }
    }
}

/// Returns the last time step of `period` seconds that may have been used when the floor was set. A
/// phone may have used it if its clock is as fast as drift allows.
fn last_used_step(floor: ReplayFloor, period: u32, drift: Drift) -> u64 {
    let ahead = drift.steps_ahead(period);
    time_step(floor.time, period).saturating_add(floor.skew.saturating_add(ahead))
}

/// Returns the time when codes of an app with a period of 30 s are accepted again, in seconds since
/// 1970.
#[must_use]
pub fn usable_from(floor: ReplayFloor) -> u64 {
    last_used_step(floor, 30, Drift::default()).saturating_add(1).saturating_mul(30)
}

#[cfg(test)]
mod tests {
    use crate::fixtures::enrolled;

    use super::*;

    #[test]
    fn a_floor_marks_earlier_steps_as_used() {
        let floor = ReplayFloor { time: 30_000, skew: 1 };
        for (created, last, expected) in [
            (0, None, Some(1011)),
            (30_000, Some(999), Some(1011)),
            (0, Some(1015), Some(1015)),
            (30_001, None, None),
        ] {
            let mut record = enrolled(1000);
            record.factors[0].created = created;
            record.factors[0].last_accepted = last;
            apply_floor(&mut record, floor);
            assert_eq!(record.factors[0].last_accepted, expected, "{created} {last:?}");
        }
    }

    #[test]
    fn a_floor_reaches_as_far_as_the_drift_that_root_found() {
        let floor = ReplayFloor { time: 30_000, skew: 1 };
        for (drift, expected) in [(119, 1130), (-119, 1011), (10, 1011)] {
            let mut record = enrolled(1000);
            record.factors[0].created = 0;
            record.factors[0].drift = Drift::from_steps(drift);
            apply_floor(&mut record, floor);
            assert_eq!(record.factors[0].last_accepted, Some(expected), "{drift}");
        }
    }

    #[test]
    fn codes_are_accepted_again_after_the_floor() {
        let floor = ReplayFloor { time: 30_007, skew: 1 };
        let from = usable_from(floor);
        assert_eq!(from, 30_000 + 12 * 30);
        let mut record = enrolled(1000);
        record.factors[0].created = 0;
        apply_floor(&mut record, floor);
        assert_eq!(record.factors[0].last_accepted, Some(time_step(from, 30) - 1));
    }
}
