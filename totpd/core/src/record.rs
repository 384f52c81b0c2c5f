//! All that the daemon remembers of one user.

use alloc::vec::Vec;

use crate::factor::{Factor, FactorId, Status};
pub use crate::record::spent_seeds::SpentSeed;
use crate::recovery_codes::RecoveryCodes;
use crate::throttle::Throttle;

mod spent_seeds;

/// All that the daemon remembers of one user, or of a bucket of names that nobody has.
#[derive(Clone, Debug)]
pub struct Record {
    /// The uid that the name had at enrollment. A name that has another one now is another user.
    pub uid: u32,
    /// Its factors, the oldest first.
    pub factors: Vec<Factor>,
    /// Its wrong codes.
    pub throttle: Throttle,
    /// Its recovery codes.
    pub recovery: RecoveryCodes,
    /// What was used of the seeds of factors that are gone.
    pub spent: Vec<SpentSeed>,
}

impl Record {
    /// The record of a user without a factor.
    #[must_use]
    pub fn new(uid: u32) -> Self {
        Self {
            uid,
            factors: Vec::new(),
            throttle: Throttle::default(),
            recovery: RecoveryCodes::default(),
            spent: Vec::new(),
        }
    }

    /// Whether this is the record of the account that has `uid` and the name now.
    ///
    /// A name may be given to another person after its account was removed. A recreated account inherits nothing:
    /// no factor, no recovery code, and no knowledge of them.
    #[must_use]
    pub fn belongs_to(&self, uid: u32) -> bool {
        self.uid == uid
    }

    /// The record of the account that has the name now, which has `uid`. Where that is another account than
    /// the one that the record is of, nothing is inherited but wrong codes, and which codes are used up.
    #[must_use]
    pub fn for_account(mut self, uid: u32) -> Self {
        if self.belongs_to(uid) {
            return self;
        }
        self.retire(|_| false);
        Self { throttle: self.throttle, spent: self.spent, ..Self::new(uid) }
    }

    /// Whether the user ever confirmed a factor that is still there, whether or not it opens the door
    /// now: neither `nullok` nor an enrollment without a code is for such a user.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.factors.iter().any(|factor| !factor.is_pending())
    }

    /// Whether all that the user confirmed was switched off.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        let may_open = |status| matches!(status, Status::Unsynchronized | Status::Verified);
        self.is_enrolled() && !self.factors.iter().any(|factor| may_open(factor.status))
    }

    /// How many digits a code has: that of the newest verified factor.
    #[must_use]
    pub fn digits(&self) -> Option<u8> {
        self.factors.iter().rev().find(|factor| factor.is_verified()).map(|factor| factor.digits)
    }

    /// The ids of all verified factors.
    pub fn verified(&self) -> impl Iterator<Item = &FactorId> {
        self.factors.iter().filter(|factor| factor.is_verified()).map(|factor| &factor.id)
    }

    /// Gives all factors with one seed the greatest counter that any of them accepted, or one that is gone. Else one
    /// code would be good once for each of them.
    pub fn share_used_codes(&mut self) {
        if self.factors.len() < 2 && self.spent.is_empty() {
            // As nearly always.
            return;
        }
        let used: Vec<_> = self
            .factors
            .iter()
            .map(|factor| self.used_by_others(factor).max(factor.last_accepted))
            .collect();
        for (factor, used) in self.factors.iter_mut().zip(used) {
            factor.last_accepted = used;
        }
    }

    /// Takes factors out of the record that `keep` does not want, and remembers what they accepted.
    pub fn retire(&mut self, keep: impl Fn(&Factor) -> bool) {
        self.share_used_codes();
        let (kept, removed): (Vec<_>, Vec<_>) =
            core::mem::take(&mut self.factors).into_iter().partition(keep);
        self.factors = kept;
        spent_seeds::remember(&mut self.spent, &removed);
    }

    /// Reports whether another factor of the record has the seed of this one, and is not pending.
    #[must_use]
    pub fn has_seed_of(&self, factor: &Factor) -> bool {
        let same = |other: &&Factor| other.id != factor.id && !other.is_pending();
        self.factors.iter().filter(same).any(|other| other.seed.is(&factor.seed))
    }

    /// Returns the greatest counter of its seed that another factor accepted, or one that is gone.
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
