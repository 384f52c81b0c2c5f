//! The heart: one attempt to prove a factor. No clock, no disk, no bus.

use crate::code::Code;
use crate::factor::{Factor, FactorId, Kind, Match, Status};
use crate::otp::Algorithm;
use crate::record::Record;
use crate::seed::Seed;
use crate::throttle::{Source, Standing, ThrottleRules};

/// One attempt, as the shell around this found it.
#[derive(Debug)]
pub struct Attempt {
    /// What was typed; nothing if it cannot be a code.
    pub code: Option<Code>,
    /// The only factor that counts; nothing: any.
    pub factor: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// The uid that the name has now.
    pub uid: u32,
    /// When, in seconds since 1970.
    pub now: u64,
}

/// What an attempt is judged by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Time steps accepted on either side of the present one.
    pub skew: u64,
    /// How wrong codes are slowed down.
    pub throttle: ThrottleRules,
}

/// What came of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The code was right and is used up, once the record is on disk.
    Approved {
        /// The factor that it belongs to.
        factor: FactorId,
        /// `totp` or `hotp`.
        method: &'static str,
    },
    /// The code was not right. The reason is for the journal, never for the person.
    Denied(Reason),
    /// Too many wrong codes. This one was neither checked nor counted.
    Throttled {
        /// Seconds until the next one is looked at; nothing: not before `totpctl unlock`.
        retry_after: Option<u64>,
    },
}

/// Why a code was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// No answer, or one that cannot be a code. No guess was made, so none is counted.
    Malformed,
    /// There is no verified factor.
    NotEnrolled,
    /// The name belongs to another uid than at enrolment.
    UidChanged,
    /// The only factors are tokens that have to be resynchronised.
    Unsynchronised,
    /// Right, but of a time step that was used, or is older than one that was.
    Used,
    /// Right for no time step in the window.
    Wrong,
}

/// Judges one attempt: the verdict, and the record to put on disk before anybody hears of it.
///
/// Whatever the outcome, as many codes are computed, so that the time taken says nothing.
#[must_use]
pub fn attempt(mut record: Record, attempt: &Attempt, rules: &Rules) -> (Verdict, Record) {
    let now = attempt.now;
    record.throttle.settle(now, &rules.throttle);
    let standing = record.throttle.standing(&attempt.source, now, &rules.throttle);
    let matched = best_match(&record, attempt, rules.skew);

    let reason = match standing {
        Standing::Locked => return (Verdict::Throttled { retry_after: None }, record),
        Standing::Waiting(rest) => {
            return (Verdict::Throttled { retry_after: Some(rest) }, record);
        }
        Standing::Open if attempt.code.is_none() => {
            return (Verdict::Denied(Reason::Malformed), record);
        }
        Standing::Open if record.uid != attempt.uid => Reason::UidChanged,
        Standing::Open if !record.is_enrolled() => Reason::NotEnrolled,
        Standing::Open if record.verified().next().is_none() => Reason::Unsynchronised,
        Standing::Open => match matched {
            (index, Match::Fresh(counter)) => {
                if let Some(factor) = record.factors.get_mut(index) {
                    factor.last_accepted = Some(counter);
                    factor.last_used = Some(now);
                    let verdict =
                        Verdict::Approved { factor: factor.id.clone(), method: factor.kind.name() };
                    record.throttle.succeed(&attempt.source, now, &rules.throttle);
                    return (verdict, record);
                }
                Reason::Wrong
            }
            (_, Match::Used) => Reason::Used,
            (_, Match::None) => Reason::Wrong,
        },
    };
    record.throttle.fail(&attempt.source, now);
    (Verdict::Denied(reason), record)
}

/// The verified factor that the code fits best, by its place in the record, and how it fits.
fn best_match(record: &Record, attempt: &Attempt, skew: u64) -> (usize, Match) {
    let blank = Code::parse("00000000");
    let Some(code) = attempt.code.as_ref().or(blank.as_ref()) else {
        return (0, Match::None);
    };
    let mut best = (0, Match::None);
    let wanted = attempt.factor.as_deref();
    for (index, factor) in record.factors.iter().enumerate() {
        let may_open =
            factor.is_verified() && wanted.is_none_or(|wanted| factor.id.as_str() == wanted);
        let matched = factor.matches(code, attempt.now, skew);
        let better = match (best.1, matched) {
            (Match::Fresh(_), _) | (_, Match::None) => false,
            (_, Match::Fresh(_)) => true,
            (before, Match::Used) => before == Match::None,
        };
        if may_open && better {
            best = (index, matched);
        }
    }
    if record.factors.is_empty()
        && let Some(decoy) = decoy()
    {
        // As much work for who has no factor; what comes of it is not looked at.
        std::hint::black_box(decoy.matches(code, attempt.now, skew));
    }
    best
}

/// A factor that nobody has.
fn decoy() -> Option<Factor> {
    Some(Factor {
        id: FactorId::from_random([0; 5]),
        name: String::new(),
        kind: Kind::Totp { period: 30 },
        algorithm: Algorithm::Sha1,
        digits: 6,
        seed: Seed::new(vec![0; 20])?,
        status: Status::Disabled,
        created: 0,
        last_used: None,
        last_accepted: None,
    })
}

#[cfg(test)]
mod tests;
