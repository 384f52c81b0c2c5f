//! The last accepted counters of removed factors.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::factor::{Factor, Kind};
use crate::seed::Seed;

/// The last counter that a removed factor accepted.
///
/// Only counters of one kind compare: one number means another time with another period.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SpentSeed {
    digest: [u8; 32],
    kind: Kind,
    pub(super) last_accepted: u64,
}

impl SpentSeed {
    /// Returns the entry of a factor that is removed at `now` (seconds since 1970).
    fn from_factor(factor: &Factor, now: u64) -> Option<Self> {
        if factor.is_pending() && !factor.is_imported {
            // Its seed is new and was never used. Otherwise beginning factors would push out real
            // entries.
            return None;
        }
        let (digest, kind) = (digest(&factor.seed), factor.kind);
        // An entry has no time, so nobody can find out later that the clock of this machine ran
        // ahead. All counters that were used are within the limit.
        let last_accepted = factor.last_accepted?.min(factor.counter_limit(now));
        Some(Self { digest, kind, last_accepted })
    }

    fn is_of(&self, seed: &[u8; 32], kind: Kind) -> bool {
        bool::from(self.digest.ct_eq(seed)) && self.kind == kind
    }
}

/// Adds one entry for each seed and kind of the factors that are removed at `now` (seconds since
/// 1970). The oldest entries make room.
pub(super) fn remember(spent: &mut Vec<SpentSeed>, removed: &[Factor], now: u64) {
    let new = removed.iter().filter_map(|factor| SpentSeed::from_factor(factor, now));
    merge(spent, new.collect());
}

/// Adds these entries. Of two entries of one seed the greater counter stays.
pub(super) fn merge(spent: &mut Vec<SpentSeed>, others: Vec<SpentSeed>) {
    for mut new in others {
        for old in spent.iter().filter(|old| old.is_of(&new.digest, new.kind)) {
            new.last_accepted = new.last_accepted.max(old.last_accepted);
        }
        replace(spent, new);
    }
    make_room(spent);
}

fn replace(spent: &mut Vec<SpentSeed>, new: SpentSeed) {
    spent.retain(|old| !old.is_of(&new.digest, new.kind));
    spent.push(new);
}

fn make_room(spent: &mut Vec<SpentSeed>) {
    let excess = spent.len().saturating_sub(MAX_SPENT_SEEDS);
    spent.drain(..excess);
}

/// Returns the greatest counter that a removed factor with the seed of `factor` accepted.
pub(super) fn last_accepted(spent: &[SpentSeed], factor: &Factor) -> Option<u64> {
    if spent.is_empty() {
        // The usual case: saves the hash.
        return None;
    }
    let seed = digest(&factor.seed);
    let of_seed = spent.iter().filter(|old| old.is_of(&seed, factor.kind));
    of_seed.map(|old| old.last_accepted).max()
}

fn digest(seed: &Seed) -> [u8; 32] {
    Sha256::digest(seed.zero_padded().as_slice()).into()
}

/// Entries in a record: more than a user ever has factors.
pub(super) const MAX_SPENT_SEEDS: usize = 64;
