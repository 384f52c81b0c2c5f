//! The decisions of management: the record after somebody changes factors.
//!
//! Each takes a record, a request, the time and rules. It returns an outcome and the record to
//! write to disk. A code that a caller shows is judged in the same transaction as its change. Each
//! change ends what is remembered of logins.

use crate::authorization::may_change;
use crate::code::Code;
use crate::enrollment::{self, Confirmation, Enrolled, EnrollmentRules, Import, Imported};
use crate::factor::{Factor, Maker};
pub use crate::management::decision::{Decision, Refusal};
pub use crate::management::export::{Export, LeftOut, export};
pub use crate::management::factor_changes::FactorChanges;
pub use crate::management::reauthentication::Reauthentication;
use crate::moment::Moment;
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;
use crate::resync::{self, ResyncOutcome};
use crate::throttle::{Throttle, ThrottleRules};
use crate::void_windows::VoidWindows;

mod decision;
mod export;
mod factor_changes;
mod reauthentication;

/// Adds a factor, shows root's pending one again, or verifies the one that is named.
pub fn enroll(
    record: Record,
    proof: &Reauthentication,
    voids: &VoidWindows,
    request: &enrollment::Request,
    now: u64,
    rules: &EnrollmentRules,
) -> Decision<(Factor, Enrolled)> {
    end_trust_of(proof.then(record, voids, |record| {
        let (result, record) = enrollment::enroll(record, request, now, rules);
        (result.map_err(Refusal::Enrollment), record)
    }))
}

/// Takes over the factors of a user from another program, for root; see [`enrollment::import`].
pub fn import(
    record: Record,
    request: &Import,
    now: u64,
    rules: &EnrollmentRules,
) -> Decision<Imported> {
    let (result, record) = enrollment::import(record, request, now, rules);
    (result.map_err(Refusal::Enrollment), record)
}

/// Tries the first code of the factor `id`, which the maker of `by` made. The account has `uid`
/// now.
pub fn confirm(
    mut record: Record,
    (by, uid): (Maker, u32),
    (id, code): (&str, &Code),
    time: Moment<'_>,
    rules: &EnrollmentRules,
    throttle: &ThrottleRules,
) -> (Confirmation, Record) {
    let confirmation = if record.belongs_to(uid) {
        enrollment::confirm(&mut record, by, id, code, time, rules, throttle)
    } else {
        Confirmation::NotPending
    };
    if confirmation == Confirmation::Verified {
        record.trust.end();
    }
    (confirmation, record)
}

/// Removes the factor `id`, or all of them if it is empty, for the caller `by` at `now` (seconds
/// since 1970).
pub fn remove(
    record: Record,
    proof: &Reauthentication,
    voids: &VoidWindows,
    id: &str,
    by: Maker,
    now: u64,
) -> Decision<()> {
    end_trust_of(proof.then(record, voids, |mut record| {
        let has_changed = enrollment::remove(&mut record, id, by, now);
        (if has_changed { Ok(()) } else { Err(Refusal::NothingRemoved) }, record)
    }))
}

/// Changes what is no secret of the factor `id`, for the caller `by`. The account has `uid` now.
pub fn edit_factor(
    record: Record,
    proof: &Reauthentication,
    voids: &VoidWindows,
    (by, uid): (Maker, u32),
    id: &str,
    changes: &FactorChanges,
) -> Decision<()> {
    end_trust_of(proof.then(record, voids, |mut record| {
        let is_own = record.belongs_to(uid);
        let entry = record.factors.iter_mut().find(|f| is_own && f.id.as_str() == id);
        let result = entry.ok_or(Refusal::NoSuchFactor).and_then(|factor| {
            if may_change(factor, by) { changes.apply(factor) } else { Err(Refusal::NotMaker) }
        });
        (result, record)
    }))
}

/// Puts `codes` in the place of all recovery codes of the account that has `uid` now.
pub fn renew_recovery_codes(
    record: Record,
    proof: &Reauthentication,
    voids: &VoidWindows,
    uid: u32,
    codes: &RecoveryCodes,
) -> Decision<()> {
    end_trust_of(proof.then(record, voids, |mut record| {
        if !record.is_enrolled() || !record.belongs_to(uid) {
            return (Err(Refusal::NotEnrolled), record);
        }
        record.recovery = codes.clone();
        (Ok(()), record)
    }))
}

/// Gives recovery codes to an enrolled user who has none left. Answers whether it did.
#[must_use]
pub fn add_recovery_codes(mut record: Record, codes: &RecoveryCodes) -> (bool, Record) {
    let is_wanted = record.recovery.left() == 0 && record.is_enrolled();
    if is_wanted {
        record.recovery = codes.clone();
    }
    (is_wanted, record)
}

/// Forgets the wrong codes of a user, and which logins are remembered.
#[must_use]
pub fn unlock(record: Record) -> Record {
    end_trust(Record { throttle: Throttle::default(), ..record })
}

/// Ends what is remembered of logins. The next one of each kind needs a code.
#[must_use]
pub fn end_trust(mut record: Record) -> Record {
    record.trust.end();
    record
}

/// Finds the token `id` of the account that has `uid` now, for the caller `by`. It needs two codes
/// in a row; see [`resync::resync`].
#[must_use]
pub fn resync(
    mut record: Record,
    (id, uid): (&str, u32),
    (by, codes): (Maker, (&Code, &Code)),
    time: Moment<'_>,
    rules: &EnrollmentRules,
) -> (ResyncOutcome, Record) {
    let outcome = if record.belongs_to(uid) {
        resync::resync(&mut record, (by, id), codes, time, rules)
    } else {
        ResyncOutcome::NoToken
    };
    if outcome == ResyncOutcome::Done {
        record.trust.end();
    }
    (outcome, record)
}

/// Returns the record that the account with this `uid` may see. It has nothing of an earlier
/// account of the name.
#[must_use]
pub fn restrict_to_owner(record: Record, uid: u32) -> Record {
    if record.belongs_to(uid) { record } else { Record::new(uid) }
}

/// Ends what is remembered of logins after a change that was made.
fn end_trust_of<T>((result, record): Decision<T>) -> Decision<T> {
    match result {
        Ok(made) => (Ok(made), end_trust(record)),
        Err(refusal) => (Err(refusal), record),
    }
}

#[cfg(test)]
mod tests;
