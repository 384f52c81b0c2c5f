//! The row of a mark, and what may lean on it.

use serde::{Deserialize, Serialize};

use crate::factor::{Drift, Factor, Kind};
use crate::mark::run_id::RunId;
use crate::otp::time_step;
use crate::void_windows::{VoidWindow, leaning_period};

/// A span of time, both ends included, in which logins may be answered before their records are
/// durable. It is never made longer, and its beginning never moves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mark {
    from: u64,
    until: u64,
    pub(super) run: RunId,
}

impl Mark {
    /// The length of a mark in seconds.
    pub const SECONDS: u64 = 60;

    /// Returns the mark that the daemon of `run` makes at `now` (seconds since 1970).
    #[must_use]
    pub fn new(now: u64, run: RunId) -> Self {
        Self { from: now, until: now.saturating_add(Self::SECONDS), run }
    }

    /// Reports whether a login that is judged by the time `now` may lean on the mark.
    #[must_use]
    pub fn holds(&self, now: u64) -> bool {
        (self.from..=self.until).contains(&now)
    }

    /// Reports whether another mark should take its place at `now`. So a prompt and the answer to
    /// it find the same one.
    #[must_use]
    pub fn is_running_out(&self, now: u64) -> bool {
        !self.holds(now) || self.until.saturating_sub(now) < RENEWED_BEFORE_END
    }

    /// Reports whether a login that was judged by the time `now`, and used up `used`, may be
    /// answered before its record is durable. The mark is durable.
    ///
    /// All that leans has its time step in the [void window](Mark::void_window) of the mark,
    /// whatever the skew is.
    #[must_use]
    pub fn may_lean(&self, used: &UsedCode, now: u64) -> bool {
        let Some(period) = leaning_period(used.kind) else { return false };
        let has_drift = [used.before, used.after].iter().any(|drift| drift.steps() != 0);
        self.holds(now) && !has_drift && used.counter <= time_step(now, period)
    }

    /// Returns the window of all that can have leaned on the mark.
    #[must_use]
    pub fn void_window(self) -> VoidWindow {
        VoidWindow::new(self.from, self.until)
    }
}

/// A code that a login used up, as far as the mark asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UsedCode {
    pub(super) kind: Kind,
    pub(super) counter: u64,
    pub(super) before: Drift,
    pub(super) after: Drift,
}

impl UsedCode {
    /// Returns the time step, or the counter.
    #[must_use]
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// Returns the code that was accepted last by `factor`, which had the drift `before`.
    #[must_use]
    pub fn last_of<S>(factor: &Factor<S>, before: Drift) -> Option<Self> {
        let counter = factor.last_accepted?;
        Some(Self { kind: factor.kind, counter, before, after: factor.drift })
    }
}

/// A mark that has fewer seconds left is replaced at the next prompt.
const RENEWED_BEFORE_END: u64 = 30;
