//! Finding a token that is off: one that was pressed unseen, or came back from a backup (RFC 4226 section
//! 7.4), or whose clock goes wrong (RFC 6238 section 6). Two codes in a row tell where it is.

use alloc::vec::Vec;

use crate::code::Code;
use crate::factor::{Drift, Factor, Kind, MAX_DRIFT_SECS, Status};
use crate::otp::{matching_counter, time_step};
use crate::record::Record;

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResyncOutcome {
    /// The counter was found, and both codes are used up.
    Done,
    /// The codes do not follow each other where they were looked for.
    NotFound,
    /// There is no such token, or it is not said which.
    NoToken,
}

/// Looks for two codes in a row of the token `id` above the last one that was accepted: within the next
/// thousand of one that counts presses, within five minutes of `now` (seconds since 1970) of one with a
/// clock. An empty id is the only token, or the only one that counts presses.
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
    let may_be = |factor: &Factor| {
        matches!(factor.status, Status::Unsynchronized | Status::Verified)
            && (id.is_empty() || factor.id.as_str() == id)
    };
    let counts = |factor: &Factor| factor.kind == Kind::Hotp && may_be(factor);
    let any_counts = record.factors.iter().any(counts);
    let meant = |factor: &&Factor| if any_counts { counts(factor) } else { may_be(factor) };
    let tokens: Vec<_> = record.factors.iter().filter(meant).collect();
    let [token] = tokens.as_slice() else { return ResyncOutcome::NoToken };
    // A clock that was brought starts behind the present, as if its codes had been used elsewhere. Two codes in a
    // row are given here, like a first code, so only what was used here counts.
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
    let (mut from, end, here) = match factor.kind {
        Kind::Hotp => (unused, unused.saturating_add(RESYNC_LOOK_AHEAD), None),
        Kind::Totp { period } => {
            let (step, reach) = (time_step(now, period), MAX_DRIFT_SECS / u64::from(period.max(1)));
            let from = step.saturating_sub(reach).max(unused);
            // The second code is of the step that the token is in now.
            (from, step.saturating_add(reach).saturating_sub(1), Some(step))
        }
    };
    while let Some(counter) = matching_counter(&factor.seed, factor.algorithm, first, from..=end) {
        let next = counter.saturating_add(1);
        if matching_counter(&factor.seed, factor.algorithm, second, next..=next).is_some() {
            factor.last_accepted = Some(next);
            // Both codes were given here, so the next one is good.
            factor.is_imported = false;
            if let Some(step) = here {
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

/// Codes that are looked at. Two right ones by chance are a thousandth of a millionth of a millionth.
const RESYNC_LOOK_AHEAD: u64 = 1000;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
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
            let told = resync(&mut record, "", &one, &two, NOW);
            assert_eq!(told, expected, "{last:?} {first} {second}");
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
    fn the_token_must_be_meant_without_doubt() {
        let mut record = token(Some(5));
        let (one, two) = (code_of(&record.factors[0], 6), code_of(&record.factors[0], 7));
        assert_eq!(resync(&mut record, "f-other", &one, &two, NOW), ResyncOutcome::NoToken);
        record.factors.push(verified(Kind::Hotp, None));
        assert_eq!(resync(&mut record, "", &one, &two, NOW), ResyncOutcome::NoToken);
    }

    #[test]
    fn a_clock_that_is_off_is_found_within_five_minutes_and_nothing_used_comes_back() {
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
            let told = resync(&mut record, "", &one, &two, NOW);
            assert_eq!(told, expected, "{last:?} {first}");
            let factor = &record.factors[0];
            if expected == ResyncOutcome::Done {
                assert_eq!(factor.last_accepted, Some(first + 1));
                assert_eq!(i64::from(factor.drift.steps()), first as i64 + 1 - 1000);
            } else {
                assert_eq!((factor.last_accepted, factor.drift), (last, Drift::default()));
            }
        }
    }
}
