//! What a restore closes: codes that may have been used after the backup was made.
//!
//! [`restore`] changes the record of the backup, and [`keep_used_codes`] adds what the present
//! record knows. The floor (`replay_floor.rs`) closes what neither of them knows: the codes of an
//! app up to the time of the restore.

use alloc::vec::Vec;

use crate::factor::{Factor, Kind, Status};
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;
pub use crate::restoration::replay_floor::{ReplayFloor, apply_floor, usable_from};

mod replay_floor;

/// Prepares a record of a backup that is restored at `now` (seconds since 1970). Reports whether a
/// token in it has to be resynchronized. Codes of the token and recovery codes may have been used
/// after the backup was made.
///
/// A disabled token is marked too, because enabling it would make used presses good again. Pending
/// factors are dropped. No factor is newer than the restoration, so all codes up to it count as
/// used. A resynchronization does not accept them either, even of an imported seed.
pub fn restore(record: &mut Record, now: u64) -> bool {
    record.recovery = RecoveryCodes::default();
    record.trust.end();
    // The times of the factors are those of the backup here, as the counters are.
    lower_implausible_counters(record, now);
    record.retire(now, |factor| !factor.is_pending());
    for factor in &mut record.factors {
        factor.created = factor.created.min(now);
        factor.is_imported = false;
        if factor.kind == Kind::Hotp {
            factor.status = Status::Unsynchronized;
        }
    }
    record.factors.iter().any(|factor| factor.status == Status::Unsynchronized)
}

/// Keeps what the present record of a user knows of used codes, at `now` (seconds since 1970).
/// `restored` is the record that replaces it: that of a backup, or a new one if the backup has
/// none.
///
/// Factors belong together by their seeds. The counters of factors that `restored` lacks are kept
/// as those of removed ones. A drift that root found to be large is kept too: the floor of a
/// restoration reaches no further than a clock that right codes lead.
pub fn keep_used_codes(restored: &mut Record, present: &Record, now: u64) {
    let mut present = present.clone();
    lower_implausible_counters(&mut present, now);
    for factor in &mut restored.factors {
        let known = present.factors.iter().filter(|known| have_same_codes(known, factor));
        for known in known.collect::<Vec<_>>() {
            factor.last_accepted = factor.last_accepted.max(known.last_accepted);
            factor.last_used = factor.last_used.max(known.last_used);
            if factor.kind.period().is_some_and(|period| known.drift.is_far(period)) {
                factor.drift = known.drift;
            }
        }
    }
    present
        .retire(now, |known| restored.factors.iter().any(|factor| have_same_codes(known, factor)));
    restored.merge_spent_seeds(present);
}

fn have_same_codes(factor: &Factor, other: &Factor) -> bool {
    factor.kind == other.kind && factor.seed.is(&other.seed)
}

/// Lowers the last accepted counters to which no code can have led. The clock of this machine ran
/// ahead, and a restore has left its floor. The floor hides the counter of the last real use, so
/// all that this use can have been stays used.
fn lower_implausible_counters(record: &mut Record, now: u64) {
    for factor in &mut record.factors {
        let (limit, used) = (factor.counter_limit(now), factor.greatest_used_counter());
        factor.last_accepted =
            factor.last_accepted.map(|last| if last > limit { used } else { last });
    }
}

#[cfg(test)]
mod tests;
