//! The life of a factor: made, confirmed by its first code, replaced, removed.

use crate::code::Code;
pub use crate::enrolment::diagnosis::Diagnosis;
use crate::enrolment::diagnosis::diagnose;
use crate::factor::{Factor, FactorId, Match, Status};
use crate::record::Record;
use crate::recovery::Recovery;

mod diagnosis;

/// The rules of enrolment that the core needs. Durations are in seconds.
#[derive(Clone, Debug)]
pub struct EnrolmentRules {
    /// How long a factor may wait for its first code.
    pub unverified_lifetime: u64,
    /// How many verified factors a user may have; with one, a new one replaces the old.
    pub max_factors: usize,
    /// Time steps accepted on either side of the present one.
    pub skew: u64,
}

/// Why a factor could not be added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoRoom;

/// What came of a first code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Confirmation {
    /// It was wrong once too often: the factor is gone.
    Dropped,
    /// It came too late: the factor is gone.
    Expired,
    /// There is no factor of that id that waits for a code.
    NotWaiting,
    /// It was right: the factor is verified, and the code is used up.
    Verified,
    /// It was wrong; so many more may be tried.
    Wrong {
        /// Tries left.
        left: u32,
        /// What may be the matter.
        diagnosis: Diagnosis,
    },
}

/// Adds `factor` to the record. One that waits for its first code takes the place of any that
/// waited before, and leaves the verified ones alone.
///
/// # Errors
/// [`NoRoom`] where several factors are allowed and all of them are there. Nothing is changed.
pub fn add(record: &mut Record, factor: Factor, rules: &EnrolmentRules) -> Result<(), NoRoom> {
    if rules.max_factors > 1 && record.verified().count() >= rules.max_factors {
        return Err(NoRoom);
    }
    record.factors.retain(|old| !matches!(old.status, Status::Unverified { .. }));
    let id = factor.id.clone();
    let is_verified = factor.is_verified();
    record.factors.push(factor);
    if is_verified {
        replace_others(record, &id, rules);
    }
    Ok(())
}

/// Tries the first code of the factor `id` at `now` (seconds since 1970).
pub fn confirm(
    record: &mut Record,
    id: &str,
    code: &Code,
    now: u64,
    rules: &EnrolmentRules,
) -> Confirmation {
    let diagnosis = diagnose(record, id, code, now, rules.skew);
    let Some(factor) = record.factors.iter_mut().find(|factor| factor.id.as_str() == id) else {
        return Confirmation::NotWaiting;
    };
    let Status::Unverified { expires, wrong_codes } = factor.status else {
        return Confirmation::NotWaiting;
    };
    let id = factor.id.clone();
    if is_over(expires, factor.created, now) {
        record.factors.retain(|factor| factor.id != id);
        return Confirmation::Expired;
    }
    if let Match::Fresh(counter) = factor.matches(code, now, rules.skew) {
        factor.status = Status::Verified;
        factor.last_accepted = Some(counter);
        replace_others(record, &id, rules);
        return Confirmation::Verified;
    }
    let left = MOST_WRONG_FIRST_CODES.saturating_sub(wrong_codes.saturating_add(1));
    factor.status = Status::Unverified { expires, wrong_codes: wrong_codes.saturating_add(1) };
    if left == 0 {
        record.factors.retain(|factor| factor.id != id);
        return Confirmation::Dropped;
    }
    Confirmation::Wrong { left, diagnosis }
}

/// The factor that waits for its first code at `now` (seconds since 1970), if there is one.
#[must_use]
pub fn waiting(record: &Record, now: u64) -> Option<&Factor> {
    record.factors.iter().find(|factor| match factor.status {
        Status::Unverified { expires, .. } => !is_over(expires, factor.created, now),
        Status::Disabled | Status::Unsynchronised | Status::Verified => false,
    })
}

