//! The wait of a source after wrong codes. All unknown sources share a budget. Each known source
//! has its own.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::source::Source;

/// The rules of throttling. Durations are in seconds.
#[derive(Clone, Debug)]
pub struct ThrottleRules {
    /// The number of wrong codes in a row with which waits start.
    pub free_failures: u32,
    /// The first wait. It doubles with each further wrong code.
    pub first_wait: u64,
    /// The longest wait.
    pub longest_wait: u64,
    /// The number of wrong codes in a row that locks a budget (NIST SP 800-63B-4: at most 100).
    pub lock_after: u32,
    /// The time that a source stays known after its last right code; 0 means never.
    pub known_source: u64,
}

/// The answer of the throttle to an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThrottleState {
    /// No attempt is checked until an administrator unlocks the user.
    Locked,
    /// The attempt is checked.
    Open,
    /// The seconds before the next attempt is checked.
    Waiting(u64),
}

/// The wrong codes in a row of one source, or of all unknown sources together.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Budget {
    failures: u32,
    last_failure: u64,
}

impl Budget {
    /// Returns the number of wrong codes in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns whether an attempt is checked at `now` (seconds since 1970).
    #[must_use]
    pub fn state(&self, now: u64, rules: &ThrottleRules) -> ThrottleState {
        if self.failures >= rules.lock_after {
            return ThrottleState::Locked;
        }
        let since = now.saturating_sub(self.last_failure);
        match self.wait(rules).saturating_sub(since) {
            0 => ThrottleState::Open,
            seconds => ThrottleState::Waiting(seconds),
        }
    }

    fn wait(&self, rules: &ThrottleRules) -> u64 {
        let Some(doublings) = self.failures.checked_sub(rules.free_failures) else {
            return 0;
        };
        // A shift by 64 would overflow; 63 doublings of one second exceed every limit.
        let factor = 1_u64.checked_shl(doublings.min(63)).unwrap_or(u64::MAX);
        rules.first_wait.saturating_mul(factor).min(rules.longest_wait)
    }

    fn fail(&mut self, now: u64) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = now;
    }
}

/// A source that sent a right code.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KnownSource {
    /// The source.
    pub source: Source,
    /// The time of its last right code, in seconds since 1970.
    pub last_success: u64,
    /// The budget of its wrong codes after that time.
    pub budget: Budget,
}

/// All budgets of one user.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Throttle {
    unknown_sources: Budget,
    known: Vec<KnownSource>,
}

impl Throttle {
    /// Returns the budget that all unknown sources share.
    #[must_use]
    pub fn unknown_sources(&self) -> &Budget {
        &self.unknown_sources
    }

    /// Returns the known sources (at most 8), the most recent last.
    #[must_use]
    pub fn known_sources(&self) -> &[KnownSource] {
        &self.known
    }

    /// Returns whether an attempt of `source` is checked at `now` (seconds since 1970). Forgets
    /// before what is over ([`Throttle::expire_and_clamp`]).
    #[must_use]
    pub fn state(&mut self, source: &Source, now: u64, rules: &ThrottleRules) -> ThrottleState {
        self.expire_and_clamp(now, rules);
        self.known
            .iter()
            // An old record may hold several addresses of one network. The most recent one counts.
            .rev()
            .find(|known| known.source == *source)
            .map_or(&self.unknown_sources, |known| &known.budget)
            .state(now, rules)
    }

    /// Removes known sources that expired, and moves times after `now` (seconds since 1970) to
    /// `now`.
    ///
    /// Such times come from a clock that was ahead. Without the move, a wait could last for years.
    /// A source with a later success stays known: if it became unknown, guessers could lock out the
    /// user.
    pub fn expire_and_clamp(&mut self, now: u64, rules: &ThrottleRules) {
        self.known.retain(|known| is_fresh(known, now, rules));
        for known in &mut self.known {
            known.last_success = known.last_success.min(now);
        }
        let budgets = self.known.iter_mut().map(|known| &mut known.budget);
        for budget in budgets.chain([&mut self.unknown_sources]) {
            budget.last_failure = budget.last_failure.min(now);
        }
    }

    /// Counts a wrong code of `source` at `now` (seconds since 1970).
    pub fn fail(&mut self, source: &Source, now: u64) {
        match self.known.iter_mut().rev().find(|known| known.source == *source) {
            Some(known) => known.budget.fail(now),
            None => self.unknown_sources.fail(now),
        }
    }

    /// Notes a right code of `source` at `now` (seconds since 1970): clears its budget, and makes
    /// it known.
    pub fn succeed(&mut self, source: &Source, now: u64, rules: &ThrottleRules) {
        let before = self.known.len();
        self.known.retain(|known| known.source != *source);
        if before == self.known.len() {
            self.unknown_sources = Budget::default();
        }
        if !source.can_become_known() || rules.known_source == 0 {
            return;
        }
        if self.known.len() >= MAX_KNOWN_SOURCES {
            // The list is in order of use, so the first one is the least recent.
            self.known.remove(0);
        }
        self.known.push(KnownSource {
            source: source.clone(),
            last_success: now,
            budget: Budget::default(),
        });
    }
}

fn is_fresh(known: &KnownSource, now: u64, rules: &ThrottleRules) -> bool {
    known.source.can_become_known() && now.saturating_sub(known.last_success) < rules.known_source
}

/// Limits the size of a record, and the budgets that an attacker with many addresses can use.
const MAX_KNOWN_SOURCES: usize = 8;

#[cfg(test)]
mod tests;
