mod histories;
mod parties;

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::code::Code;
use crate::factor::{Kind, LoginNonce, LoginToken};
use crate::fixtures::THROTTLE_RULES as THROTTLE;
use crate::fixtures::{code_of, verified};
use crate::seed::Seed;
use crate::source::Source;
use crate::throttle::ThrottleState;
use crate::user_name::UserName;

const RULES: EnrollmentRules =
    EnrollmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };
const TWO: EnrollmentRules = EnrollmentRules { max_factors: 2, ..RULES };
/// The start of time step 1000.
const NOW: u64 = 30_000;
const TOTP: Kind = Kind::Totp { period: 30 };
const ALICE: Maker = Maker::Uid(1000);

/// A factor with a seed of its own.
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
    confirm(record, maker, id(number).as_str(), &code, now, &RULES, &THROTTLE)
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
fn a_pending_factor_takes_the_place_of_its_own_makers_alone() {
    let mut record = with(vec![pending(1, Maker::Root), pending(2, ALICE)]);
    add(&mut record, pending(3, ALICE), NOW, &RULES).unwrap();
    assert_eq!(ids(&record), [id(1).as_str(), id(3).as_str()]);
}

#[test]
fn a_verified_factor_ends_what_others_began_and_spares_what_root_began() {
    let began = || vec![pending(1, Maker::Root), pending(2, ALICE), pending(3, Maker::Uid(7))];
    let mut record = with(began());
    assert_eq!(confirm_rightly(&mut record, ALICE, 2, NOW), Confirmation::Verified);
    assert_eq!(ids(&record), [id(1).as_str(), id(2).as_str()]);
    let mut record = with(began());
    add(&mut record, factor(4, Status::Verified), NOW, &RULES).unwrap();
    assert_eq!(ids(&record), [id(4).as_str()]);
}

#[test]
fn a_factor_is_confirmed_by_its_maker_alone() {
    for (maker, who, confirmation) in [
        (ALICE, ALICE, Confirmation::Verified),
        (ALICE, Maker::Root, Confirmation::NotMaker),
        (ALICE, Maker::Uid(1001), Confirmation::NotMaker),
        (Maker::Root, Maker::Root, Confirmation::Verified),
        (Maker::Root, ALICE, Confirmation::NotMaker),
        (Maker::Login(nonce(1)), ALICE, Confirmation::NotMaker),
        (Maker::Login(nonce(1)), Maker::Root, Confirmation::NotMaker),
        (Maker::Unknown, Maker::Root, Confirmation::NotMaker),
        (Maker::Unknown, Maker::Unknown, Confirmation::NotMaker),
    ] {
        let mut record = with(vec![pending(1, maker)]);
        let told = confirm_rightly(&mut record, who, 1, NOW);
        assert_eq!(told, confirmation, "{maker} {who}");
        assert_eq!(record.factors[0].is_verified(), told == Confirmation::Verified);
    }
    // And nobody else's wrong codes drop it.
    let mut record = with(vec![pending(1, Maker::Root)]);
    for _ in 0..9 {
        let wrong = Code::parse("000000").unwrap();
        confirm(&mut record, ALICE, id(1).as_str(), &wrong, NOW, &RULES, &THROTTLE);
    }
    assert_eq!(confirm_rightly(&mut record, Maker::Root, 1, NOW), Confirmation::Verified);
}

