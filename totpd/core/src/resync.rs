//! Resynchronization of a token by two codes in a row. It is for unseen presses or a restored
//! backup (RFC 4226 section 7.4). It is also for a token whose clock is wrong (RFC 6238 section 6).

use alloc::vec::Vec;

use crate::code::Code;
use crate::factor::{Drift, Factor, Kind, MAX_DRIFT_SECS, Status};
use crate::otp::{matching_counter, time_step};
use crate::record::Record;

/// The result of a resynchronization.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResyncOutcome {
    /// The counter was found. Both codes are used up, and the factor is verified.
    Done,
    /// The codes do not follow each other in the window. Nothing changed.
    NotFound,
    /// No factor has this id, or an empty id could mean several. Nothing changed.
    NoToken,
}

/// Searches two codes in a row of the factor `id`, above the last accepted one, at `now` (seconds
/// since 1970).
///
/// The window of an HOTP token is the next 1000 counters. The window of a TOTP token is 300 s on
/// either side. An empty `id` means the only HOTP token, or the only factor of a user without one.
///
/// # Examples
/// ```
/// use totpd_core::code::Code;
/// use totpd_core::resync::{ResyncOutcome, resync};
/// # use totpd_core::factor::{Drift, Factor, FactorId, Kind, Maker, Restrictions, Status};
/// # use totpd_core::otp::Algorithm;
/// # use totpd_core::record::Record;
/// # use totpd_core::seed::Seed;
/// # let mut record = Record::new(1000);
/// # record.factors.push(Factor {
/// #     id: FactorId::from_random([1; 5]),
/// #     name: "token".into(),
/// #     kind: Kind::Hotp,
/// #     algorithm: Algorithm::Sha1,
/// #     digits: 6,
/// #     seed: Seed::new(b"12345678901234567890".to_vec()).unwrap(),
/// #     status: Status::Unsynchronized,
/// #     created: 0,
/// #     last_used: None,
/// #     last_accepted: None,
/// #     limits: Restrictions::default(),
/// #     drift: Drift::default(),
/// #     last_place: None,
/// #     made_by: Maker::Root,
/// #     is_imported: false,
/// # });
/// // Counters 8 and 9 of RFC 4226 appendix D.
/// let first = Code::parse("399871").expect("six digits");
/// let second = Code::parse("520489").expect("six digits");
/// assert_eq!(resync(&mut record, "", &first, &second, 0), ResyncOutcome::Done);
/// assert_eq!(record.factors[0].last_accepted, Some(9));
/// ```
pub fn resync(
    record: &mut Record,
    id: &str,
    first: &Code,
    second: &Code,
    now: u64,
) -> ResyncOutcome {
    record.share_used_codes();
    let found = find(record, id, first, second, now);
    record.share_used_codes();
    found
}

fn find(record: &mut Record, id: &str, first: &Code, second: &Code, now: u64) -> ResyncOutcome {
    let is_candidate = |factor: &Factor| {
        matches!(factor.status, Status::Unsynchronized | Status::Verified)
            && (id.is_empty() || factor.id.as_str() == id)
    };
    let is_hotp = |factor: &Factor| factor.kind == Kind::Hotp && is_candidate(factor);
    let has_hotp = record.factors.iter().any(is_hotp);
    let is_meant = |factor: &&Factor| if has_hotp { is_hotp(factor) } else { is_candidate(factor) };
    let tokens: Vec<_> = record.factors.iter().filter(is_meant).collect();
    let [token] = tokens.as_slice() else { return ResyncOutcome::NoToken };
    // The import of a seed marks all codes up to then as used, because they may be used elsewhere.
    // Two codes in a row come from the token itself, so only codes that were used here count.
    let used = match token.usable_from() {
        Some(_) => record.used_by_others(token),
        None => token.last_accepted,
    };
    let id = token.id.clone();
    let found = record.factors.iter_mut().find(|factor| factor.id == id);
    let Some(factor) = found else { return ResyncOutcome::NoToken };
    if first.digits() != factor.digits || second.digits() != factor.digits {
        return ResyncOutcome::NotFound;
    }
    let unused = used.map_or(0, |last| last.saturating_add(1));
    let (mut from, end, present) = match factor.kind {
        Kind::Hotp => (unused, unused.saturating_add(RESYNC_LOOK_AHEAD), None),
        Kind::Totp { period } => {
            let (step, reach) = (time_step(now, period), MAX_DRIFT_SECS / u64::from(period.max(1)));
            let from = step.saturating_sub(reach).max(unused);
            // The second code belongs to the present step of the token.
            (from, step.saturating_add(reach).saturating_sub(1), Some(step))
        }
    };
    while let Some(counter) = matching_counter(&factor.seed, factor.algorithm, first, from..=end) {
        let next = counter.saturating_add(1);
        if matching_counter(&factor.seed, factor.algorithm, second, next..=next).is_some() {
            factor.last_accepted = Some(next);
            // The token was here, so its next code was used nowhere else.
            factor.is_imported = false;
            if let Some(step) = present {
                let ahead = i128::from(next) - i128::from(step);
                factor.drift = Drift::from_steps(ahead.try_into().unwrap_or_default());
            }
            factor.status = Status::Verified;
            return ResyncOutcome::Done;
        }
        from = next;
    }
    ResyncOutcome::NotFound
}