/// Takes the factor that waits for its first code for verified, where there is one: whoever may enrol
/// without a first code may say so afterwards too.
pub fn verify_waiting(record: &mut Record, now: u64, rules: &EnrolmentRules) -> Option<Factor> {
    let id = waiting(record, now)?.id.clone();
    let factor = record.factors.iter_mut().find(|factor| factor.id == id)?;
    factor.status = Status::Verified;
    let verified = factor.clone();
    replace_others(record, &id, rules);
    Some(verified)
}

/// Removes the factor `id`, or all of them if it is empty. Whether anything was removed. Recovery codes
/// go with the last factor that they stand in for.
pub fn remove(record: &mut Record, id: &str) -> bool {
    let before = record.factors.len();
    record.factors.retain(|factor| !id.is_empty() && factor.id.as_str() != id);
    if !record.is_enrolled() {
        record.recovery = Recovery::default();
    }
    before != record.factors.len()
}

/// Drops the factors that waited too long for their first code.
pub fn expire(record: &mut Record, now: u64) {
    record.factors.retain(|factor| match factor.status {
        Status::Unverified { expires, .. } => !is_over(expires, factor.created, now),
        Status::Disabled | Status::Unsynchronised | Status::Verified => true,
    });
}

/// A clock that was set back to before the factor was made ends its wait too.
fn is_over(expires: u64, created: u64, now: u64) -> bool {
    now >= expires || now < created
}

fn replace_others(record: &mut Record, id: &FactorId, rules: &EnrolmentRules) {
    if rules.max_factors == 1 {
        record.factors.retain(|factor| factor.id == *id);
    }
}

