//! Tokens whose position or clock is off.

use alloc::vec;

use super::*;
use crate::factor::Match;
use crate::fixtures::{code_of, verified};
use crate::moment::Moment;
use crate::seed::Seed;
use crate::void_windows::VoidWindows;

const NOW: u64 = 30_000;
const RULES: EnrollmentRules =
    EnrollmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };

fn by_user(record: &mut Record, id: &str, first: &Code, second: &Code) -> ResyncOutcome {
    resync(
        record,
        (Maker::Uid(1000), id),
        (first, second),
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &RULES,
    )
}

fn by_root(record: &mut Record, id: &str, first: &Code, second: &Code) -> ResyncOutcome {
    resync(
        record,
        (Maker::Root, id),
        (first, second),
        Moment { now: NOW, voids: &VoidWindows::NONE },
        &RULES,
    )
}

fn token(last: Option<u64>) -> Record {
    let factor = Factor { status: Status::Unsynchronized, ..verified(Kind::Hotp, last) };
    Record { factors: vec![factor], ..Record::new(1000) }
}

#[test]
fn two_codes_in_a_row_above_the_last_one_find_the_counter() {
    for (last, first, second, expected) in [
        (Some(5), 6, 7, ResyncOutcome::Done),
        (Some(5), 900, 901, ResyncOutcome::Done),
        (None, 0, 1, ResyncOutcome::Done),
        (Some(5), 5, 6, ResyncOutcome::NotFound),
        (Some(5), 4, 5, ResyncOutcome::NotFound),
        (Some(5), 10, 12, ResyncOutcome::NotFound),
        (Some(5), 10, 10, ResyncOutcome::NotFound),
        (Some(5), 1007, 1008, ResyncOutcome::NotFound),
    ] {
        let mut record = token(last);
        let code = |counter| code_of(&record.factors[0], counter);
        let (one, two) = (code(first), code(second));
        let outcome = by_user(&mut record, "", &one, &two);
        assert_eq!(outcome, expected, "{last:?} {first} {second}");
        let (status, accepted) = match expected {
            ResyncOutcome::Done => (Status::Verified, Some(second)),
            _ => (Status::Unsynchronized, last),
        };
        assert_eq!((record.factors[0].status, record.factors[0].last_accepted), (status, accepted));
    }
}

#[test]
fn an_ambiguous_or_unknown_token_is_refused() {
    let mut record = token(Some(5));
    let (one, two) = (code_of(&record.factors[0], 6), code_of(&record.factors[0], 7));
    assert_eq!(by_user(&mut record, "f-other", &one, &two), ResyncOutcome::NoToken);
    record.factors.push(verified(Kind::Hotp, None));
    assert_eq!(by_user(&mut record, "", &one, &two), ResyncOutcome::NoToken);
}

#[test]
fn a_wrong_clock_is_found_within_five_minutes() {
    for (last, first, expected) in [
        (None, 1005, ResyncOutcome::Done),
        (None, 990, ResyncOutcome::Done),
        (None, 1009, ResyncOutcome::Done),
        (None, 1010, ResyncOutcome::NotFound),
        (None, 989, ResyncOutcome::NotFound),
        (Some(1005), 1005, ResyncOutcome::NotFound),
        (Some(1005), 1006, ResyncOutcome::Done),
    ] {
        let mut record = Record::new(1000);
        record.factors.push(verified(Kind::Totp { period: 30 }, last));
        let code = |step| code_of(&record.factors[0], step);
        let (one, two) = (code(first), code(first + 1));
        let outcome = by_user(&mut record, "", &one, &two);
        assert_eq!(outcome, expected, "{last:?} {first}");
        let factor = &record.factors[0];
        if expected == ResyncOutcome::Done {
            assert_eq!(factor.last_accepted, Some(first + 1));
            assert_eq!(i64::from(factor.drift.steps()), first as i64 + 1 - 1000);
        } else {
            assert_eq!((factor.last_accepted, factor.drift), (last, Drift::default()));
        }
    }
}