#[test]
fn nothing_is_resumed_but_what_root_made_as_it_is_asked_for() {
    let mut renamed = pending(2, Maker::Root);
    renamed.name = "Token".into();
    let mut brought = pending(2, Maker::Root);
    brought.is_imported = true;
    let mut same_seed = brought.clone();
    same_seed.seed = factor(1, Status::Verified).seed;
    let mut longer = pending(2, Maker::Root);
    longer.digits = 8;
    for (old, new, resumed) in [
        (pending(1, Maker::Root), pending(2, Maker::Root), true),
        (pending(1, Maker::Root), renamed, false),
        (pending(1, Maker::Root), brought, false),
        (pending(1, Maker::Root), same_seed.clone(), true),
        (pending(1, Maker::Root), longer, false),
        (same_seed, pending(2, Maker::Root), false),
        (pending(1, ALICE), pending(2, Maker::Root), false),
        (pending(1, Maker::Unknown), pending(2, Maker::Root), false),
        (pending(1, Maker::Login(nonce(1))), pending(2, Maker::Root), false),
        // A program of a user is not known from a thief's.
        (pending(1, ALICE), pending(2, ALICE), false),
        (pending(1, Maker::Root), pending(2, ALICE), false),
    ] {
        let asked = Request { resume: true, ..request(new) };
        let (enrolled, record) = enroll(with(vec![old.clone()]), &asked, NOW, &RULES);
        let (shown, what) = enrolled.unwrap();
        assert_eq!(what == Enrolled::Resumed, resumed, "{old:?}");
        assert_eq!(shown.seed.is(&old.seed), resumed, "{old:?}");
        assert!(record.factors.iter().any(|factor| factor.id == shown.id));
        // After its time there is nothing to resume.
        let (late, _) = enroll(with(vec![old]), &asked, NOW + 600, &RULES);
        assert_eq!(late.unwrap().1, Enrolled::Added);
    }
}

#[test]
fn a_factor_is_verified_without_a_code_by_its_id_and_by_root_that_made_it() {
    let named = |number: u8| Request {
        verify: Some(id(number).to_string()),
        ..request(factor(9, Status::Verified))
    };
    let state =
        || with(vec![pending(1, Maker::Root), pending(2, ALICE), factor(3, Status::Verified)]);
    for (number, good) in [(1, true), (2, false), (3, false), (4, false)] {
        let (enrolled, record) = enroll(state(), &named(number), NOW, &RULES);
        match good {
            true => {
                let (factor, what) = enrolled.unwrap();
                assert_eq!((factor.id, what), (id(number), Enrolled::Verified));
                assert_eq!(ids(&record), [id(number).as_str()], "it replaces the old one");
                assert_eq!(record.factors[0].last_accepted, None);
            }
            false => {
                assert_eq!(enrolled.unwrap_err(), Refusal::NotPending, "{number}");
                assert_eq!(record.factors.len(), 3, "{number}");
                assert!(record.factors[2].is_verified());
            }
        }
    }
    let (late, _) = enroll(state(), &named(1), NOW + 600, &RULES);
    assert_eq!(late.unwrap_err(), Refusal::NotPending);
}

#[test]
fn several_factors_stay_side_by_side_up_to_the_limit() {
    let mut record = with(vec![factor(1, Status::Verified)]);
    add(&mut record, factor(2, Status::Verified), NOW, &TWO).unwrap();
    assert_eq!(record.factors.len(), 2);
    assert_eq!(add(&mut record, pending(3, ALICE), NOW, &TWO), Err(Refusal::TooManyFactors));
    assert_eq!(record.factors.len(), 2);
    // Also if the others came after it was made.
    let mut record = with(vec![pending(3, Maker::Root)]);
    record.factors.extend([factor(1, Status::Verified), factor(2, Status::Verified)]);
    let code = code_of(&record.factors[0], 1000);
    let told = confirm(&mut record, Maker::Root, id(3).as_str(), &code, NOW, &TWO, &THROTTLE);
    assert_eq!(told, Confirmation::Refused(Refusal::TooManyFactors));
}

#[test]
fn five_wrong_first_codes_drop_the_factor_and_leave_the_old_one() {
    let mut record = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    let wrong = |left| Confirmation::Wrong { left, diagnosis: Diagnosis::Unknown };
    for (code, told) in [
        ("000000", wrong(4)),
        ("000001", wrong(3)),
        ("000002", wrong(2)),
        ("12345678", wrong(1)),
        ("000000", Confirmation::TooManyAttempts),
        ("000000", Confirmation::NotPending),
    ] {
        let code = Code::parse(code).unwrap();
        assert_eq!(
            confirm(&mut record, ALICE, id(2).as_str(), &code, NOW, &RULES, &THROTTLE),
            told
        );
    }
    assert_eq!(record.factors.len(), 1);
    assert!(record.factors[0].is_verified());
}

