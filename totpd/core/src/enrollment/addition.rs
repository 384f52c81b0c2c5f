//! A factor comes to a record, or becomes a verified one, and the factors that it replaces go.

use crate::enrollment::refusal::Refusal;
use crate::enrollment::rules::EnrollmentRules;
use crate::factor::{Factor, FactorId, Maker, Status};
use crate::otp::time_step;
use crate::record::Record;

/// Adds `factor` to the record at `now` (seconds since 1970). A pending factor replaces the earlier
/// pending ones of the same maker. It leaves all others alone.
///
/// # Errors
/// [`Refusal::TooManyFactors`] and [`Refusal::SameSeed`], if several factors are allowed.
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
