//! Finding the counter of a token that was pressed unseen, or that came back from a backup
//! (RFC 4226 section 7.4): two codes in a row tell where it is.

use crate::code::Code;
use crate::factor::{Factor, Kind, Status};
use crate::otp::matching_counter;
use crate::record::Record;

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resync {
    /// The counter was found, and both codes are used up.
    Done,
    /// The codes do not follow each other within the next thousand.
    NotFound,
    /// There is no such token that counts presses.
    NoToken,
}

/// Looks for two codes in a row of the token `id`, or of the only one if that is empty, above the
/// last one that was accepted.
pub fn resync(record: &mut Record, id: &str, first: &Code, second: &Code) -> Resync {
    let counts = |factor: &&mut Factor| {
        factor.kind == Kind::Hotp
            && matches!(factor.status, Status::Unsynchronised | Status::Verified)
            && (id.is_empty() || factor.id.as_str() == id)
    };
    let mut tokens: Vec<_> = record.factors.iter_mut().filter(counts).collect();
    let [factor] = tokens.as_mut_slice() else { return Resync::NoToken };
    if first.digits() != factor.digits || second.digits() != factor.digits {
        return Resync::NotFound;
    }
    let mut from = factor.last_accepted.map_or(0, |last| last.saturating_add(1));
    let end = from.saturating_add(LOOK_AHEAD);
    while let Some(counter) = matching_counter(&factor.seed, factor.algorithm, first, from..=end) {
        let next = counter.saturating_add(1);
        if matching_counter(&factor.seed, factor.algorithm, second, next..=next).is_some() {
            factor.last_accepted = Some(next);
            factor.status = Status::Verified;
            return Resync::Done;
        }
        from = next;
    }
    Resync::NotFound
}

/// Codes that are looked at. Two right ones by chance are a thousandth of a millionth of a millionth.
const LOOK_AHEAD: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::tests::{code_of, verified};

    fn token(last: Option<u64>) -> Record {
        let factor = Factor { status: Status::Unsynchronised, ..verified(Kind::Hotp, last) };
        Record { factors: vec![factor], ..Record::new(1000) }
    }

    #[test]
    fn two_codes_in_a_row_above_the_last_one_find_the_counter() {
        for (last, first, second, expected) in [
            (Some(5), 6, 7, Resync::Done),
            (Some(5), 900, 901, Resync::Done),
            (None, 0, 1, Resync::Done),
            (Some(5), 5, 6, Resync::NotFound),
            (Some(5), 4, 5, Resync::NotFound),
            (Some(5), 10, 12, Resync::NotFound),
            (Some(5), 10, 10, Resync::NotFound),
            (Some(5), 1007, 1008, Resync::NotFound),
        ] {
            let mut record = token(last);
            let code = |counter| code_of(&record.factors[0], counter);
            let (one, two) = (code(first), code(second));
            let told = resync(&mut record, "", &one, &two);
            assert_eq!(told, expected, "{last:?} {first} {second}");
            let (status, accepted) = match expected {
                Resync::Done => (Status::Verified, Some(second)),
                _ => (Status::Unsynchronised, last),
            };
            assert_eq!(
                (record.factors[0].status, record.factors[0].last_accepted),
                (status, accepted)
            );
        }
    }

    #[test]
    fn the_token_must_be_meant_without_doubt() {
        let mut record = token(Some(5));
        let (one, two) = (code_of(&record.factors[0], 6), code_of(&record.factors[0], 7));
        assert_eq!(resync(&mut record, "f-other", &one, &two), Resync::NoToken);
        record.factors.push(verified(Kind::Hotp, None));
        assert_eq!(resync(&mut record, "", &one, &two), Resync::NoToken);
        let mut record = token(Some(5));
        record.factors[0].kind = Kind::Totp { period: 30 };
        assert_eq!(resync(&mut record, "", &one, &two), Resync::NoToken);
    }
}