/// Twilio Verify drops an unverified factor after as many (its error 60310).
const MOST_WRONG_FIRST_CODES: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Kind;
    use crate::factor::tests::{code_of, verified};

    const RULES: EnrolmentRules =
        EnrolmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };

    fn factor(id: u8, status: Status) -> Factor {
        let id = FactorId::from_random([id; 5]);
        Factor { id, status, created: 30_000, ..verified(Kind::Totp { period: 30 }, None) }
    }

    fn waiting(id: u8) -> Factor {
        factor(id, Status::Unverified { expires: 30_600, wrong_codes: 0 })
    }

    fn ids(record: &Record) -> Vec<&str> {
        record.factors.iter().map(|factor| factor.id.as_str()).collect()
    }

    fn with(factors: Vec<Factor>) -> Record {
        Record { factors, ..Record::new(1000) }
    }

    #[test]
    fn a_new_factor_replaces_the_old_one_only_when_it_is_confirmed() {
        let mut record = with(vec![factor(1, Status::Verified)]);
        add(&mut record, waiting(2), &RULES).unwrap();
        assert_eq!(record.factors.len(), 2);
        assert!(record.factors[0].is_verified() && !record.factors[1].is_verified());
        let id = record.factors[1].id.clone();
        let code = code_of(&record.factors[1], 1000);
        let told = confirm(&mut record, id.as_str(), &code, 30_000, &RULES);
        assert_eq!(told, Confirmation::Verified);
        assert_eq!(ids(&record), [id.as_str()]);
        assert!(record.factors[0].is_verified());
        assert_eq!(record.factors[0].last_accepted, Some(1000), "the first code is used up");
    }

    #[test]
    fn a_second_waiting_factor_takes_the_place_of_the_first() {
        let mut record = with(vec![waiting(1)]);
        add(&mut record, waiting(2), &RULES).unwrap();
        assert_eq!(ids(&record), [waiting(2).id.as_str()]);
    }

    #[test]
    fn a_factor_that_is_verified_at_once_replaces_at_once() {
        let mut record = with(vec![factor(1, Status::Verified), waiting(2)]);
        add(&mut record, factor(3, Status::Verified), &RULES).unwrap();
        assert_eq!(ids(&record), [factor(3, Status::Verified).id.as_str()]);
    }

    #[test]
    fn a_waiting_factor_is_taken_for_verified_within_its_time() {
        for (now, there) in [(30_599, true), (30_600, false)] {
            let mut record = with(vec![factor(1, Status::Verified), waiting(2)]);
            let verified = verify_waiting(&mut record, now, &RULES);
            assert_eq!(verified.map(|factor| factor.id), there.then_some(waiting(2).id), "{now}");
            assert!(record.factors[0].is_verified());
            assert_eq!(record.factors[0].id == waiting(2).id, there, "it replaces the old one");
            assert_eq!(record.factors[0].last_accepted, None);
        }
        assert!(verify_waiting(&mut Record::new(1000), 0, &RULES).is_none());
    }

    #[test]
    fn several_factors_stay_side_by_side_up_to_the_limit() {
        let rules = EnrolmentRules { max_factors: 2, ..RULES };
        let mut record = with(vec![factor(1, Status::Verified)]);
        add(&mut record, factor(2, Status::Verified), &rules).unwrap();
        assert_eq!(record.factors.len(), 2);
        assert_eq!(add(&mut record, waiting(3), &rules), Err(NoRoom));
        assert_eq!(record.factors.len(), 2);
    }

    #[test]
    fn five_wrong_first_codes_drop_the_factor_and_leave_the_old_one() {
        let mut record = with(vec![factor(1, Status::Verified), waiting(2)]);
        let id = record.factors[1].id.clone();
        let wrong = |left| Confirmation::Wrong { left, diagnosis: Diagnosis::Unknown };
        for (code, told) in [
            ("000000", wrong(4)),
            ("000001", wrong(3)),
            ("000002", wrong(2)),
            ("12345678", wrong(1)),
            ("000000", Confirmation::Dropped),
            ("000000", Confirmation::NotWaiting),
        ] {
            let code = Code::parse(code).unwrap();
            assert_eq!(confirm(&mut record, id.as_str(), &code, 30_000, &RULES), told);
        }
        assert_eq!(record.factors.len(), 1);
        assert!(record.factors[0].is_verified());
    }

    #[test]
    fn a_waiting_factor_expires() {
        for (now, there) in [(30_599, true), (30_600, false), (29_999, false)] {
            let mut record = with(vec![waiting(1), factor(2, Status::Verified)]);
            expire(&mut record, now);
            assert_eq!(record.factors.len(), if there { 2 } else { 1 }, "{now}");
            let mut record = with(vec![waiting(1), factor(2, Status::Verified)]);
            let code = code_of(&record.factors[0], now / 30);
            let id = record.factors[0].id.clone();
            let told = confirm(&mut record, id.as_str(), &code, now, &RULES);
            assert_eq!(told == Confirmation::Verified, there, "{now}");
            let left = if there { waiting(1).id } else { factor(2, Status::Verified).id };
            assert_eq!(ids(&record), [left.as_str()], "{now}");
        }
    }

    #[test]
    fn a_verified_factor_is_not_confirmed_again() {
        let mut record = with(vec![factor(1, Status::Verified)]);
        let code = code_of(&record.factors[0], 1000);
        let id = record.factors[0].id.clone();
        let told = confirm(&mut record, id.as_str(), &code, 30_000, &RULES);
        assert_eq!(told, Confirmation::NotWaiting);
    }

    #[test]
    fn recovery_codes_go_with_the_last_factor_that_is_verified() {
        for (id, left) in [(2, 3), (1, 0)] {
            let mut record = with(vec![factor(1, Status::Verified), waiting(2)]);
            record.recovery = crate::recovery::tests::three();
            assert!(remove(&mut record, factor(id, Status::Verified).id.as_str()));
            assert_eq!(record.recovery.left(), left, "{id}");
        }
    }

    #[test]
    fn one_or_all_factors_are_removed() {
        for (id, removed, left) in
            [("f-aaaaaaaa", false, 2), (waiting(1).id.as_str(), true, 1), ("", true, 0)]
        {
            let mut record = with(vec![waiting(1), factor(2, Status::Verified)]);
            assert_eq!(remove(&mut record, id), removed, "{id:?}");
            assert_eq!(record.factors.len(), left, "{id:?}");
        }
    }
}
