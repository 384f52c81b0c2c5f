//! Spans of time whose codes are void, because the records may have lost that they were used.
//!
//! The whole argument is in docs/decisions/0032-what-a-login-may-lean-on.md.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::factor::{Drift, Factor, Kind, MAX_SKEW};
use crate::otp::time_step;
use crate::record::Record;

/// The longest period, in seconds, of a factor whose logins may lean on a mark. No step of a factor
/// with a longer one is void.
pub const LONGEST_PERIOD: u32 = 60;

/// A span of time, both ends included. The records may lack codes that were accepted in it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct VoidWindow {
    from: u64,
    until: u64,
}

impl VoidWindow {
    /// Returns the window between two times, in seconds since 1970.
    #[must_use]
    pub fn new(from: u64, until: u64) -> Self {
        Self { from, until: until.max(from) }
    }

    /// Returns the first time of the window, in seconds since 1970.
    #[must_use]
    pub fn from(self) -> u64 {
        self.from
    }

    /// Returns the last time of the window, in seconds since 1970.
    #[must_use]
    pub fn until(self) -> u64 {
        self.until
    }

    /// Returns all steps of `period` seconds that a login in the window can have used up, with any
    /// skew. Such a login had no drift, and was not ahead of the clock.
    fn steps(self, period: u32) -> RangeInclusive<u64> {
        let first = time_step(self.from, period).saturating_sub(MAX_SKEW.into());
        first..=time_step(self.until, period)
    }
}

/// The void windows of a store, the earliest first.
///
/// A window is kept when its time is over. So a clock that is set back reopens nothing, and one
/// that once ran ahead shuts nobody out now.
///
/// # Examples
/// ```
/// use totpd_core::factor::Kind;
/// use totpd_core::void_windows::{VoidWindow, VoidWindows};
///
/// let mut voids = VoidWindows::NONE;
/// voids.add(VoidWindow::new(30_000, 30_060));
/// let totp = Kind::Totp { period: 30 };
/// assert!(voids.include(totp, 1000) && voids.include(totp, 1002));
/// assert!(!voids.include(totp, 1003), "the first step after it");
/// assert!(!voids.include(Kind::Hotp, 1000), "a token waits for the disk");
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct VoidWindows(Vec<VoidWindow>);

impl VoidWindows {
    /// No window: the usual case.
    pub const NONE: Self = Self(Vec::new());

    /// Adds a window. If there are more than [`MAX_WINDOWS`], the two that lie closest become one.
    pub fn add(&mut self, window: VoidWindow) {
        if self.0.contains(&window) {
            return;
        }
        self.0.push(window);
        self.0.sort_unstable();
        while self.0.len() > MAX_WINDOWS {
            self.join_closest();
        }
    }

    /// Adds all windows of `other`.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|window| self.add(*window));
    }

    /// Returns the windows, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = VoidWindow> {
        self.0.iter().copied()
    }

    /// Reports whether the code of this counter or time step is void, whatever the record of its
    /// factor says. Logins, first codes and resynchronizations all ask here.
    #[must_use]
    pub fn include(&self, kind: Kind, counter: u64) -> bool {
        let Some(period) = leaning_period(kind) else { return false };
        self.0.iter().any(|window| window.steps(period).contains(&counter))
    }

    /// Returns the seconds after `now` (seconds since 1970) when the present step of a verified
    /// factor is not void any more; `None` if there is nothing to wait for.
    ///
    /// A name without a factor waits as one with an app of 30 seconds, so the wait does not tell
    /// them apart.
    #[must_use]
    pub fn wait<S>(&self, record: &Record<S>, now: u64) -> Option<u64> {
        let wait = |factor: &Factor<S>| match leaning_period(factor.kind) {
            Some(period) => self.wait_of(period, factor.drift, now),
            None => 0,
        };
        let waits = record.factors.iter().filter(|factor| factor.is_verified()).map(wait);
        let wait = waits.min();
        let wait = wait.unwrap_or_else(|| self.wait_of(USUAL_PERIOD, Drift::default(), now));
        (wait > 0).then_some(wait)
    }

    fn wait_of(&self, period: u32, drift: Drift, now: u64) -> u64 {
        let (step, mut open) = (time_step(now, period), drift.apply(time_step(now, period)));
        let present = open;
        let end_of = |step| {
            let mut steps = self.0.iter().map(|window| window.steps(period));
            steps.find(|steps| steps.contains(&step)).map(|steps| *steps.end())
        };
        while let Some(end) = end_of(open) {
            // Never endless: the next step to look at is a later one.
            let Some(next) = end.checked_add(1) else { return u64::MAX };
            open = next;
        }
        if open == present {
            return 0;
        }
        let begin = step.saturating_add(open - present).saturating_mul(period.into());
        begin.saturating_sub(now)
    }

    /// Makes one of the two neighbors with the least time between them.
    fn join_closest(&mut self) {
        let gaps = self.0.windows(2).enumerate().filter_map(|(index, pair)| match pair {
            [one, other] => Some((other.from.saturating_sub(one.until), index)),
            _ => None,
        });
        let Some((_, index)) = gaps.min() else { return };
        let other = self.0.remove(index.saturating_add(1));
        if let Some(one) = self.0.get_mut(index) {
            one.until = one.until.max(other.until);
        }
    }
}

/// Returns the period of a factor whose logins may lean on a mark.
pub(crate) fn leaning_period(kind: Kind) -> Option<u32> {
    kind.period().filter(|period| *period <= LONGEST_PERIOD)
}

/// The number of windows that a store keeps.
pub const MAX_WINDOWS: usize = 32;
/// The period of the usual app, in seconds.
const USUAL_PERIOD: u32 = 30;

#[cfg(test)]
mod tests;
