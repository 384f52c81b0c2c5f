mod first_logins;
mod histories;
mod imports;
mod parties;
mod pending;
mod wrong_codes;

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::code::Code;
use crate::factor::{Kind, LoginNonce, LoginToken, Status};
use crate::fixtures::THROTTLE_RULES as THROTTLE;
use crate::fixtures::{code_of, verified};
use crate::moment::Moment;
use crate::restoration::restore;
use crate::seed::Seed;
use crate::source::Source;
use crate::throttle::ThrottleState;
use crate::user_name::UserName;
use crate::void_windows::VoidWindows;

const RULES: EnrollmentRules =
    EnrollmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };
const TWO: EnrollmentRules = EnrollmentRules { max_factors: 2, ..RULES };
/// The start of time step 1000.
const NOW: u64 = 30_000;
const TOTP: Kind = Kind::Totp { period: 30 };
const ALICE: Maker = Maker::Uid(1000);

/// Returns a factor with a seed of its own.
fn factor(id: u8, status: Status) -> Factor {
    let seed = Seed::new(vec![id; 20]).unwrap();
    let id = FactorId::from_random([id; 5]);
    Factor { id, seed, status, created: NOW, ..verified(TOTP, None) }
}

fn pending(id: u8, made_by: Maker) -> Factor {
    let status = Status::Unverified { expires: NOW + 600, wrong_codes: 0 };
    Factor { made_by, ..factor(id, status) }
}

fn id(id: u8) -> FactorId {
    FactorId::from_random([id; 5])
}

fn nonce(byte: u8) -> LoginNonce {
    LoginNonce::new([byte; 16])
}

fn ids(record: &Record) -> Vec<&str> {
    record.factors.iter().map(|factor| factor.id.as_str()).collect()
}

fn with(factors: Vec<Factor>) -> Record {
    Record { factors, ..Record::new(1000) }
}

fn request(new: Factor) -> Request {
    Request { new, uid: 1000, verify: None, resume: false, if_unenrolled: false }
}

/// Gives the right code of the present time step.
fn confirm_rightly(record: &mut Record, maker: Maker, number: u8, now: u64) -> Confirmation {
    let code = code_of(&factor(number, Status::Verified), now / 30);
    confirm(
        record,
        maker,
        id(number).as_str(),
        &code,
        Moment { now, voids: &VoidWindows::NONE },
        &RULES,
        &THROTTLE,
    )
}

#[test]
fn a_new_factor_replaces_the_old_one_only_when_it_is_confirmed() {
    let mut record = with(vec![factor(1, Status::Verified)]);
    add(&mut record, pending(2, ALICE), NOW, &RULES).unwrap();
    assert_eq!(record.factors.len(), 2);
    assert!(record.factors[0].is_verified() && !record.factors[1].is_verified());
    assert_eq!(confirm_rightly(&mut record, ALICE, 2, NOW), Confirmation::Verified);
    assert_eq!(ids(&record), [id(2).as_str()]);
    assert!(record.factors[0].is_verified());
    assert_eq!(record.factors[0].last_accepted, Some(1000), "the first code is used up");
}

#[test]
fn the_factors_that_an_enrollment_replaces_are_named() {
    let before = with(vec![factor(1, Status::Verified)]);
    for (new, rules, expected) in [
        (factor(2, Status::Verified), &RULES, &[id(1)][..]),
        (factor(2, Status::Verified), &TWO, &[]),
        (pending(2, ALICE), &RULES, &[id(1)]),
        (pending(2, ALICE), &TWO, &[]),
    ] {
        let mut after = before.clone();
        add(&mut after, new.clone(), NOW, rules).unwrap();
        let replaced: Vec<_> = replaced_in(&before, &after, &new, rules).cloned().collect();
        assert_eq!(replaced, expected, "{:?} of {}", new.status, rules.max_factors);
    }
}

#[test]
fn several_factors_stay_side_by_side_up_to_the_limit() {
    let mut record = with(vec![factor(1, Status::Verified)]);
    add(&mut record, factor(2, Status::Verified), NOW, &TWO).unwrap();
    assert_eq!(record.factors.len(), 2);
    assert_eq!(add(&mut record, pending(3, ALICE), NOW, &TWO), Err(Refusal::TooManyFactors));
    assert_eq!(record.factors.len(), 2);
    // The limit also holds if the others came after it was made.
    let mut record = with(vec![pending(3, Maker::Root)]);
    record.factors.extend([factor(1, Status::Verified), factor(2, Status::Verified)]);
    let code = code_of(&record.factors[0], 1000);
    let confirmation = confirm(
        &mut record,
        Maker::Root,
        id(3).as_str(),
        &code,
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &TWO,
        &THROTTLE,
    );
    assert_eq!(confirmation, Confirmation::Refused(Refusal::TooManyFactors));
}