#[test]
fn a_pending_factor_expires() {
    for (now, there) in [(NOW + 599, true), (NOW + 600, false), (NOW - 1, false)] {
        let state = || with(vec![pending(1, ALICE), factor(2, Status::Verified)]);
        let mut record = state();
        expire(&mut record, now);
        assert_eq!(record.factors.len(), if there { 2 } else { 1 }, "{now}");
        let mut record = state();
        let told = confirm_rightly(&mut record, ALICE, 1, now);
        assert_eq!(told == Confirmation::Verified, there, "{now}");
        let left = if there { id(1) } else { id(2) };
        assert_eq!(ids(&record), [left.as_str()], "{now}");
    }
}

#[test]
fn a_verified_factor_is_not_confirmed_again() {
    let mut record = with(vec![factor(1, Status::Verified)]);
    assert_eq!(confirm_rightly(&mut record, Maker::Root, 1, NOW), Confirmation::NotPending);
}

#[test]
fn recovery_codes_go_with_the_last_factor_that_is_verified() {
    for (number, left) in [(2, 3), (1, 0)] {
        let mut record = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
        record.recovery = crate::fixtures::recovery_codes(3, 1).1;
        assert!(remove(&mut record, id(number).as_str(), Maker::Root));
        assert_eq!(record.recovery.left(), left, "{number}");
    }
}

#[test]
fn one_or_all_factors_are_removed() {
    for (name, removed, left) in
        [("f-aaaaaaaa", false, 2), (id(1).as_str(), true, 1), ("", true, 0)]
    {
        let mut record = with(vec![pending(1, ALICE), factor(2, Status::Verified)]);
        assert_eq!(remove(&mut record, name, ALICE), removed, "{name:?}");
        assert_eq!(record.factors.len(), left, "{name:?}");
    }
}

#[test]
fn what_is_pending_is_removed_by_its_maker_and_by_root() {
    for (by, left) in [(ALICE, vec![1, 3]), (Maker::Uid(7), vec![1, 2, 3]), (Maker::Root, vec![])] {
        let made = [Maker::Root, ALICE, Maker::Login(nonce(1))];
        let mut record = with((1..).zip(made).map(|(n, maker)| pending(n, maker)).collect());
        remove(&mut record, "", by);
        let left: Vec<_> = left.into_iter().map(id).collect();
        assert_eq!(record.factors.iter().map(|f| f.id.clone()).collect::<Vec<_>>(), left, "{by}");
    }
}

