//! How long a source of wrong codes has to wait: budgets for strangers and for known sources.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::source::Source;

/// The rules of waiting. Durations are in seconds.
#[derive(Clone, Debug)]
pub struct ThrottleRules {
    /// Wrong codes before waiting starts.
    pub free_failures: u32,
    /// The first wait; it doubles with each further wrong code.
    pub first_wait: u64,
    /// No wait is longer.
    pub longest_wait: u64,
    /// Wrong codes in a row after which a budget is spent (NIST SP 800-63B-4: at most 100).
    pub lock_after: u32,
    /// How long a source is known after its last success; 0: never.
    pub known_source: u64,
}

/// Whether a source may try now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThrottleState {
    /// Not until an administrator unlocks the user.
    Locked,
    /// It may.
    Open,
    /// Not before so many seconds have gone by.
    Waiting(u64),
}

/// The wrong codes in a row of one source, or of all strangers together.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Budget {
    failures: u32,
    last_failure: u64,
}

impl Budget {
    /// Wrong codes in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether another code may be tried at `now` (seconds since 1970).
    #[must_use]
    pub fn state(&self, now: u64, rules: &ThrottleRules) -> ThrottleState {
        if self.failures >= rules.lock_after {
            return ThrottleState::Locked;
        }
        let since = now.saturating_sub(self.last_failure);
        match self.wait(rules).saturating_sub(since) {
            0 => ThrottleState::Open,
            rest => ThrottleState::Waiting(rest),
        }
    }

    fn wait(&self, rules: &ThrottleRules) -> u64 {
        let Some(doublings) = self.failures.checked_sub(rules.free_failures) else {
            return 0;
        };
        // 63 doublings of a second are longer than any limit.
        let factor = 1_u64.checked_shl(doublings.min(63)).unwrap_or(u64::MAX);
        rules.first_wait.saturating_mul(factor).min(rules.longest_wait)
    }

    fn fail(&mut self, now: u64) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = now;
    }
}

/// A source from which a right code came.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KnownSource {
    /// The source.
    pub source: Source,
    /// When its last right code came, in seconds since 1970.
    pub last_success: u64,
    /// Its own wrong codes since.
    pub budget: Budget,
}

/// All budgets of one user.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Throttle {
    unknown_sources: Budget,
    known: Vec<KnownSource>,
}

impl Throttle {
    /// The budget that all unknown sources share.
    #[must_use]
    pub fn unknown_sources(&self) -> &Budget {
        &self.unknown_sources
    }

    /// The known sources, the most recent last.
    #[must_use]
    pub fn known_sources(&self) -> &[KnownSource] {
        &self.known
    }

    /// Whether `source` may try at `now` (seconds since 1970).
    #[must_use]
    pub fn state(&self, source: &Source, now: u64, rules: &ThrottleRules) -> ThrottleState {
        self.known
            .iter()
            // An old record may hold several addresses of one network: the most recent one counts.
            .rev()
            .find(|known| known.source == *source && is_fresh(known, now, rules))
            .map_or(&self.unknown_sources, |known| &known.budget)
            .state(now, rules)
    }

    /// Forgets the sources that were known too long ago or can be known no more, and mends what a
    /// clock that ran ahead has left: a wait never starts in the future, and no source was known there.
    ///
    /// A right code from the future counts as one of now. To forget its source instead would make a stranger of the
    /// owner, whom guessers can keep out.
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

    /// Counts a wrong code of `source`.
    pub fn fail(&mut self, source: &Source, now: u64) {
        match self.known.iter_mut().rev().find(|known| known.source == *source) {
            Some(known) => known.budget.fail(now),
            None => self.unknown_sources.fail(now),
        }
    }

    /// Takes note of a right code of `source`: its budget starts afresh, and it is known.
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
            // The least recent one goes: the list is in order of use.
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

/// Bounds the record of a user, and with it what an attacker with many addresses can gain.
const MAX_KNOWN_SOURCES: usize = 8;

#[cfg(test)]
mod tests;