#[test]
fn a_verified_factor_is_not_confirmed_again() {
    let mut record = with(vec![factor(1, Status::Verified)]);
    assert_eq!(confirm_rightly(&mut record, Maker::Root, 1, NOW), Confirmation::NotPending);
}

#[test]
fn recovery_codes_end_with_the_last_verified_factor() {
    for (number, left) in [(2, 3), (1, 0)] {
        let mut record = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
        record.recovery = crate::fixtures::recovery_codes(3, 1).1;
        assert!(remove(&mut record, id(number).as_str(), Maker::Root, NOW));
        assert_eq!(record.recovery.left(), left, "{number}");
    }
}

#[test]
fn one_or_all_factors_are_removed() {
    for (name, removed, left) in
        [("f-aaaaaaaa", false, 2), (id(1).as_str(), true, 1), ("", true, 0)]
    {
        let mut record = with(vec![pending(1, ALICE), factor(2, Status::Verified)]);
        assert_eq!(remove(&mut record, name, ALICE, NOW), removed, "{name:?}");
        assert_eq!(record.factors.len(), left, "{name:?}");
    }
}

#[test]
fn an_imported_seed_starts_after_the_present_step() {
    let imported = |factor: Factor| Factor { is_imported: true, ..factor };
    let mut record = with(Vec::new());
    add(&mut record, imported(factor(1, Status::Verified)), NOW, &RULES).unwrap();
    assert_eq!(record.factors[0].last_accepted, Some(1001));
    assert_eq!(record.factors[0].usable_from(), Some(1002 * 30));
    let mut record = with(vec![imported(pending(1, Maker::Root))]);
    assert_eq!(confirm_rightly(&mut record, Maker::Root, 1, NOW), Confirmation::Verified);
    assert_eq!(record.factors[0].last_accepted, Some(1000));
    assert_eq!(record.factors[0].usable_from(), None);
    let mut record = with(Vec::new());
    add(&mut record, factor(1, Status::Verified), NOW, &RULES).unwrap();
    assert_eq!(record.factors[0].last_accepted, None, "a new seed was used nowhere");
}

#[test]
fn a_second_live_factor_with_the_same_seed_is_refused() {
    let twin = |status| Factor { id: id(2), ..factor(1, status) };
    for status in [Status::Verified, Status::Disabled, Status::Unsynchronized] {
        let mut record = with(vec![factor(1, status)]);
        let result = add(&mut record, twin(Status::Verified), NOW, &TWO);
        assert_eq!(result, Err(Refusal::SameSeed), "{status:?}");
    }
    // One that takes the other's place inherits what was used.
    let mut record =
        with(vec![Factor { last_accepted: Some(1001), ..factor(1, Status::Verified) }]);
    add(&mut record, twin(Status::Verified), NOW, &RULES).unwrap();
    assert_eq!(ids(&record), [id(2).as_str()]);
    assert_eq!(record.factors[0].last_accepted, Some(1001));
}

#[test]
fn a_recreated_account_inherits_wrong_codes_and_used_ones_alone() {
    let mut old = with(vec![Factor { last_accepted: Some(7), ..factor(1, Status::Verified) }]);
    old.throttle.fail(&crate::source::Source::Nowhere, 5);
    old.recovery = crate::fixtures::recovery_codes(3, 1).1;
    let asked = Request { uid: 1001, ..request(factor(2, Status::Verified)) };
    let (enrolled, record) = enroll(old, &asked, NOW, &RULES);
    assert!(enrolled.is_ok());
    assert_eq!((record.uid, ids(&record)), (1001, vec![id(2).as_str()]));
    assert_eq!((record.recovery.left(), record.throttle.unknown_sources().failures()), (0, 1));
    assert_eq!(record.spent.len(), 1);
}

#[test]
fn a_limit_that_was_lowered_refuses_another_factor() {
    let verified = (1..=3).map(|number| factor(number, Status::Verified)).collect();
    let mut record = with(verified);
    let result = add(&mut record, factor(4, Status::Verified), NOW, &TWO);
    assert_eq!(result, Err(Refusal::TooManyFactors));
}