/// Counters in the window of an HOTP token. Two random codes of six digits match with a chance of
/// 10^-9.
const RESYNC_LOOK_AHEAD: u64 = 1000;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::factor::FactorId;
    use crate::fixtures::{code_of, verified};

    const NOW: u64 = 30_000;

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
            let outcome = resync(&mut record, "", &one, &two, NOW);
            assert_eq!(outcome, expected, "{last:?} {first} {second}");
            let (status, accepted) = match expected {
                ResyncOutcome::Done => (Status::Verified, Some(second)),
                _ => (Status::Unsynchronized, last),
            };
            assert_eq!(
                (record.factors[0].status, record.factors[0].last_accepted),
                (status, accepted)
            );
        }
    }

    #[test]
    fn an_ambiguous_or_unknown_token_is_refused() {
        let mut record = token(Some(5));
        let (one, two) = (code_of(&record.factors[0], 6), code_of(&record.factors[0], 7));
        assert_eq!(resync(&mut record, "f-other", &one, &two, NOW), ResyncOutcome::NoToken);
        record.factors.push(verified(Kind::Hotp, None));
        assert_eq!(resync(&mut record, "", &one, &two, NOW), ResyncOutcome::NoToken);
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
            let outcome = resync(&mut record, "", &one, &two, NOW);
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
        let clock = Factor {
            id: FactorId::from_random([9; 5]),
            ..verified(Kind::Totp { period: 30 }, None)
        };
        record.factors.insert(0, clock);
        let code = |counter| code_of(&record.factors[1], counter);
        let (first, second) = (code(6), code(7));
        assert_eq!(resync(&mut record, "", &first, &second, NOW), ResyncOutcome::Done);
        assert_eq!(
            (record.factors[0].last_accepted, record.factors[1].last_accepted),
            (None, Some(7))
        );
    }

    #[test]
    fn a_disabled_or_pending_token_is_refused() {
        for status in [Status::Disabled, Status::Unverified { expires: 9, wrong_codes: 0 }] {
            let mut record = token(Some(5));
            record.factors[0].status = status;
            let (first, second) = (code_of(&record.factors[0], 6), code_of(&record.factors[0], 7));
            let id = record.factors[0].id.clone();
            for id in ["", id.as_str()] {
                assert_eq!(resync(&mut record, id, &first, &second, NOW), ResyncOutcome::NoToken);
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
            assert_eq!(resync(&mut record, "", &first, &second, NOW), ResyncOutcome::NotFound);
        }
    }

    #[test]
    fn an_imported_clock_is_found_among_its_unused_codes() {
        let clock = verified(Kind::Totp { period: 30 }, Some(1001));
        let mut record = Record::new(1000);
        record.factors.push(Factor { is_imported: true, ..clock });
        let code = |step| code_of(&record.factors[0], step);
        let (first, second) = (code(999), code(1000));
        assert_eq!(resync(&mut record, "", &first, &second, NOW), ResyncOutcome::Done);
        assert_eq!(record.factors[0].last_accepted, Some(1000));
        assert!(!record.factors[0].is_imported);
    }
}
