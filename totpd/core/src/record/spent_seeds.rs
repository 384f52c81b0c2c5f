//! One seed, one memory: what was used of a seed is used in every factor that has it, also in one that comes
//! later. Else one code would be good once for each of them.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::factor::{Factor, Kind};
use crate::record::Record;
use crate::seed::Seed;

/// The last counter that a removed factor accepted.
///
/// Counters of one kind are compared alone. A time step of 30 seconds is that of 60 seconds decades later.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SpentSeed {
    digest: [u8; 32],
    kind: Kind,
    last_accepted: u64,
}

impl SpentSeed {
    fn from_factor(factor: &Factor) -> Option<Self> {
        if factor.is_pending() && !factor.is_imported {
            // Its seed was new, and opened nothing: else whoever begins factors could fill this memory.
            return None;
        }
        let (digest, kind) = (digest(&factor.seed), factor.kind);
        factor.last_accepted.map(|last_accepted| Self { digest, kind, last_accepted })
    }

    fn is_of(&self, seed: &[u8; 32], kind: Kind) -> bool {
        bool::from(self.digest.ct_eq(seed)) && self.kind == kind
    }
}

impl Record {
    /// Gives all factors with one seed the greatest counter that any of them accepted, or one that is gone.
    pub fn share_used_codes(&mut self) {
        if self.factors.len() < 2 && self.spent.is_empty() {
            // As nearly always.
            return;
        }
        let used: Vec<_> = self.factors.iter().map(|factor| self.last_used_of(factor)).collect();
        for (factor, used) in self.factors.iter_mut().zip(used) {
            factor.last_accepted = used;
        }
    }

    /// Takes factors out of the record that `keep` does not want, and keeps in mind what they accepted.
    pub fn retire(&mut self, keep: impl Fn(&Factor) -> bool) {
        self.share_used_codes();
        let (kept, gone) = core::mem::take(&mut self.factors).into_iter().partition(keep);
        self.factors = kept;
        let gone: Vec<Factor> = gone;
        for spent in gone.iter().filter_map(SpentSeed::from_factor) {
            self.spent.retain(|old| !old.is_of(&spent.digest, spent.kind));
            self.spent.push(spent);
        }
        let excess = self.spent.len().saturating_sub(MAX_SPENT_SEEDS);
        self.spent.drain(..excess);
    }

    /// Whether another factor of the record has the seed of this one, and is not pending.
    #[must_use]
    pub fn has_seed_of(&self, factor: &Factor) -> bool {
        let same = |other: &&Factor| other.id != factor.id && !other.is_pending();
        self.factors.iter().filter(same).any(|other| other.seed.is(&factor.seed))
    }

    /// The greatest counter that was accepted of the seed of this factor.
    fn last_used_of(&self, factor: &Factor) -> Option<u64> {
        self.used_by_others(factor).max(factor.last_accepted)
    }

    /// The greatest counter of its seed that another factor accepted, or one that is gone.
    #[must_use]
    pub fn used_by_others(&self, factor: &Factor) -> Option<u64> {
        let same = |other: &&Factor| {
            other.id != factor.id && other.kind == factor.kind && other.seed.is(&factor.seed)
        };
        let present = self.factors.iter().filter(same).filter_map(|other| other.last_accepted);
        let seed = (!self.spent.is_empty()).then(|| digest(&factor.seed));
        let spent = self
            .spent
            .iter()
            .filter(|old| seed.as_ref().is_some_and(|seed| old.is_of(seed, factor.kind)));
        present.chain(spent.map(|old| old.last_accepted)).max()
    }
}

fn digest(seed: &Seed) -> [u8; 32] {
    Sha256::digest(seed.zero_padded().as_slice()).into()
}

/// Factors that are gone and still remembered: more than a user ever has.
const MAX_SPENT_SEEDS: usize = 64;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::factor::{FactorId, Status};
    use crate::fixtures::verified;

    const TOTP: Kind = Kind::Totp { period: 30 };

    fn factor(id: u8, kind: Kind, last_accepted: Option<u64>) -> Factor {
        Factor { id: FactorId::from_random([id; 5]), ..verified(kind, last_accepted) }
    }

    fn last(record: &Record) -> Vec<Option<u64>> {
        record.factors.iter().map(|factor| factor.last_accepted).collect()
    }

    #[test]
    fn factors_of_one_seed_and_kind_share_the_last_counter() {
        let mut other = factor(3, TOTP, Some(5));
        other.seed = Seed::new(vec![9; 20]).unwrap();
        let factors = vec![
            factor(1, TOTP, Some(7)),
            factor(2, TOTP, None),
            other,
            factor(4, Kind::Hotp, None),
        ];
        let mut record = Record { factors, ..Record::new(1000) };
        record.share_used_codes();
        assert_eq!(last(&record), [Some(7), Some(7), Some(5), None]);
    }

    #[test]
    fn a_factor_that_is_gone_is_remembered_by_its_seed() {
        let mut record = Record { factors: vec![factor(1, TOTP, Some(7))], ..Record::new(1000) };
        record.retire(|_| false);
        assert!(record.factors.is_empty());
        record.factors = vec![factor(2, TOTP, None), factor(3, Kind::Hotp, None)];
        record.share_used_codes();
        assert_eq!(last(&record), [Some(7), None]);
        // Once more, with more used: one entry a seed and kind.
        record.factors[0].last_accepted = Some(9);
        record.retire(|factor| factor.kind == Kind::Hotp);
        assert_eq!((record.spent.len(), record.spent[0].last_accepted), (1, 9));
    }

    #[test]
    fn what_accepted_nothing_is_not_remembered_and_there_is_a_bound() {
        let mut record = Record { factors: vec![factor(1, TOTP, None)], ..Record::new(1000) };
        record.retire(|_| false);
        assert!(record.spent.is_empty());
        for n in 0..2 * MAX_SPENT_SEEDS {
            let mut gone = factor(1, TOTP, Some(1));
            gone.seed = Seed::new(n.to_le_bytes().repeat(3)).unwrap();
            record.factors = vec![gone];
            record.retire(|_| false);
        }
        assert_eq!(record.spent.len(), MAX_SPENT_SEEDS);
    }

    #[test]
    fn a_live_factor_with_the_same_seed_is_found_and_a_pending_one_is_not() {
        let (first, mut second) = (factor(1, TOTP, None), factor(2, TOTP, None));
        let mut record = Record { factors: vec![first.clone(), second.clone()], ..Record::new(1) };
        assert!(record.has_seed_of(&first));
        for status in [Status::Disabled, Status::Unsynchronized] {
            record.factors[1].status = status;
            assert!(record.has_seed_of(&first), "{status:?}");
        }
        second.status = Status::Unverified { expires: 9, wrong_codes: 0 };
        record.factors[1] = second;
        assert!(!record.has_seed_of(&first));
    }
}
