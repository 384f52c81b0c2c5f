//! The life of a factor: made, confirmed by its maker, replaced, removed.

use crate::authorization::may_change;
pub use crate::enrollment::addition::add;
pub(crate) use crate::enrollment::addition::verify;
pub use crate::enrollment::confirmation::{Confirmation, confirm};
pub use crate::enrollment::diagnosis::Diagnosis;
pub use crate::enrollment::expiry::{expire, expiry};
pub use crate::enrollment::first_login::{Completion, LoginEnd, complete_login, offer, prove};
pub use crate::enrollment::import::{Elsewhere, Import, Imported, import};
pub use crate::enrollment::label::LabelHistory;
pub use crate::enrollment::new_factor::NewFactor;
pub use crate::enrollment::refusal::Refusal;
pub use crate::enrollment::request::{Enrolled, Request, enroll};
pub use crate::enrollment::rules::EnrollmentRules;
use crate::factor::{Factor, FactorId, Maker};
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;

mod addition;
mod confirmation;
mod diagnosis;
mod expiry;
mod first_login;
mod import;
mod label;
mod new_factor;
mod refusal;
mod request;
mod rules;

/// Removes the factor `id` for the caller `by` at `now` (seconds since 1970), or all factors if
/// `id` is empty. Reports whether anything was removed. Recovery codes go with the last factor that
/// they stand in for.
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

#[cfg(test)]
mod tests;
