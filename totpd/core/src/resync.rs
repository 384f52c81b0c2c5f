//! Resynchronization of a token by two codes in a row. It is for unseen presses or a restored
//! backup (RFC 4226 section 7.4). It is also for a token whose clock is wrong (RFC 6238 section 6).

use alloc::vec::Vec;

use crate::code::Code;
use crate::code_comparison::matching_counter;
use crate::enrollment::{self, EnrollmentRules, Refusal};
use crate::factor::{
    Drift, Factor, FactorId, Kind, MAX_DRIFT_SECS, MAX_RESYNC_SECS, Maker, Status,
};
use crate::moment::Moment;
use crate::otp::time_step;
use crate::record::Record;

/// The result of a resynchronization.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResyncOutcome {
    /// The codes follow each other, but a time step of them is void, so it may have been used.
    /// Nothing changed.
    CodeVoid,
    /// The counter was found. Both codes are used up, and the factor is verified.
    Done,
    /// The codes do not follow each other in the window. Nothing changed.
    NotFound,
    /// No factor has this id, or an empty id could mean several. Nothing changed.
    NoToken,
    /// The factor with this id is disabled. Nothing changed.
    Disabled,
    /// The factor with this id is pending. Only root resynchronizes such a factor, and only its
    /// own. Nothing changed.
    NotMaker,
    /// The codes are right, but the pending factor cannot become verified beside the others. The
    /// codes are used up.
    Refused(Refusal),
}

/// Searches two codes in a row of the factor `id`, above the last accepted one, at `now` (seconds
/// since 1970) and outside of the void windows, for the caller `by`.
///
/// The window of an HOTP token is the next 1000 counters. The window of a TOTP token is
/// [`MAX_RESYNC_SECS`] on either side for root, and [`MAX_DRIFT_SECS`] for others. Two codes of six
/// digits are 40 bits, so even the wide window is found by chance once in four thousand million
/// tries. An empty `id` means the only HOTP token, or the only factor of a user without one.
///
/// A pending factor of root becomes verified, if root asks: the two codes prove more than a first
/// code. With an empty `id` it is meant if the user has no confirmed factor.
///
/// # Examples
/// ```
/// use totpd_core::code::Code;
/// use totpd_core::resync::{ResyncOutcome, resync};
/// use totpd_core::moment::Moment;
/// use totpd_core::void_windows::VoidWindows;
/// # use totpd_core::enrollment::EnrollmentRules;
/// # use totpd_core::factor::{Drift, Factor, FactorId, Kind, Maker, Restrictions, Status};
/// # use totpd_core::otp::Algorithm;
/// # use totpd_core::record::Record;
/// # use totpd_core::seed::Seed;
/// # let mut record = Record::new(1000);
/// # record.factors.push(Factor {
/// #     id: FactorId::from_random([1; 5]),
/// #     name: "token".into(),
/// #     kind: Kind::Hotp,
/// #     algorithm: Algorithm::Sha1,
/// #     digits: 6,
/// #     seed: Seed::new(b"12345678901234567890".to_vec()).unwrap(),
/// #     status: Status::Unsynchronized,
/// #     created: 0,
/// #     last_used: None,
/// #     last_accepted: None,
/// #     restrictions: Restrictions::default(),
/// #     drift: Drift::default(),
/// #     last_place: None,
/// #     made_by: Maker::Root,
/// #     is_imported: false,
/// # });
/// // Counters 8 and 9 of RFC 4226 appendix D.
/// let first = Code::parse("399871").expect("six digits");
/// let second = Code::parse("520489").expect("six digits");
/// let rules = EnrollmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };
/// let (time, codes) = (Moment { now: 0, voids: &VoidWindows::NONE }, (&first, &second));
/// let outcome = resync(&mut record, (Maker::Root, ""), codes, time, &rules);
/// assert_eq!(outcome, ResyncOutcome::Done);
/// assert_eq!(record.factors[0].last_accepted, Some(9));
/// ```
pub fn resync(
    record: &mut Record,
    (by, id): (Maker, &str),
    codes: (&Code, &Code),
    time: Moment<'_>,
    rules: &EnrollmentRules,
) -> ResyncOutcome {
    let now = time.now;
    enrollment::expire(record, now);
    record.share_used_codes();
    let Some(id) = meant(record, by, id) else { return unmeant(record, id) };
    let reach = if by == Maker::Root { MAX_RESYNC_SECS } else { MAX_DRIFT_SECS };
    let outcome = find(record, &id, codes, time, reach);
    record.share_used_codes();
    let is_pending = record.factors.iter().any(|factor| factor.id == id && factor.is_pending());
    if outcome != ResyncOutcome::Done || !is_pending {
        return outcome;
    }
    let verified = enrollment::verify(record, &id, now, rules);
    verified.map_or_else(ResyncOutcome::Refused, |()| ResyncOutcome::Done)
}

