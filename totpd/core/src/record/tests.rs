//! One seed, one memory: what one factor accepted is used up in all factors with its seed.

use alloc::vec;

use super::spent_seeds::MAX_SPENT_SEEDS;
use super::*;
use crate::factor::Kind;
use crate::fixtures::{code_of, verified};
use crate::seed::Seed;

const TOTP: Kind = Kind::Totp { period: 30 };

fn factor(id: u8, kind: Kind, last_accepted: Option<u64>) -> Factor {
    Factor { id: FactorId::from_random([id; 5]), ..verified(kind, last_accepted) }
}

fn last(record: &Record) -> Vec<Option<u64>> {
    record.factors.iter().map(|factor| factor.last_accepted).collect()
}

#[test]
fn factors_of_one_seed_and_kind_share_the_last_counter() {
    let mut other = factor(3, TOTP, Some(5));
    other.seed = Seed::new(vec![9; 20]).unwrap();
    let factors =
        vec![factor(1, TOTP, Some(7)), factor(2, TOTP, None), other, factor(4, Kind::Hotp, None)];
    let mut record = Record { factors, ..Record::new(1000) };
    record.share_used_codes();
    assert_eq!(last(&record), [Some(7), Some(7), Some(5), None]);
}

#[test]
fn a_code_that_two_factors_accepted_last_is_repeated() {
    let factors = vec![factor(1, TOTP, Some(7)), factor(2, TOTP, Some(7))];
    let record = Record { factors, ..Record::new(1000) };
    assert!(record.repeats_last_code(&code_of(&record.factors[0], 7)));
    assert!(!record.repeats_last_code(&code_of(&record.factors[0], 8)));
}

#[test]
fn a_removed_factor_is_remembered_by_its_seed() {
    let mut record = Record { factors: vec![factor(1, TOTP, Some(7))], ..Record::new(1000) };
    record.retire(0, |_| false);
    assert!(record.factors.is_empty());
    record.factors = vec![factor(2, TOTP, None), factor(3, Kind::Hotp, None)];
    record.share_used_codes();
    assert_eq!(last(&record), [Some(7), None]);
    // Once more, with more used: one entry a seed and kind.
    record.factors[0].last_accepted = Some(9);
    record.retire(0, |factor| factor.kind == Kind::Hotp);
    assert_eq!((record.spent.len(), record.spent[0].last_accepted), (1, 9));
}

#[test]
fn an_unused_removed_factor_is_not_remembered() {
    let mut record = Record { factors: vec![factor(1, TOTP, None)], ..Record::new(1000) };
    record.retire(0, |_| false);
    assert!(record.spent.is_empty());
}

#[test]
fn the_memory_of_removed_factors_is_bounded() {
    let mut record = Record::new(1000);
    for n in 0..2 * MAX_SPENT_SEEDS {
        let mut gone = factor(1, TOTP, Some(1));
        gone.seed = Seed::new(n.to_le_bytes().repeat(3)).unwrap();
        record.factors = vec![gone];
        record.retire(0, |_| false);
    }
    assert_eq!(record.spent.len(), MAX_SPENT_SEEDS);
}

#[test]
fn a_pending_factor_does_not_reserve_its_seed() {
    let (first, mut second) = (factor(1, TOTP, None), factor(2, TOTP, None));
    let mut record = Record { factors: vec![first.clone(), second.clone()], ..Record::new(1) };
    assert!(record.has_seed_of(&first));
    for status in [Status::Disabled, Status::Unsynchronized] {
        record.factors[1].status = status;
        assert!(record.has_seed_of(&first), "{status:?}");
    }
    second.status = Status::Unverified { expires: 9, wrong_codes: 0 };
    record.factors[1] = second;
    assert!(!record.has_seed_of(&first));
}

#[test]
fn a_removed_pending_factor_is_remembered_if_it_was_imported() {
    let pending = Status::Unverified { expires: 9, wrong_codes: 0 };
    for (is_imported, entries) in [(false, 0), (true, 1)] {
        let new = Factor { status: pending, is_imported, ..factor(1, TOTP, Some(7)) };
        let mut record = Record { factors: vec![new], ..Record::new(1000) };
        record.retire(0, |_| false);
        assert_eq!(record.spent.len(), entries);
    }
}

#[test]
fn the_newest_verified_factor_says_how_many_digits_a_code_has() {
    let with = |id, digits, status| Factor { digits, status, ..factor(id, TOTP, None) };
    let mut record = Record::new(1000);
    assert_eq!(record.digits(), None);
    record.factors = vec![
        with(1, 6, Status::Verified),
        with(2, 8, Status::Verified),
        with(3, 7, Status::Disabled),
    ];
    assert_eq!(record.digits(), Some(8));
}