#[test]
fn a_seed_that_was_brought_starts_behind_the_present_unless_its_first_code_was_given() {
    let brought = |factor: Factor| Factor { is_imported: true, ..factor };
    let mut record = with(Vec::new());
    add(&mut record, brought(factor(1, Status::Verified)), NOW, &RULES).unwrap();
    assert_eq!(record.factors[0].last_accepted, Some(1001));
    assert_eq!(record.factors[0].usable_from(), Some(1002 * 30));
    let mut record = with(vec![brought(pending(1, Maker::Root))]);
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
        let refused = add(&mut record, twin(Status::Verified), NOW, &TWO);
        assert_eq!(refused, Err(Refusal::SameSeed), "{status:?}");
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

/// The key that a login of this nonce is shown; nothing if it is not offered any.
fn offered(record: Record, login: u8, number: u8) -> (Option<FactorId>, Record) {
    let new = pending(number, Maker::Login(nonce(login)));
    let (shown, record) = offer(record, 1000, &new, NOW, &RULES);
    (shown.map(|factor| factor.id), record)
}

fn token(number: u8) -> LoginToken {
    LoginToken::new([number; 16], id(number), UserName::parse("alice").unwrap())
}

fn prove_rightly(record: &mut Record, login: u8, number: u8) -> Result<(), Confirmation> {
    let code = code_of(&factor(number, Status::Verified), 1000);
    let digest = token(number).digest("sshd");
    prove(record, (nonce(login), 1000), id(number).as_str(), &code, digest, NOW, &RULES)
}

fn completed(record: &mut Record, number: u8, service: &str, now: u64) -> Completion {
    complete(record, &id(number), &token(number).digest(service), now, &RULES)
}

#[test]
fn each_authentication_is_shown_a_key_of_its_own() {
    let (first, record) = offered(with(vec![pending(9, Maker::Root)]), 1, 1);
    assert_eq!(first, Some(id(1)));
    let (again, record) = offered(record, 1, 2);
    assert_eq!(again, Some(id(1)), "the same authentication asks again");
    let (other, record) = offered(record, 2, 3);
    assert_eq!(other, Some(id(3)));
    assert_eq!(ids(&record), [id(9).as_str(), id(1).as_str(), id(3).as_str()], "nobody's goes");
    for status in [Status::Verified, Status::Disabled, Status::Unsynchronized] {
        let mut enrolled = record.clone();
        enrolled.factors[0].status = status;
        assert_eq!(offered(enrolled.clone(), 3, 4).0, None, "{status:?}");
        assert_eq!(offered(Record { uid: 4711, ..enrolled }, 3, 4).0, None, "another's");
    }
}

#[test]
fn logins_that_only_look_do_not_fill_the_record_and_void_nobody_elses() {
    let mut record = with(vec![pending(100, Maker::Root), pending(101, ALICE)]);
    (_, record) = offered(record, 1, 1);
    prove_rightly(&mut record, 1, 1).unwrap();
    for number in 2..60 {
        (_, record) = offered(record, number, number);
    }
    assert_eq!(record.factors.len(), 2 + 16);
    for number in [100, 101, 1, 59] {
        assert!(record.factors.iter().any(|factor| factor.id == id(number)), "{number}");
    }
    assert_eq!(completed(&mut record, 1, "sshd", NOW), Completion::Verified);
    assert_eq!(ids(&record), [id(100).as_str(), id(1).as_str()], "what waits for root waits");
}

#[test]
fn a_first_code_makes_a_factor_good_only_at_the_end_of_its_login() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    assert_eq!(prove_rightly(&mut record, 2, 1), Err(Confirmation::NotMaker), "of another login");
    prove_rightly(&mut record, 1, 1).unwrap();
    assert!(!record.is_enrolled() && record.factors[0].is_pending());
    assert_eq!(record.factors[0].last_accepted, Some(1000), "the code is used up");
    assert_eq!(prove_rightly(&mut record, 1, 1), Err(Confirmation::NotPending));
    for (number, service, now, completion) in [
        (2, "sshd", NOW, Completion::Unknown),
        (1, "sudo", NOW, Completion::Unknown),
        (1, "sshd", NOW + 180, Completion::Expired),
        (1, "sshd", NOW - 1, Completion::Expired),
        (1, "sshd", NOW + 179, Completion::Verified),
    ] {
        let mut record = record.clone();
        assert_eq!(completed(&mut record, number, service, now), completion, "{service} {now}");
        assert_eq!(record.is_enrolled(), completion == Completion::Verified);
        if completion == Completion::Verified {
            assert_eq!(completed(&mut record, 1, "sshd", now), Completion::Unknown, "once");
        }
    }
    add(&mut record, factor(5, Status::Verified), NOW, &TWO).unwrap();
    assert_ne!(completed(&mut record, 1, "sshd", NOW), Completion::Verified, "root was faster");
}

#[test]
fn three_wrong_first_codes_end_the_factor_of_a_login() {
    let (_, mut record) = offered(with(Vec::new()), 1, 1);
    let wrong = Code::parse("000000").unwrap();
    let digest = token(1).digest("sshd");
    let mut left = Vec::new();
    for _ in 0..3 {
        let id = id(1);
        left.push(
            match prove(&mut record, (nonce(1), 1000), id.as_str(), &wrong, digest, NOW, &RULES) {
                Err(Confirmation::Wrong { left, .. }) => left,
                Err(Confirmation::TooManyAttempts) => 0,
                other => panic!("{other:?}"),
            },
        );
    }
    assert_eq!(left, [2, 1, 0]);
    assert!(record.factors.is_empty());
}