/// Returns why nothing is meant by `id`. An empty one names the only factor.
fn unmeant(record: &Record, id: &str) -> ResyncOutcome {
    let is_named = |factor: &&Factor| id.is_empty() || factor.id.as_str() == id;
    let factors: Vec<_> = record.factors.iter().filter(is_named).collect();
    match factors.as_slice() {
        [factor] if factor.is_pending() => ResyncOutcome::NotMaker,
        [_] => ResyncOutcome::Disabled,
        _ => ResyncOutcome::NoToken,
    }
}

/// Returns the id of the factor that `by` means by `id`, which may be empty.
fn meant(record: &Record, by: Maker, id: &str) -> Option<FactorId> {
    let has_id = |factor: &Factor| id.is_empty() || factor.id.as_str() == id;
    let is_confirmed = |factor: &Factor| {
        matches!(factor.status, Status::Unsynchronized | Status::Verified) && has_id(factor)
    };
    let is_own = |factor: &Factor| {
        by == Maker::Root && factor.made_by == by && factor.awaits_first_code() && has_id(factor)
    };
    let is_hotp = |factor: &Factor| factor.kind == Kind::Hotp && is_confirmed(factor);
    let (has_hotp, has_confirmed) =
        (record.factors.iter().any(is_hotp), record.factors.iter().any(is_confirmed));
    let is_meant = |factor: &&Factor| match (has_hotp, has_confirmed) {
        (true, _) => is_hotp(factor),
        (false, true) => is_confirmed(factor),
        (false, false) => is_own(factor),
    };
    let tokens: Vec<_> = record.factors.iter().filter(is_meant).collect();
    let [token] = tokens.as_slice() else { return None };
    Some(token.id.clone())
}

fn find(
    record: &mut Record,
    id: &FactorId,
    (first, second): (&Code, &Code),
    Moment { now, voids }: Moment<'_>,
    reach: u64,
) -> ResyncOutcome {
    let Some(token) = record.factors.iter().find(|factor| factor.id == *id) else {
        return ResyncOutcome::NoToken;
    };
    // The import of a seed marks all codes up to then as used, because they may be used elsewhere.
    // Two codes in a row come from the token itself, so only codes that were used here count.
    let used = match token.usable_from() {
        Some(_) => record.used_by_others(token),
        None => token.last_accepted,
    };
    let found = record.factors.iter_mut().find(|factor| factor.id == *id);
    let Some(factor) = found else { return ResyncOutcome::NoToken };
    if first.digits() != factor.digits || second.digits() != factor.digits {
        return ResyncOutcome::NotFound;
    }
    let unused = used.map_or(0, |last| last.saturating_add(1));
    let (mut from, end, present) = match factor.kind {
        Kind::Hotp => (unused, unused.saturating_add(RESYNC_LOOK_AHEAD), None),
        Kind::Totp { period } => {
            let (step, reach) = (time_step(now, period), reach / u64::from(period.max(1)));
            let from = step.saturating_sub(reach).max(unused);
            // The second code belongs to the present step of the token.
            (from, step.saturating_add(reach).saturating_sub(1), Some(step))
        }
    };
    while let Some(counter) = matching_counter(&factor.seed, factor.algorithm, first, from..=end) {
        let next = counter.saturating_add(1);
        if matching_counter(&factor.seed, factor.algorithm, second, next..=next).is_some() {
            if voids.include(factor.kind, counter) || voids.include(factor.kind, next) {
                return ResyncOutcome::CodeVoid;
            }
            factor.note_use(next, now);
            // The token was here, so its next code was used nowhere else.
            factor.is_imported = false;
            if let Some(step) = present {
                let ahead = i128::from(next) - i128::from(step);
                factor.drift = Drift::from_steps(ahead.try_into().unwrap_or_default());
            }
            if !factor.is_pending() {
                factor.status = Status::Verified;
            }
            return ResyncOutcome::Done;
        }
        from = next;
    }
    ResyncOutcome::NotFound
}

/// Counters in the window of an HOTP token. Two random codes of six digits match with a chance of
/// 10^-9.
const RESYNC_LOOK_AHEAD: u64 = 1000;

#[cfg(test)]
mod tests;
