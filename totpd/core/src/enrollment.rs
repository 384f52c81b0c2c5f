//! The life of a factor: made, confirmed by its maker, replaced, removed.

use crate::authorization::may_change;
pub use crate::enrollment::confirmation::{Confirmation, confirm};
pub use crate::enrollment::diagnosis::Diagnosis;
pub use crate::enrollment::first_login::{Completion, complete, note_first_login, offer, prove};
pub use crate::enrollment::label::LabelHistory;
pub use crate::enrollment::new_factor::NewFactor;
pub use crate::enrollment::replay_floor::{ReplayFloor, apply_floor, usable_from};
pub use crate::enrollment::request::{Enrolled, Request, enroll};
pub use crate::enrollment::restoration::{keep_used_codes, restore};
use crate::factor::{Factor, FactorId, Maker, Status};
use crate::otp::time_step;
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;

mod confirmation;
mod diagnosis;
mod first_login;
mod label;
mod new_factor;
mod replay_floor;
mod request;
mod restoration;

/// The rules of enrollment that the core needs. Durations are in seconds.
#[derive(Clone, Debug)]
pub struct EnrollmentRules {
    /// The longest wait of a factor for its first code.
    pub unverified_lifetime: u64,
    /// The highest number of verified factors of a user. If it is 1, a new factor replaces the old
    /// one.
    pub max_factors: usize,
    /// Time steps accepted on either side of the present one.
    pub skew: u64,
}

/// The reason why a factor is not added, or does not become verified. Nothing is changed then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The user is enrolled, and was to be left alone.
    AlreadyEnrolled,
    /// The factor that was named is not a pending one of this maker.
    NotPending,
    /// The user has as many verified factors as it may have.
    TooManyFactors,
    /// Another factor of the user has the same seed: one code would be good for both.
    SameSeed,
}

/// Adds `factor` to the record at `now` (seconds since 1970). A pending factor replaces the earlier
/// pending ones of the same maker. It leaves all others alone.
///
/// # Errors [`Refusal::TooManyFactors`] and [`Refusal::SameSeed`], if several factors are allowed.
pub fn add(
    record: &mut Record,
    factor: Factor,
    now: u64,
    rules: &EnrollmentRules,
) -> Result<(), Refusal> {
    has_room_for(record, &factor, rules)?;
    let maker = factor.made_by;
    record.retire(now, |old| !old.is_pending() || old.made_by != maker);
    let (id, is_verified) = (factor.id.clone(), factor.is_verified());
    record.factors.push(factor);
    record.share_used_codes();
    if is_verified { verify(record, &id, now, rules) } else { Ok(()) }
}

/// Makes the factor `id` a verified one. It was proved, or root says that it needs no proof.
///
/// Other pending factors go, because they were made when no code could be asked for. Those of root
/// stay.
pub(crate) fn verify(
    record: &mut Record,
    id: &FactorId,
    now: u64,
    rules: &EnrollmentRules,
) -> Result<(), Refusal> {
    let position = record.factors.iter().position(|factor| factor.id == *id);
    let mut factor =
        position.and_then(|at| record.factors.get(at)).ok_or(Refusal::NotPending)?.clone();
    has_room_for(record, &factor, rules)?;
    factor.status = Status::Verified;
    start_behind_the_present(&mut factor, now, rules.skew);
    let by_root = factor.made_by == Maker::Root;
    for old in record.factors.iter_mut().filter(|old| old.id == *id) {
        *old = factor.clone();
    }
    record.retire(now, |old| {
        old.id == *id
            || match old.is_pending() {
                true => old.made_by == Maker::Root && !by_root,
                false => rules.max_factors > 1,
            }
    });
    Ok(())
}

/// Counts the codes up to now as used, if the seed was imported. The codes that a phone may show a
/// little early count too. An imported seed may have been used elsewhere.
fn start_behind_the_present(factor: &mut Factor, now: u64, skew: u64) {
    if let Some(period) = factor.kind.period().filter(|_| factor.is_imported) {
        let latest = time_step(now, period).saturating_add(skew);
        factor.last_accepted = factor.last_accepted.max(Some(latest));
    }
}

fn has_room_for(record: &Record, factor: &Factor, rules: &EnrollmentRules) -> Result<(), Refusal> {
    if rules.max_factors == 1 {
        // It takes the place of all others.
        return Ok(());
    }
    let verified = record.verified().filter(|other| **other != factor.id).count();
    if verified >= rules.max_factors {
        return Err(Refusal::TooManyFactors);
    }
    if record.has_seed_of(factor) { Err(Refusal::SameSeed) } else { Ok(()) }
}

/// Removes the factor `id` for the caller `by` at `now` (seconds since 1970), or all factors if
/// `id` is empty. Reports whether
/// anything was removed. Recovery codes go with the last factor that they stand in for.
///
/// A pending factor of another maker stays ([`may_change`]).
pub fn remove(record: &mut Record, id: &str, by: Maker, now: u64) -> bool {
    let before = record.factors.len();
    record.retire(now, |factor| {
        let is_meant = id.is_empty() || factor.id.as_str() == id;
        !(is_meant && may_change(factor, by))
    });
    if !record.is_enrolled() {
        record.recovery = RecoveryCodes::default();
    }
    before != record.factors.len()
}

/// Reports whether a login may skip the code (`nullok`). The account of `uid` must have no factor.
/// An earlier account of the same name must have none either.
#[must_use]
pub fn may_skip<S>(record: &Record<S>, uid: u32) -> bool {
    record.factors.is_empty() || (record.belongs_to(uid) && !record.is_enrolled())
}

/// Drops the factors that were pending for too long.
pub fn expire(record: &mut Record, now: u64) {
    record.retire(now, |factor| {
        expiry(factor).is_none_or(|expires| !has_expired(factor, expires, now))
    });
}

/// Returns the verified factors that `factor` replaces when it is confirmed. They are valid until
/// then.
pub fn replaced_by<'a>(
    record: &'a Record,
    factor: &'a Factor,
    rules: &EnrollmentRules,
) -> impl Iterator<Item = &'a FactorId> {
    let replaces = factor.is_pending() && rules.max_factors == 1;
    record.verified().filter(move |_| replaces)
}

/// Returns the verified factors of `before` that `factor` replaces in `after`: at once if it is
/// verified, or when it is confirmed.
pub fn replaced_in<'a>(
    before: &'a Record,
    after: &'a Record,
    factor: &'a Factor,
    rules: &EnrollmentRules,
) -> impl Iterator<Item = &'a FactorId> {
    let is_gone = |id: &&FactorId| !after.factors.iter().any(|factor| factor.id == **id);
    before.verified().filter(is_gone).chain(replaced_by(after, factor, rules))
}

/// Returns the time of the removal of a pending factor, in seconds since 1970. Other factors have
/// none.
#[must_use]
pub fn expiry(factor: &Factor) -> Option<u64> {
    match factor.status {
        Status::AwaitsLogin { expires, .. } | Status::Unverified { expires, .. } => Some(expires),
        Status::Disabled | Status::Unsynchronized | Status::Verified => None,
    }
}

/// Reports whether the wait of the factor is over. A clock that is set to before the creation of
/// the factor ends the wait too.
fn has_expired(factor: &Factor, expires: u64, now: u64) -> bool {
    now >= expires || now < factor.created
}

#[cfg(test)]
mod tests;
