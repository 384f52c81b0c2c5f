//! Factors that come over from another program.

use super::*;
use crate::factor::Match;
use crate::recovery_codes::{RecoveryCodes, ScratchCode};

fn imported(id: u8, elsewhere: Elsewhere) -> Factor {
    elsewhere.apply(factor(id, Status::Verified), NOW, RULES.skew)
}

fn recorded(last_accepted: Option<u64>) -> Elsewhere {
    Elsewhere { last_accepted, is_recorded: true, ..Elsewhere::default() }
}

fn import_of(factors: Vec<Factor>) -> Import {
    Import { uid: 1000, factors, recovery: None, replace: false }
}

#[test]
fn a_code_that_was_accepted_elsewhere_is_refused() {
    let factor = imported(1, recorded(Some(1000)));
    let judged = |step| factor.matches(&code_of(&factor, step), NOW, RULES.skew);
    assert_eq!(judged(1000), Some(Match::Replayed));
    assert_eq!(judged(1001), Some(Match::Fresh(1001)));
    let unused = imported(1, recorded(None));
    assert_eq!(unused.last_accepted, None);
    assert!(!unused.is_imported, "all that was used is known");
}

#[test]
fn what_is_not_known_counts_as_used() {
    let unrecorded = Elsewhere { last_accepted: Some(7), ..Elsewhere::default() };
    assert_eq!(imported(1, unrecorded).last_accepted, Some(1001));
    assert!(imported(1, unrecorded).is_imported);
    for (in_use, last, expected) in
        [(0, None, 1000), (5, None, 1005), (5, Some(1007), 1007), (1, Some(990), 1001)]
    {
        let elsewhere = Elsewhere { in_use: Some(in_use), ..recorded(last) };
        let factor = imported(1, elsewhere);
        assert_eq!((factor.last_accepted, factor.is_imported), (Some(expected), true));
    }
    // The steps are those of the token.
    let ahead = Elsewhere { drift: 4, in_use: Some(1), ..recorded(None) };
    assert_eq!(imported(1, ahead).last_accepted, Some(1005));
}

#[test]
fn the_clock_of_a_token_comes_along() {
    let factor = imported(1, Elsewhere { drift: -7, ..recorded(None) });
    let judged = |step| factor.matches(&code_of(&factor, step), NOW, RULES.skew);
    assert_eq!((judged(993), judged(1000)), (Some(Match::Fresh(993)), None));
}

#[test]
fn steps_of_years_to_come_shut_nobody_out() {
    let factor = imported(1, recorded(Some(u64::MAX)));
    assert!(factor.last_accepted.unwrap() < 1200);
}

#[test]
fn a_token_that_counts_presses_goes_on_where_it_was() {
    let mut token = factor(1, Status::Verified);
    (token.kind, token.last_accepted) = (Kind::Hotp, Some(41));
    let token = Elsewhere { in_use: Some(3), ..recorded(None) }.apply(token, NOW, RULES.skew);
    assert_eq!(token.last_accepted, Some(41));
}

#[test]
fn a_second_import_changes_nothing() {
    let request = import_of(vec![imported(1, recorded(Some(990)))]);
    let (result, record) = import(Record::new(1000), &request, NOW, &RULES);
    assert_eq!(result, Ok(Imported::Taken(Vec::new())));
    assert_eq!(ids(&record), [id(1).as_str()]);
    let later = Import {
        factors: vec![Factor { id: id(9), ..imported(1, recorded(Some(999))) }],
        replace: true,
        ..request
    };
    let (result, after) = import(record, &later, NOW + 60, &RULES);
    assert_eq!(result, Ok(Imported::Unchanged));
    assert_eq!((ids(&after), after.factors[0].last_accepted), (vec![id(1).as_str()], Some(990)));
}

#[test]
fn an_enrolled_user_is_left_unless_root_replaces() {
    let before = with(vec![factor(1, Status::Verified), pending(3, ALICE)]);
    let request = import_of(vec![imported(2, recorded(None))]);
    let (result, record) = import(before.clone(), &request, NOW, &RULES);
    assert_eq!(result, Err(Refusal::AlreadyEnrolled));
    assert_eq!(ids(&record), ids(&before));
    let request = Import { replace: true, ..request };
    let (result, record) = import(before, &request, NOW, &RULES);
    assert_eq!(result, Ok(Imported::Taken(vec![id(1)])));
    assert_eq!(ids(&record), [id(2).as_str()]);
}

#[test]
fn a_code_that_was_used_here_stays_used_when_its_seed_comes_again() {
    let mut used = factor(1, Status::Verified);
    used.last_accepted = Some(1000);
    let mut record = with(vec![used]);
    remove(&mut record, "", Maker::Root, NOW);
    let request = import_of(vec![imported(1, recorded(Some(990)))]);
    let (result, record) = import(record, &request, NOW, &RULES);
    assert!(result.is_ok());
    assert_eq!(record.factors[0].last_accepted, Some(1000));
}

#[test]
fn all_factors_come_or_none() {
    let two = || vec![imported(1, recorded(None)), imported(2, recorded(None))];
    let same = vec![imported(1, recorded(None)), Factor { id: id(8), ..two().remove(0) }];
    for (factors, rules, expected) in [
        (two(), RULES, Err(Refusal::TooManyFactors)),
        (two(), TWO, Ok(Imported::Taken(Vec::new()))),
        (same, TWO, Err(Refusal::SameSeed)),
    ] {
        let (result, record) = import(Record::new(1000), &import_of(factors), NOW, &rules);
        assert_eq!((record.factors.len() == 2, &result), (expected.is_ok(), &expected));
    }
}

#[test]
fn an_earlier_account_of_the_name_is_no_hindrance() {
    let record = Record { uid: 999, ..with(vec![factor(1, Status::Verified)]) };
    let request = import_of(vec![imported(2, recorded(None))]);
    let (result, record) = import(record, &request, NOW, &RULES);
    assert_eq!((result, record.uid), (Ok(Imported::Taken(Vec::new())), 1000));
    assert_eq!(ids(&record), [id(2).as_str()]);
}

#[test]
fn scratch_codes_take_the_place_of_recovery_codes() {
    let codes =
        RecoveryCodes::of_scratch_codes(&[ScratchCode::parse("93240982").unwrap()], [7; 16]);
    let (_, old) = crate::fixtures::recovery_codes(3, 1);
    let before = Record { recovery: old, ..with(vec![factor(1, Status::Verified)]) };
    let request = Import { replace: true, ..import_of(vec![imported(2, recorded(None))]) };
    let (_, record) = import(before.clone(), &request, NOW, &RULES);
    assert_eq!(record.recovery.left(), 3, "no scratch codes came");
    let request = Import { recovery: Some(codes), ..request };
    let (_, record) = import(before, &request, NOW, &RULES);
    assert_eq!(record.recovery.left(), 1);
}
