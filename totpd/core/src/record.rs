//! Everything that the daemon keeps about one user.

use alloc::vec::Vec;

use crate::code::Code;
use crate::factor::{Factor, FactorId, Status};
pub use crate::record::spent_seeds::SpentSeed;
use crate::recovery_codes::RecoveryCodes;
use crate::remembered::Trust;
use crate::seed::{NoSeed, Seed};
use crate::throttle::Throttle;

mod spent_seeds;

/// Everything that the daemon keeps about one user, or about a bucket of names that no user has.
#[derive(Clone, Debug)]
pub struct Record<S = Seed> {
    /// The uid of the name at enrollment. If the name has another uid now, it is another user
    /// ([`Record::belongs_to`]).
    pub uid: u32,
    /// The factors, the oldest first.
    pub factors: Vec<Factor<S>>,
    /// The wrong codes.
    pub throttle: Throttle,
    /// The remembered logins.
    pub trust: Trust,
    /// The recovery codes, as hashes.
    pub recovery: RecoveryCodes,
    /// The last accepted counters of removed factors.
    pub spent: Vec<SpentSeed>,
}

/// A record without its seeds and the hashes of its recovery codes: all that a prompt needs.
pub type Outline = Record<NoSeed>;

impl<S> Record<S> {
    /// Reports whether the record is that of the account that has `uid`, and the name, now.
    ///
    /// A name may go to another person after its account was removed. A recreated account inherits
    /// nothing: no factor, no recovery code, and no knowledge of them.
    #[must_use]
    pub fn belongs_to(&self, uid: u32) -> bool {
        self.uid == uid
    }

    /// Reports whether the user has a factor that was ever confirmed, even if it is disabled now.
    ///
    /// Such a user needs a code: `nullok` does not apply, nor does an enrollment without a code.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.factors.iter().any(|factor| !factor.is_pending())
    }

    /// Returns the number of digits (6 to 8) of a code of the newest verified factor.
    #[must_use]
    pub fn digits(&self) -> Option<u8> {
        self.factors.iter().rev().find(|factor| factor.is_verified()).map(|factor| factor.digits)
    }
}

impl From<Record> for Outline {
    fn from(record: Record) -> Self {
        let Record { uid, factors, throttle, trust, recovery, .. } = record;
        let factors = factors.into_iter().map(|factor| factor.with_seed(NoSeed)).collect();
        let recovery = RecoveryCodes::without_hashes(recovery.salt());
        Self { uid, factors, throttle, trust, recovery, spent: Vec::new() }
    }
}

impl Record {
    /// Returns the record of a user without a factor.
    #[must_use]
    pub fn new(uid: u32) -> Self {
        Self {
            uid,
            factors: Vec::new(),
            throttle: Throttle::default(),
            trust: Trust::default(),
            recovery: RecoveryCodes::default(),
            spent: Vec::new(),
        }
    }

    /// Returns the record for the account with `uid`, which has the name now.
    ///
    /// Another account inherits two things alone: the wrong codes, and which codes are used up.
    ///
    /// `now` is in seconds since 1970.
    #[must_use]
    pub fn for_account(mut self, uid: u32, now: u64) -> Self {
        if self.belongs_to(uid) {
            return self;
        }
        self.retire(now, |_| false);
        Self { throttle: self.throttle, spent: self.spent, ..Self::new(uid) }
    }

    /// Reports whether the user is enrolled, and all confirmed factors are disabled.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        let may_open = |status| matches!(status, Status::Unsynchronized | Status::Verified);
        self.is_enrolled() && !self.factors.iter().any(|factor| may_open(factor.status))
    }

    /// Returns the ids of all verified factors, the oldest first.
    pub fn verified(&self) -> impl Iterator<Item = &FactorId> {
        self.factors.iter().filter(|factor| factor.is_verified()).map(|factor| &factor.id)
    }

    /// Reports whether `code` is the last accepted code of one of the factors. No factor is left
    /// out, so the time does not reveal which one it is.
    #[must_use]
    pub fn repeats_last_code(&self, code: &Code) -> bool {
        self.factors.iter().fold(false, |found, factor| found | factor.repeats_last_code(code))
    }

    /// Gives all factors with one seed the greatest counter that one of them accepted, or a removed
    /// one.
    ///
    /// Otherwise one code would be accepted once for each of these factors.
    pub fn share_used_codes(&mut self) {
        if self.factors.len() < 2 && self.spent.is_empty() {
            // The usual case: nothing to share.
            return;
        }
        let counters: Vec<_> = self
            .factors
            .iter()
            .map(|factor| self.used_by_others(factor).max(factor.last_accepted))
            .collect();
        for (factor, counter) in self.factors.iter_mut().zip(counters) {
            factor.last_accepted = counter;
        }
    }

    /// Removes the factors for which `keep` is false, and remembers the counters that they
    /// accepted by `now` (seconds since 1970).
    pub fn retire(&mut self, now: u64, keep: impl Fn(&Factor) -> bool) {
        self.share_used_codes();
        let (remaining, removed): (Vec<_>, Vec<_>) =
            core::mem::take(&mut self.factors).into_iter().partition(keep);
        self.factors = remaining;
        spent_seeds::remember(&mut self.spent, &removed, now);
    }

    /// Takes over what `other` remembers of removed factors.
    pub fn merge_spent_seeds(&mut self, other: Self) {
        spent_seeds::merge(&mut self.spent, other.spent);
        self.share_used_codes();
    }

    /// Reports whether another factor that is not pending has the seed of `factor`.
    #[must_use]
    pub fn has_seed_of(&self, factor: &Factor) -> bool {
        let same = |other: &&Factor| other.id != factor.id && !other.is_pending();
        self.factors.iter().filter(same).any(|other| other.seed.is(&factor.seed))
    }

    /// Returns the greatest counter that another factor with the seed of `factor` accepted, or a
    /// removed one.
    #[must_use]
    pub fn used_by_others(&self, factor: &Factor) -> Option<u64> {
        let same = |other: &&Factor| {
            other.id != factor.id && other.kind == factor.kind && other.seed.is(&factor.seed)
        };
        let present = self.factors.iter().filter(same).filter_map(|other| other.last_accepted);
        present.max().max(spent_seeds::last_accepted(&self.spent, factor))
    }
}

#[cfg(test)]
mod tests;