/// Gives a first code of the factor 2 that is one of the factor 1.
fn confirm_by_the_old_one(record: &mut Record, maker: Maker, now: u64) -> Confirmation {
    let code = code_of(&factor(1, Status::Verified), now / 30);
    confirm(record, maker, id(2).as_str(), &code, now, &RULES, &THROTTLE)
}

#[test]
fn a_first_code_that_was_a_try_at_the_verified_factor_counts_there_until_nothing_is_told() {
    let mut record = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    let wrong = |left, diagnosis| Confirmation::Wrong { left, diagnosis };
    let old = confirm_by_the_old_one(&mut record, ALICE, NOW);
    assert_eq!(old, wrong(4, Diagnosis::OtherFactor));
    assert_eq!(record.throttle.unknown_sources().failures(), 1);
    // What is no code of it says something too.
    let nonsense = Code::parse("000000").unwrap();
    let told = confirm(&mut record, ALICE, id(2).as_str(), &nonsense, NOW, &RULES, &THROTTLE);
    assert_eq!(told, wrong(3, Diagnosis::Unknown));
    assert_eq!(record.throttle.unknown_sources().failures(), 2);
    assert_eq!(confirm_by_the_old_one(&mut record, ALICE, NOW), wrong(2, Diagnosis::OtherFactor));
    // As many as at a login: neither looked at nor counted from here on.
    assert_eq!(confirm_by_the_old_one(&mut record, ALICE, NOW), wrong(1, Diagnosis::Unknown));
    assert_eq!(record.throttle.unknown_sources().failures(), 3);
    let state = record.throttle.state(&Source::Uid(1000), NOW, &THROTTLE);
    assert_eq!(state, ThrottleState::Waiting(30));
    assert_eq!(confirm_rightly(&mut record, ALICE, 2, NOW), Confirmation::Verified);
}

#[test]
fn a_first_code_counts_for_who_gave_it_and_not_where_nothing_is_told() {
    let mut known = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    known.throttle.succeed(&Source::Uid(1000), NOW, &THROTTLE);
    confirm_by_the_old_one(&mut known, ALICE, NOW);
    assert_eq!(known.throttle.unknown_sources().failures(), 0);
    assert_eq!(known.throttle.known_sources()[0].budget.failures(), 1);
    // Root is no guesser.
    let mut by_root = with(vec![factor(1, Status::Verified), pending(2, Maker::Root)]);
    let told = confirm_by_the_old_one(&mut by_root, Maker::Root, NOW);
    assert_eq!(told, Confirmation::Wrong { left: 4, diagnosis: Diagnosis::OtherFactor });
    // There is nothing to try, or it is a code of the new factor.
    let mut first = with(vec![factor(1, Status::Disabled), pending(2, ALICE)]);
    confirm_by_the_old_one(&mut first, ALICE, NOW);
    let mut late = with(vec![factor(1, Status::Verified), pending(2, ALICE)]);
    let code = code_of(&factor(2, Status::Verified), NOW / 30 - 2);
    confirm(&mut late, ALICE, id(2).as_str(), &code, NOW, &RULES, &THROTTLE);
    for record in [by_root, first, late] {
        assert_eq!(record.throttle, crate::throttle::Throttle::default());
    }
}

#[test]
fn nullok_skips_only_who_has_no_factor_at_all() {
    let mut pending = crate::fixtures::enrolled(1000);
    pending.factors[0].status = Status::Unverified { expires: 9, wrong_codes: 0 };
    assert!(may_skip(&Record::new(7), 1000));
    assert!(may_skip(&pending, 1000));
    assert!(!may_skip(&pending, 1001));
    assert!(!may_skip(&crate::fixtures::enrolled(1000), 1000));
    assert!(
        !may_skip(&crate::fixtures::enrolled(1000), 1001),
        "a recreated account is no way around"
    );
}