#[test]
fn an_empty_id_means_the_only_hotp_token() {
    let mut record = token(Some(5));
    let clock =
        Factor { id: FactorId::from_random([9; 5]), ..verified(Kind::Totp { period: 30 }, None) };
    record.factors.insert(0, clock);
    let code = |counter| code_of(&record.factors[1], counter);
    let (first, second) = (code(6), code(7));
    assert_eq!(by_user(&mut record, "", &first, &second), ResyncOutcome::Done);
    assert_eq!((record.factors[0].last_accepted, record.factors[1].last_accepted), (None, Some(7)));
}

#[test]
fn a_disabled_or_pending_token_is_refused() {
    for (status, reason) in [
        (Status::Disabled, ResyncOutcome::Disabled),
        (Status::Unverified { expires: NOW + 9, wrong_codes: 0 }, ResyncOutcome::NotMaker),
    ] {
        let mut record = token(Some(5));
        record.factors[0].status = status;
        let (first, second) = (code_of(&record.factors[0], 6), code_of(&record.factors[0], 7));
        let id = record.factors[0].id.clone();
        for id in ["", id.as_str()] {
            assert_eq!(by_user(&mut record, id, &first, &second), reason, "{status:?}");
        }
        let other = Factor { id: FactorId::from_random([9; 5]), ..record.factors[0].clone() };
        record.factors.push(other);
        for (id, expected) in [("", ResyncOutcome::NoToken), (id.as_str(), reason)] {
            assert_eq!(by_user(&mut record, id, &first, &second), expected, "one of two");
        }
    }
}

#[test]
fn a_code_with_another_number_of_digits_finds_nothing() {
    let mut record = token(Some(5));
    let longer = Factor { digits: 8, ..record.factors[0].clone() };
    for (first, second) in
        [(&longer, &record.factors[0].clone()), (&record.factors[0].clone(), &longer)]
    {
        let (first, second) = (code_of(first, 6), code_of(second, 7));
        assert_eq!(by_user(&mut record, "", &first, &second), ResyncOutcome::NotFound);
    }
}

#[test]
fn an_imported_clock_is_found_among_its_unused_codes() {
    let clock = verified(Kind::Totp { period: 30 }, Some(1001));
    let mut record = Record::new(1000);
    record.factors.push(Factor { is_imported: true, ..clock });
    let code = |step| code_of(&record.factors[0], step);
    let (first, second) = (code(999), code(1000));
    assert_eq!(by_user(&mut record, "", &first, &second), ResyncOutcome::Done);
    assert_eq!(record.factors[0].last_accepted, Some(1000));
    assert!(!record.factors[0].is_imported);
}

#[test]
fn root_finds_a_wrong_clock_within_an_hour() {
    for (period, first, expected) in [
        (30, 1000 + 118, ResyncOutcome::Done),
        (30, 1000 + 119, ResyncOutcome::Done),
        (30, 1000 + 120, ResyncOutcome::NotFound),
        (30, 1000 - 120, ResyncOutcome::Done),
        (30, 1000 - 121, ResyncOutcome::NotFound),
        (60, 500 + 8, ResyncOutcome::Done),
        (300, 100 - 12, ResyncOutcome::Done),
        (300, 100 - 13, ResyncOutcome::NotFound),
        (15, 2000 + 239, ResyncOutcome::Done),
    ] {
        let mut record = Record::new(1000);
        record.factors.push(verified(Kind::Totp { period }, None));
        let (one, two) =
            (code_of(&record.factors[0], first), code_of(&record.factors[0], first + 1));
        let outcome = by_root(&mut record, "", &one, &two);
        assert_eq!(outcome, expected, "{period} {first}");
        let ahead = match expected {
            ResyncOutcome::Done => first as i64 + 1 - (NOW / u64::from(period)) as i64,
            _ => 0,
        };
        assert_eq!(i64::from(record.factors[0].drift.steps()), ahead, "{period} {first}");
    }
}

