//! The first code of a new factor.

use crate::code::Code;
use crate::enrollment::addition::verify;
use crate::enrollment::diagnosis::{Diagnosis, diagnose};
use crate::enrollment::expiry::has_expired;
use crate::enrollment::refusal::Refusal;
use crate::enrollment::rules::EnrollmentRules;
use crate::factor::{Maker, Match, Status};
use crate::moment::Moment;
use crate::record::Record;
use crate::source::Source;
use crate::throttle::{ThrottleRules, ThrottleState};

/// The outcome of a first code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Confirmation {
    /// A right code of a time step that is void, so it may have been used. It is not counted.
    CodeVoid,
    /// The last allowed wrong code: the factor is gone.
    TooManyAttempts,
    /// A code that came too late: the factor is gone.
    Expired,
    /// A factor of another maker. Only its maker confirms it.
    NotMaker,
    /// No factor of that id that waits for a code.
    NotPending,
    /// A right code of a factor that cannot become verified beside the other factors of the user.
    Refused(Refusal),
    /// A right code: the factor is verified, and the code is used up.
    Verified,
    /// A wrong code, with tries left.
    Wrong {
        /// The number of tries left.
        left: u32,
        /// The likely reason.
        diagnosis: Diagnosis,
    },
}

/// Tries the first code of the factor `id` for `maker` at `now` (seconds since 1970), outside of
/// the void windows. A code that does not belong to that factor is a try at the verified factors.
/// It counts as a wrong code of the maker.
pub fn confirm(
    record: &mut Record,
    maker: Maker,
    id: &str,
    code: &Code,
    time: Moment<'_>,
    rules: &EnrollmentRules,
    throttle: &ThrottleRules,
) -> Confirmation {
    let now = time.now;
    let counter = match try_first_code(record, (maker, id), code, time, rules, MAX_WRONG) {
        Err(Confirmation::Wrong { left, diagnosis }) => {
            let diagnosis = match record.repeats_last_code(code) {
                // It was used already, so it is no guess.
                true => diagnosis,
                false => count_wrong_code(record, maker, diagnosis, now, throttle),
            };
            return Confirmation::Wrong { left, diagnosis };
        }
        Err(confirmation) => return confirmation,
        Ok(counter) => counter,
    };
    let Some(factor) = record.factors.iter_mut().find(|factor| factor.id.as_str() == id) else {
        return Confirmation::NotPending;
    };
    factor.note_use(counter, now);
    // The code was given here, so the next one is good.
    factor.is_imported = false;
    let id = factor.id.clone();
    verify(record, &id, now, rules).map_or_else(Confirmation::Refused, |()| Confirmation::Verified)
}

/// Returns the diagnosis of a wrong first code that `maker` may learn.
///
/// The diagnosis would tell `maker` if the code belongs to a verified factor. So the code counts as
/// a wrong code at a verified factor. If no more codes may be tried there, the diagnosis is
/// `Unknown`. Nothing is counted for root, because root can read the seeds.
fn count_wrong_code(
    record: &mut Record,
    maker: Maker,
    diagnosis: Diagnosis,
    now: u64,
    rules: &ThrottleRules,
) -> Diagnosis {
    let was_tried = matches!(diagnosis, Diagnosis::OtherFactor | Diagnosis::Unknown)
        && record.verified().next().is_some();
    let Maker::Uid(uid) = maker else { return diagnosis };
    if !was_tried {
        return diagnosis;
    }
    let source = Source::Uid(uid);
    match record.throttle.state(&source, now, rules) {
        ThrottleState::Open => {
            record.throttle.fail(&source, now);
            diagnosis
        }
        ThrottleState::Locked | ThrottleState::Waiting(_) => Diagnosis::Unknown,
    }
}

/// Returns the counter of a right first code of the pending factor that `maker` made under `id`.
/// The last of `max_wrong` wrong codes drops the factor. The end of its time drops it too.
pub(super) fn try_first_code(
    record: &mut Record,
    (maker, id): (Maker, &str),
    code: &Code,
    Moment { now, voids }: Moment<'_>,
    rules: &EnrollmentRules,
    max_wrong: u32,
) -> Result<u64, Confirmation> {
    record.share_used_codes();
    let entry = record.factors.iter_mut().find(|factor| factor.id.as_str() == id);
    let factor = entry.ok_or(Confirmation::NotPending)?;
    let Status::Unverified { expires, wrong_codes } = factor.status else {
        return Err(Confirmation::NotPending);
    };
    if factor.made_by != maker || maker == Maker::Unknown {
        return Err(Confirmation::NotMaker);
    }
    if has_expired(factor, expires, now) {
        record.retire(now, |factor| factor.id.as_str() != id);
        return Err(Confirmation::Expired);
    }
    let (kind, matched) = (factor.kind, factor.matches(code, now, rules.skew));
    let diagnosis = diagnose(record, id, code, now, rules.skew);
    if let Some(Match::Fresh(counter)) = matched {
        let is_void = voids.include(kind, counter);
        return if is_void { Err(Confirmation::CodeVoid) } else { Ok(counter) };
    }
    let entry = record.factors.iter_mut().find(|factor| factor.id.as_str() == id);
    let factor = entry.ok_or(Confirmation::NotPending)?;
    let wrong_codes = wrong_codes.saturating_add(1);
    factor.status = Status::Unverified { expires, wrong_codes };
    match max_wrong.saturating_sub(wrong_codes) {
        0 => {
            record.retire(now, |factor| factor.id.as_str() != id);
            Err(Confirmation::TooManyAttempts)
        }
        left => Err(Confirmation::Wrong { left, diagnosis }),
    }
}

/// Twilio Verify drops an unverified factor after as many (its error 60310).
const MAX_WRONG: u32 = 5;