#[test]
fn a_login_accepts_the_next_code_of_a_clock_that_was_found_far_off() {
    for ahead in [-119_i64, 119] {
        let mut record = Record::new(1000);
        record.factors.push(verified(Kind::Totp { period: 30 }, None));
        let at = |steps: i64| 1000_u64.saturating_add_signed(ahead + steps);
        let code = |step| code_of(&record.factors[0], step);
        let (one, two, next) = (code(at(-1)), code(at(0)), code(at(1)));
        assert_eq!(by_root(&mut record, "", &one, &two), ResyncOutcome::Done, "{ahead}");
        let factor = &record.factors[0];
        assert_eq!(factor.matches(&two, NOW + 30, 1), Some(Match::Replayed), "{ahead}");
        assert_eq!(factor.matches(&next, NOW + 30, 1), Some(Match::Fresh(at(1))), "{ahead}");
        let now_here = code_of(factor, 1001);
        assert_eq!(factor.matches(&now_here, NOW + 30, 1), None, "the window is not wider");
    }
}

#[test]
fn root_verifies_its_own_pending_token() {
    let status = Status::Unverified { expires: NOW + 9, wrong_codes: 0 };
    let pending = |made_by| Factor {
        status,
        made_by,
        is_imported: true,
        id: FactorId::from_random([9; 5]),
        ..verified(Kind::Totp { period: 60 }, None)
    };
    let (one, two) = {
        let factor = pending(Maker::Root);
        (code_of(&factor, 508), code_of(&factor, 509))
    };
    let with = |factors| Record { factors, ..Record::new(1000) };
    let mut record = with(vec![pending(Maker::Root)]);
    assert_eq!(by_user(&mut record.clone(), "", &one, &two), ResyncOutcome::NotMaker);
    assert_eq!(by_root(&mut record, "", &one, &two), ResyncOutcome::Done);
    let factor = &record.factors[0];
    assert_eq!((factor.status, factor.last_accepted), (Status::Verified, Some(509)));
    assert_eq!((factor.drift.steps(), factor.is_imported), (9, false));
    // Nobody's factor becomes that of another maker.
    for maker in [Maker::Uid(1000), Maker::Unknown] {
        let mut record = with(vec![pending(maker)]);
        assert_eq!(by_root(&mut record, "", &one, &two), ResyncOutcome::NotMaker, "{maker}");
    }
    // It is named if there is a confirmed one, and replaces that one.
    let seed = Seed::new(vec![9; 20]).unwrap();
    let other = Factor { seed, ..verified(Kind::Hotp, None) };
    let mut record = with(vec![other, pending(Maker::Root)]);
    let id = FactorId::from_random([9; 5]);
    assert_eq!(by_root(&mut record.clone(), "", &one, &two), ResyncOutcome::NotFound);
    assert_eq!(by_root(&mut record, id.as_str(), &one, &two), ResyncOutcome::Done);
    assert_eq!(record.factors.len(), 1);
    // One that waited too long is gone.
    let mut record = with(vec![pending(Maker::Root)]);
    let outcome = resync(
        &mut record,
        (Maker::Root, ""),
        (&one, &two),
        Moment { now: NOW + 9, voids: &VoidWindows::NONE },
        &RULES,
    );
    assert_eq!(outcome, ResyncOutcome::NoToken);
}

#[test]
fn a_clock_is_not_found_by_void_codes() {
    let mut record = Record::new(1000);
    record.factors.push(verified(Kind::Totp { period: 30 }, None));
    let mut voids = VoidWindows::NONE;
    voids.add(crate::void_windows::VoidWindow::new(NOW - 600, NOW - 570));
    let last = (NOW - 570) / 30;
    for (first, expected) in [
        (last - 12, ResyncOutcome::CodeVoid),
        (last, ResyncOutcome::CodeVoid),
        (last + 1, ResyncOutcome::Done),
    ] {
        let (one, two) =
            (code_of(&record.factors[0], first), code_of(&record.factors[0], first + 1));
        let mut after = record.clone();
        let outcome = resync(
            &mut after,
            (Maker::Root, ""),
            (&one, &two),
            Moment { now: NOW, voids: &voids },
            &RULES,
        );
        assert_eq!(outcome, expected, "{first}");
        let used = (expected == ResyncOutcome::Done).then_some(first + 1);
        assert_eq!(after.factors[0].last_accepted, used);
    }
}
